# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.nodes.episode_result import EpisodeRecord
from asgf_nav_ros.nodes.episode_result import summary
from sim_bridge.episodes import Episode
from sim_bridge.simulator import Pose2D

EPISODE = Episode(episode_id='1-0', house='small/test/1', start_node=3, start_heading=1,
                  goal_node=9, sound='telephone', seed=5, geodesic_m=4.5, oracle_actions=11)


def finish(actions, distance_m):
    record = EpisodeRecord(EPISODE, start_s=2.0, reset_time_s=0.5)
    for action in actions:
        record.acted(action, Pose2D(1.0, 2.0, 0.5))
    return record.result(now_s=32.0, distance_to_goal_m=distance_m, success_radius_m=1.0,
                         travelled_m=5.0, end='stop')


@pytest.mark.parametrize('actions, distance_m, success', [
    ([Action.MOVE_FORWARD, Action.STOP], 0.9, True),
    ([Action.MOVE_FORWARD, Action.STOP], 1.1, False),
    ([Action.MOVE_FORWARD], 0.1, False), ([], 0.1, False)])
def test_success_is_a_stop_near_the_sound(actions, distance_m, success):
    result = finish(actions, distance_m)
    assert result['success'] is success
    assert result['actions'] == len(actions)


def test_the_result_is_json_with_raw_numbers():
    result = json.loads(json.dumps(finish([Action.TURN_LEFT, Action.STOP], 0.5)))
    assert result['action_names'] == ['TURN_LEFT', 'STOP']
    assert (result['path_length_m'], result['geodesic_m'], result['oracle_actions']) == (
        5.0, 4.5, 11)
    assert result['poses'] == [[1.0, 2.0, 0.5]] * 2
    assert result['sim_time_s'] == 30.0 and result['realtime_factor'] > 1


def test_each_contact_counts_once():
    record = EpisodeRecord(EPISODE, start_s=0.0, reset_time_s=0.0)
    for touched in (False, True, True, False, True):
        record.moved(touched)
    assert record.collisions == 2


def test_the_summary_is_one_line():
    assert 'found the sound after 1 actions' in summary(finish([Action.STOP], 0.2))
    assert '\n' not in summary(finish([Action.STOP], 3.0))
