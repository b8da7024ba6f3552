# SPDX-License-Identifier: Apache-2.0
"""The whole bridge against the embedded world itself, and against everything that may go wrong."""

import dataclasses
import math
import os
import signal
import sys
import threading

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.episodes import load_house
from sim_bridge.habitat import world as world_module
from sim_bridge.habitat.connection import Refused
from sim_bridge.habitat.coordinates import position_of
from sim_bridge.habitat.episode import HabitatEpisode
from sim_bridge.habitat.server_process import OwnServer
from sim_bridge.habitat.server_process import server_environment
from sim_bridge.habitat.step_sound import StepSound
from sim_bridge.habitat.world import HabitatDied
from sim_bridge.habitat.world import HabitatWorld
from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import Simulator

START, GOAL = Pose2D(1.5, 1.5, 0.3), Pose2D(6.0, 2.2, 0.0)
STEP = 4000  # samples of 0.25 s


@pytest.fixture
def episode(scene):
    return HabitatEpisode(episode_id='flat#0', scene=scene, position=tuple(position_of(START)),
                          yaw_rad=START.yaw_rad, goal=tuple(position_of(GOAL)), sound='saw',
                          seed=5, geodesic_m=4.6)


@pytest.fixture
def twin(contract, scene, dry, episode):
    """The embedded world in this process, in the same place."""
    with EmbeddedWorld(contract) as twin:
        twin.enter(load_house(scene))
        twin.begin(start=START, source_xyz=(*GOAL.xy, contract.camera_height_m),
                   dry=np.zeros(1), seed=episode.seed)
        yield twin


def test_is_the_world_behind_the_server(world, twin, episode, contract):
    assert isinstance(world, Simulator)
    world.reset(episode)
    for action in ('TURN_LEFT', 'MOVE_FORWARD', 'MOVE_FORWARD', 'TURN_RIGHT', 'STOP'):
        assert world.act(Action[action]) == twin.act(Action[action])
        assert world.pose == twin.pose
        assert world.geodesic_m() == pytest.approx(twin.geodesic_m(), abs=1e-12)
        assert world.oracle_action() == twin.oracle_action()
        np.testing.assert_allclose(world.response(), twin.response(), atol=1e-6)
        for ours, theirs in zip(world.view(), twin.view()):
            np.testing.assert_array_equal(ours, theirs)
    assert world.odometry == twin.pose.relative_to(START)
    assert world.travelled_m == pytest.approx(0.5)


def test_drives_and_collides_like_the_world_behind_the_server(world, twin, episode):
    world.reset(episode)
    touched = []
    for _ in range(4):
        touched.append(world.advance(1.0, 0.4, 1.0))
        assert touched[-1] == twin.advance(1.0, 0.4, 1.0)
        assert world.pose == twin.pose
    assert touched[0] is False
    assert touched[-1] is True
    assert world.time_s == pytest.approx(4.0)


def test_hears_a_quarter_of_a_second_faded_over_from_the_last_response(world, episode, dry,
                                                                       contract):
    world.reset(episode)
    heard, responses = [], []
    for _ in range(3):
        responses.append(world.response())
        heard.append(world.observe())
        world.act(Action.MOVE_FORWARD)
    steps = StepSound(dry, sample_rate_hz=16000, step_samples=STEP, crossfade_samples=800,
                      start=int(np.random.default_rng([0, episode.seed]).integers(STEP)))
    for number, (observation, response) in enumerate(zip(heard, responses)):
        audio = np.zeros((2, 16000), np.float32)
        audio[:, :STEP] = steps.hear(response)
        np.testing.assert_array_equal(observation.spectrogram,
                                      log_magnitude_spectrogram(audio, contract))
        observation.check(contract)
        assert observation.stamp_s == pytest.approx(0.25 * (number + 1))
    assert not np.allclose(heard[0].spectrogram, heard[2].spectrogram, atol=0.01)


