# SPDX-License-Identifier: Apache-2.0
"""Proximal policy optimisation of a recurrent agent, with SoundSpaces' AV-Nav settings."""

from __future__ import annotations

import dataclasses
import time
from typing import Any
from typing import Callable
from typing import Iterator
from typing import NamedTuple

import numpy as np
import torch

from asgf_nav_ros.learning.budget import Budget
from asgf_nav_ros.learning.distributed import Processes
from asgf_nav_ros.learning.hearing import parameters_to_learn
from asgf_nav_ros.learning.ppo_rollout import Experience
from asgf_nav_ros.learning.ppo_rollout import PpoRollout
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.agent import SequenceOutput

_SMALLEST_STD = 1e-5
_FIGURES = ('action_loss', 'value_loss', 'entropy')


@dataclasses.dataclass(frozen=True, kw_only=True)
class PpoSettings:
    """Budget and optimiser of one run; ``samples`` counts environment steps of all processes.

    ``linear_decay`` brings learning rate and ``clip`` to zero at the end of the budget. Over the
    first ``critic_fraction`` of it, only the critic's head learns: one that imitation left
    untrained would mislead the actor. ``minibatches`` split the agents, never an agent's steps.
    The policy that acts and learns draws its actions at ``temperature``, as it is deployed.
    """

    samples: int = 1_000_000
    minutes: float | None = None  # at most
    steps: int = 150
    epochs: int = 4
    minibatches: int = 1
    learning_rate: float = 2.5e-4
    adam_epsilon: float = 1e-5
    clip: float = 0.1
    linear_decay: bool = True
    value_weight: float = 0.5
    entropy_weight: float = 0.2
    discount: float = 0.99
    trace: float = 0.95  # lambda of the generalised advantage estimate
    gradient_norm: float = 0.5
    critic_fraction: float = 0.0
    temperature: float = 1.0
    learn_hearing: bool = True  # else the ears stay as they were taught
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ('samples', 'steps', 'epochs', 'minibatches', 'learning_rate',
                     'adam_epsilon', 'clip', 'gradient_norm', 'temperature'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')
        for name in ('discount', 'trace', 'critic_fraction'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {getattr(self, name)}')


class PpoLosses(NamedTuple):
    """Means over a minibatch: clipped surrogate, clipped squared error / 2, entropy in nats."""

    action: torch.Tensor
    value: torch.Tensor
    entropy: torch.Tensor


def generalized_advantages(rewards: torch.Tensor, values: torch.Tensor, ends: torch.Tensor, *,
                           discount: float, trace: float) -> torch.Tensor:
    """(T, N) advantages from rewards (T, N), values (T + 1, N) and ends (T, N) bool."""
    advantages = torch.zeros_like(rewards)
    later = torch.zeros_like(rewards[0])
    for step in reversed(range(len(rewards))):
        goes_on = (~ends[step]).to(rewards.dtype)
        surprise = rewards[step] + discount * values[step + 1] * goes_on - values[step]
        later = surprise + discount * trace * goes_on * later
        advantages[step] = later
    return advantages


def ppo_losses(output: SequenceOutput, actions: torch.Tensor, old_log_probabilities: torch.Tensor,
               old_values: torch.Tensor, advantages: torch.Tensor, returns: torch.Tensor, *,
               clip: float) -> PpoLosses:
    """Score a sequence; all arguments behind ``output`` are (T, N)."""
    log_probabilities = torch.log_softmax(output.logits.float(), -1)
    chosen = log_probabilities.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    ratio = torch.exp(chosen - old_log_probabilities)
    surrogate = torch.minimum(ratio * advantages,
                              ratio.clamp(1 - clip, 1 + clip) * advantages)
    values = output.values.float()
    near = old_values + (values - old_values).clamp(-clip, clip)
    errors = torch.maximum((values - returns) ** 2, (near - returns) ** 2)
    entropy = -(log_probabilities.exp() * log_probabilities).sum(-1)
    return PpoLosses(-surrogate.mean(), 0.5 * errors.mean(), entropy.mean())


class _Lesson(NamedTuple):
    """What one update learns from: experience with advantages and returns, (T, N) each."""

    experience: Experience
    advantages: torch.Tensor
    returns: torch.Tensor


class PpoLearner:
    """Alternates between collecting experience and a few epochs on it."""

    def __init__(self, agent: NavigationAgent, rollout: PpoRollout, *, settings: PpoSettings,
                 rng: np.random.Generator, processes: Processes | None = None) -> None:
        self.agent, self.samples = agent, 0
        self._budget = Budget(settings.samples, settings.minutes)
        self._rollout, self._settings, self._rng = rollout, settings, rng
        self._processes = processes or Processes()
        self._scored = self._processes.scored(agent, self._score)
        self._device = next(agent.parameters()).device
        self._optimizer = torch.optim.Adam(
            parameters_to_learn(agent, learn_hearing=settings.learn_hearing),
            lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True)

    def learn(self, on_round: Callable[[dict[str, float]], None]) -> None:
        """Spend the remaining budget; ``on_round`` hears of every round's figures."""
        while self._budget.progress(self.samples) < 1:
            on_round(self.round())

    def round(self) -> dict[str, float]:
        """Collect ``steps`` steps of every agent and learn from them."""
        began_s = time.perf_counter()
        left = self._left()
        experience = self._rollout.collect(self.agent, self._settings.steps)
        collected_s = time.perf_counter()
        losses = [self._update(lesson, left) for lesson in self._lessons(experience)]
        means = torch.stack(losses).mean(0).tolist()  # the device is waited for here alone
        figures = dict(zip(_FIGURES, means)) | self._rollout.figures()
        figures |= {'collect_s': collected_s - began_s,
                    'learn_s': time.perf_counter() - collected_s}
        self.samples += len(experience) * self._processes.size
        return {'samples': self.samples} | self._processes.mean_figures(figures)

    def state(self) -> dict[str, Any]:
        """What all processes have in common beside the weights: tensors and plain values."""
        return {'optimizer': self._optimizer.state_dict(), 'samples': self.samples,
                'spent_s': self._budget.spent_s}

    def own_state(self) -> dict[str, Any]:
        """What is this process's own: the generator, and agents amid their episodes."""
        return {'generator': self._rng.bit_generator.state, 'rollout': self._rollout.state()}

    def restore(self, state: dict[str, Any], own: dict[str, Any] | None = None) -> None:
        """Continue from what ``state`` and ``own_state`` returned.

        Without the latter, episodes begin anew.
        """
        self._optimizer.load_state_dict(state['optimizer'])
        self.samples = state['samples']
        self._budget.go_on(state.get('spent_s', 0.0))
        if own is not None:
            self._rollout.restore(own['rollout'])
            self._rng.bit_generator.state = own['generator']

    def _left(self) -> float:
        """Set the learning rate; return the factor that the clip range has, too."""
        spent = self._budget.progress(self.samples) if self._settings.linear_decay else 0.0
        left = max(1.0 - spent, 0.0)
        for group in self._optimizer.param_groups:
            group['lr'] = self._settings.learning_rate * left
        return left

    def _lessons(self, experience: Experience) -> Iterator[_Lesson]:
        advantages = generalized_advantages(
            experience.rewards, experience.values, experience.ends,
            discount=self._settings.discount, trace=self._settings.trace)
        returns = advantages + experience.values[:-1]
        normalized = self._normalize(advantages)
        agents = experience.actions.shape[1]
        for _ in range(self._settings.epochs):
            for slots in self._split(agents):
                yield _Lesson(experience.of_agents(slots), normalized[:, slots],
                              returns[:, slots])

    def _normalize(self, advantages: torch.Tensor) -> torch.Tensor:
        """Mean 0 and deviation 1 over the experience of all processes."""
        mean = self._processes.mean(advantages.mean())
        variance = self._processes.mean(((advantages - mean) ** 2).mean())
        return (advantages - mean) / (variance.sqrt() + _SMALLEST_STD)

    def _split(self, agents: int) -> list[torch.Tensor]:
        order = torch.from_numpy(self._rng.permutation(agents)).to(self._device)
        return list(order.chunk(self._settings.minibatches))

    def _update(self, lesson: _Lesson, left: float) -> torch.Tensor:
        """Take one step of the optimiser; return ``_FIGURES``."""
        settings = self._settings
        losses = self._scored(lesson, settings.clip * left)
        total = (losses.action + settings.value_weight * losses.value
                 - settings.entropy_weight * losses.entropy)
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        if self._budget.progress(self.samples) < settings.critic_fraction:
            self._keep_all_but_the_critic()
        torch.nn.utils.clip_grad_norm_(self.agent.parameters(), settings.gradient_norm)
        self._optimizer.step()
        return torch.stack([losses.action, losses.value, losses.entropy]).detach()

    def _keep_all_but_the_critic(self) -> None:
        for name, parameter in self.agent.named_parameters():
            if not name.startswith('critic.'):
                parameter.grad = None

    def _score(self, lesson: _Lesson, clip: float) -> PpoLosses:
        experience = lesson.experience
        with mixed_precision(self._device, enabled=self._settings.bfloat16):
            output = self.agent.sequence(**experience.observations, hidden=experience.hidden,
                                         starts=experience.starts)
        output = output._replace(logits=output.logits / self._settings.temperature)
        return ppo_losses(output, experience.actions, experience.log_probabilities,
                          experience.values[:-1], lesson.advantages, lesson.returns, clip=clip)
