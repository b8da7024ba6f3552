# SPDX-License-Identifier: Apache-2.0
"""The continuous world on files, against the grid world on the house that they were made from."""

import dataclasses
import gzip
import json
from pathlib import Path
import shutil

import numpy as np
import pytest
from scipy.signal import fftconvolve

from asgf_nav_ros.contract import Action
from asgf_nav_ros.systems.exported import ExportedPolicy
from asgf_nav_ros.systems.navigator import Views
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement
from sim_bridge.simulator import Simulator
from sim_bridge.soundspaces.driven_world import DrivenWorld
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.scene_plan import ScenePlan

SPLIT = 'test_multiple_unheard'
MODEL = Path(__file__).parents[3] / 'models' / 'asgf_nav.onnx'
RATE_HZ = 16000


@pytest.fixture
def world(written, tiny_contract):
    return DrivenWorld(tiny_contract, written, SPLIT, count=12)


@pytest.fixture
def begun(world):
    world.reset(world.episodes[0])
    return world


def test_it_is_a_simulator_with_the_episodes_of_an_evaluation(world, written, drawn):
    from asgf_nav_ros.benchmark.evaluate_soundspaces import drawn as evaluated
    assert isinstance(world, Simulator)
    assert [each.episode_id.rpartition('/')[2] for each in world.episodes] == [
        each.identifier for each in evaluated(written, SPLIT, count=12, seed=1)]
    assert [(each.start_node, each.start_heading, each.goal_node) for each in world.episodes] == [
        (each.start_node, each.start_heading, each.goal_node) for each in drawn]


class FixedPhase:
    """A generator for a grid world whose loop has a given phase."""

    def __init__(self):
        self.phase = 0

    def integers(self, high):
        return self.phase % high


def test_a_policy_decides_as_in_the_grid_world(written, tiny_bake, clips):
    driven_policy, grid_policy = (ExportedPolicy(MODEL, system='asgf_plus') for _ in range(2))
    contract = driven_policy.contract
    world = DrivenWorld(contract, written, SPLIT, count=12)
    for episode in world.episodes[:3]:
        grid, phase = GridWorld([tiny_bake], contract, count=2), FixedPhase()
        world.reset(episode)
        for slot in range(2):
            grid.place(slot, Placement(
                house=0, source=tiny_bake.source_nodes.tolist().index(episode.goal_node),
                node=episode.start_node, heading=episode.start_heading, rng=phase,
                dry=clips['hiss' if 'hiss' in episode.sound else 'rain/soft']))
        slots = np.array([0])
        for policy in (driven_policy, grid_policy):
            policy.begin(slots, [np.random.default_rng(episode.seed)])
        moved = np.ones(1, bool)
        steps = 0
        while steps < 25:
            steps += 1
            phase.phase = -round(world.time_s * RATE_HZ)
            seen, batch = world.observe(), grid.observe()
            assert (seen.rgb == batch.rgb[0].numpy()).all()
            assert (seen.depth == batch.depth[0].numpy()).all()
            np.testing.assert_allclose(seen.spectrogram, batch.spectrogram[0].numpy(), atol=2e-3)
            ours = driven_policy.decide(slots, Views(
                seen.rgb[None], seen.depth[None], seen.spectrogram[None], moved))
            theirs = grid_policy.decide(slots, Views(
                batch.rgb[:1].numpy(), batch.depth[:1].numpy(), batch.spectrogram[:1].numpy(),
                grid.moved[:1]))
            assert ours == theirs
            action = Action(int(ours[0]))
            moved = np.array([not world.act(action)])
            grid.act(np.array([action]), slots)
            assert (world.node, world.heading) == (grid.node[0], grid.heading[0])
            assert world.geodesic_m() == pytest.approx(float(grid.geodesic_m()[0]))
            if action == Action.STOP:
                break
        assert steps > 2


def test_the_oracle_leads_to_the_goal(world):
    for episode in world.episodes:
        world.reset(episode)
        actions = 1
        while (action := world.oracle_action()) != Action.STOP:
            assert not world.act(action)
            actions += 1
        assert actions == episode.oracle_actions and world.geodesic_m() == 0


def test_a_step_is_driven_and_seen_on_the_way(begun):
    while begun.oracle_action() != Action.MOVE_FORWARD:
        begun.act(begun.oracle_action())
    start, odometry = begun.pose, begun.odometry
    left_m, node = begun.geodesic_m(), begun.node
    images = [begun.view()[0]]
    for tick in range(100):
        assert not begun.advance(0.5, 0.0, 0.01)
        if tick % 10 == 9:
            images.append(begun.view()[0])
    assert all((one != other).any() for one, other in zip(images, images[1:]))
    assert begun.node != node and begun.geodesic_m() == pytest.approx(left_m - 0.5)
    driven = begun.odometry.relative_to(odometry)
    assert (driven.x_m, driven.y_m) == pytest.approx((0.5, 0.0))
    assert begun.travelled_m == pytest.approx(0.5) and begun.time_s == pytest.approx(1.05, abs=0.3)
    assert begun.pose.relative_to(start).x_m == pytest.approx(0.5)
    stored, stored_m = begun._scene.view(begun.node, begun.heading)
    assert (begun.view()[0] == stored).all() and (begun.view()[1] == stored_m).all()


def test_where_no_edge_leads_it_collides(begun):
    scene = begun._scene
    node, heading = (int(value) for value in np.argwhere(scene.neighbors < 0)[0])
    begun._rails.node = node
    begun._move_to(begun._at(node, heading))
    assert begun.act(Action.MOVE_FORWARD) and begun.node == node
    assert any(begun.advance(0.5, 0.0, 0.02) for _ in range(20))
    assert begun.node == node