def test_streams_without_steps(world, episode):
    world.reset(episode)
    whole = world.listen(8000)
    world.reset(episode)
    pieces = np.concatenate([world.listen(count) for count in (100, 4000, 3900)], axis=1)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)
    assert np.abs(whole).max() > 1e-4


def test_response_stays_the_same_while_nothing_moves(world, episode):
    world.reset(episode)
    before = world.response()
    world.act(Action.STOP)
    assert world.response() is before
    world.act(Action.TURN_LEFT)
    assert world.response() is not before


def test_walks_to_the_goal_by_its_own_oracle(world, episode):
    world.reset(dataclasses.replace(episode, yaw_rad=0.0,
                                    goal=tuple(position_of(Pose2D(2.8, 1.5, 0.0)))))
    for _ in range(20):
        action = world.oracle_action()
        if action == Action.STOP:
            break
        world.act(action)
    assert action == Action.STOP
    assert world.geodesic_m() < 0.25


def test_refusals_leave_the_server_alive(world, episode, kept_server):
    with pytest.raises(Refused, match='open: a house is a floor plan'):
        world.reset(dataclasses.replace(episode, scene='a/b/c'))
    pid = kept_server.pid
    with pytest.raises(Refused, match='begin: start must be free'):
        world.reset(dataclasses.replace(episode, position=(50.0, 0.0, 50.0)))
    with pytest.raises(Refused, match='goal must be a finite number'):
        world.reset(dataclasses.replace(episode, goal=(math.nan, 0.0, 0.0)))
    world.reset(episode)
    with pytest.raises(Refused, match='forward_m must be within 10'):
        world.advance(1e6, 0.0, 1.0)
    with pytest.raises(ValueError, match='speeds must be finite'):
        world.advance(math.nan, 0.0, 1.0)
    assert kept_server.pid == pid


def test_abort_between_calls_is_told_and_the_next_reset_starts_anew(contract, embedded_server,
                                                                    dry, episode):
    with HabitatWorld(contract, embedded_server, sounds=lambda name: dry) as world:
        world.reset(episode)
        first = embedded_server.pid
        os.kill(first, signal.SIGABRT)
        with pytest.raises(HabitatDied, match='died of SIGABRT.*next reset starts it again'):
            world.act(Action.MOVE_FORWARD)
            world.act(Action.MOVE_FORWARD)  # the first may still have been answered
        with pytest.raises(HabitatDied, match='call reset first'):
            world.observe()
        world.reset(episode)
        assert embedded_server.pid not in (None, first)
        assert world.act(Action.MOVE_FORWARD) is False


@pytest.fixture
def fragile(contract, habitat_python, scenes, dry):
    """A world in the stand-in's room that has been reset, its server, and the episode."""
    episode = HabitatEpisode(
        episode_id='0', scene=str(scenes / 'room.glb'), position=(1.0, 0.0, -1.0), yaw_rad=0.0,
        goal=(4.0, 0.1, -3.0), sound='saw', seed=1, geodesic_m=3.6)
    server = OwnServer(habitat_python)
    with HabitatWorld(contract, server, sounds=lambda name: dry) as world:
        world.reset(episode)
        yield world, server, episode


def test_abort_within_a_call_is_told(fragile):
    world, server, episode = fragile
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)  # it hangs in the call, and is then shot

    def shoot():
        os.kill(pid, signal.SIGABRT)
        os.kill(pid, signal.SIGCONT)

    timer = threading.Timer(0.3, shoot)
    timer.start()
    with pytest.raises(HabitatDied, match=r'died of SIGABRT.*\(during look'):
        world.view()
    timer.join()
    world.reset(episode)
    assert world.act(Action.MOVE_FORWARD) is False


