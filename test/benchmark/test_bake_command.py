# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.io import wavfile

from asgf_nav_ros import cli
from sim_bridge.episodes import load_house
from sim_bridge.house.floor_plan import write_floor_plan


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('ASGF_NAV_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def flat(tmp_path):
    path = tmp_path / 'flat.json'
    write_floor_plan(load_house('small/train/23'), path)
    return str(path)


def test_bakes_lie_where_it_says_and_have_the_images_asked_for(flat, cache, capsys):
    assert cli.main(['bake', '--house', flat, '--sources', '2', '--image-pixels', '32',
                     '--workers', '1']) == 0
    [bake] = (cache / 'bakes').iterdir()
    nodes = len(np.load(bake / 'nodes.npy'))
    assert f'1 houses, {nodes} nodes, under {cache / "bakes"}' in capsys.readouterr().out
    assert np.load(bake / 'rgb.npy', mmap_mode='r').shape == (nodes, 4, 32, 32, 3)
    assert len(np.load(bake / 'source_nodes.npy')) == 2


def test_a_dataset_of_soundspaces_is_complete_and_has_its_own_rate(flat, tmp_path, capsys):
    out = tmp_path / 'data'
    assert cli.main(['bake', '--layout', 'soundspaces', str(out), '--house', flat, '--split',
                     'test', '--sounds', 'heard', '--sources', '2', '--episodes', '4',
                     '--image-pixels', '32', '--workers', '1']) == 0
    assert '4 episodes: asgf-nav evaluate --dataset soundspaces' in capsys.readouterr().out
    assert cli.main(['soundspaces', 'check', str(out), '--split', 'test_telephone']) == 0
    response = next((out / 'binaural_rirs' / 'replica' / 'flat' / '270').iterdir())
    assert wavfile.read(response)[0] == 44100


@pytest.mark.parametrize('options, message', [
    (['--layout', 'soundspaces'], 'give both or neither'), (['out'], 'give both or neither'),
    (['--layout', 'soundspaces', 'out', '--episodes', '0'], '--episodes must be positive'),
    (['--house', '/nowhere.json'], 'nowhere.json'),
    (['--model', '/nowhere.onnx'], 'nowhere.onnx'),
    (['--workers', '2', '--cluster', 'auto'], 'give one of them')])
def test_bad_options_are_one_line(capsys, options, message):
    assert cli.main(['bake', '--houses', '1', *options]) == 1
    error = capsys.readouterr().err
    assert message in error and error.strip().count('\n') == 0
