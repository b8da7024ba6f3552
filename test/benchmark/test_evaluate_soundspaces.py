# SPDX-License-Identifier: Apache-2.0
"""A dataset in the files of SoundSpaces, against the same houses in the grid world."""

import dataclasses
import json

import numpy as np
import pytest

from asgf_nav_ros import cli
from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.evaluate_soundspaces import LARGEST_SUCCESS_M
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.parallel import System
from asgf_nav_ros.benchmark.soundspaces_runner import evaluate_episodes
from asgf_nav_ros.benchmark.soundspaces_runner import SoundSpacesRunner
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import bake_houses
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.episode_files import draw_episodes as draw_stored
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.world import Hearing

HOUSES = ['small/train/11', 'small/train/23']
SETTINGS = BakeSettings(sources=2, rays=500, response_s=0.15)
SPLIT = 'test_multiple_unheard'
SEED = 4
EPISODES = 5


@pytest.fixture(scope='module')
def world(request, tmp_path_factory):
    """A system, its dataset, and houses and episodes that the dataset was written from."""
    system = System(name=request.param, model=None, temperature=0.5)
    contract, sounds = system.build().contract, load_catalogue().split('test')[:3]
    houses = bake_houses(HOUSES, contract, settings=SETTINGS, workers=1, progress=False,
                         directory=tmp_path_factory.mktemp('bakes'))
    layout = Layout(tmp_path_factory.mktemp('data'), 'replica')
    drawn = [each.episode for each in draw_episodes(HOUSES, sounds, contract, settings=SETTINGS,
                                                    count=EPISODES, seed=SEED)]
    rate_hz = contract.sample_rate_hz
    clips = {sound.name: load_sound(sound, rate_hz) for sound in sounds}
    for house in houses:
        writer.write_scene(house, layout, sample_rate_hz=rate_hz)
    for name, clip in clips.items():
        writer.write_sound(layout, name, clip, sample_rate_hz=rate_hz)
    writer.write_episodes(layout, SPLIT, drawn, {house.name: house for house in houses})
    return system, layout, houses, drawn, clips


def run(system, layout, *, batch=4, workers=1):
    stored = draw_stored(layout, SPLIT, count=100, rng=np.random.default_rng(0))
    return evaluate_episodes(stored, system=system, layout=layout, seed=SEED, batch=batch,
                             pool=LocalProcesses(workers))[0]


@pytest.mark.parametrize('world', ['av_nav', 'asgf_plus'], indirect=True)
def test_every_action_is_that_of_the_grid_world(world):
    system, layout, houses, drawn, clips = world
    read = run(system, layout)
    seeds = np.random.default_rng(SEED).integers(2**31, size=len(drawn)).tolist()
    hearing = {each.episode_id: Hearing(clips[each.sound]) for each in drawn}
    baked = SoundSpacesRunner(houses, system.build(), hearing=hearing, batch=5).run(
        [dataclasses.replace(each, seed=seed) for each, seed in zip(drawn, seeds)])
    assert [each.trajectory for each in read] == [each.trajectory for each in baked]
    for one, other in zip(read, baked):
        assert one.outcome.actions == other.outcome.actions
        assert metrics.episode_metrics(one.outcome) == pytest.approx(
            metrics.episode_metrics(other.outcome))


@pytest.mark.parametrize('world', ['av_nav'], indirect=True)
def test_neither_workers_nor_batch_change_a_run(world):
    system, layout, *_ = world
    one = run(system, layout)
    assert run(system, layout, batch=1) == one
    assert run(system, layout, workers=2) == one


def evaluate(layout, file, *options):
    code = cli.main(['evaluate', '--dataset', 'soundspaces', '--root', str(layout.root),
                     '--split', SPLIT, '--workers', '1', '--json', str(file), *options])
    return code, json.loads(file.read_text()) if file.exists() else None


@pytest.mark.parametrize('world', ['av_nav'], indirect=True)
def test_the_command_writes_the_metrics_of_every_episode(world, tmp_path):
    system, layout, *_ = world
    code, document = evaluate(layout, tmp_path / 'r.json', '--system', system.name,
                              '--seed', str(SEED), '--trajectories')
    assert code == 0
    assert document['benchmark'] == 'soundspaces/replica' and document['split'] == SPLIT
    assert document['episodes'] == len(document['runs']) == EPISODES
    for name, value in document['metrics'].items():
        assert value == pytest.approx(np.mean([row[name] for row in document['runs']]))
    assert all(len(row['trajectory']) == row['actions'] for row in document['runs'])
    assert cli.main(['tables', str(tmp_path), '--out', str(tmp_path / 'tables.md')]) == 0
    assert '## Table I, Replica' in (tmp_path / 'tables.md').read_text()


@pytest.mark.parametrize('world', ['av_nav'], indirect=True)
def test_a_random_walk_suits_any_dataset(world, tmp_path):
    code, document = evaluate(world[1], tmp_path / 'r.json', '--system', 'random')
    assert code == 0 and document['episodes'] == EPISODES


def test_a_success_is_below_the_distance_and_not_at_it():
    at = metrics.EpisodeOutcome(stopped=True, geodesic_start_m=4.0, geodesic_end_m=1.0,
                                path_m=3.0, actions=5, oracle_actions=5)
    assert metrics.success(at) and not metrics.success(at, LARGEST_SUCCESS_M)


@pytest.mark.parametrize('options, message', [
    (['--dataset-name', 'mp3d'], 'holds no episodes'),
    (['--split', 'nowhere'], 'there are the splits test_multiple_unheard'),
    (['--split', '../..'], 'a name must be'),
    (['--condition', 'noise'], '--condition is not for --dataset soundspaces'),
    (['--house', 'flat.json'], '--house is not for --dataset soundspaces'),
    (['--episodes', '0'], '--episodes must be positive')])
@pytest.mark.parametrize('world', ['av_nav'], indirect=True)
def test_bad_options_are_one_line(world, tmp_path, capsys, options, message):
    system, layout, *_ = world
    code, _ = evaluate(layout, tmp_path / 'r.json', '--system', system.name, *options)
    error = capsys.readouterr().err
    assert code == 1 and message in error and error.strip().count('\n') == 0


@pytest.mark.parametrize('options, message', [
    (['--dataset', 'soundspaces'], 'needs --root'), (['--root', 'data'], '--root is for'),
    (['--split', 'test_telephone'], '--split must be one of')])
def test_the_two_datasets_are_not_mixed_up(capsys, options, message):
    assert cli.main(['evaluate', '--system', 'random', *options]) == 1
    assert message in capsys.readouterr().err
