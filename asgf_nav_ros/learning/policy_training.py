# SPDX-License-Identifier: Apache-2.0
"""Train a recurrent policy by a recipe's method, in one process or several, to the end."""

from __future__ import annotations

from pathlib import Path
import time
from typing import Any
from typing import Mapping
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.learning.distributed import Processes
from asgf_nav_ros.learning.heard_places import HeardPlaces
from asgf_nav_ros.learning.hearing import HearingLesson
from asgf_nav_ros.learning.imitation import ImitationLearner
from asgf_nav_ros.learning.ppo import PpoLearner
from asgf_nav_ros.learning.ppo_rollout import PpoRollout
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.rollout import Rollout
from asgf_nav_ros.learning.run_folder import figures_line
from asgf_nav_ros.learning.run_folder import RunFolder
from asgf_nav_ros.learning.sound_bank import SoundBank
from asgf_nav_ros.learning.training_scenes import TrainingScenes
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import Checkpoint
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.network.initial_weights import begin_with
from sim_bridge.bake import BakedHouse
from sim_bridge.grid_world import GridWorld
from sim_bridge.resident_houses import ResidentHouses
from sim_bridge.resident_world import ResidentWorld

_SAVE_EVERY_S = 60.0
Places = Sequence[BakedHouse] | ResidentHouses | TrainingScenes


def train(recipe: Recipe, out: Path, *, houses: Places,
          clips: Sequence[np.ndarray], device: str = 'cpu', resume: bool = False,
          initial: Path | None = None, processes: Processes | None = None,
          save_every_s: float = _SAVE_EVERY_S, bank: SoundBank | None = None) -> None:
    """Train the recipe's network; every process of a distributed run calls this.

    Args:
        recipe: its ``agents`` act in each process.
        out: folder of the run, written by process 0.
        houses: baked for the recipe's contract, resident on the device or not, or scenes with
            episodes and sounds of their own.
        clips: training sounds, each (window_samples,) float32, peak 1; of houses.
        device: of torch.
        resume: go on with the run in ``out``, if there is one.
        initial: checkpoint or exported policy whose weights a new run begins with.
        processes: that learn together; this one alone by default.
        save_every_s: time between checkpoints, seconds.
        bank: sounds made beforehand; of houses.

    Raises:
        ValueError: ``out`` holds a run that is not to be resumed, or ``initial`` is of another
            contract.
    """
    processes = processes or Processes()
    folder = RunFolder(out)
    saved = folder.open(recipe, resume=resume) if processes.leads else None
    training = processes.share(saved.training if saved else None)
    agent = _agent(recipe, saved, initial).to(device)
    if recipe.hearing.samples and training is None and processes.leads:
        _teach_hearing(recipe, agent, houses=houses, clips=clips, device=device,
                       taught=initial is not None, bank=bank)
        folder.save(agent, {'samples': 0, 'heard': recipe.hearing.samples})
    learner = build_learner(recipe, agent, houses=houses, clips=clips, device=device,
                            processes=processes, bank=bank)
    run = _Run(learner, folder, processes, save_every_s)
    if training and training['samples']:
        run.restore(training)
    try:
        learner.learn(run.on_round)
        run.save()
    finally:
        folder.close()


def build_learner(recipe: Recipe, agent: NavigationAgent, *, houses: Places,
                  clips: Sequence[np.ndarray], device: str = 'cpu',
                  processes: Processes | None = None,
                  bank: SoundBank | None = None) -> ImitationLearner | PpoLearner:
    """Put ``agent`` into the recipe's houses; each process draws its own episodes."""
    processes = processes or Processes()
    rng = np.random.default_rng([recipe.seed, processes.rank])
    torch.manual_seed(recipe.seed + processes.rank)
    if isinstance(houses, TrainingScenes):
        world = houses.world(count=recipe.agents, device=device)
        episodes = houses.episodes(rng)
    else:
        world = _world(houses, recipe, count=recipe.agents, device=device, rng=rng)
        episodes = recipe.episodes(world.houses, clips, rng, bank)
    if recipe.method == 'ppo':
        rollout = PpoRollout(world, episodes, reward=recipe.reward, rng=rng,
                             max_steps=recipe.max_steps, temperature=recipe.ppo.temperature,
                             bfloat16=recipe.ppo.bfloat16)
        return PpoLearner(agent, rollout, settings=recipe.ppo, rng=rng, processes=processes)
    rollout = Rollout(world, episodes, teacher=recipe.teacher, rng=rng,
                      max_steps=recipe.max_steps, max_detour=recipe.max_detour,
                      bfloat16=recipe.imitation.bfloat16)
    return ImitationLearner(agent, world, rollout, settings=recipe.imitation, rng=rng,
                            device=device, processes=processes)


