# SPDX-License-Identifier: Apache-2.0
import numpy as np

from sim_bridge.acoustics.bands import air_gain
from sim_bridge.acoustics.bands import interpolation_weights
from sim_bridge.house.materials import BAND_CENTERS_HZ


def test_weights_sum_to_one_at_every_frequency():
    weights = interpolation_weights(np.linspace(0, 8000, 500))
    np.testing.assert_allclose(weights.sum(axis=0), 1.0)


def test_a_band_value_holds_at_its_own_centre():
    np.testing.assert_allclose(interpolation_weights(np.array(BAND_CENTERS_HZ)), np.eye(6),
                               atol=1e-12)


def test_air_takes_more_from_high_bands():
    gain = air_gain(np.array([0.0, 100.0]))
    np.testing.assert_allclose(gain[0], 1.0)
    assert (np.diff(gain[1]) < 0).all()
    np.testing.assert_allclose(20 * np.log10(gain[1, -1]), -2.29)
