# SPDX-License-Identifier: Apache-2.0
"""Which processes the demo's graph is made of, and how each is set up."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from asgf_nav_ros.ros_processes import node_command


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """What to run.

    house : a floor plan or a name of a generated house; empty draws one an episode.
    sound_folder : one's own recordings; empty takes unheard ones of the catalogue.
    dataset_root : a download of SoundSpaces 1.0 instead, with ``dataset_name`` and
        ``dataset_split``.
    realtime : by the wall clock, rather than in lockstep as fast as it goes.
    max_actions : a search is given up after so many.
    """

    model: Path
    episodes: int = 3
    seed: int = 1
    house: str = ''
    sound_folder: str = ''
    dataset_root: str = ''
    dataset_name: str = 'replica'
    dataset_split: str = 'test_telephone'
    realtime: bool = False
    max_actions: int = 100

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise ValueError(f'episodes must be positive, got {self.episodes}')
        if self.dataset_root and (self.house or self.sound_folder):
            raise ValueError('a dataset has houses and sounds of its own, got '
                             f'{self.house or self.sound_folder}')
        if not self.model.is_file():
            raise ValueError(f'model must be an ONNX file, got {self.model}: there is none')


def recorder_arguments(plan: DemoPlan, bag: Path) -> list[str]:
    """Return the arguments of Python that start the recorder."""
    return node_command.node_arguments('recorder', {
        'bag_path': str(bag), 'episodes': plan.episodes, 'start_motion': True})


def node_arguments(node: str, plan: DemoPlan) -> list[str]:
    """Return the arguments of Python that start a node."""
    own = {'simulator': _simulator(plan), 'motion': _motion(plan)}.get(node, {})
    return node_command.node_arguments(node, {'model_path': str(plan.model), **own})


def _simulator(plan: DemoPlan) -> dict[str, Any]:
    return {'lockstep': not plan.realtime, 'episodes': plan.episodes, 'seed': plan.seed,
            'house': plan.house, 'sound_folder': plan.sound_folder,
            'dataset_root': plan.dataset_root, 'dataset_name': plan.dataset_name,
            'dataset_split': plan.dataset_split,
            'max_actions': plan.max_actions, 'exit_when_done': False}


def _motion(plan: DemoPlan) -> dict[str, Any]:
    waits = {'enabled': False}  # for the recorder
    by_clock = {'control_trigger': 'timer', 'depth_wait_s': 0.0}
    return {**waits, **by_clock} if plan.realtime else waits
