# SPDX-License-Identifier: Apache-2.0
"""From a policy's probabilities to one action."""

from __future__ import annotations

import math

import numpy as np

# Greedy agents may circle for ever where two actions are nearly as good; a little chance ends it.
DEPLOYED_TEMPERATURE = 0.25


def choose(probabilities: np.ndarray, *, temperature: float = 0.0,
           rng: np.random.Generator | None = None) -> int:
    """Index of an action: the most probable, or drawn from p^(1 / temperature).

    Args:
        probabilities: (actions,) float32, sum 1.
        temperature: 0 takes the most probable.
        rng: needed when temperature is over 0.

    Raises:
        ValueError: a temperature that is negative or not finite, or one without rng.
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f'temperature must be 0 or more, got {temperature}')
    if temperature == 0:
        return int(probabilities.argmax())
    if rng is None:
        raise ValueError(f'a temperature of {temperature} needs a random generator, got None')
    return int(rng.choice(len(probabilities), p=tempered(probabilities, temperature)))


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """p^(1 / temperature) over its sum, float64; temperature must be over 0."""
    with np.errstate(divide='ignore'):
        logits = np.log(probabilities.astype(np.float64)) / temperature
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
