# SPDX-License-Identifier: Apache-2.0
"""Navigators by name."""

from __future__ import annotations

from pathlib import Path

from asgf_nav_ros.inference.onnx_policy import DEPLOYED_TEMPERATURE
from asgf_nav_ros.systems.exported import ExportedPolicy
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.random_walk import RandomWalk

# The file under models/ that a learned system is shipped as; None where none is shipped yet.
SHIPPED_MODELS: dict[str, str | None] = {
    'asgf': 'asgf_nav.onnx', 'av_nav': 'av_nav.onnx',
    'asgf_without_ase': None, 'asgf_without_asgf': None}
SYSTEMS = ('random', *SHIPPED_MODELS)


def navigator(system: str, *, model: Path | None = None, models: Path,
              temperature: float = DEPLOYED_TEMPERATURE) -> Navigator:
    """Build the navigator called ``system``, from ``model`` or from the shipped file.

    Raises:
        ValueError: no such system, or it is learned and neither shipped nor given.
    """
    if system not in SYSTEMS:
        raise ValueError(f'system must be one of {SYSTEMS}, got {system!r}')
    if system == 'random':
        return RandomWalk(model)
    shipped = SHIPPED_MODELS[system]
    if model is None and shipped is None:
        raise ValueError(f'no model of {system!r} is shipped: train and export one, '
                         'then give it with --model')
    return ExportedPolicy(model or models / shipped, system=system, temperature=temperature)
