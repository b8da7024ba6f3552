# SPDX-License-Identifier: Apache-2.0
"""Binaural impulse responses: read when they are needed, the last ones kept."""

from __future__ import annotations

import logging
from pathlib import Path
import struct

import numpy as np

from sim_bridge.soundspaces.kept_arrays import KeptArrays
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout

LONGEST_S = 20.0
KEPT_BYTES = 128 * 2**20
_HEADER_BYTES = 65536
_FLOAT = 3
_EXTENSIBLE = 0xFFFE  # the real format stands in the first bytes of its GUID
_log = logging.getLogger(__name__)


class BrokenResponse(ValueError):
    """A file is not readable as sound: SoundSpaces takes it for silence."""


class Responses:
    """Of one scene, at one rate. A response that cannot be read, or is empty, is silence."""

    def __init__(self, layout: Layout, scene: str, *, sample_rate_hz: int,
                 kept_bytes: int = KEPT_BYTES) -> None:
        self._layout, self._scene = layout, scene
        self._sample_rate_hz = sample_rate_hz
        self._kept = KeptArrays(kept_bytes)

    @property
    def bytes(self) -> int:
        """Memory that is taken by those kept."""
        return self._kept.bytes

    def get(self, heading: int, receiver: int, source: int) -> np.ndarray:
        """Response (2, L) float32 between nodes by their names; L is at least 1.

        Raises:
            DatasetError: the file is missing, too long, of another rate or not stereo.
        """
        key = (heading, receiver, source)
        return self._kept.get(key, lambda: self._read(self._layout.response(self._scene, *key)))

    def _read(self, path: Path) -> np.ndarray:
        try:
            response = read_response(path, sample_rate_hz=self._sample_rate_hz)
        except BrokenResponse as error:
            _log.warning('%s: %s; it is taken for silence', path, error)
            return np.zeros((2, 1), np.float32)
        return response if response.shape[1] else np.zeros((2, 1), np.float32)


def read_response(path: Path, *, sample_rate_hz: int) -> np.ndarray:
    """Read a stereo WAV of 32-bit floats, (2, L) float32, as it is: nothing is normalised.

    Raises:
        BrokenResponse: it is no WAV, is cut off within a sample, or is not finite.
        DatasetError: it is missing or too long, or a sound WAV of another kind.
    """
    longest_bytes = round(LONGEST_S * sample_rate_hz) * 8
    try:
        with path.open('rb') as stream:
            file = stream.read(longest_bytes + _HEADER_BYTES + 1)
    except FileNotFoundError:
        raise DatasetError(f'{path}: is missing') from None
    if len(file) > longest_bytes + _HEADER_BYTES:
        raise DatasetError(f'{path}: must be at most {LONGEST_S:g} s long')
    format_bytes, data = _chunks(file)
    kind, channels, rate_hz, _, _, bits = struct.unpack('<HHIIHH', format_bytes[:16])
    if kind == _EXTENSIBLE and len(format_bytes) >= 26:
        kind = struct.unpack('<H', format_bytes[24:26])[0]
    if (kind, bits, channels, rate_hz) != (_FLOAT, 32, 2, sample_rate_hz):
        raise DatasetError(f'{path}: must have 2 channels of 32-bit floats at {sample_rate_hz} '
                           f'Hz, got {channels} of format {kind} with {bits} bits at {rate_hz}')
    samples = np.frombuffer(data, '<f4', len(data) // 4)
    if len(samples) % 2:
        raise BrokenResponse('it ends in the middle of a sample')
    samples = samples.reshape(-1, 2)
    if not np.isfinite(samples).all():
        raise BrokenResponse('it has values that are not finite')
    return np.ascontiguousarray(samples.T)


def _chunks(file: bytes) -> tuple[bytes, memoryview]:
    """Contents of the chunks 'fmt ' and 'data'."""
    if len(file) < 12 or file[:4] != b'RIFF' or file[8:12] != b'WAVE':
        raise BrokenResponse('it is no WAV file')
    found: dict[bytes, memoryview] = {}
    at, whole = 12, memoryview(file)
    while at + 8 <= len(file) and b'data' not in found:
        name, length = file[at:at + 4], struct.unpack_from('<I', file, at + 4)[0]
        # Where a file was cut off, what is left of it counts, as scipy reads it.
        found[name] = whole[at + 8:at + 8 + length]
        at += 8 + length + length % 2
    if len(found.get(b'fmt ', b'')) < 16 or b'data' not in found:
        raise BrokenResponse('it lacks format or samples')
    return bytes(found[b'fmt ']), found[b'data']
