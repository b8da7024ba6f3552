# SPDX-License-Identifier: Apache-2.0
"""The spectrogram of a sliding window, computed while the audio arrives."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.recent_samples import RecentSamples
from asgf_nav_ros.sound.spectrogram import frames_of
from asgf_nav_ros.sound.spectrogram import spectra_of_frames
from asgf_nav_ros.sound.spectrogram import spectrogram_of_sums
from asgf_nav_ros.sound.spectrogram import sums_over_bins

# Frames are computed this many at a time: the calls cost more than the work, and the few that
# still wait when a spectrogram is asked for go along with those at the window's edges.
_FRAMES_AT_ONCE = 8


class StreamingSpectrogram:
    """Computes each STFT frame once, soon after its last sample has come.

    Windows start on a grid of ``hop_length`` samples whose first point is the first sample
    pushed after ``reset``; ``window_end`` says where the newest whole one ends. Frames that
    reach over an edge of the window hear zeros there, so these few are computed when asked.
    Memory is bounded by a few windows.
    """

    def __init__(self, contract: PolicyContract) -> None:
        self._contract = contract
        self._hop = contract.hop_length
        self._half = contract.n_fft // 2
        window = contract.window_samples
        self._frames = window // self._hop + 1
        # Frames [first_inner, end_inner) of a window lie in it wholly.
        self._first_inner = min(-(-self._half // self._hop), self._frames)
        end_inner = (window + self._half - contract.n_fft) // self._hop + 1
        self._end_inner = max(end_inner, self._first_inner)
        self._edges = [*range(self._first_inner), *range(self._end_inner, self._frames)]
        self._kept_samples = window + contract.n_fft + _FRAMES_AT_ONCE * self._hop
        self._sums_shape = sums_over_bins(
            np.zeros((2, 1, self._half + 1), np.complex64), contract).shape[::2]
        self.reset()

    def reset(self) -> None:
        """Forget all audio; the next sample pushed starts the grid."""
        self._audio = RecentSamples((2,), keep=self._kept_samples)
        self._sums = RecentSamples(self._sums_shape, keep=self._frames + _FRAMES_AT_ONCE)
        # Half a frame of zeros goes ahead: frame k, centred on sample k * hop, starts at k * hop.
        self._audio.append(np.zeros((2, self._half), np.float32))

    @property
    def window_end(self) -> int | None:
        """Samples since ``reset`` at the end of the newest whole window; None without one."""
        late = self._audio.end - self._half - self._contract.window_samples
        return None if late < 0 else late // self._hop * self._hop + self._contract.window_samples

    def push(self, audio: np.ndarray) -> None:
        """Take the next samples.

        Args:
            audio: (2, n) float32 in [-1, 1], n > 0, directly after those pushed before.

        Raises:
            ValueError: wrong shape, or NaN or infinity in the audio.
        """
        audio = np.asarray(audio, np.float32)
        if audio.ndim != 2 or audio.shape[0] != 2 or audio.shape[1] == 0:
            raise ValueError(f'audio must be (2, n) with n > 0, got {audio.shape}')
        if not np.isfinite(audio).all():
            raise ValueError('audio must be finite, got NaN or infinity')
        at_once = self._contract.window_samples
        for start in range(0, audio.shape[1], at_once):
            self._audio.append(audio[:, start:start + at_once])
            waiting = self._waiting_frames()
            if waiting.shape[1] >= _FRAMES_AT_ONCE:
                self._sums.append(self._sums_of(waiting))

    def spectrogram(self) -> np.ndarray:
        """The spectrogram of the newest whole window, which ends at ``window_end``.

        Returns:
            (bins, frames, channels) float32, as ``log_magnitude_spectrogram`` gives.

        Raises:
            ValueError: less than one window was pushed since ``reset``.
        """
        end = self.window_end
        if end is None:
            raise ValueError(f'a window needs {self._contract.window_samples} samples, '
                             f'got {self._audio.end - self._half}')
        start = end - self._contract.window_samples
        edges = self._edge_sums(start)
        first = start // self._hop
        inner = self._sums.part(first + self._first_inner, first + self._end_inner)
        sums = np.concatenate(
            [edges[..., :self._first_inner], inner, edges[..., self._first_inner:]], axis=2)
        return spectrogram_of_sums(np.swapaxes(sums, 1, 2), self._contract)

    def _edge_sums(self, start: int) -> np.ndarray:
        """(planes, bins, edge frames) of the window from ``start``; stores what waits too."""
        waiting = self._waiting_frames()
        count = waiting.shape[1]
        frames = np.zeros((2, count + len(self._edges), self._contract.n_fft), np.float32)
        frames[:, :count] = waiting
        for row, edge in enumerate(self._edges, start=count):
            first = edge * self._hop - self._half
            begin = max(first, 0)
            stop = min(first + self._contract.n_fft, self._contract.window_samples)
            frames[:, row, begin - first:stop - first] = self._audio.part(
                start + self._half + begin, start + self._half + stop)
        sums = self._sums_of(frames)
        self._sums.append(sums[..., :count])
        return sums[..., count:]

    def _waiting_frames(self) -> np.ndarray:
        """(2, frames, n_fft) view of the whole frames that are not computed yet."""
        first = self._sums.end * self._hop
        if first + self._contract.n_fft > self._audio.end:
            return np.empty((2, 0, self._contract.n_fft), np.float32)
        return frames_of(self._audio.part(first, self._audio.end), self._contract)

    def _sums_of(self, frames: np.ndarray) -> np.ndarray:
        """(2, frames, n_fft) -> (planes, bins, frames)."""
        sums = sums_over_bins(spectra_of_frames(frames, self._contract), self._contract)
        return np.swapaxes(sums, 1, 2)
