# SPDX-License-Identifier: Apache-2.0
"""A floor plan as a picture for people, and the way between metres and its pixels."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from sim_bridge.house.materials import MATERIALS
from sim_bridge.house.plan import House

_BACKGROUND = (255, 255, 255)
_WALL = (52, 52, 58)
_DOOR = (214, 160, 88)
_WALL_WIDTH_M = 0.08
_SHIFT = 4  # cv2 draws with 1/16 pixel


class HouseMap:
    """The map of a house: north (+y) up, ``margin_m`` of white around.

    image : (h, w, 3) uint8.
    """

    def __init__(self, house: House, pixels_per_m: float = 50.0, *,
                 margin_m: float = 0.3) -> None:
        if not pixels_per_m > 0:
            raise ValueError(f'pixels_per_m must be positive, got {pixels_per_m}')
        low, high = house.bounds()
        self.pixels_per_m = float(pixels_per_m)
        self._left_top = np.array([low[0] - margin_m, high[1] + margin_m])
        width, height = np.ceil((high - low + 2 * margin_m) * pixels_per_m).astype(int)
        self.image = np.full((height, width, 3), _BACKGROUND, np.uint8)
        self._draw(house)

    def pixels(self, xy: np.ndarray) -> np.ndarray:
        """Metres (..., 2) to (column, row), (..., 2) float64; whole numbers are pixel centres."""
        offset = (np.asarray(xy, np.float64) - self._left_top) * (1.0, -1.0)
        return offset * self.pixels_per_m - 0.5

    def world(self, pixels: np.ndarray) -> np.ndarray:
        """(column, row), (..., 2), to metres (..., 2) float64."""
        offset = (np.asarray(pixels, np.float64) + 0.5) / self.pixels_per_m
        return offset * (1.0, -1.0) + self._left_top

    def _draw(self, house: House) -> None:
        for room in house.rooms:
            self._fill(room.polygon, _light(MATERIALS[room.wall_material].color_rgb))
        for piece in sorted(house.furniture, key=lambda piece: piece.elevation_m):
            color = _muted(MATERIALS[piece.material].color_rgb)
            self._fill(piece.footprint, color)
            self._outline(piece.footprint, tuple(int(0.6 * value) for value in color))
        for wall in house.walls():
            if wall.bottom_m == 0.0:
                self._line(wall.start, wall.end, _WALL, _WALL_WIDTH_M)
        for door in house.doors:
            self._line(door.start, door.end, _DOOR, _WALL_WIDTH_M / 3)
        self._label(house)

    def _label(self, house: House) -> None:
        scale = self.pixels_per_m / 130
        for room in house.rooms:
            (width, height), _ = cv2.getTextSize(room.name, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
            center = self.pixels((room.polygon.min(axis=0) + room.polygon.max(axis=0)) / 2)
            at = (int(center[0] - width / 2), int(center[1] + height / 2))
            cv2.putText(self.image, room.name, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (70, 70, 78),
                        1, cv2.LINE_AA)

    def _fixed(self, xy: np.ndarray) -> np.ndarray:
        return np.round(self.pixels(xy) * (1 << _SHIFT)).astype(np.int32)

    def _fill(self, polygon: np.ndarray, color: tuple[int, ...]) -> None:
        cv2.fillPoly(self.image, [self._fixed(polygon)], color, cv2.LINE_AA, _SHIFT)

    def _outline(self, polygon: np.ndarray, color: tuple[int, ...]) -> None:
        cv2.polylines(self.image, [self._fixed(polygon)], True, color, 1, cv2.LINE_AA, _SHIFT)

    def _line(self, start: np.ndarray, end: np.ndarray, color: tuple[int, ...],
              width_m: float) -> None:
        cv2.line(self.image, tuple(self._fixed(start).tolist()), tuple(self._fixed(end).tolist()),
                 color, max(1, round(width_m * self.pixels_per_m)), cv2.LINE_AA, _SHIFT)


def _light(rgb: tuple[int, int, int]) -> tuple[int, ...]:
    """A pale colour of the same hue, so that walls, paths and labels stand out."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(value / 255 for value in rgb))
    return tuple(int(255 * value)
                 for value in colorsys.hsv_to_rgb(hue, min(0.28, 0.5 * saturation), 0.97))


def _muted(rgb: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(int(0.55 * value + 0.3 * 255) for value in rgb)
