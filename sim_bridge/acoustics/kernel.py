# SPDX-License-Identifier: Apache-2.0
"""How this package compiles its inner loops.

Kernels release the GIL and are cached next to their source. The cache looks at the source file of
a kernel alone: after a change to a kernel that others call, remove ``__pycache__``.
"""

from __future__ import annotations

import numba

kernel = numba.njit(cache=True, nogil=True, error_model='numpy')
fast_kernel = numba.njit(cache=True, nogil=True, error_model='numpy', fastmath=True)
