# SPDX-License-Identifier: Apache-2.0
"""Train and export the systems that plan: Direction Follower, Gan et al. and AV-WaN."""

from __future__ import annotations

import os
from pathlib import Path
import pickle
import time
from typing import Any
from typing import Mapping
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.heard_places import HeardPlaces
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.run_folder import CHECKPOINT
from asgf_nav_ros.learning.run_folder import figures_line
from asgf_nav_ros.learning.run_folder import RunFolder
from asgf_nav_ros.learning.supervised import SupervisedLearner
from asgf_nav_ros.learning.waypoint_imitation import WaypointLearner
from asgf_nav_ros.learning.waypoint_rollout import WaypointRollout
from asgf_nav_ros.network import av_wan
from asgf_nav_ros.network import sound_locator
from asgf_nav_ros.network.av_wan import AvWanNetwork
from asgf_nav_ros.network.av_wan import DeployedAvWan
from asgf_nav_ros.network.checkpoint import Checkpoint
from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.network.part_export import export_part
from asgf_nav_ros.network.sound_locator import DeployedLocator
from asgf_nav_ros.network.sound_locator import SoundLocator
from sim_bridge.bake import BakedHouse
from sim_bridge.grid_world import GridWorld

SYSTEMS = (*sound_locator.OUTPUTS, 'av_wan')
_SAVE_EVERY_S = 60.0


def train(recipe: Recipe, out: Path, *, houses: Sequence[BakedHouse],
          clips: Sequence[np.ndarray], device: torch.device | str = 'cpu',
          resume: bool = False) -> None:
    """Train the system of the recipe's contract, with a checkpoint every minute.

    Args:
        recipe: its section ``supervised`` or ``waypoints`` counts.
        out: folder of the run.
        houses: baked for the recipe's contract.
        clips: training sounds, each (window_samples,) float32, peak 1.
        device: of torch.
        resume: go on with the run in ``out``.

    Raises:
        ValueError: ``out`` holds a run that is not to be resumed.
    """
    torch.manual_seed(recipe.seed)
    folder = _PartRun(out)
    saved = folder.open(recipe, resume=resume, device=device)
    network = saved.agent if saved else build_network(recipe.contract).to(device)
    learner = build_learner(recipe, network, houses=houses, clips=clips, device=device)
    if saved:
        learner.restore(saved.training)
    saved_s = began_s = time.monotonic()

    def on_round(figures: dict[str, float]) -> None:
        nonlocal saved_s
        elapsed_s = time.monotonic() - began_s
        folder.record(figures | {'elapsed_s': elapsed_s})
        print(figures_line(figures, elapsed_s), flush=True)
        if time.monotonic() - saved_s > _SAVE_EVERY_S:
            folder.save(network, learner.state())
            saved_s = time.monotonic()

    try:
        learner.learn(on_round)
        folder.save(network, learner.state())
    finally:
        folder.close()


def export(run: Path, path: Path, *, recipe: Mapping[str, Any]) -> None:
    """Write the network of a run as an ONNX file that ``systems`` runs.

    Raises:
        CheckpointError: the run's checkpoint is not one of ``SYSTEMS``.
        ExportError: the file does not compute what the network computes.
    """
    network, training = load_part(run / CHECKPOINT)
    contract = network.contract
    provenance = {'recipe': recipe, 'samples': training['samples']}
    if isinstance(network, AvWanNetwork):
        deployed = DeployedAvWan(network)
        export_part(deployed, path, inputs=deployed.inputs(), outputs=av_wan.OUTPUTS,
                    contract=contract, provenance=provenance)
    else:
        export_part(DeployedLocator(network), path,
                    inputs={'spectrogram': contract.spectrogram_shape},
                    outputs=sound_locator.OUTPUTS[contract.system], contract=contract,
                    provenance=provenance)


def build_network(contract: PolicyContract) -> SoundLocator | AvWanNetwork:
    """A fresh network of the contract's system."""
    return AvWanNetwork(contract) if contract.system == 'av_wan' else SoundLocator(contract)


def build_learner(recipe: Recipe, network: SoundLocator | AvWanNetwork, *,
                  houses: Sequence[BakedHouse], clips: Sequence[np.ndarray],
                  device: torch.device | str = 'cpu') -> SupervisedLearner | WaypointLearner:
    """Put a network into the recipe's houses."""
    rng = np.random.default_rng(recipe.seed)
    contract = recipe.contract
    episodes = recipe.episodes(houses, clips, rng)
    if isinstance(network, SoundLocator):
        world = GridWorld(houses, contract, count=recipe.supervised.batch, device=device)
        places = HeardPlaces(episodes, world, settings=recipe.places, rng=rng, device=device)
        return SupervisedLearner(network, places, settings=recipe.supervised, device=device)
    world = GridWorld(houses, contract, count=recipe.agents, device=device)
    rollout = WaypointRollout(world, episodes, teacher=recipe.teacher, rng=rng,
                              max_steps=recipe.max_steps, bfloat16=recipe.waypoints.bfloat16)
    return WaypointLearner(network, rollout, settings=recipe.waypoints, rng=rng, device=device)


def load_part(path: Path, *, device: torch.device | str = 'cpu'
              ) -> tuple[SoundLocator | AvWanNetwork, dict[str, Any]]:
    """Read network and training state of a run; runs no code from the file.

    Raises:
        CheckpointError: the file is something else.
        OSError: it cannot be read.
    """
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        network = build_network(PolicyContract.from_json(saved['contract'])).to(device)
        network.load_state_dict(saved['weights'])
        return network, saved['training']
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError,
            ValueError) as error:
        reason = ' '.join(str(error).split())
        raise CheckpointError(f'{path} must be a checkpoint of one of {SYSTEMS}: '
                              f'{reason:.200}') from error


class _PartRun(RunFolder):
    """A run folder whose checkpoint holds a network that is not a whole policy."""

    def _load(self, file: Path, device: torch.device | str) -> Checkpoint:
        return Checkpoint(*load_part(file, device=device))

    def save(self, agent: SoundLocator | AvWanNetwork, training: Mapping[str, Any]) -> None:
        """Replace the checkpoint as a whole."""
        part = self.path / f'{CHECKPOINT}.part'
        torch.save({'contract': agent.contract.to_json(), 'weights': agent.state_dict(),
                    'training': dict(training)}, part)
        os.replace(part, self.path / CHECKPOINT)
