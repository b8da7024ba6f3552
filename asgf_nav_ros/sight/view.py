# SPDX-License-Identifier: Apache-2.0
"""From the image of any camera to the square view that the policy was trained on."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import cv2
import numpy as np

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract

DEFAULT_TOLERANCE_RAD = math.radians(2.0)
# Of the width and of the height of the policy's view. Under 0.5 lie the colour cameras of about
# 42 degrees height (0.38 of 90 degrees): with them three quarters of the view would be empty.
LEAST_SHARE = 0.45


@dataclasses.dataclass(frozen=True, kw_only=True)
class Camera:
    """Pinhole intrinsics in pixels, as in ``sensor_msgs/CameraInfo`` (rectified images)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        for name in ('width', 'height', 'fx', 'fy'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f'camera {name} must be positive and finite, got {value}')
        for name, size in (('cx', self.width), ('cy', self.height)):
            value = getattr(self, name)
            if not 0 < value < size:
                raise ValueError(f'camera {name} must be within (0, {size}), got {value}')

    @classmethod
    def of_contract(cls, contract: PolicyContract) -> Camera:
        """The camera that the policy was trained with: square pixels, centred."""
        focal = contract.image_width / 2 / math.tan(contract.hfov_rad / 2)
        return cls(width=contract.image_width, height=contract.image_height, fx=focal, fy=focal,
                   cx=contract.image_width / 2, cy=contract.image_height / 2)

    @property
    def field_of_view_rad(self) -> tuple[float, float]:
        """Horizontal and vertical angle that is seen to both sides of the optical axis alike."""
        return (2 * math.atan(_half_extent(self.cx, self.width) / self.fx),
                2 * math.atan(_half_extent(self.cy, self.height) / self.fy))


def _half_extent(center: float, size: int) -> float:
    """Pixels from the principal point to the nearer border.

    Cameras differ in whether the middle of n pixels is n / 2 or (n - 1) / 2 (ROS): take the
    generous reading.
    """
    return min(center + 0.5, size - center, size / 2)


