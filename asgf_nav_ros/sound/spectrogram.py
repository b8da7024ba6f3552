# SPDX-License-Identifier: Apache-2.0
"""Log-magnitude spectrogram of SoundSpaces, with optional interaural planes, in numpy.

The stages are apart so that audio may also be turned into frames while it arrives
(``streaming_spectrogram.py``): spectra of frames -> sums over bins -> mean over frames -> log.
"""

from __future__ import annotations

import functools
from typing import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided
import scipy.fft

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL

# Added to the mean power of each ear in ``ild`` and ``ipd``, before the contract's input gain:
# a little above the quantisation noise of 16 bits through a Hann window of 400 (1.2e-8), so
# that bins which hold nothing but noise tell no direction.
INTERAURAL_POWER_EPS = 3e-8
# Largest |log10(left power / right power)|: 30 dB, more than a head makes.
ILD_LIMIT = 3.0
_FRAMES_AT_ONCE = 32  # keeps what is between the stages in the cache


def log_magnitude_spectrogram(
        audio: np.ndarray, contract: PolicyContract, *,
        attenuate: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    """Spectrogram of one window, what the policy hears.

    Per ear: magnitude of the centred, zero padded Hann STFT of ``input_gain * audio``, mean of
    ``pool x pool`` blocks (zero padded at the edges), ``log1p``. Equal to
    ``librosa.stft(pad_mode='constant')`` and ``skimage.measure.block_reduce`` as SoundSpaces
    (soundspaces/tasks/audionav_task.py, SpectrogramSensor) calls them. The interaural planes
    are described at ``spectrogram_of_sums``.

    Args:
        audio: (2, window_samples) float32 in [-1, 1], left ear first.
        contract: gives STFT, pooling, gain and channels.
        attenuate: what is done to the spectra of frames, (2, frames, n_fft // 2 + 1) complex64
            in their order, before anything else; None leaves them alone.

    Returns:
        (bins, frames, channels) float32.

    Raises:
        ValueError: wrong shape, or NaN or infinity in the audio.
    """
    audio = np.asarray(audio, np.float32)
    if audio.shape != (2, contract.window_samples):
        raise ValueError(f'audio must be (2, {contract.window_samples}), got {audio.shape}')
    if not np.isfinite(audio).all():
        raise ValueError('audio must be finite, got NaN or infinity')
    half = contract.n_fft // 2
    padded = np.zeros((2, contract.window_samples + 2 * half), np.float32)
    padded[:, half:half + contract.window_samples] = audio
    frames = frames_of(padded, contract)
    sums = []
    for k in range(0, frames.shape[1], _FRAMES_AT_ONCE):
        spectra = spectra_of_frames(frames[:, k:k + _FRAMES_AT_ONCE], contract)
        sums.append(sums_over_bins(attenuate(spectra) if attenuate else spectra, contract))
    return spectrogram_of_sums(np.concatenate(sums, axis=1), contract)


def frames_of(audio: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """Every whole frame in (2, n) audio as a (2, frames, n_fft) view; n >= n_fft.

    Frame k starts at sample ``k * hop_length``.
    """
    count = (audio.shape[1] - contract.n_fft) // contract.hop_length + 1
    ear, sample = audio.strides
    return as_strided(audio, (2, count, contract.n_fft),
                      (ear, contract.hop_length * sample, sample), writeable=False)


def spectra_of_frames(frames: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """Hann windowed spectra.

    Args:
        frames: (2, frames, n_fft) float32.
        contract: gives the window.

    Returns:
        (2, frames, n_fft // 2 + 1) complex64.
    """
    start, window = _hann_window(contract.n_fft, contract.win_length)
    stop = start + contract.win_length
    windowed = np.zeros(frames.shape, np.float32)
    np.multiply(frames[..., start:stop], window, out=windowed[..., start:stop])
    return scipy.fft.rfft(windowed, overwrite_x=True)


@functools.lru_cache(maxsize=8)
def _hann_window(n_fft: int, win_length: int) -> tuple[int, np.ndarray]:
    """Where the window starts in a frame of n_fft samples, and its (win_length,) float32."""
    phase = 2 * np.pi * np.arange(win_length) / win_length
    window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    window.flags.writeable = False
    return (n_fft - win_length) // 2, window


def spectrogram_of_spectra(spectra: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """The spectrogram from the frames' spectra; their common phase does not matter.

    Args:
        spectra: (2, frames, n_fft // 2 + 1) complex64 of audio without the input gain.
        contract: gives pooling, gain and channels.

    Returns:
        (bins, pooled frames, channels) float32.
    """
    return spectrogram_of_sums(sums_over_bins(spectra, contract), contract)


def sums_over_bins(spectra: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """What each frame adds to the spectrogram, summed over blocks of ``pool`` bins.

    Args:
        spectra: (2, frames, n_fft // 2 + 1) complex64.
        contract: gives pooling and channels.

    Returns:
        (planes, frames, bins) float32: |L| and |R|; with interaural channels also |L|^2,
        |R|^2, real and imaginary part of L conj(R).
    """
    magnitude = np.abs(spectra)
    sums = _sum_of_blocks(magnitude, contract.pool)
    if contract.audio_channels != TWO_EARS_WITH_INTERAURAL:
        return sums
    powers = _sum_of_blocks(np.square(magnitude), contract.pool)
    cross = _sum_of_blocks(spectra[0] * spectra[1].conj(), contract.pool)
    return np.concatenate([sums, powers, [cross.real, cross.imag]])


def _sum_of_blocks(planes: np.ndarray, pool: int) -> np.ndarray:
    """(..., n) -> (..., ceil(n / pool)), the last block zero padded; slices beat a reshape."""
    blocks = -(-planes.shape[-1] // pool)
    sums = np.zeros((*planes.shape[:-1], blocks), planes.dtype)
    for offset in range(pool):
        part = planes[..., offset::pool]
        sums[..., :part.shape[-1]] += part
    return sums


def spectrogram_of_sums(sums: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """Finish the spectrogram: mean over blocks of frames, then logarithms.

    With E_l, E_r the block means of |L|^2, |R|^2, C that of L conj(R), and eps =
    ``INTERAURAL_POWER_EPS``, none of them touched by the input gain::

        left, right = log1p(input_gain * block mean of |L|, |R|)
        ild         = log10((E_l + eps) / (E_r + eps)), limited to +-ILD_LIMIT
        ipd_cos     = Re C / sqrt((E_l + eps) (E_r + eps))
        ipd_sin     = Im C / sqrt((E_l + eps) (E_r + eps))

    Args:
        sums: (planes, frames, bins) float32 from ``sums_over_bins``.
        contract: gives pooling, gain and channels.

    Returns:
        (bins, pooled frames, channels) float32.
    """
    planes, frames, bins = sums.shape
    blocks = -(-frames // contract.pool)
    padded = np.zeros((planes, blocks * contract.pool, bins), np.float32)
    padded[:, :frames] = sums
    means = padded.reshape(planes, blocks, contract.pool, bins).sum(axis=2)
    means *= np.float32(1 / contract.pool ** 2)
    features = np.empty((bins, blocks, len(contract.audio_channels)), np.float32)
    features[..., :2] = np.log1p(means[:2] * np.float32(contract.input_gain)).T
    if planes > 2:
        features[..., 2:] = _interaural(means[2:]).T
    return features


def _interaural(means: np.ndarray) -> np.ndarray:
    """(4, frames, bins) powers and cross-spectrum -> (3, frames, bins) ild, ipd_cos, ipd_sin."""
    power = means[:2] + np.float32(INTERAURAL_POWER_EPS)
    ild = np.clip(np.log10(power[0] / power[1]), -ILD_LIMIT, ILD_LIMIT)
    ipd = means[2:] / np.sqrt(power[0] * power[1])
    return np.stack([ild, *ipd])
