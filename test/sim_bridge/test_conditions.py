# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from sim_bridge.bake import BakeSettings
from sim_bridge.conditions import bake_settings
from sim_bridge.conditions import CONDITIONS
from sim_bridge.conditions import disturb
from sim_bridge.conditions import draw_schedule
from sim_bridge.conditions import Situation
from sim_bridge.disturbance import UNDISTURBED
from sim_bridge.robot_noise import draw_robot_noise
from sim_bridge.robot_noise import KINDS


@pytest.fixture
def situation(tiny_bake):
    dry = np.random.default_rng(1).uniform(-1, 1, 16000).astype(np.float32)
    return Situation(house=tiny_bake, source=0, node=3, heading=1, dry=dry, others=[0.5 * dry],
                     sample_rate_hz=16000, rng=np.random.default_rng(0))


def test_clean_disturbs_nothing(situation):
    drawn = dataclasses.asdict(disturb('clean', 0.0, situation))
    assert drawn == dataclasses.asdict(UNDISTURBED)


@pytest.mark.parametrize('name', [name for name in CONDITIONS if name != 'clean'])
def test_every_condition_disturbs_or_bakes_otherwise(name, situation):
    condition = CONDITIONS[name]
    drawn = disturb(name, condition.middle, situation)
    assert any(getattr(drawn, field.name) is not field.default
               for field in dataclasses.fields(drawn))
    assert condition.middle == condition.severities[2]


@pytest.mark.parametrize('snr_db', [20.0, 0.0])
def test_noise_has_the_wanted_ratio_to_what_is_heard_at_the_start(situation, snr_db):
    level = np.sqrt(np.mean(disturb('noise', snr_db, situation).noise ** 2))
    assert 20 * np.log10(situation.received_rms() / level) == pytest.approx(snr_db, abs=0.01)


def test_all_at_half_is_every_condition_at_its_middle(situation):
    drawn = disturb('all', CONDITIONS['all'].middle, situation)
    assert drawn.lost_audio == CONDITIONS['dropout'].middle
    assert abs(drawn.ear_gain_db) == CONDITIONS['ears'].middle
    assert drawn.distractor.max() == pytest.approx(0.5 * 10 ** (-10 / 20), rel=0.01)
    settings = bake_settings('all', 0.5, BakeSettings())
    assert settings.pose_noise_m == CONDITIONS['pose'].middle
    assert settings.head_radius_m > 0


def test_other_conditions_share_the_bakes_of_clean():
    for name in ('clean', 'noise', 'second_sound', 'intermittent', 'dropout'):
        assert bake_settings(name, CONDITIONS[name].middle, BakeSettings()) == BakeSettings()


@pytest.mark.parametrize('share', [0.2, 0.5, 0.8])
def test_a_schedule_is_silent_for_the_wanted_share(share):
    schedules = [draw_schedule(share, np.random.default_rng(seed)) for seed in range(40)]
    assert all(schedule[0] for schedule in schedules)
    assert 1 - np.mean(schedules) == pytest.approx(share, abs=0.04)


def test_a_second_sound_needs_a_recording(situation):
    with pytest.raises(ValueError, match='second recording'):
        disturb('second_sound', -10.0, dataclasses.replace(situation, others=[]))


def test_an_unknown_condition_is_refused(situation):
    with pytest.raises(ValueError, match="must be one of .*, got 'fog'"):
        disturb('fog', 1.0, situation)


@pytest.mark.parametrize('kind', KINDS)
def test_robot_noise_has_unit_power_and_loops(kind):
    noise = draw_robot_noise(kind, 16000, 16000, np.random.default_rng(3))
    assert noise.shape == (2, 16000) and np.sqrt(np.mean(noise ** 2)) == pytest.approx(1, rel=1e-3)
    steps = np.abs(np.diff(noise[0]))
    assert abs(noise[0, 0] - noise[0, -1]) <= steps.max()
    assert not np.allclose(noise, draw_robot_noise(kind, 16000, 16000, np.random.default_rng(4)))


def test_unknown_robot_noise_is_refused():
    with pytest.raises(ValueError, match="noise must be one of .*, got 'rain'"):
        draw_robot_noise('rain', 100, 16000, np.random.default_rng(0))
