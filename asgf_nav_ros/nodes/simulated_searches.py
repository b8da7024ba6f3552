# SPDX-License-Identifier: Apache-2.0
"""Worlds for the node ``simulator``, and which searches take place in them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.nodes.simulator_parameters import SimulatorParameters
from sim_bridge.arbitrary_pose import own_lattice
from sim_bridge.diff_drive import OdometryNoise
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.episode_series import draw_episode
from sim_bridge.episodes import Episode
from sim_bridge.episodes import episodes_from_json
from sim_bridge.episodes import load_house
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.sounds import Catalogue
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import read_sound_folder
from sim_bridge.sounds import Sound
from sim_bridge.soundspaces.driven_world import DrivenWorld
from sim_bridge.soundspaces.layout import Layout


class Searches(Protocol):
    """A world and a list of episodes in it; ``count`` is how many there are.

    success_radius_m : a STOP within this counts.
    """

    world: EmbeddedWorld | DrivenWorld
    count: int
    success_radius_m: float

    def episode(self, index: int) -> Episode:
        """The episode of that index."""

    def begin(self, episode: Episode) -> None:
        """Place robot and source into the world."""


def open_searches(settings: SimulatorParameters, contract: PolicyContract) -> Searches:
    """What the parameters ask for.

    Raises:
        OSError, ValueError: a file is missing or wrong.
    """
    noise = OdometryNoise(
        linear_m_per_sqrt_m=settings.odometry_noise_linear_m_per_sqrt_m,
        angular_rad_per_sqrt_rad=settings.odometry_noise_angular_rad_per_sqrt_rad)
    kind = DatasetSearches if settings.dataset_root else HouseSearches
    return kind(settings, contract, noise)


class HouseSearches:
    """In generated houses or floor plans; drawn, or listed in a file."""

    def __init__(self, settings: SimulatorParameters, contract: PolicyContract,
                 noise: OdometryNoise) -> None:
        self._settings, self._step_m = settings, contract.forward_step_m
        catalogue = (read_sound_folder(settings.sound_folder) if settings.sound_folder
                     else load_catalogue())
        self._sounds = self._choose_sounds(catalogue)
        self._listed = (episodes_from_json(Path(settings.episodes_file).read_text('utf-8'))
                        if settings.episodes_file else None)
        self.count = (settings.episodes if self._listed is None
                      else min(settings.episodes, len(self._listed)))
        self.success_radius_m = contract.success_radius_m
        self.world = EmbeddedWorld(contract, seed=settings.seed, catalogue=catalogue,
                                   odometry_noise=noise)

    def _choose_sounds(self, catalogue: Catalogue) -> tuple[Sound, ...]:
        if self._settings.sounds == 'heard':
            return (catalogue.heard,)
        sounds = catalogue.split(self._settings.split)
        if not sounds:
            raise ValueError(f'no sound of split {self._settings.split!r}: recordings of your '
                             'own are all test')
        return sounds

    def episode(self, index: int) -> Episode:
        """The episode of that index."""
        if self._listed is not None:
            return self._listed[index]
        settings = self._settings
        return draw_episode(
            index, seed=settings.seed, house=settings.house, split=settings.split,
            size=settings.size, sounds=self._sounds, step_m=self._step_m)

    def begin(self, episode: Episode) -> None:
        """Place robot and source into the world."""
        self.world.reset(episode, graph=self._lattice_of(episode))

    def _lattice_of(self, episode: Episode) -> NavigationGraph | None:
        """The lattice that the episode was drawn on, None for the usual one of its house."""
        if not self._settings.own_lattices:
            return None
        return own_lattice(load_house(episode.house), episode.seed, step_m=self._step_m)


class DatasetSearches:
    """In scenes of SoundSpaces 1.0; the episodes of a split."""

    def __init__(self, settings: SimulatorParameters, contract: PolicyContract,
                 noise: OdometryNoise) -> None:
        layout = Layout(Path(settings.dataset_root), settings.dataset_name)
        self.world = DrivenWorld(contract, layout, settings.dataset_split,
                                 count=settings.episodes, seed=settings.seed,
                                 odometry_noise=noise)
        self.count = len(self.world.episodes)
        self.success_radius_m = self.world.success_radius_m

    def episode(self, index: int) -> Episode:
        """The episode of that index."""
        return self.world.episodes[index]

    def begin(self, episode: Episode) -> None:
        """Place robot and source into the world."""
        self.world.reset(episode)