def _world(houses: Sequence[BakedHouse] | ResidentHouses, recipe: Recipe, *, count: int,
           device: str, rng: np.random.Generator) -> GridWorld | ResidentWorld:
    if isinstance(houses, ResidentHouses):
        return ResidentWorld(houses, recipe.contract, count=count, rng=rng)
    return GridWorld(houses, recipe.contract, count=count, device=device)


def _teach_hearing(recipe: Recipe, agent: NavigationAgent, *,
                   houses: Sequence[BakedHouse] | ResidentHouses, clips: Sequence[np.ndarray],
                   device: str, taught: bool, bank: SoundBank | None) -> None:
    """Give the recipe's lesson in hearing; process 0 has it, the others get its weights.

    taught : the ears can hear already, and go on from there.
    """
    rng = np.random.default_rng([recipe.seed, 0, 1])
    world = _world(houses, recipe, count=recipe.hearing.batch, device=device, rng=rng)
    places = HeardPlaces(recipe.episodes(world.houses, clips, rng, bank), world,
                         settings=recipe.places, rng=rng, device=device)
    lesson = HearingLesson(agent, places, settings=recipe.hearing, device=device)
    began_s = time.monotonic()

    def on_round(figures: Mapping[str, float]) -> None:
        print(f'{figures["heard"]:8.0f} heard    {time.monotonic() - began_s:6.0f} s  '
              f'hearing_loss {figures["hearing_loss"]:.3f}  '
              f'azimuth_error_deg {figures["azimuth_error_deg"]:.1f}', flush=True)

    if taught:
        lesson.take_up()
    lesson.teach(on_round)


def _agent(recipe: Recipe, saved: Checkpoint | None, initial: Path | None) -> NavigationAgent:
    if saved is not None:
        return saved.agent
    torch.manual_seed(recipe.seed)
    agent = NavigationAgent(recipe.contract)
    if initial is not None:
        try:
            begin_with(agent, _taught(initial))
        except ValueError as error:
            raise ValueError(f'{initial}: {error}') from error
    return agent


def _taught(path: Path) -> NavigationAgent:
    return agent_of_export(path) if path.suffix == '.onnx' else load_checkpoint(path).agent


class _Run:
    """What happens after every round: figures, and checkpoints of all processes' states."""

    def __init__(self, learner: ImitationLearner | PpoLearner, folder: RunFolder,
                 processes: Processes, save_every_s: float) -> None:
        self._learner, self._folder, self._processes = learner, folder, processes
        self._save_every_s = save_every_s
        self._began_s = self._saved_s = time.monotonic()

    def on_round(self, figures: Mapping[str, float]) -> None:
        """Record a round's figures, and now and then everything."""
        elapsed_s = time.monotonic() - self._began_s
        if self._processes.leads:
            self._folder.record({**figures, 'elapsed_s': elapsed_s})
            print(figures_line(figures, elapsed_s), flush=True)
        due = time.monotonic() - self._saved_s >= self._save_every_s
        if self._processes.agree(due):
            self.save()

    def save(self) -> None:
        """Write a checkpoint from which ``restore`` goes on."""
        own = {'learner': self._learner.own_state(), 'torch': torch.get_rng_state()}
        states = self._processes.gather(own)
        if self._processes.leads:
            elapsed_s = time.monotonic() - self._began_s
            self._folder.save(self._learner.agent, self._learner.state() | {
                'processes': states, 'elapsed_s': elapsed_s})
        self._saved_s = time.monotonic()

    def restore(self, training: Mapping[str, Any]) -> None:
        """Go on where ``save`` was; with another number of processes, in new episodes."""
        states = training.get('processes', [])
        own = states[self._processes.rank] if len(states) == self._processes.size else None
        self._learner.restore(training, own and own['learner'])
        if own:
            torch.set_rng_state(own['torch'])
        self._began_s -= training.get('elapsed_s', 0.0)
