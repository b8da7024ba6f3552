# SPDX-License-Identifier: Apache-2.0
import json
import re
import subprocess

import numpy as np
import pytest

from asgf_nav_ros import cli
from asgf_nav_ros.benchmark.comparison import difference
from asgf_nav_ros.benchmark.comparison import entries
from asgf_nav_ros.benchmark.markdown import BEGIN
from asgf_nav_ros.benchmark.markdown import END
from asgf_nav_ros.benchmark.result_files import comparable
from asgf_nav_ros.benchmark.result_files import read_results
from asgf_nav_ros.benchmark.table_rows import SR
from asgf_nav_ros.benchmark.table_rows import STRICT
from sim_bridge.conditions import CONDITIONS


def tabulate(results, *options):
    """Write every table and return the document."""
    out = results.parent / 'tables.md'
    assert cli.main(['tables', str(results), '--out', str(out), *options]) == 0
    return out.read_text()


def section(document, title):
    """The part under a heading that begins with ``title``."""
    return next(part for part in re.split(r'^## ', document, flags=re.M) if part.startswith(title))


def row(text, system):
    """Cells of the first line about a system, with no stars."""
    line = next(line for line in text.splitlines() if line.startswith(f'| {system} '))
    return [cell.strip().replace('*', '') for cell in line.strip('|').split('|')][1:]


def measured(results):
    evaluations, _ = comparable(read_results(results)[0])
    return {entry.name: entry for entry in entries(evaluations)}


def change_rows(path, change):
    document = json.loads(path.read_text())
    for each in document['runs']:
        change(each)
    path.write_text(json.dumps(document))


def test_table_i_holds_the_means_and_intervals_of_the_files(tmp_path, result_file):
    file = result_file(tmp_path / 'r' / 'a.json', 'asgf', success=0.7)
    result_file(tmp_path / 'r' / 'b.json', 'random', success=0.1, sounds='heard')
    document = json.loads(file.read_text())
    low, high = document['ci95']['metrics']['success_rate']
    table = section(tabulate(tmp_path / 'r'), 'Table I, small')
    assert row(table, 'asgf')[:3] == ['–'] * 3
    assert row(table, 'asgf')[4] == (f'{100 * document["metrics"]["success_rate"]:.1f} '
                                     f'({100 * low:.1f}–{100 * high:.1f})')
    assert row(table, 'random')[3:] == ['–'] * 3
    assert table.index('| random') < table.index('| asgf')
    assert 'asgf-nav evaluate --system asgf --size small --split test --sounds unheard' in table


def test_episodes_add_up_to_the_files_own_metrics(tmp_path, result_file):
    file = result_file(tmp_path / 'r' / 'a.json', 'asgf', success=0.6)
    document, entry = json.loads(file.read_text()), measured(tmp_path / 'r')['asgf']
    for columns, group in ((slice(0, 3), 'metrics'), (STRICT, 'strict')):
        wanted = [document[group][name] for name in ('spl', 'success_rate', 'sna')]
        np.testing.assert_allclose(entry.mean()[columns], wanted)


def test_half_a_metre_is_no_strict_success(tmp_path, result_file):
    file = result_file(tmp_path / 'r' / 'a.json', 'asgf', success=1.0)
    change_rows(file, lambda each: each.update(distance_to_goal_m=0.5))
    assert measured(tmp_path / 'r')['asgf'].mean()[SR] == 1.0
    assert not measured(tmp_path / 'r')['asgf'].mean()[STRICT].any()


def test_the_same_files_under_other_names_give_the_same_tables(tmp_path, result_file):
    for folder, names in (('r_1', 'abcd'), ('r_2', 'dcba')):
        for seed, name in enumerate(names):
            result_file(tmp_path / folder / f'{name}.json', ('asgf', 'av_nav')[seed % 2],
                        seed=seed, success=0.8)
    first, second = (tabulate(tmp_path / folder).replace(folder, '') for folder in ('r_1', 'r_2'))
    assert first == second


def test_training_seeds_are_put_together(tmp_path, result_file):
    rates = [json.loads(result_file(tmp_path / 'r' / f'{seed}.json', 'asgf', seed=seed).read_text()
                        )['metrics']['success_rate'] for seed in range(3)]
    cells = row(section(tabulate(tmp_path / 'r'), 'Training seeds'), 'asgf')
    assert cells[:3] == ['small', 'unheard', '3']
    assert cells[4] == (f'{100 * np.mean(rates):.1f} '
                        f'({100 * min(rates):.1f}–{100 * max(rates):.1f})')


