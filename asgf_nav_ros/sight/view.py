# SPDX-License-Identifier: Apache-2.0
"""From the image of any camera to the square view that the policy was trained on."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract

DEFAULT_TOLERANCE_RAD = math.radians(2.0)


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
    """Crops and scales images of one camera to the field of view and size of a contract."""

    def __init__(self, camera: Camera, contract: PolicyContract, *,
                 tolerance_rad: float = DEFAULT_TOLERANCE_RAD) -> None:
        """Plan the crop once.

        Raises:
            ContractMismatch: the camera sees less than the contract's field of view by more
                than ``tolerance_rad``, horizontally or vertically.
        """
        wanted = Camera.of_contract(contract)
        _require_field_of_view(camera, wanted, tolerance_rad)
        self._camera = camera
        self._size = (contract.image_width, contract.image_height)
        self._depth_range_m = (contract.depth_min_m, contract.depth_max_m)
        half_width = camera.fx * wanted.width / 2 / wanted.fx
        half_height = camera.fy * wanted.height / 2 / wanted.fy
        self._columns = _span(camera.cx, half_width, camera.width)
        self._rows = _span(camera.cy, half_height, camera.height)

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
        if crop.shape[1::-1] == self._size:
            return crop
        shrinks = crop.shape[1] >= self._size[0] and crop.shape[0] >= self._size[1]
        return cv2.resize(np.ascontiguousarray(crop), self._size,
                          interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

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
        if crop.shape[::-1] != self._size:
            crop = _nearest_or_least(crop, self._size)
        return np.where(crop > 0, np.clip(crop, *self._depth_range_m), 0).astype(np.float32)

    def _crop(self, name: str, image: np.ndarray, channels: tuple[int, ...],
              dtype: type) -> np.ndarray:
        wanted = (self._camera.height, self._camera.width, *channels)
        if image.shape != wanted or image.dtype != dtype:
            raise ContractMismatch(
                f'{name} must be {wanted} {np.dtype(dtype).name} as its camera_info says, '
                f'got {image.shape} {image.dtype.name}')
        return image[self._rows, self._columns]


def _require_field_of_view(camera: Camera, wanted: Camera, tolerance_rad: float) -> None:
    sides = zip(('horizontal', 'vertical'), wanted.field_of_view_rad, camera.field_of_view_rad,
                strict=True)
    for side, wanted_rad, seen_rad in sides:
        if seen_rad < wanted_rad - tolerance_rad:
            raise ContractMismatch(
                f'the policy wants a {side} field of view of {math.degrees(wanted_rad):.1f} deg, '
                f'the camera has {math.degrees(seen_rad):.1f} deg around its optical axis')


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
