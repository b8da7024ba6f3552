# SPDX-License-Identifier: Apache-2.0
"""A training recipe: what is trained, on what, and how, read from a small YAML file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from typing import Sequence

import numpy as np
import yaml

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.heard_places import PlaceSettings
from asgf_nav_ros.learning.hearing import HearingSettings
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.ppo import PpoSettings
from asgf_nav_ros.learning.ppo_rollout import Reward
from asgf_nav_ros.learning.sound_bank import BankSettings
from asgf_nav_ros.learning.sound_bank import SoundBank
from asgf_nav_ros.learning.supervised import SupervisedSettings
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.learning.training_houses import TrainingHouses
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.learning.waypoint_imitation import WaypointSettings
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings

_SECTIONS = {'contract': PolicyContract, 'bake': BakeSettings, 'imitation': ImitationSettings,
             'teacher': Teacher, 'sound': SoundVariation, 'houses': TrainingHouses,
             'troubles': Troubles, 'places': PlaceSettings, 'supervised': SupervisedSettings,
             'waypoints': WaypointSettings, 'hearing': HearingSettings, 'ppo': PpoSettings,
             'reward': Reward, 'sound_bank': BankSettings}
METHODS = ('imitation', 'ppo')
# The sections of systems that have a method of their own.
_BUDGETS = {'direction_follower': 'supervised', 'look_listen_act': 'supervised',
            'av_wan': 'waypoints'}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Sections of a recipe file; every field that the file leaves out has its default."""

    contract: PolicyContract = PolicyContract()
    bake: BakeSettings = BakeSettings()
    method: str = 'imitation'  # of METHODS, for systems that are one recurrent network
    hearing: HearingSettings = HearingSettings()  # before the first step
    imitation: ImitationSettings = ImitationSettings()
    ppo: PpoSettings = PpoSettings()
    reward: Reward = Reward()
    places: PlaceSettings = PlaceSettings()
    supervised: SupervisedSettings = SupervisedSettings()
    waypoints: WaypointSettings = WaypointSettings()
    teacher: Teacher = Teacher()
    sound: SoundVariation = SoundVariation()
    sound_bank: BankSettings = BankSettings()  # where houses are resident on a GPU
    troubles: Troubles = Troubles()
    houses: TrainingHouses = TrainingHouses()
    large_share: float | None = None  # of episodes in large houses; None draws houses evenly
    sounds: str = 'train'  # a split, or the name of the one sound to learn from
    agents: int = 64
    max_steps: int = 150
    max_detour: float | None = None  # imitation: times the oracle's actions, then an episode ends
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f'method must be one of {METHODS}, got {self.method!r}')
        if self.max_detour is not None and self.max_detour < 1:
            raise ValueError(f'max_detour must be at least 1, got {self.max_detour}')

    @classmethod
    def read(cls, path: Path | str) -> Recipe:
        """Read a YAML recipe.

        Raises:
            ValueError: the file is no mapping, or names an unknown section or field.
        """
        document = yaml.safe_load(Path(path).read_text())
        if not isinstance(document, dict):
            raise ValueError(f'{path}: a recipe must be a mapping, got {type(document).__name__}')
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(document) - known:
            raise ValueError(f'{path}: unknown {sorted(unknown)}, a recipe has {sorted(known)}')
        return cls(**{name: _section(path, name, value) for name, value in document.items()})

    def episodes(self, houses: Sequence[BakedHouse], clips: Sequence[np.ndarray],
                 rng: np.random.Generator, bank: SoundBank | None = None) -> EpisodeDraw:
        """Draw episodes as the recipe has them, from its houses and sounds."""
        return EpisodeDraw(houses, clips, sample_rate_hz=self.contract.sample_rate_hz,
                           variation=self.sound, troubles=self.troubles,
                           large_share=self.large_share, rng=rng, bank=bank)

    def with_system(self, system: str) -> Recipe:
        """Return the same recipe for another network."""
        return dataclasses.replace(
            self, contract=dataclasses.replace(self.contract, system=system))

    def with_samples(self, samples: int) -> Recipe:
        """Return the same recipe with another budget."""
        name = _BUDGETS.get(self.contract.system, self.method)
        section = dataclasses.replace(getattr(self, name), samples=samples)
        return dataclasses.replace(self, **{name: section})


def _section(path: Path | str, name: str, value: Any) -> Any:
    if name not in _SECTIONS:
        return value
    try:
        return _SECTIONS[name](**value)
    except TypeError as error:
        raise ValueError(f'{path}: section {name!r}: {error}') from error
