# SPDX-License-Identifier: Apache-2.0
"""A canvas with panels, anti-aliased lines and real type, fast enough for video."""

from __future__ import annotations

import functools

import cv2
from matplotlib import get_data_path
import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

Color = tuple[int, int, int]  # RGB

BACKGROUND: Color = (13, 17, 23)
PANEL: Color = (22, 28, 37)
OUTLINE: Color = (42, 51, 64)
TEXT: Color = (232, 237, 243)
FAINT: Color = (138, 150, 166)
SOUND: Color = (255, 176, 46)  # whatever belongs to hearing
SIGHT: Color = (86, 196, 255)  # whatever belongs to seeing
ACTION: Color = (94, 226, 145)  # whatever belongs to deciding and driving
ALARM: Color = (255, 107, 107)

_SUBPIXEL_BITS = 4


class Canvas:
    """An RGB image, (height, width, 3) uint8, with the few marks that a dashboard is made of.

    Coordinates are pixels, x to the right and y down, and may be fractions.
    """

    def __init__(self, width: int, height: int, *, color: Color = BACKGROUND) -> None:
        self.pixels = np.full((height, width, 3), color, np.uint8)

    def copy(self) -> Canvas:
        """Return an independent copy."""
        other = Canvas.__new__(Canvas)
        other.pixels = self.pixels.copy()
        return other

    def panel(self, x: int, y: int, width: int, height: int, *, color: Color = PANEL,
              outline: Color = OUTLINE, radius: int = 10) -> None:
        """Draw a filled rectangle with round corners and a thin outline."""
        mask = _rounded(width, height, radius)
        self._blend(x, y, mask, outline)
        self._blend(x + 1, y + 1, _rounded(width - 2, height - 2, radius - 1), color)

    def bar(self, x: float, y: float, width: float, height: float, *, color: Color) -> None:
        """Fill a rectangle; edges round to pixels."""
        left, top = max(round(x), 0), max(round(y), 0)
        self.pixels[top:round(y + height), left:round(x + width)] = color

    def image(self, x: int, y: int, pixels: np.ndarray) -> None:
        """Paste an (h, w, 3) uint8 image that must fit."""
        height, width = pixels.shape[:2]
        self.pixels[y:y + height, x:x + width] = pixels

    def text(self, x: float, y: float, text: str, *, size: int = 16, color: Color = TEXT,
             bold: bool = False, anchor: str = 'left') -> int:
        """Write ``text`` with its baseline at ``y`` and return its width in pixels.

        ``anchor`` is 'left', 'center' or 'right', where ``x`` is.
        """
        mask, ascent = _text_mask(text, size, bold)
        width = mask.shape[1]
        left = x - {'left': 0, 'center': width / 2, 'right': width}[anchor]
        self._blend(round(left), round(y) - ascent, mask, color)
        return width

    def line(self, points: np.ndarray, *, color: Color, width: int = 1,
             closed: bool = False) -> None:
        """Draw an anti-aliased line through ``points``, (n, 2)."""
        if len(points) > 1:
            cv2.polylines(self.pixels, [_fixed_point(points)], closed, color, width,
                          cv2.LINE_AA, _SUBPIXEL_BITS)

    def polygon(self, points: np.ndarray, *, color: Color, opacity: float = 1.0) -> None:
        """Fill an anti-aliased polygon, (n, 2), over what is there."""
        target = self.pixels if opacity == 1.0 else self.pixels.copy()
        cv2.fillPoly(target, [_fixed_point(points)], color, cv2.LINE_AA, _SUBPIXEL_BITS)
        if opacity != 1.0:
            cv2.addWeighted(target, opacity, self.pixels, 1 - opacity, 0, dst=self.pixels)

    def disc(self, x: float, y: float, radius: float, *, color: Color, width: int = -1) -> None:
        """Draw a circle; ``width`` -1 fills it."""
        center, scaled = _fixed_point(np.array([[x, y]]))[0], round(radius * 2**_SUBPIXEL_BITS)
        cv2.circle(self.pixels, tuple(map(int, center)), scaled, color, width,
                   cv2.LINE_AA, _SUBPIXEL_BITS)

    def arrow(self, start: np.ndarray, end: np.ndarray, *, color: Color, width: float = 6.0,
              outline: Color = BACKGROUND) -> None:
        """Draw a filled arrow between two points, with an outline that lifts it off the map."""
        shape = _arrow_outline(np.asarray(start, float), np.asarray(end, float), width)
        self.line(shape, color=outline, width=4, closed=True)
        self.polygon(shape, color=color)

    def _blend(self, x: int, y: int, mask: np.ndarray, color: Color) -> None:
        """Blend ``color`` in by ``mask``, (h, w) float32 in 0-1, clipped to the canvas."""
        height, width = self.pixels.shape[:2]
        left, top = max(-x, 0), max(-y, 0)
        mask = mask[top:height - y, left:width - x, None]
        if mask.size:
            x, y = max(x, 0), max(y, 0)
            under = self.pixels[y:y + mask.shape[0], x:x + mask.shape[1]]
            mixed = under + mask * (np.array(color, np.float32) - under)
            under[...] = np.rint(mixed).astype(np.uint8)


def text_width(text: str, *, size: int = 16, bold: bool = False) -> int:
    """Return how many pixels wide ``text`` is."""
    return _text_mask(text, size, bold)[0].shape[1]


def _fixed_point(points: np.ndarray) -> np.ndarray:
    return np.rint(np.asarray(points, float) * 2**_SUBPIXEL_BITS).astype(np.int32)


def _arrow_outline(start: np.ndarray, end: np.ndarray, width: float) -> np.ndarray:
    along = end - start
    length = max(float(np.hypot(*along)), 1e-6)
    along = along / length
    across = np.array([-along[1], along[0]])
    head = min(2.4 * width, length)
    neck = end - head * along
    return np.array([
        start + across * width / 2, neck + across * width / 2, neck + across * 1.3 * width, end,
        neck - across * 1.3 * width, neck - across * width / 2, start - across * width / 2])


@functools.lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return ImageFont.truetype(f'{get_data_path()}/fonts/ttf/{name}', size)


@functools.lru_cache(maxsize=4096)
def _text_mask(text: str, size: int, bold: bool) -> tuple[np.ndarray, int]:
    """Return the coverage of ``text``, (h, w) float32 in 0-1, and its ascent in pixels."""
    font = _font(size, bold)
    ascent, descent = font.getmetrics()
    picture = Image.new('L', (max(round(font.getlength(text)), 1), ascent + descent))
    ImageDraw.Draw(picture).text((0, 0), text, fill=255, font=font)
    return np.asarray(picture, np.float32) / 255, ascent


@functools.lru_cache(maxsize=128)
def _rounded(width: int, height: int, radius: int) -> np.ndarray:
    """Return the coverage of a rectangle with round corners, (height, width) float32."""
    picture = Image.new('L', (4 * width, 4 * height))
    ImageDraw.Draw(picture).rounded_rectangle(
        (0, 0, 4 * width - 1, 4 * height - 1), 4 * max(radius, 0), fill=255)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float32) / 255