def test_server_that_hangs_is_ended_after_the_time_limit(fragile, monkeypatch):
    world, server, _ = fragile
    monkeypatch.setattr(world_module, '_TIMEOUT_S', 0.2)
    for name in ('_STOP_TIMEOUT_S', '_DEATH_S'):
        monkeypatch.setattr(f'sim_bridge.habitat.server_process.{name}', 0.2)
    os.kill(server.pid, signal.SIGSTOP)
    with pytest.raises(HabitatDied, match='does not answer .*did not answer in time'):
        world.view()
    assert server.pid is None


@pytest.mark.parametrize('answer, message', [
    ({'rgb': np.zeros((32, 32, 4), np.uint8), 'depth': np.zeros((32, 32), np.float32)},
     r'rgb that is not \(32, 32, 3\) uint8'),
    ({'rgb': np.zeros((32, 32, 3), np.uint8), 'depth': np.zeros((32, 32))},
     r'depth that is not \(32, 32\) float32'),
    ({'rgb': [1, 2]}, 'rgb that is not'),
])
def test_pictures_that_do_not_fit_are_refused(fragile, monkeypatch, answer, message):
    world, _, _ = fragile
    monkeypatch.setattr(world._connection, 'call', lambda *_, **__: answer)
    with pytest.raises(HabitatDied, match=message):
        world.view()


@pytest.mark.parametrize('response, message', [
    (np.zeros((1, 100), np.float32), r'shape \(1, 100\)'),
    (np.zeros((2, 0), np.float32), r'shape \(2, 0\)'),
    (np.zeros((2, 320_001), np.float32), r'shape \(2, 320001\)'),
    (np.full((2, 10), np.nan, np.float32), 'not finite float32'), (None, r'shape \(\)')])
def test_responses_that_do_not_fit_are_refused(fragile, monkeypatch, response, message):
    world, _, _ = fragile
    monkeypatch.setattr(world._connection, 'call', lambda *_, **__: {'response': response})
    with pytest.raises(HabitatDied, match=message):
        world.observe()


def test_server_gets_none_of_the_modules_and_libraries_of_this_python(tmp_path):
    ours = {'PYTHONPATH': '/opt/ros/lib', 'HOME': '/home/x', 'MAGNUM_LOG': 'verbose',
            'LD_LIBRARY_PATH': f'{sys.prefix}/lib:/usr/lib/nvidia'}
    environment = server_environment(ours, tmp_path)
    assert environment['PYTHONPATH'] == str(tmp_path)
    assert environment['LD_LIBRARY_PATH'] == '/usr/lib/nvidia'
    assert environment['HOME'] == '/home/x'
    assert (environment['MAGNUM_LOG'], environment['HABITAT_SIM_LOG']) == ('verbose', 'quiet')


def test_environment_without_habitat_says_what_is_missing(contract, dry, episode):
    with (HabitatWorld(contract, OwnServer(sys.executable), sounds=lambda name: dry) as world,
          pytest.raises(HabitatDied, match="ended with exit code 1: .*No module named 'habitat_")):
        world.reset(episode)


def test_server_that_always_dies_is_given_up(contract, dry, episode):
    with HabitatWorld(contract, OwnServer('/bin/false'), sounds=lambda name: dry) as world:
        for _ in range(3):
            with pytest.raises(HabitatDied, match='ended with exit code 1'):
                world.reset(episode)
        with pytest.raises(HabitatDied, match='died 3 times in a row, it is not started again'):
            world.reset(episode)


def test_missing_interpreter_is_named(contract, dry, episode):
    server = OwnServer('/opt/none/python')
    with (HabitatWorld(contract, server, sounds=lambda name: dry) as world,
          pytest.raises(HabitatDied, match='cannot start /opt/none/python: No such file')):
        world.reset(episode)


@pytest.mark.parametrize('step_time_s', [0.0, 1.5, math.nan])
def test_step_must_fit_into_the_window(contract, embedded_server, step_time_s):
    with pytest.raises(ValueError, match=r'step_time_s must be in \(0, 1.0\]'):
        HabitatWorld(contract, embedded_server, sounds=len, step_time_s=step_time_s)
