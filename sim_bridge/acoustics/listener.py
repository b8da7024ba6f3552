# SPDX-License-Identifier: Apache-2.0
"""A listener that may stand and look anywhere, for worlds without a grid."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from sim_bridge.acoustics.hrtf import Hrtf
from sim_bridge.acoustics.response import late_response
from sim_bridge.acoustics.response import late_spectra
from sim_bridge.acoustics.response import sharp_response
from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.acoustics.visibility import is_clear

_NEIGHBORS = 4  # nodes whose late fields are mixed
_CACHED_NODES = 64  # late spectra kept, 0.3 MB each at 16 kHz and 0.4 s


class ContinuousListener:
    """Responses of one source at arbitrary poses, a few milliseconds each.

    Sharp arrivals are exact at the pose. The late field is traced at nodes; those around the pose
    are mixed with weights that vanish as a node drops out, so that it changes smoothly.
    """

    def __init__(self, scene: AcousticScene, source_xyz: np.ndarray, nodes: np.ndarray, *,
                 height_m: float = 1.25, sample_rate_hz: int = 16000, hrtf: Hrtf | None = None,
                 duration_s: float = 0.4, rays: int = 20000, rng: np.random.Generator) -> None:
        """Trace the source, (3,) metres, at ``nodes``, (n, 2) metres.

        Args:
            hrtf: the ears; KEMAR when None.
            rng: rays, carriers and, if a node is at the source, where it steps aside to.

        Raises:
            ValueError: as ``AcousticScene.sound_field``; or ``hrtf`` has another sample rate.
        """
        self._hrtf = hrtf or Hrtf.load(sample_rate_hz=sample_rate_hz)
        if self._hrtf.sample_rate_hz != sample_rate_hz:
            raise ValueError(f'hrtf must be at {sample_rate_hz} Hz, '
                             f'got one at {self._hrtf.sample_rate_hz} Hz')
        self.field = scene.sound_field(source_xyz, nodes, height_m=height_m, rng=rng,
                                       duration_s=duration_s, rays=rays)
        self.samples = self.field.samples(sample_rate_hz)
        self._finder = scene.arrival_finder(self.field.source_xyz, height_m=height_m)
        self._faces = scene.corners(height_m).faces
        self._late: OrderedDict[int, np.ndarray] = OrderedDict()
        self.response(self.field.listeners[0], 0.0)  # lays out noise and filters ahead of time

    def response(self, xy: np.ndarray, yaw_rad: float) -> np.ndarray:
        """Impulse responses of both ears at a pose, (2, samples) float32.

        Raises:
            ValueError: the pose is not finite.
        """
        xy = np.asarray(xy, np.float64).reshape(2)
        if not np.isfinite([*xy, yaw_rad]).all():
            raise ValueError(f'pose must be finite, got {xy} and {yaw_rad}')
        spectra = sum(weight * self._late_spectra(node) for node, weight in self._around(xy))
        response = late_response(spectra, [yaw_rad], hrtf=self._hrtf, samples=self.samples)
        response += sharp_response(self._finder.at(xy), 0, [yaw_rad], hrtf=self._hrtf,
                                   samples=self.samples)
        return response[0]

    def _around(self, xy: np.ndarray) -> list[tuple[int, np.float32]]:
        """Nearest nodes on this side of the walls, and their weights; squares sum to 1."""
        distance_m = np.hypot(*(self.field.listeners - xy).T)
        seen = []
        for node in np.argsort(distance_m, kind='stable'):
            if is_clear(self._faces, xy[0], xy[1], *self.field.listeners[node]):
                seen.append(int(node))
                if len(seen) > _NEIGHBORS:
                    break
        if len(seen) < 2:
            return [(seen[0] if seen else int(distance_m.argmin()), np.float32(1.0))]
        reach_m = distance_m[seen[-1]]
        weights = (1.0 - distance_m[seen[:-1]] / reach_m) ** 2 + 1e-9
        weights /= np.sqrt(np.sum(weights ** 2))  # their carriers are independent
        return list(zip(seen[:-1], weights.astype(np.float32)))

    def _late_spectra(self, node: int) -> np.ndarray:
        """(12, f) complex64, the same each time that the listener comes by."""
        if node in self._late:
            self._late.move_to_end(node)
            return self._late[node]
        rng = np.random.default_rng([self.field.noise_seed, node])
        signals = self.field.late_signals(node, self._hrtf.sample_rate_hz, rng)
        self._late[node] = late_spectra(signals, hrtf=self._hrtf)
        if len(self._late) > _CACHED_NODES:
            self._late.popitem(last=False)
        return self._late[node]
