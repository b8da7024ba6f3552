# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.acoustics.spherical_head import spherical_head

YAWS_RAD = np.arange(4) * np.pi / 2
SOURCE = np.array([1.0, 1.0, 1.25])


@pytest.fixture(scope='module')
def field(shoebox):
    return AcousticScene(shoebox(6, 5)).sound_field(
        SOURCE, [[3.0, 1.0], [4.5, 3.5]], height_m=1.25, duration_s=0.4, rays=2000,
        rng=np.random.default_rng(0))


@pytest.fixture(scope='module')
def dead_field(shoebox):
    """Nothing but the direct path, straight along x."""
    return AcousticScene(shoebox(20, 20, absorption=1.0)).sound_field(
        [2.0, 10.0, 1.25], [[3.0, 10.0], [4.0, 10.0], [6.0, 10.0]], height_m=1.25, rays=10,
        rng=np.random.default_rng(0))


def _onset(ear):
    return np.flatnonzero(np.abs(ear) > 0.5 * np.abs(ear).max())[0]


def test_responses_have_the_promised_shape(field, kemar):
    responses = field.responses(0, YAWS_RAD, kemar, 16000, np.random.default_rng(0))
    assert responses.shape == (4, 2, 6400)
    assert responses.dtype == np.float32
    assert np.isfinite(responses).all()


def test_sound_arrives_after_distance_over_speed(dead_field):
    head = spherical_head()
    for listener, distance_m in enumerate((1.0, 2.0, 4.0)):
        response = dead_field.responses(listener, [np.pi], head, 16000, np.random.default_rng(0))
        pair = head.pair(0.0)
        lag = np.correlate(response[0, 0], pair[0], 'full').argmax() - (len(pair[0]) - 1)
        assert lag + head.origin == pytest.approx(distance_m / 343 * 16000, abs=1.0)


def test_level_is_one_over_distance(dead_field, kemar):
    rng = np.random.default_rng(0)
    rms = [np.sqrt(np.sum(np.square(
        dead_field.responses(listener, YAWS_RAD, kemar, 16000, rng)))) for listener in range(3)]
    np.testing.assert_allclose(20 * np.log10(np.array(rms[:-1]) / rms[1:]), 6.02, atol=0.3)
    one_ear = rms[0] / np.sqrt(8)  # four headings, two ears, at 1 m
    assert 20 * np.log10(one_ear) == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize('heading, louder', [(np.pi / 2, 0), (-np.pi / 2, 1)])
def test_the_louder_and_earlier_ear_follows_the_heading(dead_field, kemar, heading, louder):
    # The source is in the west (azimuth pi): on the left of who looks north.
    response = dead_field.responses(0, [heading], kemar, 16000, np.random.default_rng(0))[0]
    energy = np.sum(response ** 2, axis=1)
    assert energy[louder] > 2 * energy[1 - louder]
    assert _onset(response[louder]) < _onset(response[1 - louder])


def test_headings_share_one_physical_field(field, kemar):
    """Turning around swaps nearly everything that the ears of a symmetric head hear."""
    a, b = (field.responses(0, [yaw], kemar, 16000, np.random.default_rng(7))[0]
            for yaw in (0.3, 0.3 + 2 * np.pi))
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_late_carriers_are_fresh_for_each_draw(field, kemar):
    a, b = (field.responses(1, [0.0], kemar, 16000, np.random.default_rng(seed))[0]
            for seed in (1, 2))
    late = slice(1600, None)
    correlation = np.sum(a[:, late] * b[:, late]) / np.sum(a[:, late] ** 2)
    assert abs(correlation) < 0.2


def test_late_carriers_differ_between_fields_drawn_with_other_seeds(shoebox, kemar):
    scene = AcousticScene(shoebox(6, 5))
    tails = []
    for seed in (1, 2):
        field = scene.sound_field(SOURCE, [[4.5, 3.5]], height_m=1.25, rays=500,
                                  rng=np.random.default_rng(seed))
        response = field.responses(0, [0.0], kemar, 16000, np.random.default_rng(0))
        tails.append(response[0, :, 1600:])
    assert abs(np.sum(tails[0] * tails[1]) / np.sum(tails[0] ** 2)) < 0.2


def test_response_energy_is_that_of_arrivals_and_histogram(field, kemar):
    rng = np.random.default_rng(0)
    responses = field.responses(1, np.arange(12) * np.pi / 6, kemar, 16000, rng)
    spectrum = np.mean(np.abs(np.fft.rfft(responses)) ** 2, axis=(0, 1))
    frequencies_hz = np.fft.rfftfreq(6400, 1 / 16000)
    measured = spectrum[(frequencies_hz > 200) & (frequencies_hz < 4000)].mean()
    expected = (np.sum(field.arrivals.band_gain[1, :, 2:5] ** 2, axis=0)
                + field.late_energy[1].sum(axis=(0, 1))[2:5]).mean()
    assert 10 * np.log10(measured / expected) == pytest.approx(0.0, abs=1.5)


def test_a_listener_who_cannot_hear_gets_silence(extrude, kemar):
    scene = AcousticScene(extrude([[0, 0], [4, 0], [4, 3], [0, 3]]))
    field = scene.sound_field(SOURCE, [[6.0, 1.5]], height_m=1.25, rays=100,
                              rng=np.random.default_rng(0))
    response = field.responses(0, [0.0], kemar, 16000, np.random.default_rng(0))
    assert (response == 0).all()


def test_ears_at_another_sample_rate_are_refused(field, kemar):
    with pytest.raises(ValueError, match='hrtf must be at 44100 Hz, got one at 16000 Hz'):
        field.responses(0, [0.0], kemar, 44100, np.random.default_rng(0))
