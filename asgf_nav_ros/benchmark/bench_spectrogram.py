# SPDX-License-Identifier: Apache-2.0
"""How fast a spectrogram is there, against librosa and skimage."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.benchmark.bench_timing import compare
from asgf_nav_ros.benchmark.bench_timing import Comparison
from asgf_nav_ros.benchmark.soundspaces_way import librosa_spectrogram
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from asgf_nav_ros.sound.streaming_spectrogram import StreamingSpectrogram

CHUNK_S = 0.02  # how much audio a microphone driver hands over at once
WHOLE_WINDOW_WANTED, STREAMING_WANTED = 2.0, 8.0


def measure(rng: np.random.Generator, *, laps: int) -> list[Comparison]:
    """Compare a whole window at once, and what is left to do when its last samples arrive."""
    contract = PolicyContract()
    audio = rng.uniform(-0.5, 0.5, (2, contract.window_samples)).astype(np.float32)
    usual = ('librosa + skimage', lambda: librosa_spectrogram(audio, contract))
    return [
        compare('spectrogram of a whole window', theirs=usual, laps=laps,
                ours=('numpy', lambda: log_magnitude_spectrogram(audio, contract)),
                wanted=WHOLE_WINDOW_WANTED),
        compare('spectrogram at decision time', theirs=usual, laps=laps,
                ours=('streaming, last chunk', _last_chunk(audio, contract)),
                wanted=STREAMING_WANTED),
    ]


def _last_chunk(audio: np.ndarray, contract: PolicyContract):
    """Return what happens at decision time: the last chunk arrives, a spectrogram is asked for."""
    chunk = audio[:, :round(CHUNK_S * contract.sample_rate_hz)]
    stream = StreamingSpectrogram(contract)
    stream.push(audio)

    def arrive() -> np.ndarray:
        stream.push(chunk)
        return stream.spectrogram()

    return arrive
