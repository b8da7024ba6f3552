# SPDX-License-Identifier: Apache-2.0
"""A training recipe: what is trained, on what, and how, read from a small YAML file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.teacher import Teacher
from sim_bridge.bake import BakeSettings

_SECTIONS = {'contract': PolicyContract, 'bake': BakeSettings, 'imitation': ImitationSettings,
             'teacher': Teacher, 'sound': SoundVariation}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Sections of a recipe file; every field that the file leaves out has its default."""

    contract: PolicyContract = PolicyContract()
    bake: BakeSettings = BakeSettings()
    imitation: ImitationSettings = ImitationSettings()
    teacher: Teacher = Teacher()
    sound: SoundVariation = SoundVariation()
    houses: int = 48
    agents: int = 64
    max_steps: int = 150
    seed: int = 0

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

    def with_system(self, system: str) -> Recipe:
        """Return the same recipe for another network."""
        return dataclasses.replace(
            self, contract=dataclasses.replace(self.contract, system=system))


def _section(path: Path | str, name: str, value: Any) -> Any:
    if name not in _SECTIONS:
        return value
    try:
        return _SECTIONS[name](**value)
    except TypeError as error:
        raise ValueError(f'{path}: section {name!r}: {error}') from error
