# SPDX-License-Identifier: Apache-2.0
"""The result of a replay as the JSON document that the command writes."""

from __future__ import annotations

import collections
from typing import Any
from typing import Sequence

from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.replay.decide_again import Again
from asgf_nav_ros.replay.decide_again import recorded_probabilities
from asgf_nav_ros.replay.recording_index import RecordingIndex

MAX_DIFFERENCES = 1000  # listed one by one


def replay_document(again: Sequence[Again], index: RecordingIndex, policy: OnnxPolicy, *,
                    wall_s: float) -> dict[str, Any]:
    """Return the document.

    ``agreement`` is the share of compared decisions whose action is the recorded one, null where
    the recording has no actions. ``speed_vs_realtime`` counts reading and deciding, not the
    loading of the model.
    """
    compared = [each for each in again if each.compared]
    agree = sum(each.agrees for each in compared)
    actions = policy.contract.actions
    differences = [_difference(number, each, actions) for number, each in enumerate(again)
                   if each.compared and not each.agrees]
    skipped = collections.Counter(each.why for each in again if each.decision is None)
    info = index.newest_info
    return {
        'decisions': sum(each.decision is not None for each in again),
        'agree': agree,
        'agreement': agree / len(compared) if compared else None,
        'first_difference': differences[0] if differences else None,
        'speed_vs_realtime': index.span_s / max(wall_s, 1e-9),
        'recorded_s': index.span_s,
        'skipped': [{'count': count, 'why': why} for why, count in skipped.items()],
        'differences': differences[:MAX_DIFFERENCES],
        'model_sha256': policy.sha256,
        'recorded_model_sha256': info.get('model_sha256'),
        'provider': policy.provider,
        'recorded_provider': info.get('provider'),
        'topics': {role.option: topic for topic, role in index.roles.items()},
        'notes': index.notes,
        'damage': index.bag.damage}


def summary(document: dict[str, Any]) -> str:
    """Return one line for the terminal."""
    speed = f'{document["speed_vs_realtime"]:.0f}x real time'
    if document['agreement'] is None:
        return f'{document["decisions"]} decisions, no recorded action to compare with, {speed}'
    line = (f'{document["decisions"]} decisions, {document["agree"]} as recorded '
            f'({100 * document["agreement"]:.1f} %), {speed}')
    first = document['first_difference']
    return line if first is None else (
        f'{line}; first difference at {first["stamp_s"]:.2f} s: {first["replayed"]} instead of '
        f'{first["recorded"]} ({first["why"]})')


def _difference(number: int, again: Again, actions: tuple[str, ...]) -> dict[str, Any]:
    choice, recorded = again.choice, recorded_probabilities(again.choice, actions)
    return {
        'index': number, 'episode': choice.episode, 'step': choice.step,
        'stamp_s': choice.stamp_s, 'recorded': choice.action,
        'replayed': again.decision.action.name, 'why': again.why,
        'recorded_probabilities': None if recorded is None else dict(
            zip(actions, recorded.tolist())),
        'replayed_probabilities': dict(zip(actions, again.decision.probabilities.tolist()))}
