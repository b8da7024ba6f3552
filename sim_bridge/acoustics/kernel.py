# SPDX-License-Identifier: Apache-2.0
"""How this package compiles its inner loops: they release the GIL and are cached on disk.

numba's cache looks at the file of a function alone and would keep a caller with an outdated
callee. The cache directory is therefore named after the source of the whole package.
"""

from __future__ import annotations

from collections.abc import Callable
import hashlib
from pathlib import Path

import numba


def kernel(function: Callable) -> Callable:
    """Compile strictly by IEEE 754, divisions by zero included."""
    return _compile(function, fastmath=False)


def fast_kernel(function: Callable) -> Callable:
    """Compile a loop over samples that may be reordered."""
    return _compile(function, fastmath=True)


def _compile(function: Callable, *, fastmath: bool) -> Callable:
    outer = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(Path(outer or _HERE / '__pycache__') / f'kernels-{_DIGEST}')
    try:
        return numba.njit(cache=True, nogil=True, error_model='numpy',
                          fastmath=fastmath)(function)
    finally:
        numba.config.CACHE_DIR = outer


def _source_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob('*.py')):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_HERE = Path(__file__).parent
_DIGEST = _source_digest()
