# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from sim_bridge import episodes
from sim_bridge.diff_drive import OdometryNoise
from sim_bridge.diff_drive import ROBOT_RADIUS_M
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.house.floor_plan import write_floor_plan
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import Simulator
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound

CONTRACT = PolicyContract(image_height=32, image_width=32)
QUIET = ('curtain', 'thick_carpet', 'ceiling_acoustic')
RAYS = 500
HOUSE = House(
    'flat',
    (Room('west', np.array([[0, 0], [4, 0], [4, 3], [0, 3]]), *QUIET),
     Room('east', np.array([[4, 0], [7, 0], [7, 3], [4, 3]]), *QUIET)),
    doors=(Door(np.array([4.0, 1.0]), np.array([4.0, 2.0])),),
    furniture=(Furniture('table', np.array([1.0, 2.4]), 0.0, (0.8, 0.6, 0.7)),))
START = Pose2D(1.5, 1.5, 0.0)
SOURCE = (3.0, 1.5, CONTRACT.camera_height_m)
DRY = load_sound(load_catalogue().find('circular_saw'), CONTRACT.sample_rate_hz)


@pytest.fixture(scope='module')
def world():
    with EmbeddedWorld(CONTRACT, seed=1, rays=RAYS) as world:
        world.enter(HOUSE, name='flat')
        yield world


def begin(world, start=START, source=SOURCE, **options):
    world.begin(start=start, source_xyz=source, dry=DRY, **options)
    return world


def drive_around(world):
    heard = []
    for linear_mps, angular_radps in ((0.4, 0.0), (0.4, 0.8), (0.0, -1.0), (0.0, 0.0)):
        world.advance(linear_mps, angular_radps, 0.1)
        heard.append(world.listen(1600))
    return np.concatenate(heard, axis=1)


def level_db(audio):
    return 10 * np.log10(np.mean(audio.astype(np.float64) ** 2, axis=-1))


def test_world_is_a_simulator(world):
    assert isinstance(world, Simulator)


def test_same_seed_and_calls_give_the_same_samples_and_images(world):
    first, view = drive_around(begin(world)), world.view()
    second, again = drive_around(begin(world)), world.view()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(view[0], again[0])
    np.testing.assert_array_equal(view[1], again[1])
    assert not np.array_equal(first, drive_around(begin(world, seed=2)))


def test_another_world_with_the_same_seed_is_the_same(world):
    with EmbeddedWorld(CONTRACT, seed=1, rays=RAYS) as other:
        other.enter(HOUSE)
        np.testing.assert_array_equal(drive_around(begin(other)), drive_around(begin(world)))


def test_still_listener_hears_the_loop_however_it_is_cut(world):
    whole = begin(world).listen(16000)
    begin(world)
    cut = np.concatenate([world.listen(count) for count in (1600, 1, 4399, 10000)], axis=1)
    assert whole.shape == (2, 16000) and whole.dtype == np.float32
    np.testing.assert_allclose(cut, whole, atol=1e-6)
    np.testing.assert_allclose(world.listen(16000), whole, atol=1e-6)


@pytest.mark.parametrize('yaw_rad, louder', [(math.pi / 2, 1), (-math.pi / 2, 0)])
def test_ear_towards_the_source_is_louder(world, yaw_rad, louder):
    levels = level_db(begin(world, Pose2D(1.5, 1.5, yaw_rad)).listen(16000))
    assert levels[louder] > levels[1 - louder] + 3.0


def test_nearer_is_louder(world):
    far = level_db(begin(world, Pose2D(0.5, 1.0, 0.0)).listen(16000)).mean()
    near = level_db(begin(world, Pose2D(2.5, 1.5, 0.0)).listen(16000)).mean()
    assert near > far + 3.0


def test_moving_listener_hears_no_click(world):
    begin(world)
    still = world.listen(16000)
    moving = []
    for _ in range(10):
        world.advance(0.5, 1.5, 0.1)
        moving.append(world.listen(1600))
    slopes = np.abs(np.diff(np.concatenate([still, *moving], axis=1)))
    borders = slopes[:, 15999::1600][:, :10]
    assert borders.max() < slopes.max() * 0.9
    assert borders.mean() < 2.0 * slopes[:, 16000:].mean()


