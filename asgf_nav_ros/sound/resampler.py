# SPDX-License-Identifier: Apache-2.0
"""Another sample rate for an endless stream, without seams between its blocks."""

from __future__ import annotations

import math

import numpy as np
from scipy import signal

# Half the length of the low pass, in zero crossings, and the share of the band that it keeps:
# together with this Kaiser window 80 dB of what would alias are gone.
_ZERO_CROSSINGS = 32
_PASSED_BAND = 0.93
_KAISER_BETA = 8.0


class Resampler:
    """Polyphase resampling between whole rates, the same samples however the stream is cut.

    Output sample k stands for the time of input sample k * from_hz / to_hz: the low pass is
    centred, and what it must see of the future only comes out later.
    """

    def __init__(self, from_hz: int, to_hz: int, *, channels: int = 2) -> None:
        """Design the low pass once.

        Raises:
            ValueError: a rate or the number of channels is not positive.
        """
        for name, value in (('from_hz', from_hz), ('to_hz', to_hz), ('channels', channels)):
            if value <= 0:
                raise ValueError(f'{name} must be positive, got {value}')
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._channels = channels
        self._taps = self._low_pass()
        self._half = len(self._taps) // 2  # at up times the input rate
        self.reset()

    def _low_pass(self) -> np.ndarray:
        longest = max(self._up, self._down)
        if longest == 1:
            return np.ones(1)
        length = 2 * _ZERO_CROSSINGS * longest + 1
        return self._up * signal.firwin(
            length, _PASSED_BAND / longest, window=('kaiser', _KAISER_BETA))

    def reset(self) -> None:
        """Begin a new stream; silence goes ahead of it."""
        # Input that is still needed, and its first index: a multiple of `down`, so that the
        # outputs of a block fall on the same phases as those of the whole stream.
        reach = -(-(2 * self._half) // self._up)
        lead = -(-reach // self._down) * self._down
        self._held = np.zeros((self._channels, lead))
        self._held_from = -lead
        self._next = 0  # index of the next output

    def push(self, audio: np.ndarray) -> np.ndarray:
        """Take (channels, n) samples and return (channels, m) float32, m >= 0.

        Raises:
            ValueError: another number of channels.
        """
        if audio.ndim != 2 or audio.shape[0] != self._channels:
            raise ValueError(f'audio must be ({self._channels}, n), got {audio.shape}')
        held = np.concatenate([self._held, audio], axis=1)
        end = self._held_from + held.shape[1]
        # The last output that sees none but held samples.
        stop = max(((end - 1) * self._up - self._half) // self._down + 1, self._next)
        found = np.zeros((self._channels, 0))
        if stop > self._next:
            found = self._between(held, self._next, stop)
        self._next = stop
        self._drop(held)
        return found.astype(np.float32)

    def _between(self, held: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Outputs [start, stop): upfirdn delays by half a filter, so begin in its phase."""
        late, phase = divmod(self._half, self._down)
        taps = np.pad(self._taps, (self._down - phase if phase else 0, 0))
        late += 1 if phase else 0
        first = self._held_from * self._up // self._down
        filtered = signal.upfirdn(taps, held, self._up, self._down, axis=1)
        return filtered[:, start - first + late:stop - first + late]

    def _drop(self, held: np.ndarray) -> None:
        earliest = (self._next * self._down - self._half) // self._up - self._down
        keep_from = max(earliest // self._down * self._down, self._held_from)
        self._held = held[:, keep_from - self._held_from:]
        self._held_from = keep_from
