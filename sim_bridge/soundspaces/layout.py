# SPDX-License-Identifier: Apache-2.0
"""Where the files of SoundSpaces 1.0 lie, and what the two datasets have in them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
import re

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.published_contracts import PUBLISHED

HEADINGS = 4
ROTATIONS_DEG = (0, 90, 180, 270)  # counter-clockwise about +y from -z, one a heading
MOST_POINTS = 100_000
_SAFE_NAME = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_.+-]*')
_SCENE_PREFIX = 'data/scene_dataset/'  # audionav_dataset.py takes it off


class DatasetError(ValueError):
    """A file of a dataset is missing, damaged or not what it should be."""


@dataclasses.dataclass(frozen=True)
class DatasetFacts:
    """What SoundSpaces' configurations say of a dataset.

    contract : of its published experiments.
    height_m : subtracted from the heights in points.txt (soundspaces/utils.py).
    mesh : of a scene, under its folder.
    """

    contract: PolicyContract
    height_m: float
    mesh: str

    @property
    def step_m(self) -> float:
        """Way that an edge counts, metres."""
        return self.contract.forward_step_m


DATASETS = {
    'replica': DatasetFacts(PUBLISHED['replica'], 1.5528907, 'habitat/mesh_semantic.ply'),
    'mp3d': DatasetFacts(PUBLISHED['matterport3d'], 1.5, '{scene}.glb'),
}


@dataclasses.dataclass(frozen=True)
class Layout:
    """The folders of one dataset, 'replica' or 'mp3d', under ``root``."""

    root: Path
    name: str

    def __post_init__(self) -> None:
        if self.name not in DATASETS:
            raise DatasetError(f'a dataset is one of {sorted(DATASETS)}, got {self.name!r}')

    @property
    def facts(self) -> DatasetFacts:
        """What is the same in all its scenes."""
        return DATASETS[self.name]

    @property
    def metadata(self) -> Path:
        """Folder of a folder for each scene."""
        return self.root / 'metadata' / self.name

    @property
    def splits(self) -> Path:
        """Folder of a folder for each split."""
        return self.root / 'datasets' / 'audionav' / self.name / 'v1'

    def points(self, scene: str) -> Path:
        """Coordinates of all points of a scene."""
        return self.metadata / safe(scene) / 'points.txt'

    def graph(self, scene: str) -> Path:
        """Those points that an agent can reach, and their edges."""
        return self.metadata / safe(scene) / 'graph.pkl'

    def observations(self, scene: str) -> Path:
        """Everything that is seen in a scene."""
        return self.root / 'scene_observations' / self.name / f'{safe(scene)}.pkl'

    def responses(self, scene: str) -> Path:
        """Folder of a folder for each azimuth."""
        return self.root / 'binaural_rirs' / self.name / safe(scene)

    def response(self, scene: str, heading: int, receiver: int, source: int) -> Path:
        """Impulse response of one pair of nodes; azimuths are clockwise."""
        azimuth_deg = -ROTATIONS_DEG[heading] % 360
        return self.responses(scene) / str(azimuth_deg) / f'{receiver}_{source}.wav'

    def split(self, split: str) -> Path:
        """The file of a split itself, without the episodes of its scenes."""
        return self.splits / safe(split) / f'{split}.json.gz'

    def content(self, split: str) -> Path:
        """Folder of a file of episodes for each scene."""
        return self.splits / safe(split) / 'content'

    def sound(self, folder: str, name: str) -> Path:
        """A recording, with its ending; ``name`` may have folders of its own."""
        return Path(self.root, 'sounds', *map(safe, [folder, *name.split('/')]))

    def scenes(self) -> list[str]:
        """Names of the scenes that have metadata."""
        return _names(self.metadata, '')

    def scenes_with_episodes(self, split: str) -> list[str]:
        """Names of the scenes of a split.

        Raises:
            DatasetError: there is no such split; the message lists those that there are.
        """
        scenes = _names(self.content(split), '.json.gz')
        if not scenes:
            found = ', '.join(_names(self.splits, '')) or 'none'
            raise DatasetError(f'{self.content(split)}: holds no episodes; there are the splits '
                               f'{found}')
        return scenes


def safe(name: str) -> str:
    """Return a name that leads nowhere else.

    Raises:
        DatasetError: it is not a plain name of a file or folder.
    """
    if not isinstance(name, str) or not _SAFE_NAME.fullmatch(name):
        raise DatasetError(f'a name must be letters, digits and _.+-, got {name!r:.60}')
    return name


def scene_of(scene_id: str) -> str:
    """Name of the scene of a ``scene_id``, which is a path of its mesh.

    Raises:
        DatasetError: it is no such path, or leads out of its folder.
    """
    if not isinstance(scene_id, str):
        raise DatasetError(f'scene_id must be a path, got {scene_id!r:.60}')
    parts = [safe(part) for part in scene_id.removeprefix(_SCENE_PREFIX).split('/')]
    return parts[0]


def read_points(path: Path, facts: DatasetFacts) -> np.ndarray:
    """Points of a scene, (n, 3) float64 metres, y up and -z ahead.

    Raises:
        DatasetError: missing, too long or not four columns of finite numbers.
    """
    try:
        table = np.loadtxt(path, delimiter='\t', ndmin=2, max_rows=MOST_POINTS + 1)
    except FileNotFoundError:
        raise DatasetError(f'{path}: is missing') from None
    except ValueError as error:
        raise DatasetError(f'{path}: must be four columns of numbers: {error!s:.100}') from None
    if table.shape[1:] != (4,) or len(table) > MOST_POINTS or not np.isfinite(table).all():
        raise DatasetError(f'{path}: must be four columns of at most {MOST_POINTS} finite '
                           f'numbers, got {table.shape}')
    # The mesh has z up.
    return np.stack([table[:, 1], table[:, 3] - facts.height_m, -table[:, 2]], axis=1)


def _names(folder: Path, ending: str) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name.removesuffix(ending) for path in folder.iterdir()
                  if path.name.endswith(ending) and _SAFE_NAME.fullmatch(path.name)
                  and path.is_dir() == (not ending))
