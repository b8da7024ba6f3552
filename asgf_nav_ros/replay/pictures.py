# SPDX-License-Identifier: Apache-2.0
"""Depth and spectrograms as pictures, the same on the page and live."""

from __future__ import annotations

import cv2
import numpy as np

DEPTH_SCALE_M = 2.5  # brightness falls to 1/e over so much: rooms, not halls


def depth_picture(depth: np.ndarray) -> np.ndarray:
    """(H, W) metres -> (H, W, 3) uint8 BGR: near is bright, invalid is black."""
    nearness = np.exp(-depth / DEPTH_SCALE_M) * (depth > 0)
    picture = cv2.applyColorMap(np.uint8(255 * nearness), cv2.COLORMAP_MAGMA)
    picture[~(depth > 0)] = 0
    return picture


def spectrogram_picture(log_magnitude: np.ndarray, loudest: float) -> np.ndarray:
    """(bins, frames) of one ear -> (bins, frames, 3) uint8 BGR, low frequencies at the bottom."""
    level = np.clip(log_magnitude[::-1] / max(loudest, 1e-6), 0, 1)
    return cv2.applyColorMap(np.uint8(255 * level), cv2.COLORMAP_INFERNO)


def heat_colors() -> list[int]:
    """256 colors of ``spectrogram_picture`` as red, green, blue, ...: quiet is dark."""
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)
    return bgr[:, 0, ::-1].ravel().tolist()
