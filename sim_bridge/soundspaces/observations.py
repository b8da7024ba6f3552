# SPDX-License-Identifier: Apache-2.0
"""What is seen in a scene: looked up in the file of its cached observations, never loaded whole.

Two generations of that file exist. Older ones hold what habitat-sim returned: colour with an
alpha channel and depth (H, W) in metres. Since July 2022 SoundSpaces' script stores what
habitat's sensors made of it: colour without alpha, depth (H, W, 1) over 10 m. Both are read.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np

from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import HEADINGS
from sim_bridge.soundspaces.layout import ROTATIONS_DEG
from sim_bridge.soundspaces.pickled_objects import PickleError
from sim_bridge.soundspaces.pickled_objects import StoredArray
from sim_bridge.soundspaces.pickles import read_pickle

DEPTH_MAX_M = np.float32(10.0)


class SceneObservations:
    """Colour and depth by node and heading; the file stays mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Index the file.

        Raises:
            DatasetError: missing, damaged, or not a dictionary of observations.
        """
        try:
            with path.open('rb') as stream:
                self._file = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            stored = read_pickle(self._file)
        except FileNotFoundError:
            raise DatasetError(f'{path}: is missing; SoundSpaces makes it with '
                               'scripts/cache_observations.py') from None
        except ValueError as error:  # an empty file cannot be mapped
            raise DatasetError(f'{path}: {error}') from None
        if not isinstance(stored, dict) or not stored:
            raise DatasetError(f'{path}: must be a dictionary of observations')
        self.path, self._stored = path, stored

    def nodes(self) -> set[int]:
        """Names of the nodes that have a view in every direction."""
        whole = {key for key in self._stored if isinstance(key, tuple)}
        return {node for node, _ in whole
                if all((node, rotation_deg) in whole for rotation_deg in ROTATIONS_DEG)}

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour (H, W, 3) uint8 and depth (H, W) float32, metres, of a node by its name.

        Raises:
            DatasetError: there is no such view, or it is not colour and depth.
        """
        observation = self._stored.get((node, ROTATIONS_DEG[heading % HEADINGS]))
        if not isinstance(observation, dict):
            raise DatasetError(f'{self.path}: has no view of node {node} at '
                               f'{ROTATIONS_DEG[heading]} degrees')
        color, depth = (self._array(observation, name) for name in ('rgb', 'depth'))
        if (color.dtype != np.uint8 or color.ndim != 3 or color.shape[2] not in (3, 4)
                or depth.dtype != np.float32 or depth.shape[:2] != color.shape[:2]):
            raise DatasetError(f'{self.path}: node {node} must have rgb (H, W, 3) uint8 and depth '
                               f'(H, W) float32, got {color.shape} {color.dtype} and '
                               f'{depth.shape} {depth.dtype}')
        return color[..., :3], self._metres(depth, node)

    def _array(self, observation: dict, name: str) -> np.ndarray:
        stored = observation.get(name)
        if not isinstance(stored, StoredArray):
            raise DatasetError(f'{self.path}: observations must have {name}, got '
                               f'{sorted(map(str, observation))!s:.80}')
        try:
            return stored.view(self._file)
        except PickleError as error:
            raise DatasetError(f'{self.path}: {error}') from None

    def _metres(self, depth: np.ndarray, node: int) -> np.ndarray:
        if depth.ndim == 3 and depth.shape[2] == 1:
            depth_m = depth[..., 0] * DEPTH_MAX_M
        elif depth.ndim == 2:
            depth_m = depth
        else:
            raise DatasetError(f'{self.path}: depth of node {node} must be (H, W), '
                               f'got {depth.shape}')
        return np.fmin(np.fmax(depth_m, np.float32(0)), DEPTH_MAX_M)  # NaN becomes 0
