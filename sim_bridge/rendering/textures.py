# SPDX-License-Identifier: Apache-2.0
"""Painted patterns of the surface materials, one square metre each, made from fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
import functools
import zlib

import numpy as np

from sim_bridge.house.materials import Material
from sim_bridge.house.materials import MATERIALS

TEXTURE_PIXELS = 128  # a side; covers 1 m
_MORTAR = 0.75  # brightness of joints


@functools.cache
def material_texture(name: str) -> np.ndarray:
    """Paint a material: (128, 128, 3) uint8, row 0 at the bottom, repeats seamlessly."""
    material = MATERIALS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    brightness = _PAINTERS[material.texture](material, rng)
    image = brightness[..., None] * np.array(material.color_rgb, np.float64)
    texture = np.clip(image, 0, 255).astype(np.uint8)
    texture.setflags(write=False)
    return texture


def _noise(rng: np.random.Generator, cells_y: int, cells_x: int) -> np.ndarray:
    """Blocky noise in [-1, 1] that repeats: (128, 128)."""
    coarse = rng.uniform(-1.0, 1.0, (cells_y, cells_x))
    return np.kron(coarse, np.ones((TEXTURE_PIXELS // cells_y, TEXTURE_PIXELS // cells_x)))


def _rows_columns() -> tuple[np.ndarray, np.ndarray]:
    return np.mgrid[:TEXTURE_PIXELS, :TEXTURE_PIXELS]


def _plain(_: Material, rng: np.random.Generator) -> np.ndarray:
    return 1.0 + 0.015 * _noise(rng, 8, 8)


def _speckle(_: Material, rng: np.random.Generator) -> np.ndarray:
    return 1.0 + 0.03 * _noise(rng, 128, 128) + 0.03 * _noise(rng, 32, 32)


def _brick(_: Material, rng: np.random.Generator) -> np.ndarray:
    """Bricks of 25 x 12.5 cm in running bond."""
    row, column = _rows_columns()
    course = row // 16
    shifted = (column + 16 * (course % 2)) % TEXTURE_PIXELS
    tint = rng.uniform(0.8, 1.15, (8, 4))[course, shifted // 32]
    joint = (row % 16 < 2) | (shifted % 32 < 2)
    return np.where(joint, 1.25, tint) + 0.04 * _noise(rng, 64, 64)


def _planks(_: Material, rng: np.random.Generator) -> np.ndarray:
    """Boards 12.5 cm wide with staggered ends and a grain along x."""
    row, column = _rows_columns()
    board = row // 16
    start = rng.integers(0, TEXTURE_PIXELS, 8)[board]
    tint = rng.uniform(0.82, 1.15, 8)[board]
    joint = (row % 16 < 1) | ((column - start) % TEXTURE_PIXELS < 2)
    return np.where(joint, 0.6, tint) + 0.06 * _noise(rng, 128, 8)


def _panels(_: Material, rng: np.random.Generator) -> np.ndarray:
    """Upright boards 25 cm wide with grooves."""
    _, column = _rows_columns()
    tint = rng.uniform(0.9, 1.1, 4)[column // 32]
    return np.where(column % 32 < 2, 0.55, tint) + 0.05 * _noise(rng, 4, 128)


def _tiles(_: Material, rng: np.random.Generator) -> np.ndarray:
    """Square tiles of 25 cm."""
    row, column = _rows_columns()
    tint = rng.uniform(0.93, 1.05, (4, 4))[row // 32, column // 32]
    return np.where((row % 32 < 2) | (column % 32 < 2), _MORTAR, tint)


def _carpet(_: Material, rng: np.random.Generator) -> np.ndarray:
    return 1.0 + 0.10 * _noise(rng, 128, 128) + 0.05 * _noise(rng, 16, 16)


def _folds(_: Material, rng: np.random.Generator) -> np.ndarray:
    """Hanging cloth, eight folds a metre."""
    _, column = _rows_columns()
    wave = np.sin(2 * np.pi * column / 16) + 0.4 * np.sin(2 * np.pi * column / 64)
    return 0.95 + 0.22 * wave + 0.02 * _noise(rng, 128, 128)


def _grid(_: Material, rng: np.random.Generator) -> np.ndarray:
    """Ceiling tiles of 50 cm with holes."""
    row, column = _rows_columns()
    holes = (row % 8 == 4) & (column % 8 == 4)
    frame = (row % 64 < 2) | (column % 64 < 2)
    return np.where(frame, 0.7, np.where(holes, 0.6, 1.0)) + 0.01 * _noise(rng, 64, 64)


_PAINTERS: dict[str, Callable[[Material, np.random.Generator], np.ndarray]] = {
    'plain': _plain, 'speckle': _speckle, 'brick': _brick, 'planks': _planks,
    'panels': _panels, 'tiles': _tiles, 'carpet': _carpet, 'folds': _folds, 'grid': _grid}
