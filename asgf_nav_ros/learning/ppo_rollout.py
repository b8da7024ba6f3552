# SPDX-License-Identifier: Apache-2.0
"""Experience for reinforcement learning: every agent of a grid world acts on its own."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.motion.reckoning import Reckoning
from asgf_nav_ros.network.agent import AgentOutput
from asgf_nav_ros.network.agent import NavigationAgent
from sim_bridge.grid_world import GridWorld
from sim_bridge.resident_world import ResidentWorld

_REMEMBERED_EPISODES = 400


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reward:
    """SoundSpaces' reward: success, a price of every step, the way gained per metre.

    A STOP succeeds within ``stop_within_m`` of the goal: on a lattice, 0.2 is the goal's node.
    """

    success: float = 10.0
    step: float = -0.01
    approach: float = 1.0
    stop_within_m: float = 0.2

    def of(self, before_m: np.ndarray, after_m: np.ndarray, succeeded: np.ndarray) -> np.ndarray:
        """(N,) float32 from geodesic distances (N,) around a step and successes (N,) bool."""
        earned = self.step + self.approach * (before_m - after_m) + self.success * succeeded
        return earned.astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Experience:
    """``T`` steps of ``N`` agents, on one device.

    observations : by name, (T, N, ...), as the agent's ``sequence`` takes them.
    hidden : (N, hidden_size), the memory before the first step; starts : (T, N) bool, true
        where an episode begins.
    actions : (T, N) int64; log_probabilities : (T, N), of these actions when they were drawn.
    values : (T + 1, N), of every step and of the one after the last.
    rewards : (T, N); ends : (T, N) bool, true where the episode ended with the step.
    """

    observations: dict[str, torch.Tensor]
    hidden: torch.Tensor
    starts: torch.Tensor
    actions: torch.Tensor
    log_probabilities: torch.Tensor
    values: torch.Tensor
    rewards: torch.Tensor
    ends: torch.Tensor

    def __len__(self) -> int:
        return self.actions.numel()

    def of_agents(self, slots: torch.Tensor) -> Experience:
        """Return the whole experience of some of the agents."""
        columns = {field.name: getattr(self, field.name)[:, slots]
                   for field in dataclasses.fields(self)[2:]}
        observations = {name: tensor[:, slots] for name, tensor in self.observations.items()}
        return Experience(observations, self.hidden[slots], **columns)


class PpoRollout:
    """Keeps every agent of ``world`` in an episode.

    episodes : each episode is drawn from a generator of its own, so that it can be drawn again.
    rng : draws actions and the seeds of episodes.
    temperature : of the actions drawn.
    """

    def __init__(self, world: GridWorld | ResidentWorld, episodes: EpisodeDraw, *,
                 reward: Reward, rng: np.random.Generator, max_steps: int = 500,
                 temperature: float = 1.0, bfloat16: bool = False) -> None:
        self._world, self._episode_draw, self._reward, self._rng = world, episodes, reward, rng
        self._max_steps, self._temperature, self._bfloat16 = max_steps, temperature, bfloat16
        self._reckoning = Reckoning(world.count, world.contract)
        self._ways: list[list[tuple[int, bool]]] = [[]] * world.count
        self._hidden = torch.zeros(world.count, world.contract.hidden_size)
        self._starts = np.ones(world.count, bool)
        self._seeds = np.zeros(world.count, np.int64)
        self._generators: list[np.random.Generator] = [rng] * world.count
        self._shortest_m, self._walked_m, self._earned = np.zeros((3, world.count), np.float32)
        self._episodes: collections.deque[dict[str, float]] = collections.deque(
            maxlen=_REMEMBERED_EPISODES)
        for slot in range(world.count):
            self._begin(slot, int(rng.integers(2 ** 62)))
        self._observation = self._look()

    @torch.no_grad()
    def collect(self, agent: NavigationAgent, steps: int) -> Experience:
        """Let every agent act for ``steps`` steps."""
        device = self._observation['rgb'].device
        hidden = self._hidden.to(device)
        rows = [self._step(agent) for _ in range(steps)]
        values = [row.pop('value') for row in rows] + [self._decide(agent).value]
        observations = [row.pop('observation') for row in rows]
        return Experience(
            {name: torch.stack([row[name] for row in observations]) for name in observations[0]},
            hidden, values=torch.stack(values).float(),
            **{name: torch.stack([torch.as_tensor(row[name]) for row in rows]).to(device)
               for name in rows[0]})

    def figures(self) -> dict[str, float]:
        """Means over the last episodes: reward, success, SPL, steps; zeros before the first."""
        names = ('episode_reward', 'success_rate', 'spl', 'episode_steps')
        return {name: float(np.mean([episode[name] for episode in self._episodes]))
                if self._episodes else 0.0 for name in names}

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on: tensors and plain values."""
        world = self._world
        return {'observation': self._observation, 'hidden': self._hidden,
                'starts': self._starts.tolist(), 'seeds': self._seeds.tolist(),
                'generators': [rng.bit_generator.state for rng in self._generators],
                'node': world.node.tolist(), 'heading': world.heading.tolist(),
                'moved': world.moved.tolist(), 'steps': world.steps.tolist(),
                'ways': self._ways,
                'tallies': [tally.tolist() for tally in self._tallies],
                'episodes': list(self._episodes)}

    def restore(self, state: dict[str, Any]) -> None:
        """Put every agent where it was when ``state`` was taken, into the same episode."""
        world = self._world
        if len(state['seeds']) != world.count:
            raise ValueError(f'the rollout to restore must have {world.count} agents, '
                             f'got {len(state["seeds"])}')
        for slot, seed in enumerate(state['seeds']):
            self._begin(slot, seed)
            self._generators[slot].bit_generator.state = state['generators'][slot]
            for action, moved in state['ways'][slot]:
                self._reckoning.record([slot], [action], [moved])
                self._ways[slot].append((action, moved))
        for name in ('node', 'heading', 'moved', 'steps'):
            getattr(world, name)[:] = state[name]
        for tally, values in zip(self._tallies, state['tallies']):
            tally[:] = values
        device = self._observation['rgb'].device
        self._observation = {name: tensor.to(device)
                             for name, tensor in state['observation'].items()}
        self._hidden = state['hidden'].cpu()
        self._starts = np.array(state['starts'])
        self._episodes.extend(state['episodes'])

    @property
    def _tallies(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._shortest_m, self._walked_m, self._earned

    def _look(self) -> dict[str, torch.Tensor]:
        batch, contract = self._world.observe(), self._world.contract
        seen = {'rgb': batch.rgb, 'depth': batch.depth, 'spectrogram': batch.spectrogram}
        if contract.odometry:
            motion = self._reckoning.features(np.arange(self._world.count))
            seen['motion'] = torch.from_numpy(motion).to(batch.rgb.device)
        return seen

    def _decide(self, agent: NavigationAgent) -> AgentOutput:
        device = self._observation['rgb'].device
        with mixed_precision(device, enabled=self._bfloat16):
            return agent(**self._observation, hidden=self._hidden.to(device))

    def _step(self, agent: NavigationAgent) -> dict[str, Any]:
        row = {'observation': self._observation, 'starts': self._starts}
        output = self._decide(agent)
        self._hidden = output.hidden.float().cpu()
        log_probability = torch.log_softmax(output.logits.float() / self._temperature,
                                            -1).cpu()
        actions = self._sample(log_probability)
        chosen = log_probability.gather(1, torch.from_numpy(actions)[:, None])[:, 0]
        rewards, ends = self._act(actions)
        self._starts = ends
        for slot in np.flatnonzero(ends):
            self._begin(slot, int(self._rng.integers(2 ** 62)))
        self._observation = self._look()
        return row | {'value': output.value, 'actions': actions, 'log_probabilities': chosen,
                      'rewards': rewards, 'ends': ends}

    def _sample(self, log_probability: torch.Tensor) -> np.ndarray:
        probability = log_probability.double().exp().numpy()
        draws = self._rng.random((len(probability), 1)) * probability.sum(1, keepdims=True)
        return (probability.cumsum(1) <= draws).sum(1).clip(0, probability.shape[1] - 1)

    def _act(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Carry out actions (N,); return rewards (N,) float32 and ends (N,) bool."""
        world = self._world
        before_m = world.geodesic_m()
        world.act(actions)
        after_m = world.geodesic_m()
        stopped = actions == Action.STOP
        succeeded = stopped & (after_m <= self._reward.stop_within_m)
        rewards = self._reward.of(before_m, after_m, succeeded)
        ends = stopped | (world.steps >= self._max_steps)
        self._reckoning.record(np.arange(world.count), actions, world.moved)
        for way, action, moved in zip(self._ways, actions.tolist(), world.moved.tolist()):
            way.append((action, moved))
        self._earned += rewards
        self._walked_m += ((actions == Action.MOVE_FORWARD) & world.moved
                           ) * np.float32(world.contract.forward_step_m)
        for slot in np.flatnonzero(ends):
            self._note(slot, bool(succeeded[slot]))
        return rewards, ends

    def _note(self, slot: int, succeeded: bool) -> None:
        shortest_m = float(self._shortest_m[slot])
        longest_m = max(shortest_m, float(self._walked_m[slot]), 1e-6)
        spl = shortest_m / longest_m if shortest_m > 0 else 1.0
        self._episodes.append({
            'episode_reward': float(self._earned[slot]), 'success_rate': float(succeeded),
            'spl': succeeded * spl, 'episode_steps': float(self._world.steps[slot])})

    def _begin(self, slot: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._world.place(slot, self._episode_draw.drawing_from(rng).draw())
        self._seeds[slot], self._generators[slot] = seed, rng
        self._ways[slot] = []
        self._reckoning.begin([slot])
        self._shortest_m[slot] = self._world.geodesic_m()[slot]
        self._walked_m[slot] = self._earned[slot] = 0.0
        self._hidden[slot] = 0.0
