# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.demo.bag_reader import RecordedBag
from asgf_nav_ros.nodes.spectrogram import SpectrogramParameters
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram


@pytest.fixture(scope='module')
def bag(driven):
    return RecordedBag(driven[0] / 'bag')


@pytest.fixture(scope='module')
def recordings(bag, contract):
    return bag.recordings(contract)


def test_every_decision_comes_with_what_it_was_made_on(recordings, plan, contract):
    for recording in recordings:
        assert [d.action for d in recording.decisions] == [Action.TURN_LEFT] * plan.max_actions
        for decision in recording.decisions:
            assert decision.rgb.shape == (128, 128, 3) and decision.rgb.std() > 0
            assert 0.1 < decision.depth.max() <= contract.depth_max_m
            assert decision.probabilities.sum() == pytest.approx(1, abs=1e-5)
            assert decision.frame_weights.sum() == pytest.approx(1, abs=1e-4)


def test_sound_is_complete_from_the_first_sample(recordings):
    for recording in recordings:
        duration_s = recording.sound.shape[1] / recording.sample_rate_hz
        assert recording.sound_start_s == pytest.approx(recording.start_s, abs=1e-6)
        assert duration_s == pytest.approx(recording.end_s - recording.start_s, abs=0.2)
        assert np.abs(recording.sound).max() > 0


def test_a_recorded_window_gives_the_recorded_spectrogram(recordings, contract):
    recording, full_scale = recordings[0], SpectrogramParameters().full_scale
    for decision in recording.decisions:
        end = round((decision.window_end_s - recording.sound_start_s) * contract.sample_rate_hz)
        window = recording.sound[:, end - contract.window_samples:end]
        heard = log_magnitude_spectrogram(full_scale * window, contract)
        assert np.abs(heard - decision.spectrogram).max() < 1e-5


def test_the_path_is_drawn_where_the_robot_was(bag, recordings, plan):
    for result, recording in zip(bag.results, recordings):
        assert recording.poses[0, 1:3] == pytest.approx(result['start_pose'][:2])
        turned = recording.poses[-1, 3] - recording.poses[0, 3]
        quarters = math.remainder(turned, math.tau) / (math.pi / 2) % 4
        assert quarters == pytest.approx(plan.max_actions, abs=0.1)
        assert recording.house.room_at(recording.source_xy) >= 0


def test_every_episode_begins_with_listening(recordings):
    for recording in recordings:
        first_s = recording.decisions[0].window_end_s
        assert recording.motion_state(first_s - 0.1) == 'idle'
        assert 'moving' in [name for _, name in recording.motion_states]


def test_a_folder_without_a_bag_is_refused(tmp_path):
    with pytest.raises(ValueError, match='not a rosbag2'):
        RecordedBag(tmp_path)
