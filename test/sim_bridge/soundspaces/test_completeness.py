# SPDX-License-Identifier: Apache-2.0
import gzip
import json
import os
import shutil
import tracemalloc

import pytest

from asgf_nav_ros import cli
from sim_bridge.soundspaces import completeness
from sim_bridge.soundspaces.layout import Layout

SPLIT = 'test_multiple_unheard'


@pytest.fixture
def copy(written, tmp_path):
    """The written dataset, to be damaged; responses are links to its files."""
    shutil.copytree(written.root, tmp_path / 'data', symlinks=True,
                    copy_function=os.link)
    return Layout(tmp_path / 'data', written.name)


def check(layout, capsys, *options):
    code = cli.main(['soundspaces', 'check', str(layout.root), *options])
    return code, capsys.readouterr().out


def test_a_written_dataset_is_complete(written, capsys):
    assert check(written, capsys) == (0, f'{written.root}: replica complete\n')
    assert check(written, capsys, '--split', SPLIT)[0] == 0


def test_everything_that_is_missing_is_listed_at_once(copy, scene_name, drawn, capsys):
    copy.observations(scene_name).unlink()
    copy.sound('1s_all', 'hiss.wav').unlink()
    lost = copy.response(scene_name, 1, 0, drawn[0].goal_node)
    lost.unlink()
    code, out = check(copy, capsys)
    assert code == 1 and out.endswith('3 findings\n')
    for wanted in (str(copy.observations(scene_name)), 'hiss.wav: is missing', lost.name,
                   'lacks 1 of', completeness.OBSERVATIONS, completeness.SOUNDS,
                   f'binaural_rirs/replica/{scene_name}.tar.gz'):
        assert wanted in out


def test_an_empty_folder_lacks_both_datasets(tmp_path, capsys):
    code, out = check(Layout(tmp_path, 'replica'), capsys)
    assert code == 1
    for name in ('replica', 'mp3d'):
        for lacking in (f'metadata/{name}: holds no scenes', f'{name}/v1: holds no splits',
                        f'binaural_rirs/{name}: is missing',
                        f'scene_observations/{name}: is missing'):
            assert lacking in out
    assert out.count('sounds: is missing') == 1
    for remedy in (completeness.METADATA, completeness.EPISODES, completeness.RESPONSES,
                   completeness.OBSERVATIONS, completeness.SOUNDS):
        assert out.count(f'-> {remedy}') == 1  # each remedy once
    assert out.endswith('9 findings\n')


def test_a_scene_without_metadata_lacks_what_else_is_missing_too(copy, scene_name, capsys):
    copy.graph(scene_name).unlink()
    copy.observations(scene_name).unlink()
    shutil.rmtree(copy.responses(scene_name))
    code, out = check(copy, capsys)
    assert code == 1 and out.endswith('3 findings\n')
    for path in (copy.graph(scene_name), copy.observations(scene_name),
                 copy.responses(scene_name)):
        assert f'{path}: is missing' in out


def test_every_damaged_file_of_episodes_is_named(copy, scene_name, capsys):
    whole = copy.content(SPLIT) / f'{scene_name}.json.gz'
    damaged = [whole.with_name(f'{name}.json.gz') for name in ('attic', 'barn')]
    for path in damaged:
        path.write_bytes(whole.read_bytes()[:-9])
    code, out = check(copy, capsys, '--split', SPLIT)
    assert code == 1 and all(str(path) in out for path in damaged)


def rewrite_episodes(layout, scene, change):
    path = layout.content(SPLIT) / f'{scene}.json.gz'
    episodes = json.loads(gzip.decompress(path.read_bytes()))['episodes']
    path.unlink()
    path.write_bytes(gzip.compress(json.dumps({'episodes': change(episodes)}).encode()))


def test_misplaced_episodes_are_one_finding(copy, scene_name, capsys):
    def misplace(episodes):
        for episode in episodes[2:5]:
            episode['start_position'] = [99.0, 0.0, 0.0]
        return episodes
    rewrite_episodes(copy, scene_name, misplace)
    code, out = check(copy, capsys)
    assert code == 1 and out.endswith('1 findings\n')
    assert f'{SPLIT}, {scene_name}, episode 00002: no node lies at' in out
    assert '; 2 more are misplaced' in out


def test_many_episodes_are_not_held(copy, scene_name):
    def multiply(episodes):
        return [{**episode, 'start_position': [episode['start_position'][0] + number * 1e-7,
                                               *episode['start_position'][1:]]}
                for number in range(250) for episode in episodes]

    def peak_bytes():
        tracemalloc.start()
        assert not list(completeness.find_flaws(copy))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert not list(completeness.find_flaws(copy))  # what is read once stays
    few = peak_bytes()
    rewrite_episodes(copy, scene_name, multiply)
    assert peak_bytes() < few + 2**20  # to hold them takes 2 MB


def test_sounds_that_cannot_be_played_are_found(copy, capsys):
    path = copy.sound('1s_all', 'hiss.wav')
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:len(content) // 2])
    code, out = check(copy, capsys)
    assert code == 1 and str(path) in out and out.endswith('1 findings\n')


def test_metadata_of_another_scene_are_found(copy, scene_name, capsys):
    points = copy.points(scene_name)
    first, *rest = points.read_text().splitlines(keepends=True)
    points.unlink()
    points.write_text(''.join([*rest, first]))
    code, out = check(copy, capsys)
    assert code == 1 and 'is not of this graph' in out


def test_a_split_that_is_not_there_is_named(written, capsys):
    code, out = check(written, capsys, '--split', 'val_telephone')
    assert code == 1
    assert f'there are the splits {SPLIT}' in out


def test_no_folder_is_one_finding(tmp_path, capsys):
    code, out = check(Layout(tmp_path / 'nowhere', 'replica'), capsys,
                      '--dataset-name', 'replica')
    assert code == 1 and 'is no folder' in out and out.endswith('1 findings\n')
