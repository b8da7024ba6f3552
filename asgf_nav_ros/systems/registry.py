# SPDX-License-Identifier: Apache-2.0
"""Navigators by name."""

from __future__ import annotations

from pathlib import Path

from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.systems.av_wan import AvWan
from asgf_nav_ros.systems.direction_follower import DirectionFollower
from asgf_nav_ros.systems.exported import ExportedPolicy
from asgf_nav_ros.systems.heard_source import ExportedLocator
from asgf_nav_ros.systems.look_listen_act import LookListenAct
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.random_walk import RandomWalk

# The file under models/ that a learned system is shipped as.
SHIPPED_MODELS = {
    'direction_follower': 'direction_follower.onnx', 'look_listen_act': 'look_listen_act.onnx',
    'av_wan': 'av_wan.onnx', 'agsa_style': 'agsa_style.onnx',
    'av_nav': 'av_nav.onnx', 'asgf': 'asgf.onnx',
    'asgf_without_ase': 'asgf_without_ase.onnx', 'asgf_without_asgf': 'asgf_without_asgf.onnx',
    'asgf_plus': 'asgf_nav.onnx', 'av_nav_plus': 'av_nav_plus.onnx'}
SYSTEMS = ('random', *SHIPPED_MODELS)


def navigator(system: str, *, model: Path | None = None, models: Path,
              temperature: float = DEPLOYED_TEMPERATURE) -> Navigator:
    """Build the navigator called ``system``, from ``model`` or from the shipped file.

    ``temperature`` is of the actions or waypoints drawn; the two systems that follow a sound
    locator draw none.

    Raises:
        ValueError: no such system.
    """
    if system not in SYSTEMS:
        raise ValueError(f'system must be one of {SYSTEMS}, got {system!r}')
    if system == 'random':
        return RandomWalk(model)
    return _learned(system, model or models / SHIPPED_MODELS[system], temperature)


def _learned(system: str, model: Path, temperature: float) -> Navigator:
    if system == 'direction_follower':
        return DirectionFollower(ExportedLocator(model, system=system, vector='direction'))
    if system == 'look_listen_act':
        return LookListenAct(ExportedLocator(model, system=system, vector='offset'))
    if system == 'av_wan':
        return AvWan(model, temperature=temperature)
    return ExportedPolicy(model, system=system, temperature=temperature)
