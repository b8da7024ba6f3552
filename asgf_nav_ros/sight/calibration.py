# SPDX-License-Identifier: Apache-2.0
"""The lens of a camera, from the YAML that ROS's camera calibrators write, and its removal."""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from asgf_nav_ros.sight.view import Camera

_MOST_BYTES = 1 << 20
_FIELDS = ('image_width', 'image_height', 'camera_matrix', 'distortion_model',
           'distortion_coefficients')
# Coefficients that OpenCV understands, by the names of sensor_msgs/distortion_models.
_COEFFICIENTS = {'plumb_bob': (4, 5), 'rational_polynomial': (8,)}


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A pinhole camera and the (n,) coefficients of its lens, empty for none."""

    camera: Camera
    distortion: tuple[float, ...] = ()

    @classmethod
    def of_angle(cls, hfov_rad: float, *, width: int, height: int) -> Calibration:
        """A lens without distortion that sees ``hfov_rad`` from side to side.

        Raises:
            ValueError: the angle is not within (0, pi), or there are no pixels.
        """
        if not 0 < hfov_rad < math.pi:
            raise ValueError(f'hfov_rad must be within (0, pi), got {hfov_rad}')
        focal = width / 2 / math.tan(hfov_rad / 2)
        return cls(Camera(width=width, height=height, fx=focal, fy=focal,
                          cx=width / 2, cy=height / 2))

    @classmethod
    def of_file(cls, path: str) -> Calibration:
        """Read a file with ``camera_matrix`` and ``distortion_coefficients``.

        Raises:
            OSError: there is no such file.
            ValueError: it is no calibration, or one of a lens that is not understood.
        """
        text = Path(path).read_bytes()[:_MOST_BYTES + 1]
        if len(text) > _MOST_BYTES:
            raise ValueError(f'{path} must have at most {_MOST_BYTES} bytes')
        try:
            return cls._of_document(yaml.safe_load(text))
        except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            raise ValueError(f'{path} is no camera calibration with {", ".join(_FIELDS)}: '
                             f'{" ".join(str(error).split())}') from error

    @classmethod
    def _of_document(cls, document: Any) -> Calibration:
        model = document['distortion_model']
        if model not in _COEFFICIENTS:
            raise ValueError(f'distortion_model must be one of {", ".join(_COEFFICIENTS)}, '
                             f'got {model!r:.40}')
        matrix = np.array(document['camera_matrix']['data'], float).reshape(3, 3)
        lens = tuple(float(value) for value in document['distortion_coefficients']['data'])
        if len(lens) not in _COEFFICIENTS[model] or not np.isfinite(lens).all():
            raise ValueError(f'{model} has {" or ".join(map(str, _COEFFICIENTS[model]))} finite '
                             f'coefficients, got {len(lens)}')
        return cls(Camera(
            width=int(document['image_width']), height=int(document['image_height']),
            fx=matrix[0, 0], fy=matrix[1, 1], cx=matrix[0, 2], cy=matrix[1, 2]), lens)

    def rectify(self, rgb: np.ndarray) -> np.ndarray:
        """Straighten (H, W, 3) uint8; what the lens did not see is black.

        Raises:
            ValueError: the image has another size than the calibration.
        """
        wanted = (self.camera.height, self.camera.width, 3)
        if rgb.shape != wanted:
            raise ValueError(f'the camera is calibrated for {wanted} images, got {rgb.shape}')
        if not any(self.distortion):
            return rgb
        return cv2.remap(rgb, *self._maps, cv2.INTER_LINEAR)

    @functools.cached_property
    def _maps(self) -> tuple[np.ndarray, np.ndarray]:
        camera = self.camera
        matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
        return cv2.initUndistortRectifyMap(
            matrix, np.array(self.distortion), None, matrix,
            (camera.width, camera.height), cv2.CV_16SC2)
