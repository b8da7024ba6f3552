# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav replay``: decides again from a recording, without ROS."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
import time

from asgf_nav_ros.inference.model_file import read_model
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.inference.onnx_policy import PolicyOutputError
from asgf_nav_ros.inference.providers import PROVIDERS
from asgf_nav_ros.inference.providers import ProviderUnavailable
from asgf_nav_ros.replay.bag_file import BagFile
from asgf_nav_ros.replay.decide_again import decide_all
from asgf_nav_ros.replay.observations import ObservationPass
from asgf_nav_ros.replay.page import ReplayPage
from asgf_nav_ros.replay.recording_index import RecordingIndex
from asgf_nav_ros.replay.report import replay_document
from asgf_nav_ros.replay.report import summary
from asgf_nav_ros.replay.topic_roles import parse_choices
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.sound.level import FULL_SCALE

DEFAULT_MODEL = 'asgf_nav.onnx'
PROGRESS_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('bag', type=Path, metavar='BAG',
                        help='folder of a rosbag2, or a file .mcap, .db3 or .bag')
    parser.add_argument('--json', type=Path, required=True, metavar='F', help='result to write')
    parser.add_argument('--html', type=Path, metavar='F',
                        help='page to write that shows each decision')
    parser.add_argument('--model', type=Path, metavar='M',
                        help='exported policy; without it the shipped one that was recorded')
    parser.add_argument('--provider', choices=PROVIDERS, default='cpu',
                        help='where ONNX Runtime runs the model')
    parser.add_argument('--topic', action='append', default=[], metavar='ROLE=NAME',
                        help='the topic of audio, color, depth, camera_info, odom, ... where '
                        'names do not tell')
    parser.add_argument('--tolerance', type=float, default=0.25, metavar='S',
                        help='seconds between a window and its images, where the recording '
                        'does not name them')
    parser.add_argument('--full-scale', type=float, metavar='LEVEL',
                        help='the full_scale of the recording, where it holds no spectrograms; '
                        f'without it the recorded one, or else {FULL_SCALE:g}')


def run(arguments: argparse.Namespace) -> int:
    """Decide again, write what was asked for and return the exit code."""
    bag = BagFile(arguments.bag)
    began_s = time.perf_counter()
    index = RecordingIndex(bag, parse_choices(arguments.topic))
    read_s = time.perf_counter() - began_s
    policy = open_policy(arguments, index)
    choices = index.choices(window_s=policy.contract.window_s, tolerance_s=arguments.tolerance)
    page = ReplayPage(index, policy) if arguments.html else None
    began_s, told_s, again = time.perf_counter(), time.monotonic(), []
    gathered = ObservationPass(index, choices, policy.contract, full_scale=arguments.full_scale)
    for each in decide_all(policy, index, iter(gathered)):
        if page is not None:
            page.add(each)
        again.append(each.without_observation())
        if time.monotonic() - told_s > PROGRESS_S:
            told_s = time.monotonic()
            print(f'{len(again)} of {len(choices)} decisions', file=sys.stderr)
    document = replay_document(again, index, policy,
                               wall_s=read_s + time.perf_counter() - began_s)
    return report(arguments, document, page)


def report(arguments: argparse.Namespace, document: dict, page: ReplayPage | None) -> int:
    """Write the files, say how it went; 1 if nothing could be decided."""
    arguments.json.write_text(json.dumps(document, indent=2) + '\n', encoding='utf-8')
    if page is not None:
        arguments.html.write_text(page.html(document), encoding='utf-8')
    for note in document['notes']:
        print(f'note: {note}', file=sys.stderr)
    if document['damage']:
        print(f'note: {document["damage"]}; replayed what could be read', file=sys.stderr)
    for skipped in document['skipped']:
        print(f'note: {skipped["count"]} not decided again: {skipped["why"]}', file=sys.stderr)
    print(summary(document))
    return 0 if document['decisions'] else 1


def open_policy(arguments: argparse.Namespace, index: RecordingIndex) -> OnnxPolicy:
    """Load the model that was asked for, or the shipped one that the recording names.

    Raises:
        ValueError: there is none, or it cannot be used.
    """
    path = arguments.model or shipped_model(index.newest_info.get('model_sha256'))
    try:
        return OnnxPolicy(path, provider=arguments.provider)
    except (ProviderUnavailable, PolicyOutputError) as error:
        raise ValueError(str(error)) from error


def shipped_model(sha256: object) -> Path:
    """Return the shipped model with this hash; the usual one where the recording names none.

    Raises:
        ValueError: none has it.
    """
    folder = share_directory('models')
    if not isinstance(sha256, str):
        return folder / DEFAULT_MODEL
    for path in sorted(folder.glob('*.onnx')):
        if read_model(path)[1] == sha256:
            return path
    raise ValueError(f'the recording was made with a model of SHA-256 {sha256:.64}, which is not '
                     'among the shipped ones: name it, or another one, with --model')
