# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal

import av
import pytest

from asgf_nav_ros import cli
from asgf_nav_ros.demo import command
from asgf_nav_ros.demo import graph
from asgf_nav_ros.ros_processes.process_group import ChildFailed
from asgf_nav_ros.ros_processes.process_group import ProcessGroup

ROW = {'seed', 'success', 'actions', 'spl', 'sna', 'realtime_factor', 'decision_latency_ms'}


def test_the_demo_leaves_what_it_promises(driven, plan):
    out, _ = driven
    rows = json.loads((out / 'result.json').read_text())
    assert len(rows) == plan.episodes
    for row in rows:
        assert set(row) >= ROW
        assert row['actions'] == plan.max_actions and row['success'] is False
        assert 0 < row['decision_latency_ms']['p50'] <= row['decision_latency_ms']['p99']
        assert row['realtime_factor'] > 0
    assert (out / 'trajectory.png').stat().st_size > 10_000
    assert (out / 'bag' / 'metadata.yaml').is_file()


def test_the_film_is_as_long_as_the_episodes(driven):
    out, _ = driven
    with av.open(str(out / 'dashboard.mp4')) as film:
        assert film.duration / av.time_base > 2 * 3 * 1.0  # a second of listening an action


def test_no_process_is_left(driven):
    out, _ = driven
    mine = [path for path in os.listdir('/proc') if path.isdigit()]
    for pid in mine:
        try:
            with open(f'/proc/{pid}/cmdline', encoding='utf-8') as stream:
                assert str(out) not in stream.read()
        except OSError:
            continue


def test_a_dead_policy_ends_the_demo_with_its_name(plan, tmp_path, monkeypatch):
    start = ProcessGroup.start

    def start_and_kill_policy(group, name, arguments, **options):
        pid = start(group, name, arguments, **options)
        if name == 'policy':
            os.kill(pid, signal.SIGKILL)
        return pid

    monkeypatch.setattr(ProcessGroup, 'start', start_and_kill_policy)
    with pytest.raises(ChildFailed, match='policy ended with code -9'):
        command.drive(plan, tmp_path)


def test_a_model_that_is_none_is_one_line(tmp_path, capsys):
    broken = tmp_path / 'broken.onnx'
    broken.write_text('not a model')
    arguments = ['demo', '--model', str(broken), '--out', str(tmp_path / 'out')]
    assert cli.main(arguments) == cli.EXIT_FAILURE
    assert capsys.readouterr().err.count('\n') == 1


@pytest.mark.parametrize(('option', 'message'), [
    ('--house', 'nowhere'), ('--sound-folder', 'must be a folder'),
    ('--root', 'holds no episodes')])
def test_a_world_that_is_none_is_one_line(model, tmp_path, capsys, option, message):
    arguments = ['demo', '--model', str(model), '--out', str(tmp_path), option, '/nowhere.json']
    assert cli.main(arguments) == cli.EXIT_FAILURE
    shown = capsys.readouterr()
    assert message in shown.err and shown.err.count('\n') == 1
    assert 'starting' not in shown.out


def test_only_what_an_earlier_demo_wrote_is_removed(tmp_path):
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'bag.mcap').write_text('')
    (tmp_path / 'result.json').write_text('[]')
    (tmp_path / 'notes.txt').write_text('mine')
    command._clean_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


def test_a_folder_that_only_has_the_name_of_a_bag_is_kept(tmp_path):
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'shopping.txt').write_text('milk')
    with pytest.raises(ValueError, match='is not a rosbag2: choose another --out'):
        command._clean_folder(tmp_path)
    assert (tmp_path / 'bag' / 'shopping.txt').is_file()


@pytest.mark.parametrize('change', [{'episodes': 0}, {'model': 'nowhere.onnx'}])
def test_a_plan_that_cannot_run_is_refused(model, tmp_path, change):
    fields = {'model': model, **change}
    fields['model'] = tmp_path / fields['model']
    with pytest.raises(ValueError, match='|'.join(change)):
        graph.DemoPlan(**fields)


@pytest.mark.parametrize('field', ['house', 'sound_folder'])
def test_a_dataset_has_houses_and_sounds_of_its_own(model, field):
    with pytest.raises(ValueError, match='a dataset has houses and sounds of its own'):
        graph.DemoPlan(model=model, dataset_root='/data', **{field: 'mine'})


def test_a_dataset_reaches_the_simulator(model):
    plan = graph.DemoPlan(model=model, dataset_root='/data', dataset_split='val_telephone')
    arguments = ' '.join(graph.node_arguments('simulator', plan))
    assert 'dataset_root:="/data"' in arguments and 'dataset_split:="val_telephone"' in arguments


def test_values_reach_ros_with_their_type(plan):
    arguments = ' '.join(graph.node_arguments('simulator', plan))
    assert 'seed:=3' in arguments and 'lockstep:=true' in arguments
    assert f'model_path:="{plan.model}"' in arguments
    assert 'house:=' not in arguments
