# SPDX-License-Identifier: Apache-2.0
"""What one source does at many listeners."""

from __future__ import annotations

import dataclasses

import numpy as np

from sim_bridge.acoustics.arrivals import Arrivals
from sim_bridge.acoustics.hrtf import Hrtf
from sim_bridge.acoustics.late import NoiseTable
from sim_bridge.acoustics.response import late_response
from sim_bridge.acoustics.response import late_spectra
from sim_bridge.acoustics.response import sharp_response


@dataclasses.dataclass(frozen=True, eq=False)
class SoundField:
    """Sharp arrivals and late energy of one source at n listeners.

    source_xyz : (3,) float64, metres, where the source really stands (see
        ``AcousticScene.sound_field``).
    listeners : (n, 2) float64, metres.
    late_energy : (n, 12, t, 6) float32, by azimuth in the world, time and band (``tracer``).
    noise_seed : decides the noise under the late field.
    """

    source_xyz: np.ndarray
    listeners: np.ndarray
    arrivals: Arrivals
    late_energy: np.ndarray
    duration_s: float
    noise_seed: int
    _tables: dict = dataclasses.field(default_factory=dict, init=False, repr=False)

    @property
    def path_length_m(self) -> np.ndarray:
        """(n,) float64, length of the shortest path around all corners; inf where none is."""
        return self.arrivals.length_m[:, 0]

    @property
    def first_azimuth_world_rad(self) -> np.ndarray:
        """(n,) float64, where the first arrival comes from, counter-clockwise from +x."""
        return self.arrivals.azimuth_world_rad[:, 0]

    def samples(self, sample_rate_hz: int) -> int:
        """Length of the responses."""
        return round(self.duration_s * sample_rate_hz)

    def responses(self, receiver: int, yaws_rad: np.ndarray, hrtf: Hrtf, sample_rate_hz: int,
                  rng: np.random.Generator) -> np.ndarray:
        """Binaural impulse responses of one listener at several headings, in one sound field.

        Args:
            receiver: index of the listener.
            yaws_rad: (k,) headings in the world.
            rng: draws the carriers of the late field; all headings share them.

        Returns:
            (k, 2, round(duration_s * sample_rate_hz)) float32; a source at 1 m in the open
            has gain 1.

        Raises:
            ValueError: ``hrtf`` has another sample rate.
        """
        if hrtf.sample_rate_hz != sample_rate_hz:
            raise ValueError(
                f'hrtf must be at {sample_rate_hz} Hz, got one at {hrtf.sample_rate_hz} Hz')
        samples = self.samples(sample_rate_hz)
        spectra = late_spectra(self.late_signals(receiver, sample_rate_hz, rng), hrtf=hrtf)
        response = late_response(spectra, yaws_rad, hrtf=hrtf, samples=samples)
        response += sharp_response(self.arrivals, receiver, yaws_rad, hrtf=hrtf, samples=samples)
        return response

    def late_signals(self, receiver: int, sample_rate_hz: int,
                     rng: np.random.Generator) -> np.ndarray:
        """The late field of one listener by direction, with fresh carriers, (12, n) float32."""
        if sample_rate_hz not in self._tables:
            self._tables[sample_rate_hz] = NoiseTable(
                np.random.default_rng(self.noise_seed), sample_rate_hz=sample_rate_hz,
                samples=self.samples(sample_rate_hz))
        start_s = min(self.arrivals.delay_s[receiver, 0], self.duration_s)
        return self._tables[sample_rate_hz].late_signals(self.late_energy[receiver], rng,
                                                         start_s=start_s)