def test_driven_arc_updates_pose_time_and_odometry(world):
    begin(world, Pose2D(0.8, 0.8, 0.3))
    for _ in range(10):
        assert not world.advance(0.5, 0.5, 0.1)
    assert world.time_s == pytest.approx(1.0)
    assert world.pose.yaw_rad == pytest.approx(0.8)
    assert world.travelled_m == pytest.approx(0.5, abs=1e-3)
    assert world.odometry.x_m == pytest.approx(math.sin(0.5))
    assert world.odometry.y_m == pytest.approx(1.0 - math.cos(0.5))
    assert world.odometry.yaw_rad == pytest.approx(0.5)


def test_wall_is_felt_and_not_entered(world):
    begin(world, Pose2D(3.0, 0.5, 0.0))
    collided = [world.advance(1.0, 0.0, 0.1) for _ in range(20)]
    assert not collided[0] and collided[-1]
    assert world.pose.x_m == pytest.approx(4.0 - ROBOT_RADIUS_M, abs=1e-3)


def test_noisy_odometry_drifts_but_not_the_truth():
    noise = OdometryNoise(linear_m_per_sqrt_m=0.05, angular_rad_per_sqrt_rad=0.05)
    with EmbeddedWorld(CONTRACT, odometry_noise=noise, rays=RAYS) as noisy:
        noisy.enter(HOUSE)
        begin(noisy)
        noisy.advance(0.5, 0.5, 1.0)
    truth = noisy.pose.relative_to(START)
    assert noisy.odometry != truth
    assert noisy.odometry.x_m == pytest.approx(truth.x_m, abs=0.2)


def test_oracle_finds_the_source_and_distance_falls(world):
    begin(world, Pose2D(0.5, 0.5, 0.0), (6.0, 2.5, 1.25))
    before_m = world.geodesic_m()
    for _ in range(40):
        action = world.oracle_action()
        if action == Action.STOP:
            break
        assert not world.act(action)
        assert world.geodesic_m() <= before_m + 1e-6
        before_m = world.geodesic_m()
    assert action == Action.STOP
    assert world.geodesic_m() < 1e-6


def test_blocked_step_stays_put(world):
    begin(world, Pose2D(3.7, 0.5, 0.0))
    assert world.act(Action.MOVE_FORWARD)
    assert (world.pose.x_m, world.pose.y_m) == (3.7, 0.5)


def test_observation_fits_the_contract_and_takes_a_window(world):
    observation = begin(world).observe()
    observation.check(CONTRACT)
    assert observation.stamp_s == CONTRACT.window_s
    assert observation.spectrogram.max() > 0.0


def test_episode_starts_where_it_says(tmp_path):
    path = tmp_path / 'flat.json'
    write_floor_plan(HOUSE, path)
    graph = build_navigation_graph(HOUSE)
    episode, = episodes.sample_episodes(
        graph, [0], load_catalogue().split('val'), count=1, rng=np.random.default_rng(0),
        house=str(path))
    with EmbeddedWorld(CONTRACT, rays=RAYS) as world:
        world.reset(episode)
        assert world.geodesic_m() == pytest.approx(episode.geodesic_m, abs=1e-3)
        np.testing.assert_allclose(world.pose.xy, graph.nodes[episode.start_node])
        np.testing.assert_allclose(world.source_xyz[:2], graph.nodes[episode.goal_node])
        with pytest.raises(ValueError, match='was drawn on another graph'):
            world.reset(dataclasses.replace(episode, geodesic_m=99.0))


def test_bad_places_and_speeds_are_refused(world):
    with pytest.raises(ValueError, match='start must be free'):
        begin(world, Pose2D(1.0, 2.4, 0.0))
    with pytest.raises(ValueError, match='source must be inside'):
        begin(world, source=(9.0, 1.0, 1.0))
    begin(world)
    with pytest.raises(ValueError, match='speeds must be finite'):
        world.advance(math.nan, 0.0, 0.1)
    with pytest.raises(ValueError, match='dt_s at least 0'):
        world.advance(0.1, 0.0, -0.1)
