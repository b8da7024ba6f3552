# SPDX-License-Identifier: Apache-2.0
"""How a node of the simulated graph is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgf_nav_ros.share import share_directory

NODES = ('spectrogram', 'policy', 'motion', 'simulator')


def node_arguments(node: str, parameters: Mapping[str, Any], *,
                   file: str = 'sim.yaml') -> list[str]:
    """Return the arguments of Python that run a node with a file of config and ``parameters``."""
    arguments = ['-m', f'asgf_nav_ros.nodes.{node}', '--ros-args',
                 '--params-file', str(share_directory('config') / file)]
    for name, value in parameters.items():
        if value != '':  # an empty string is the default, and no YAML
            arguments += ['-p', f'{name}:={_yaml(value)}']
    return arguments


def _yaml(value: Any) -> str:
    """Return a value as YAML that keeps its type."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