def test_differences_are_paired_by_episode(tmp_path, result_file):
    result_file(tmp_path / 'r' / 'a.json', 'asgf', seed=4, success=0.6)
    worse = result_file(tmp_path / 'r' / 'b.json', 'av_nav', seed=4, success=0.6)
    lost = iter(range(8))  # eight of the episodes that the other one finds

    def lose(each):
        if each['success_rate'] and next(lost, None) is not None:
            each.update(success_rate=0.0, spl=0.0, sna=0.0, distance_to_goal_m=3.0)

    change_rows(worse, lose)
    found = measured(tmp_path / 'r')
    apart = difference(found['asgf'], found['av_nav'])
    assert apart.mean[SR] == pytest.approx(8 / 60)
    assert apart.supported[SR]
    # Each interval alone says less: they overlap.
    assert found['av_nav'].interval()[SR, 1] > found['asgf'].interval()[SR, 0]
    assert not difference(found['asgf'], found['asgf']).supported.any()
    assert 'supported: asgf over av_nav' in tabulate(tmp_path / 'r')


def test_an_interval_over_training_seeds_is_wider_than_over_episodes_alone(tmp_path, result_file):
    for seed, success in enumerate((0.2, 0.5, 0.9)):
        result_file(tmp_path / 'r' / f'{seed}.json', 'asgf', seed=seed, success=success)
    low, high = measured(tmp_path / 'r')['asgf'].interval()[SR]
    assert high - low > 0.4


def test_other_episodes_and_other_files_are_left_out_and_named(tmp_path, result_file, capsys):
    result_file(tmp_path / 'r' / 'a.json', 'asgf')
    result_file(tmp_path / 'r' / 'b.json', 'av_nav')
    result_file(tmp_path / 'r' / 'c.json', 'random', episode_seed=2)
    (tmp_path / 'r' / 'bench.json').write_text('{"speed": 1}')
    assert 'random' not in section(tabulate(tmp_path / 'r'), 'Table I')
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert 'bench.json is left out' in lines[0]
    assert 'c.json is left out: its episodes' in lines[1]


def test_an_older_file_says_its_size_by_its_houses(tmp_path, result_file):
    file = result_file(tmp_path / 'r' / 'a.json', 'asgf', size='large')
    document = json.loads(file.read_text())
    del document['size']
    for each in document['runs']:
        del each['ratio'], each['rooms_away']
    file.write_text(json.dumps(document))
    text = tabulate(tmp_path / 'r')
    assert row(section(text, 'Table I, large'), 'asgf')
    assert 'Difficulty' not in text


def test_conditions_stand_at_their_middle_severity(tmp_path, result_file):
    middle = CONDITIONS['noise'].middle
    result_file(tmp_path / 'r' / 'clean.json', 'asgf', success=1.0)
    result_file(tmp_path / 'r' / 'middle.json', 'asgf', success=0.5, condition='noise',
                severity=middle)
    result_file(tmp_path / 'r' / 'hard.json', 'asgf', success=0.0, condition='noise',
                severity=CONDITIONS['noise'].severities[-1])
    table = section(tabulate(tmp_path / 'r'), 'Conditions, small houses: SR')
    assert f'| noise, {middle:g} dB |' in table
    clean, noisy = (float(cell.split()[0]) for cell in row(table, 'asgf'))
    assert clean == 100.0
    assert 30 < noisy < 70


def test_one_sound_and_whole_graph_have_tables_of_their_own(tmp_path, result_file):
    result_file(tmp_path / 'r' / 'a.json', 'asgf', success=1.0)
    result_file(tmp_path / 'r' / 'b.json', 'asgf', success=0.0, protocol='one_sound')
    result_file(tmp_path / 'r' / 'c.json', 'asgf', success=0.0, through_ros=True)
    text = tabulate(tmp_path / 'r')
    assert row(section(text, 'Table I, small'), 'asgf')[4].startswith('100.0')
    assert row(section(text, 'One-sound'), 'asgf')[1].startswith('0.0')
    assert [row(section(text, 'Through ROS'), 'asgf')[index].split()[0]
            for index in (1, 4)] == ['100.0', '0.0']


def test_a_subfolder_stands_apart_and_is_compared_within_itself(tmp_path, result_file):
    for system, folder in (('asgf', ''), ('asgf', 'ppo'), ('av_nav', 'ppo')):
        result_file(tmp_path / 'r' / folder / f'{system}.json', system)
    text = section(tabulate(tmp_path / 'r'), 'Differences, small')
    assert 'asgf (ppo) − av_nav (ppo)' in text
    assert 'asgf − av_nav' not in text


def test_difficulty_splits_the_episodes(tmp_path, result_file):
    file = result_file(tmp_path / 'r' / 'a.json', 'asgf', success=1.0)
    change_rows(file, lambda each: each.update(
        success_rate=float(each['rooms_away'] < 2), spl=0.0, sna=0.0))
    table = section(tabulate(tmp_path / 'r'), 'Difficulty, small')
    assert '| system | 0 (20) | 1 (20) | 2 (20) |' in table
    assert [cell.split()[0] for cell in row(table, 'asgf')] == ['100.0', '100.0', '0.0']


def write_dataset_result(result_file, path, system, split, *, name='replica', **more):
    """A file as ``evaluate --dataset soundspaces`` writes it."""
    file = result_file(path, system, benchmark=f'soundspaces/{name}', split=split, **more)
    document = json.loads(file.read_text())
    for field in ('size', 'sounds', 'houses'):
        del document[field]
    for each in document['runs']:
        del each['ratio'], each['rooms_away']
    file.write_text(json.dumps(document))


