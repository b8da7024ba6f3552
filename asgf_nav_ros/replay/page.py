# SPDX-License-Identifier: Apache-2.0
"""One page that shows every decision of a recording; it needs nothing but a browser."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from asgf_nav_ros.contract import Observation
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.replay.decide_again import Again
from asgf_nav_ros.replay.decide_again import recorded_probabilities
from asgf_nav_ros.replay.page_map import EpisodeMap
from asgf_nav_ros.replay.pictures import depth_picture
from asgf_nav_ros.replay.pictures import heat_colors
from asgf_nav_ros.replay.recording_index import RecordingIndex

TEMPLATE = Path(__file__).with_name('page.html')
MAX_SHOWN = 2000  # about 15 kB each
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 85]


class ReplayPage:
    """Takes decisions one by one, as they are replayed, and keeps them small."""

    def __init__(self, index: RecordingIndex, policy: OnnxPolicy) -> None:
        self._index, self._policy = index, policy
        self._actions = policy.contract.actions
        self._runs: list[tuple[str, list[dict[str, Any]]]] = []
        self._shown = self._left_out = 0

    def add(self, again: Again) -> None:
        """Take the next decision."""
        if self._shown >= MAX_SHOWN:
            self._left_out += 1
            return
        self._shown += 1
        if not self._runs or self._runs[-1][0] != again.choice.episode or not again.choice.step:
            self._runs.append((again.choice.episode, []))
        self._runs[-1][1].append(self._entry(again))

    def html(self, document: dict[str, Any]) -> str:
        """Return the page; ``document`` is the result of the replay."""
        template = TEMPLATE.read_text(encoding='utf-8')
        data = json.dumps(self._data(document), separators=(',', ':'), allow_nan=False)
        # Names come from the recording: none of them may end the script.
        return template.replace('"DATA"', data.replace('<', '\\u003c'), 1)

    def _data(self, document: dict[str, Any]) -> dict[str, Any]:
        notes = list(document['notes'])
        notes += [document['damage']] if document['damage'] else []
        notes += [f'{each["count"]} not decided again: {each["why"]}'
                  for each in document['skipped']]
        if self._left_out:
            notes.append(f'{self._left_out} later decisions are not on this page')
        summary = {name: value for name, value in document.items()
                   if name not in ('differences', 'notes', 'skipped', 'topics')}
        window_s = self._policy.contract.window_s
        # The next episode begins where its first window does, perhaps with odometry anew.
        begin_s = [entries[0]['t'] - window_s for _, entries in self._runs] + [math.inf]
        runs = [self._run(name, entries, window_s, until_s=next_s)
                for (name, entries), next_s in zip(self._runs, begin_s[1:])]
        path = self._index.bag.path.resolve()
        return {'title': f'{path.parent.name}/{path.name}', 'summary': summary, 'notes': notes,
                'actions': list(self._actions), 'window_s': window_s, 'episodes': runs,
                'heat': heat_colors()}

    def _run(self, name: str, entries: list[dict[str, Any]], window_s: float, *,
             until_s: float) -> dict[str, Any]:
        chart = EpisodeMap(self._index, name, [entry['t'] for entry in entries],
                           window_s=window_s, until_s=until_s)
        for entry in entries:
            entry['pose'] = chart.pose_at(entry['t'])
        return {'name': name, 'caption': chart.caption(), 'map': chart.document(),
                'decisions': entries}

    def _entry(self, again: Again) -> dict[str, Any]:
        choice, decision = again.choice, again.decision
        recorded = recorded_probabilities(choice, self._actions)
        entry = {'t': choice.stamp_s, 'step': choice.step, 'recorded': choice.action,
                 'why': again.why, 'then': None if recorded is None else _rounded(recorded)}
        if decision is None:
            return entry
        return {**entry, 'replayed': decision.action.name, 'now': _rounded(decision.probabilities),
                'gate': round(decision.gate, 4), 'attention': _rounded(decision.attention),
                'weights': _rounded(decision.frame_weights),
                'azimuth': round(decision.sound_azimuth_rad, 4), 'led': decision.exploring,
                'distance': round(decision.sound_distance_m, 2),
                'value': round(decision.value, 3), **_senses(again.observation)}


def _senses(observation: Observation) -> dict[str, Any]:
    """Return what was seen as JPEG, and what was heard as bytes with their scale."""
    ears = observation.spectrogram[:, :, :2]
    peak = max(float(ears.max()), 1e-6)
    level = np.uint8(255 * np.clip(ears / peak, 0, 1))
    return {'color': _jpeg(cv2.cvtColor(observation.rgb, cv2.COLOR_RGB2BGR)),
            'depth': _jpeg(depth_picture(observation.depth)),
            'ears': [_base64(level[:, :, ear].tobytes()) for ear in (0, 1)],
            'bins': ears.shape[0], 'frames': ears.shape[1], 'peak': peak}


def _jpeg(bgr: np.ndarray) -> str:
    _, encoded = cv2.imencode('.jpg', bgr, JPEG)
    return 'data:image/jpeg;base64,' + _base64(encoded.tobytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