class View:
    """Crops and scales images of one camera to the field of view and size of a contract.

    What the policy wants to see and the camera does not is black and has no depth (0).
    ``shortfall`` says so in one line; it is empty where the camera sees it all.
    """

    def __init__(self, camera: Camera, contract: PolicyContract, *,
                 tolerance_rad: float = DEFAULT_TOLERANCE_RAD,
                 least_share: float = LEAST_SHARE) -> None:
        """Plan the crop once.

        Args:
            camera: where the images come from.
            contract: of the policy.
            tolerance_rad: a camera that sees so much less is taken for one that sees it all.
            least_share: of the width, and of the height, of the policy's view that the camera
                must see.

        Raises:
            ContractMismatch: the camera sees less.
        """
        wanted = Camera.of_contract(contract)
        self._camera = camera
        self._size = (contract.image_width, contract.image_height)
        self._depth_range_m = (contract.depth_min_m, contract.depth_max_m)
        angles = zip(wanted.field_of_view_rad, camera.field_of_view_rad)
        narrow = [seen < wide - tolerance_rad for wide, seen in angles]
        self.shortfall = _shortfall(wanted, camera, narrow)
        halves = (camera.fx * wanted.width / 2 / wanted.fx,
                  camera.fy * wanted.height / 2 / wanted.fy)
        across = _fit(camera.cx, halves[0], camera.width, contract.image_width, narrow[0])
        down = _fit(camera.cy, halves[1], camera.height, contract.image_height, narrow[1])
        if min(across.share, down.share) < least_share:
            raise ContractMismatch(
                f'{self.shortfall}, which is {100 * across.share:.0f} % of its width and '
                f'{100 * down.share:.0f} % of its height; at least {100 * least_share:.0f} % of '
                'each are needed')
        self._columns, self._rows = across.source, down.source
        self._target = (down.target, across.target)
        self._target_size = (across.target.stop - across.target.start,
                             down.target.stop - down.target.start)

    def color(self, rgb: np.ndarray) -> np.ndarray:
        """Scale by area when it shrinks, linearly when it grows.

        Args:
            rgb: (camera height, camera width, 3) uint8.

        Returns:
            (image_height, image_width, 3) uint8 of the contract.

        Raises:
            ContractMismatch: the image has another size than the camera states, or type.
        """
        crop = self._crop('rgb', rgb, (3,), np.uint8)
        size = self._target_size
        if crop.shape[1::-1] != size:
            shrinks = crop.shape[1] >= size[0] and crop.shape[0] >= size[1]
            crop = cv2.resize(np.ascontiguousarray(crop), size,
                              interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return self._place(crop)

    def depth(self, depth: np.ndarray) -> np.ndarray:
        """Take the nearest pixel, as depth must not be averaged over edges.

        Where that one is invalid, the least valid depth of its block stands in.

        Args:
            depth: (camera height, camera width) float32, metres, 0 where invalid.

        Returns:
            (image_height, image_width) float32, metres, clipped to the range of the contract;
            0 where invalid.

        Raises:
            ContractMismatch: the image has another size than the camera states, or type.
        """
        crop = self._crop('depth', depth, (), np.float32)
        crop = np.where(np.isfinite(crop) & (crop > 0), crop, np.float32(0))
        if crop.shape[::-1] != self._target_size:
            crop = _nearest_or_least(crop, self._target_size)
        return self._place(
            np.where(crop > 0, np.clip(crop, *self._depth_range_m), 0).astype(np.float32))

    def _place(self, seen: np.ndarray) -> np.ndarray:
        """What is seen, where the policy looks for it."""
        if seen.shape[1::-1] == self._size:
            return seen
        whole = np.zeros((*self._size[::-1], *seen.shape[2:]), seen.dtype)
        whole[self._target] = seen
        return whole

    def _crop(self, name: str, image: np.ndarray, channels: tuple[int, ...],
              dtype: type) -> np.ndarray:
        wanted = (self._camera.height, self._camera.width, *channels)
        if image.shape != wanted or image.dtype != dtype:
            raise ContractMismatch(
                f'{name} must be {wanted} {np.dtype(dtype).name} as its camera_info says, '
                f'got {image.shape} {image.dtype.name}')
        return image[self._rows, self._columns]


def _shortfall(wanted: Camera, camera: Camera, narrow: list[bool]) -> str:
    sides = zip(('horizontal', 'vertical'), wanted.field_of_view_rad, camera.field_of_view_rad,
                narrow)
    lacks = [f'a {side} field of view of {math.degrees(wanted_rad):.1f} deg, the camera has '
             f'{math.degrees(seen_rad):.1f} deg' for side, wanted_rad, seen_rad, lack in sides
             if lack]
    return f'the policy wants {" and ".join(lacks)} around its optical axis' if lacks else ''


class _Fit(NamedTuple):
    """Along one side: pixels of the camera, pixels of the policy, and how much of its view."""

    source: slice
    target: slice
    share: float


def _fit(center: float, half: float, size: int, wanted_size: int, narrow: bool) -> _Fit:
    """Map what lies within ``half`` pixels of the principal point to ``wanted_size`` pixels."""
    if not narrow:
        return _Fit(_span(center, half, size), slice(0, wanted_size), 1.0)
    start, stop = max(round(center - half), 0), min(round(center + half), size)
    scale = wanted_size / (2 * half)
    target = slice(max(round((start - center + half) * scale), 0),
                   min(round((stop - center + half) * scale), wanted_size))
    return _Fit(slice(start, stop), target, (stop - start) / (2 * half))


def _span(center: float, half: float, size: int) -> slice:
    """Whole pixels within ``half`` of the principal point, moved into the image if need be."""
    count = max(1, min(size, round(2 * half)))
    start = min(max(math.floor(center - half + 0.5), 0), size - count)
    return slice(start, start + count)


def _nearest_or_least(depth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) -> (size[1], size[0]), see ``View.depth``."""
    rows, columns = (np.arange(n) for n in size[::-1])
    height, width = depth.shape
    nearest = depth[np.ix_(((rows + 0.5) * height / size[1]).astype(int),
                           ((columns + 0.5) * width / size[0]).astype(int))]
    holes = ~(nearest > 0)
    if not holes.any():
        return nearest
    least = np.where(depth > 0, depth, np.inf)
    least = np.minimum.reduceat(least, rows * height // size[1], axis=0)
    least = np.minimum.reduceat(least, columns * width // size[0], axis=1)
    return np.where(holes & np.isfinite(least), least, nearest)
