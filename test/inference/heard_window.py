# SPDX-License-Identifier: Apache-2.0
"""Windows as a policy hears them."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import PolicyContract

BINS, FRAMES, EARS = PolicyContract().spectrogram_shape


def tone(center: float, *, level: float = 1.0, floor: float = 1e-5) -> np.ndarray:
    """One broad peak over a floor, the same in both ears and all the time."""
    peak = level * np.exp(-0.5 * ((np.arange(BINS) - center) / 4.0) ** 2)
    return np.log1p(np.broadcast_to((peak + floor)[:, None, None], (BINS, FRAMES, EARS))
                    ).astype(np.float32)
