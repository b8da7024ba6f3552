# SPDX-License-Identifier: Apache-2.0
"""How much of azimuth and distance can be read off the audio state by a linear map."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV

from asgf_nav_ros.benchmark.metrics import CONFIDENCE

PENALTIES = tuple(10.0 ** power for power in range(-1, 6))
FRONT_RAD = np.pi / 2
RESAMPLES = 500


def linear_probe(states: np.ndarray, azimuth_rad: np.ndarray, distance_m: np.ndarray,
                 house: np.ndarray) -> dict[str, Any]:
    """Fit a ridge regression on every second house, and read the others; then the other way.

    Targets are cosine and sine of the azimuth and the logarithm of the distance; the penalty is
    chosen within the fitted houses.

    Args:
        states: (N, width) float32.
        azimuth_rad: (N,), left positive.
        distance_m: (N,), positive.
        house: (N,) index of the house.

    Returns:
        Median and mean azimuth error in degrees, the share of sounds on the wrong side of the
        ears' axis (front or behind), median distance error in metres and as a share; 'ci95'
        has their bootstrap intervals over houses.

    Raises:
        ValueError: there is no even or no odd house.
    """
    targets = np.stack([np.cos(azimuth_rad), np.sin(azimuth_rad), np.log(distance_m)], axis=1)
    read = np.empty_like(targets)
    for held_out in (0, 1):
        fitted, left = house % 2 != held_out, house % 2 == held_out
        if not fitted.any() or not left.any():
            raise ValueError('a probe needs an even and an odd house, '
                             f'got {sorted(set(house.tolist()))}')
        read[left] = _read(states[fitted], targets[fitted], states[left])
    errors = _errors(read, azimuth_rad, distance_m)
    return {**_means(errors), 'ci95': _intervals(errors, house)}


def constant_probe(azimuth_rad: np.ndarray, distance_m: np.ndarray,
                   house: np.ndarray) -> dict[str, Any]:
    """The errors of a probe that is told nothing: what guessing the mean gives."""
    return linear_probe(np.zeros((len(house), 1), np.float32), azimuth_rad, distance_m, house)


def caption(figures: dict[str, float]) -> str:
    """The errors in one line, for a panel."""
    return (f'linear probe errs by {figures["azimuth_error_deg_median"]:.0f}°, '
            f'{100 * figures["distance_error_share_median"]:.0f} % of distance')


def _read(fitted: np.ndarray, targets: np.ndarray, states: np.ndarray) -> np.ndarray:
    center, scale = fitted.mean(axis=0), fitted.std(axis=0) + 1e-6
    regression = RidgeCV(alphas=PENALTIES).fit((fitted - center) / scale, targets)
    return regression.predict((states - center) / scale)


def _errors(read: np.ndarray, azimuth_rad: np.ndarray, distance_m: np.ndarray) -> np.ndarray:
    """(N, 4): azimuth error in degrees, wrong side, distance error in metres and as a share."""
    believed_rad = np.arctan2(read[:, 1], read[:, 0])
    turn = np.abs(np.angle(np.exp(1j * (believed_rad - azimuth_rad))))
    wrong_side = (np.abs(believed_rad) < FRONT_RAD) != (np.abs(azimuth_rad) < FRONT_RAD)
    error_m = np.abs(np.exp(read[:, 2]) - distance_m)
    return np.stack([np.degrees(turn), wrong_side, error_m, error_m / distance_m], axis=1)


def _means(errors: np.ndarray) -> dict[str, float]:
    middle, mean = np.median(errors, axis=0), errors.mean(axis=0)
    return {'azimuth_error_deg_median': float(middle[0]),
            'azimuth_error_deg_mean': float(mean[0]), 'front_back_errors': float(mean[1]),
            'distance_error_m_median': float(middle[2]),
            'distance_error_share_median': float(middle[3])}


def _intervals(errors: np.ndarray, house: np.ndarray) -> dict[str, list[float]]:
    """Of a bootstrap over houses: samples of one house are not independent."""
    rng = np.random.default_rng(0)
    groups = [errors[house == each] for each in np.unique(house)]
    drawn = [_means(np.concatenate([groups[index] for index in rng.integers(
        len(groups), size=len(groups))])) for _ in range(RESAMPLES)]
    tail = (1 - CONFIDENCE) / 2
    return {name: np.quantile([each[name] for each in drawn], [tail, 1 - tail]).tolist()
            for name in drawn[0]}