def test_turning_it_hears_the_nearest_heading(begun):
    heading = begun.heading
    begun.advance(0.0, 0.7, 1.0)
    assert begun.heading == heading
    before = begun._response(0)
    begun.advance(0.0, 0.2, 1.0)
    assert begun.heading == (heading + 1) % 4
    assert not np.array_equal(begun._response(0), before)


def test_it_hears_the_loop_through_the_response_of_its_place(begun, clips):
    sound = clips['hiss' if 'hiss' in begun.episodes[0].sound else 'rain/soft']
    source = int(np.flatnonzero(begun._scene.source_nodes == begun.goal_node)[0])
    response = begun._scene.response(source, begun.node, begun.heading)
    heard = np.concatenate([begun.listen(1600) for _ in range(20)], axis=1)
    loop = np.tile(sound, 3)
    wanted = np.stack([fftconvolve(loop, ear)[RATE_HZ:3 * RATE_HZ] for ear in response])
    np.testing.assert_allclose(heard, wanted, atol=1e-5)


def change_episodes(layout, root, change):
    """A copy of the dataset with other episodes."""
    shutil.copytree(layout.root, root)
    changed = Layout(root, layout.name)
    for path in changed.content(SPLIT).glob('*.json.gz'):
        document = json.loads(gzip.decompress(path.read_bytes()))
        for fields in document['episodes']:
            change(fields)
        path.write_bytes(gzip.compress(json.dumps(document).encode()))
    return changed


def test_semantic_sounds_end_and_have_company(written, tiny_contract, tiny_bake, tmp_path, clips):
    other = int(tiny_bake.source_nodes[0])

    def make_semantic(fields):
        fields |= {'sound_id': 'hiss.wav', 'duration': 2, 'distractor_sound_id': 'long.wav',
                   'distractor_position_index': other}

    layout = change_episodes(written, tmp_path / 'data', make_semantic)
    for folder in ('semantic_splits', '1s_all_distractor'):
        shutil.copytree(layout.root / 'sounds' / '1s_all', layout.root / 'sounds' / folder)
    world = DrivenWorld(tiny_contract, layout, SPLIT, count=12)
    world.reset(next(each for each in world.episodes if each.goal_node != other))
    both = world.listen(RATE_HZ)
    node, heading = world.node, world.heading
    alone = []
    for sound, source in ((clips['hiss'], world.goal_node), (clips['long'][:2 * RATE_HZ], other)):
        index = int(np.flatnonzero(world._scene.source_nodes == source)[0])
        response = world._scene.response(index, node, heading)
        loop = np.tile(sound, 2)
        alone.append(np.stack([fftconvolve(loop, ear)[len(sound):len(sound) + RATE_HZ]
                               for ear in response]))
    np.testing.assert_allclose(both, sum(alone), atol=1e-5)
    last = world.listen(RATE_HZ + 100)
    assert last[:, :RATE_HZ].any() and not last[:, RATE_HZ:].any()
    assert not world.listen(100).any()


def test_a_stop_a_metre_away_is_no_success(begun, tiny_contract):
    assert 0.999 < begun.success_radius_m < 1.0 == tiny_contract.success_radius_m


def test_odometry_drifts_as_it_is_told_to(written, tiny_contract):
    from sim_bridge.diff_drive import OdometryNoise
    world = DrivenWorld(tiny_contract, written, SPLIT, count=1,
                        odometry_noise=OdometryNoise(angular_rad_per_sqrt_rad=0.3))
    world.reset(world.episodes[0])
    start = world.pose
    world.advance(0.0, 1.0, 1.0)
    assert world.pose.relative_to(start).yaw_rad == pytest.approx(1.0)
    assert abs(world.odometry.yaw_rad - 1.0) > 1e-3


@pytest.mark.parametrize('change, message', [
    ({'forward_step_m': 1.0}, 'steps of 0.5 m'), ({'image_height': 32, 'image_width': 32}, '32'),
    ({'turn_rad': 0.1}, 'turns by pi/2'), ({'sample_rate_hz': 44100}, '44100')])
def test_a_contract_of_another_dataset_is_refused(written, tiny_contract, change, message):
    with pytest.raises(DatasetError, match=message):
        world = DrivenWorld(dataclasses.replace(tiny_contract, **change), written, SPLIT, count=1)
        world.reset(world.episodes[0])
        world.listen(100)


def test_episodes_of_elsewhere_are_refused(world):
    with pytest.raises(ValueError, match='is none of the 12'):
        world.reset(dataclasses.replace(world.episodes[0], episode_id='x/1'))
    with pytest.raises(ValueError, match='finite'):
        world.reset(world.episodes[0])
        world.advance(np.nan, 0.0, 0.1)


def test_its_plan_has_a_cell_for_each_node_and_walls_where_no_edge_leads(written, world):
    plan = ScenePlan.of(written, world.episodes[0].house)
    world.reset(world.episodes[0])
    neighbors = world._scene.neighbors
    assert len(plan.rooms) == len(neighbors) and len(plan.walls()) == (neighbors < 0).sum()
    assert plan.rooms_at(world._scene.nodes).tolist() == list(range(len(neighbors)))
    for wall in plan.walls():
        beside = (wall.start + wall.end) / 2 + 0.1 * wall.normal
        assert plan.rooms[wall.room].contains(beside[None]).all()
