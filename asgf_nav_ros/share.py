# SPDX-License-Identifier: Apache-2.0
"""Where models, configuration and launch files lie: in the source tree or under share/."""

from __future__ import annotations

import os
from pathlib import Path
import sys


def share_directory(name: str) -> Path:
    """Find ``models``, ``config`` or ``launch``, next to the package or under share/.

    Raises:
        FileNotFoundError: there is none; the message lists where it was looked for.
    """
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    candidates = [Path(__file__).resolve().parent.parent / name]
    candidates += [Path(prefix, 'share', 'asgf_nav_ros', name) for prefix in prefixes if prefix]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f'no folder {name!r} of asgf_nav_ros at '
                            f'{", ".join(map(str, candidates))}')
