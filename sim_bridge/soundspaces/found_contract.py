# SPDX-License-Identifier: Apache-2.0
"""The contract that the files of a dataset would suit, for agents that look at nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from scipy.io import wavfile

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.observations import SceneObservations


def found_contract(layout: Layout, scene: str, node: int) -> PolicyContract:
    """The dataset's published contract, with the rate and size of images of one scene's files.

    Args:
        layout: of the dataset.
        scene: whose files are looked at.
        node: one of its nodes, by its name.

    Raises:
        DatasetError: a view or any readable response is missing.
    """
    color, _ = SceneObservations(layout.observations(scene)).view(node, 0)
    height, width = color.shape[:2]
    return dataclasses.replace(
        layout.facts.contract, image_height=height, image_width=width,
        sample_rate_hz=_rate_hz(layout.response(scene, 0, node, node).parent))


def _rate_hz(folder: Path) -> int:
    for path in sorted(folder.glob('*.wav'))[:100] if folder.is_dir() else []:
        try:
            return int(wavfile.read(path, mmap=True)[0])
        except ValueError:  # broken ones are silence elsewhere
            continue
    raise DatasetError(f'{folder}: holds no readable response')
