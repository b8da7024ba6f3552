# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import cv2
import numpy as np
import pytest

from asgf_nav_ros import cli
from asgf_nav_ros.benchmark.figures import write_trajectories
from asgf_nav_ros.benchmark.learning_curves import read_histories
from asgf_nav_ros.benchmark.learning_curves import write_learning_curves
from asgf_nav_ros.benchmark.metrics import EpisodeOutcome
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.benchmark.trajectories import choose_episodes
from asgf_nav_ros.benchmark.trajectories import compare
from asgf_nav_ros.benchmark.trajectories import shortest_path
from asgf_nav_ros.benchmark.trajectories import write_comparison
from sim_bridge.conditions import CONDITIONS
from sim_bridge.episodes import Episode


def test_one_panel_an_episode(recording, tmp_path):
    path = tmp_path / 'trajectory.png'
    write_trajectories(path, [recording] * 2, ['first', 'second'])
    image = cv2.imread(str(path))
    assert image.shape[1] > 1.5 * image.shape[0]
    assert image.min() < 80  # walls are dark


def test_an_episode_that_never_decided_or_moved_is_drawn(recording, tmp_path):
    still = dataclasses.replace(recording, decisions=(), poses=recording.poses[:1])
    write_trajectories(tmp_path / 'trajectory.png', [still], ['stuck'])


def test_captions_must_match(recording, tmp_path):
    with pytest.raises(ValueError, match='one caption for each'):
        write_trajectories(tmp_path / 'trajectory.png', [recording], [])


def history(folder, system, *, seed=0, rounds=9, way='imitation'):
    """A run folder as asgf-nav train leaves it."""
    folder.mkdir(parents=True)
    own = {'imitation': {'agreement': 0.8, 'student_success': 0.5},
           'ppo': {'episode_reward': 2.0, 'entropy': 1.0, 'success_rate': 0.3}}[way]
    (folder / 'history.jsonl').write_text(''.join(
        json.dumps({'samples': 1280 * step, 'action_loss': 1 / (step + seed), **own}) + '\n'
        for step in range(1, rounds + 1)))
    (folder / 'recipe.json').write_text(json.dumps(
        {'contract': {'system': system}, 'seed': seed}))


def figures(tmp_path, *options):
    return cli.main(['figures', '--out', str(tmp_path / 'out'), *options])


def test_learning_curves_of_each_way_are_drawn_apart(tmp_path, capsys):
    history(tmp_path / 'runs' / 'a', 'asgf')
    history(tmp_path / 'runs' / 'b', 'asgf', seed=1, rounds=5)
    history(tmp_path / 'runs' / 'c', 'av_nav', way='ppo')
    assert figures(tmp_path, '--only', 'curves', '--runs', str(tmp_path / 'runs')) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / 'out' / f'learning_{way}.png') for way in ('imitation', 'ppo')]


def test_a_folder_without_runs_is_named(tmp_path, capsys):
    assert figures(tmp_path, '--only', 'curves', '--runs', str(tmp_path)) == 0
    assert f'no learning curves, {tmp_path} has no' in capsys.readouterr().err


def test_a_curve_keeps_its_colour_when_others_join(tmp_path):
    """av_nav is orange, whether or not asgf is beside it."""
    history(tmp_path / 'runs' / 'a', 'av_nav')
    write_learning_curves(tmp_path / 'c.png', read_histories(tmp_path / 'runs'), 'imitation')
    image = cv2.imread(str(tmp_path / 'c.png'))
    orange = np.array([0x00, 0x9F, 0xE6])  # blue, green, red
    assert (abs(image.astype(int) - orange).max(axis=2) < 12).sum() > 200


def test_a_broken_run_is_named(tmp_path):
    history(tmp_path / 'runs' / 'a', 'asgf')
    (tmp_path / 'runs' / 'a' / 'recipe.json').unlink()
    with pytest.raises(ValueError, match='is no folder of a training run'):
        read_histories(tmp_path / 'runs')


def test_severity_curves_need_a_disturbance(tmp_path, result_file, capsys):
    result_file(tmp_path / 'r' / 'clean.json', 'asgf')
    options = ('--only', 'severity', '--results', str(tmp_path / 'r'))
    assert figures(tmp_path, *options) == 0
    said = capsys.readouterr()
    assert said.out == '' and 'no severity curves' in said.err
    for severity in CONDITIONS['noise'].severities:
        result_file(tmp_path / 'r' / f'{severity}.json', 'asgf', condition='noise',
                    severity=severity)
    assert figures(tmp_path, *options) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / 'out' / 'severity_small.png')]


@pytest.mark.parametrize('options, message', [
    (['--only', 'severity'], 'need --results'), (['--only', 'curves'], 'need --runs'),
    (['--only', 'curves', '--runs', '/nowhere'], 'must be a folder'),
    (['--samples', '3'], 'at least 100')])
def test_what_is_missing_is_one_line(tmp_path, capsys, options, message):
    assert figures(tmp_path, *options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.strip().count('\n') == 0


@pytest.mark.parametrize('options', [
    ['--only', 'pictures'], ['--model', 'asgf'], ['--model', 'nobody=a.onnx']])
def test_wrong_usage(tmp_path, options):
    with pytest.raises(SystemExit) as error:
        figures(tmp_path, *options)
    assert error.value.code == 2


@pytest.fixture(scope='module')
def oracle_run(tiny_bake):
    """An episode that was walked as the oracle walks, with one turn too many."""
    source = int(tiny_bake.source_nodes[0])
    start = int(np.asarray(tiny_bake.distances_m)[:, source].argmax())
    episode = Episode(
        episode_id='0', house='small/train/11', start_node=start, start_heading=0,
        goal_node=source, sound='hiss', seed=0, oracle_actions=20,
        geodesic_m=float(tiny_bake.distances_m[start, source]))
    nodes = [int(np.linalg.norm(tiny_bake.nodes - xy, axis=1).argmin())
             for xy in shortest_path(tiny_bake, episode)]
    outcome = EpisodeOutcome(stopped=True, geodesic_start_m=episode.geodesic_m, actions=21,
                             geodesic_end_m=0.0, path_m=episode.geodesic_m, oracle_actions=20)
    return Run(episode, outcome, tuple((node, 0) for node in [start, *nodes]))


def test_the_shortest_path_is_as_long_as_the_geodesic(tiny_bake, oracle_run):
    path = shortest_path(tiny_bake, oracle_run.episode)
    length_m = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    assert length_m == pytest.approx(oracle_run.episode.geodesic_m)
    np.testing.assert_array_equal(path[-1], tiny_bake.nodes[oracle_run.episode.goal_node])


def test_systems_are_drawn_side_by_side(tiny_bake, oracle_run, tmp_path):
    row = compare(tiny_bake, [('asgf', oracle_run), ('av_nav', oracle_run)])
    assert row.walks[0].caption == 'found, SPL 1.00\n21 actions, least 20'
    write_comparison(tmp_path / 't.png', [row], 'headline')
    height, width, _ = cv2.imread(str(tmp_path / 't.png')).shape
    assert width > height


def test_episodes_are_chosen_by_quantiles_of_the_least_actions(oracle_run):
    episodes = [dataclasses.replace(oracle_run.episode, episode_id=str(actions),
                                    oracle_actions=actions) for actions in range(100, -1, -1)]
    assert [each.oracle_actions for each in choose_episodes(episodes)] == [50, 75, 95]
