# SPDX-License-Identifier: Apache-2.0
"""Where computed files (rendered sounds, baked houses) are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile
from typing import BinaryIO
from typing import Callable


def cache_directory() -> Path:
    """$ASGF_NAV_CACHE, or ~/.cache/asgf_nav; created when missing."""
    path = Path(os.environ.get('ASGF_NAV_CACHE') or Path.home() / '.cache' / 'asgf_nav')
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let ``write`` fill a temporary file and rename it to ``path``.

    Readers see the whole file or none, also when two processes write the same one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(descriptor, 'wb') as stream:
            write(stream)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