def test_datasets_have_a_table_i_and_ii_of_their_own(tmp_path, result_file):
    for system, success in (('av_nav', 0.0), ('asgf', 1.0), ('asgf_without_ase', 0.0)):
        for split in ('test_telephone', 'test_multiple_unheard'):
            write_dataset_result(result_file, tmp_path / 'r' / f'{system}_{split}.json', system,
                                 split, success=success)
    write_dataset_result(result_file, tmp_path / 'r' / 'far.json', 'random',
                         'test_multiple_unheard', name='mp3d', success=0.0)
    result_file(tmp_path / 'r' / 'house.json', 'asgf', success=0.5)
    text = tabulate(tmp_path / 'r')
    replica = section(text, 'Table I, Replica')
    assert [row(replica, 'asgf')[index].split()[0] for index in (1, 4)] == ['100.0', '100.0']
    assert 'Success below 1.0 m' in replica and '| asgf_without_ase' not in replica
    assert row(section(text, 'Table I, Matterport3D'), 'random')[1] == '–'
    ablations = section(text, 'Table II, ablations on unheard sounds, Replica and Matterport3D')
    assert row(ablations, 'asgf:')[1].startswith('100.0')
    assert row(section(text, 'Table I, small'), 'asgf')[4] != '100.0 (100.0–100.0)'
    assert 'Table II, ablations on unheard sounds\n' not in text
    commands = replica.partition('```bash')[2].partition('```')[0]
    assert ('asgf-nav evaluate --system $s --dataset soundspaces --root data --dataset-name '
            'replica --split test_telephone --episodes 60 --seed 1 '
            '--json results/${s}_replica_heard.json') in commands


def test_published_rows_are_said_to_be_other_data(tmp_path, result_file):
    result_file(tmp_path / 'r' / 'a.json', 'asgf')
    text = section(tabulate(tmp_path / 'r'), 'Published rows')
    assert 'not measured here' in text
    assert '63.3 / 76.5 / 36.9' in text


def test_commands_do_not_tell_where_models_lay(tmp_path, result_file):
    result_file(tmp_path / 'r' / 'a.json', 'asgf', model='/home/me/runs/seed_1.onnx')
    text = tabulate(tmp_path / 'r')
    assert '--model seed_1.onnx' in text
    assert '/home' not in text


def test_commands_ask_for_what_was_measured(tmp_path, result_file):
    for system in ('asgf', 'av_nav'):
        result_file(tmp_path / 'r' / f'{system}.json', system, condition='ears', severity=6.0,
                    pinned=True, temperature=1.0)
    result_file(tmp_path / 'r' / 'clean.json', 'asgf')
    text = section(tabulate(tmp_path / 'r'), 'Conditions, small')
    commands = text.partition('```bash')[2].partition('```')[0]
    asked = subprocess.run(['bash', '-c', f'asgf-nav() {{ echo "$@"; }}\n{commands}'],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    common = '--size small --split test --sounds unheard'
    assert sorted(asked) == [
        f'evaluate --system asgf {common} --condition ears --severity 6 --temperature 1 '
        '--episodes 60 --seed 1 --json results/asgf_small_unheard_ears_6.json',
        f'evaluate --system asgf {common} --houses 20 --episodes 60 --seed 1 '
        '--json results/asgf_small_unheard.json',
        f'evaluate --system av_nav {common} --condition ears --severity 6 --temperature 1 '
        '--episodes 60 --seed 1 --json results/av_nav_small_unheard_ears_6.json']


def test_readme_changes_between_its_markers_only(tmp_path, result_file):
    result_file(tmp_path / 'r' / 'a.json', 'asgf')
    readme = tmp_path / 'README.md'
    readme.write_text(f'before\n{BEGIN}\nold\n{END}\nafter\n')
    for _ in range(2):
        tabulate(tmp_path / 'r', '--readme', str(readme))
        text = readme.read_text()
        assert text.startswith(f'before\n{BEGIN}\n')
        assert text.endswith(f'\n{END}\nafter\n')
        assert '| asgf |' in text
        assert 'old' not in text


@pytest.mark.parametrize('text', ['no markers', f'{END} {BEGIN}', f'{BEGIN}{BEGIN}{END}'])
def test_a_readme_without_its_markers_stays_as_it_is(tmp_path, result_file, capsys, text):
    result_file(tmp_path / 'r' / 'a.json', 'asgf')
    readme = tmp_path / 'README.md'
    readme.write_text(text)
    assert cli.main(['tables', str(tmp_path / 'r'), '--readme', str(readme)]) == 1
    assert 'must hold' in capsys.readouterr().err
    assert readme.read_text() == text


@pytest.mark.parametrize('folder, message', [
    ('nowhere', 'must be a folder'), ('empty', 'holds no evaluation')])
def test_nothing_to_tabulate_is_one_line(tmp_path, capsys, folder, message):
    (tmp_path / 'empty').mkdir()
    assert cli.main(['tables', str(tmp_path / folder)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.strip().count('\n') == 0
