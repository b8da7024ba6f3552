# SPDX-License-Identifier: Apache-2.0
"""Whole walks through written datasets, at Matterport3D's step, and what gives a fault away."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.io import wavfile

from asgf_nav_ros import cli
from asgf_nav_ros.benchmark import compare_soundspaces
from asgf_nav_ros.benchmark.compare_soundspaces import agreement
from asgf_nav_ros.benchmark.metrics import EpisodeOutcome
from asgf_nav_ros.benchmark.runner import Run
from sim_bridge.episodes import Episode

EPISODES = 2


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


@pytest.fixture
def compare(cache, tmp_path, monkeypatch):
    """Run the command on the smallest dataset; its exit code and rows."""
    monkeypatch.setenv('ASGF_NAV_CACHE', str(cache))

    def run(*options):
        file = tmp_path / 'walks.json'
        code = cli.main(['soundspaces', 'compare', '--houses', '1', '--episodes', str(EPISODES),
                         '--workers', '1', '--only', 'mp3d', '--json', str(file), *options])
        return code, json.loads(file.read_text()) if file.exists() else None
    return run


def test_steps_of_a_metre_are_walked_as_in_the_houses(compare, capsys):
    code, rows = compare()
    assert code == 0
    assert [row['system'] for row in rows] == ['av_nav', 'asgf_plus']
    for row in rows:
        assert (row['sample_rate_hz'], row['forward_step_m']) == (16000, 1.0)
        assert row['episodes'] == EPISODES and row['decisions'] > 2 * EPISODES
        assert row['decisions_differ'] == row['episodes_differ'] == 0
    assert 'av_nav (fresh weights), 16 kHz, 1 m' in capsys.readouterr().out


def test_ears_that_were_exchanged_in_the_files_are_noticed(compare, tmp_path, monkeypatch):
    bake = compare_soundspaces._bake

    def bake_and_exchange_ears(case, args, out):
        bake(case, args, out)
        for path in out.glob('binaural_rirs/*/*/*/*.wav'):
            rate_hz, response = wavfile.read(path)
            wavfile.write(path, rate_hz, np.ascontiguousarray(response[:, ::-1]))

    monkeypatch.setattr(compare_soundspaces, '_bake', bake_and_exchange_ears)
    code, rows = compare('--out', str(tmp_path / 'data'))
    assert code == 1
    assert all(row['decisions_differ'] and row['episodes_differ'] for row in rows)
    assert (tmp_path / 'data' / 'av_nav_mp3d_fresh' / 'binaural_rirs').is_dir()


def make_run(decisions, end_m=0.0):
    episode = Episode(episode_id='0', house='h', start_node=0, start_heading=0, goal_node=1,
                      sound='s', seed=0, geodesic_m=2.0, oracle_actions=3)
    outcome = EpisodeOutcome(stopped=True, geodesic_start_m=2.0, geodesic_end_m=end_m, path_m=2.0,
                             actions=len(decisions), oracle_actions=3)
    return Run(episode, outcome, decisions=decisions)


@pytest.mark.parametrize('other, decisions, episodes', [
    (make_run((1, 1, 0)), 0, 0), (make_run((1, 2, 0)), 1, 1), (make_run((1, 1)), 1, 1),
    (make_run((1, 1, 2, 0)), 2, 1), (make_run((1, 1, 0), end_m=0.5), 0, 1),
    (dataclasses.replace(make_run((1, 1, 0)), trajectory=((3, 0),)), 0, 1)])
def test_differences_are_counted(other, decisions, episodes):
    same = make_run((1, 1, 0))
    found = agreement([same, same], [same, other])
    assert (found.episodes, found.decisions) == (2, 6)
    assert (found.decisions_differ, found.episodes_differ) == (decisions, episodes)


@pytest.mark.parametrize('option', ['--houses', '--episodes'])
def test_nothing_to_walk_is_one_line(capsys, option):
    assert cli.main(['soundspaces', 'compare', option, '0']) == 1
    assert 'must be positive' in capsys.readouterr().err
