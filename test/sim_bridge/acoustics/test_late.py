# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import fft

from sim_bridge.acoustics.late import NoiseTable
from sim_bridge.acoustics.tracer import AZIMUTH_BINS
from sim_bridge.acoustics.tracer import BIN_S

RATE_HZ, SAMPLES = 16000, 6400


@pytest.fixture(scope='module')
def table():
    return NoiseTable(np.random.default_rng(0), sample_rate_hz=RATE_HZ, samples=SAMPLES)


def _signals(table, energy, seed=0, start_s=0.0):
    return table.late_signals(energy.astype(np.float32), np.random.default_rng(seed),
                              start_s=start_s)


def test_signals_have_the_energy_of_the_histogram(table):
    decay = np.exp(-np.arange(80) * BIN_S / 0.1)[None, :, None]
    energy = np.broadcast_to(decay, (AZIMUTH_BINS, 80, 6))
    signals = _signals(table, energy)
    bins = np.square(signals).reshape(AZIMUTH_BINS, 8, -1).sum(axis=(0, 2))
    expected = decay[0, :, 0].reshape(8, 10).sum(axis=1) * AZIMUTH_BINS
    np.testing.assert_allclose(10 * np.log10(bins / expected), 0.0, atol=0.5)


def test_a_band_stays_in_its_octave(table):
    energy = np.zeros((AZIMUTH_BINS, 80, 6))
    energy[..., 3] = 1.0
    power = np.mean(np.abs(fft.rfft(_signals(table, energy))) ** 2, axis=0)
    frequencies_hz = fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
    inside = (frequencies_hz > 500) & (frequencies_hz < 2000)
    assert power[inside].sum() > 0.98 * power.sum()


def test_nothing_sounds_before_the_first_path(table):
    signals = _signals(table, np.ones((AZIMUTH_BINS, 80, 6)), start_s=0.05)
    assert (signals[:, :800] == 0).all()
    assert (signals[:, 800:] != 0).any()


def test_directions_and_listeners_do_not_share_carriers(table):
    energy = np.ones((AZIMUTH_BINS, 80, 6))
    a, b = _signals(table, energy, seed=1), _signals(table, energy, seed=2)
    rows = np.concatenate([a, b])
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 0.1


def test_carriers_are_new_in_every_table():
    energy = np.ones((AZIMUTH_BINS, 80, 6))
    tables = [NoiseTable(np.random.default_rng(seed), sample_rate_hz=RATE_HZ, samples=SAMPLES)
              for seed in (1, 1, 2)]
    a, same, other = (_signals(table, energy) for table in tables)
    np.testing.assert_array_equal(a, same)
    assert np.abs(np.sum(a * other, axis=1) / np.sum(a ** 2, axis=1)).max() < 0.1
