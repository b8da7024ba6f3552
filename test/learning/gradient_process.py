# SPDX-License-Identifier: Apache-2.0
"""One process of a distributed run: losses and gradients of its share of a fixed experience.

    torchrun --standalone --nproc_per_node 2 gradient_process.py HOUSE OUT
"""

import dataclasses
from pathlib import Path
import sys

import numpy as np
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.distributed import Processes
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.imitation import ImitationLearner
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.ppo import PpoLearner
from asgf_nav_ros.learning.ppo import PpoSettings
from asgf_nav_ros.learning.ppo_rollout import PpoRollout
from asgf_nav_ros.learning.ppo_rollout import Reward
from asgf_nav_ros.learning.rollout import Rollout
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.agent import NavigationAgent
from sim_bridge.bake import BakedHouse
from sim_bridge.grid_world import GridWorld

AGENTS = 4


def losses_and_gradients(house: BakedHouse, contract: PolicyContract,
                         processes: Processes) -> dict:
    """Figures and gradients by method, of a batch that the processes share among them."""
    return {'imitation': _imitation(house, contract, processes),
            'ppo': _ppo(house, contract, processes)}


def _imitation(house, contract, processes):
    rng, world, agent = np.random.default_rng(1), *_world(house, contract)
    rollout = Rollout(world, _episodes(house, contract, rng), teacher=Teacher(), rng=rng,
                      bfloat16=False)
    segments = rollout.collect(agent, 3, progress=0.0)
    learner = ImitationLearner(agent, world, rollout, rng=rng, processes=processes,
                               settings=ImitationSettings(bfloat16=False))
    return _updated(learner, segments[processes.rank::processes.size])


def _ppo(house, contract, processes):
    rng, world, agent = np.random.default_rng(1), *_world(house, contract)
    rollout = PpoRollout(world, _episodes(house, contract, rng), reward=Reward(), rng=rng)
    experience = rollout.collect(agent, 3)
    own = experience.of_agents(torch.arange(processes.rank, AGENTS, processes.size))
    learner = PpoLearner(agent, rollout, rng=rng, processes=processes,
                         settings=PpoSettings(bfloat16=False))
    return _updated(learner, next(learner._lessons(own)), 1.0)


def _world(house, contract):
    torch.manual_seed(1)
    return (GridWorld([house], contract, count=AGENTS),
            NavigationAgent(dataclasses.replace(contract, system='asgf')))


def _episodes(house, contract, rng):
    return EpisodeDraw([house], [_clip(contract)], sample_rate_hz=contract.sample_rate_hz,
                       variation=SoundVariation(), troubles=Troubles(), large_share=None, rng=rng)


def _clip(contract):
    return np.random.default_rng(5).uniform(-1, 1, contract.window_samples).astype(np.float32)


def _updated(learner, *lesson):
    losses = enumerate(learner._update(*lesson).tolist())
    figures = learner._processes.mean_figures(dict(losses))
    return {'figures': figures, 'gradients': {
        name: parameter.grad for name, parameter in learner.agent.named_parameters()
        if parameter.grad is not None}}


def main() -> None:
    """Write what process 0 found."""
    house, out = (Path(argument) for argument in sys.argv[1:])
    torch.set_num_threads(1)
    processes = Processes.join('cpu')
    contract = PolicyContract.from_json((out.parent / 'contract.json').read_text())
    found = losses_and_gradients(BakedHouse.open(house, name='house'), contract, processes)
    if processes.leads:
        torch.save(found, out)
    processes.leave()


if __name__ == '__main__':
    main()
