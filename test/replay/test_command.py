# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import shutil

from bag_builder import record_run
import numpy as np
import onnx
from onnx import numpy_helper
from onnx_builder import build_policy
import pytest
from rosbags.rosbag2 import StoragePlugin

from asgf_nav_ros import cli
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.hearing import HearingSettings
from asgf_nav_ros.sound.noise_gate import NoiseGateSettings
from asgf_nav_ros.sound.noise_profile import measure_noise

KEYS = {'decisions', 'agree', 'agreement', 'first_difference', 'speed_vs_realtime'}


@pytest.fixture
def replay(tmp_path, capsys):
    """Runs the command; its exit code, document and what it printed."""
    def call(bag, *options):
        result = tmp_path / 'replay.json'
        result.unlink(missing_ok=True)
        code = cli.main(['replay', str(bag), '--json', str(result), *map(str, options)])
        document = json.loads(result.read_text()) if result.exists() else None
        return code, document, capsys.readouterr()
    return call


def test_the_same_model_decides_the_same(replay, run, model):
    bag, actions = run
    code, document, _ = replay(bag, '--model', model)
    assert code == cli.EXIT_OK and set(document) >= KEYS
    assert document['decisions'] == document['agree'] == len(actions) == 16
    assert document['agreement'] == 1.0 and document['first_difference'] is None
    assert document['speed_vs_realtime'] > 0
    assert len(set(actions)) > 1  # else any policy would agree


def test_sqlite3_bags_replay_as_well(replay, model, tmp_path):
    record_run(tmp_path / 'bag', model, storage=StoragePlugin.SQLITE3)
    _, document, _ = replay(tmp_path / 'bag', '--model', model)
    assert (document['agree'], document['agreement']) == (8, 1.0)
    shutil.copy(next((tmp_path / 'bag').glob('*.db3')), tmp_path / 'alone.db3')
    _, document, _ = replay(tmp_path / 'alone.db3', '--model', model)
    assert document['agree'] == 8


def test_without_spectrograms_the_audio_is_heard_again(replay, model, tmp_path):
    record_run(tmp_path / 'bag', model, spectrograms=False)
    _, document, _ = replay(tmp_path / 'bag', '--model', model)
    assert document['agree'] == document['decisions'] == 8


def gated(contract):
    """A gate that leaves hardly anything of a louder ear's noise, at another level."""
    noise = np.random.default_rng(8).uniform(-0.2, 0.2, (2, 3 * contract.sample_rate_hz))
    profile = measure_noise(noise.astype(np.float32), contract)
    return HearingSettings(0.5, profile, NoiseGateSettings(floor_db=-40))


def test_the_recorded_noise_gate_hears_the_audio_again_as_then(replay, model, contract, tmp_path):
    actions = record_run(tmp_path / 'bag', model, spectrograms=False, hearing=gated(contract))
    _, document, _ = replay(tmp_path / 'bag', '--model', model)
    assert document['agree'] == document['decisions'] == 8 and document['notes'] == []
    assert record_run(tmp_path / 'plain', model) != actions  # it made a difference


def test_a_model_that_hears_otherwise_is_not_gated_and_a_line_says_so(
        replay, model, contract, tmp_path):
    record_run(tmp_path / 'bag', model, hearing=gated(contract))
    other = build_policy(tmp_path / 'other.onnx', dataclasses.replace(contract, n_fft=1024))
    code, document, printed = replay(tmp_path / 'bag', '--model', other)
    assert code == cli.EXIT_OK and document['decisions'] == 8
    assert ('note: spectrograms are computed without the noise gate: the policy wants n_fft=1024, '
            'the noise profile has 512') in printed.err


def test_another_model_shows_where_and_why_it_differs(replay, run, contract, tmp_path):
    bag, actions = run
    other = build_policy(tmp_path / 'other.onnx', contract)
    upside_down(other)
    code, document, printed = replay(bag, '--model', other)
    assert code == cli.EXIT_OK
    assert document['decisions'] == len(actions) and document['agree'] < len(actions)
    first = document['first_difference']
    assert first == document['differences'][0]
    assert first['recorded'] == actions[first['index']] != first['replayed']
    assert 'most probable' in first['why'] and 'probabilities differ by' in first['why']
    assert document['model_sha256'] != document['recorded_model_sha256']
    assert f'first difference at {first["stamp_s"]:.2f} s' in printed.out


def upside_down(path):
    """Let the policy take the louder ear for the quieter one."""
    loaded = onnx.load(path)
    for node in loaded.graph.node:
        if node.output[0] == 'to_actions':
            weights = numpy_helper.to_array(node.attribute[0].t)
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(
                weights[::-1])))
    onnx.save(loaded, path)


def test_a_model_with_another_transform_hears_the_audio_itself(replay, run, tmp_path):
    bag, actions = run
    contract = PolicyContract(image_height=64, image_width=64, hidden_size=4, hop_length=200)
    other = build_policy(tmp_path / 'other.onnx', contract)
    _, document, _ = replay(bag, '--model', other)
    assert document['decisions'] == len(actions) and not document['skipped']


def test_the_model_of_the_recording_must_be_at_hand(replay, run):
    code, document, printed = replay(run[0])
    assert code == cli.EXIT_FAILURE and document is None
    assert 'not among the shipped ones' in printed.err and printed.err.count('\n') == 1


def test_actions_alone_are_compared_too(replay, model, tmp_path):
    record_run(tmp_path / 'bag', model, told=False, info=True, temperature=0.0)
    _, document, _ = replay(tmp_path / 'bag', '--model', model)
    assert document['agree'] == document['decisions'] == 8


def test_what_is_missing_is_said_and_the_rest_is_replayed(replay, model, tmp_path):
    record_run(tmp_path / 'bag', model, left_out=[('color', 7)])
    code, document, printed = replay(tmp_path / 'bag', '--model', model)
    assert code == cli.EXIT_OK
    assert document['decisions'] == document['agree'] == 7
    assert document['skipped'] == [{'count': 1, 'why': 'lacks a color image'}]
    assert '1 not decided again: lacks a color image' in printed.err


def test_draws_stay_in_step_over_a_decision_that_was_lost(replay, model, tmp_path):
    actions = record_run(tmp_path / 'bag', model, left_out=[('decision', 2)])
    _, document, printed = replay(tmp_path / 'bag', '--model', model)
    assert document['decisions'] == len(actions) - 1
    assert 'note: 1 decisions of these episodes are not in the recording' in printed.err
    assert document['agree'] >= len(actions) - 2  # the memory lacks a decision, the draws none


@pytest.mark.parametrize('lost, episodes', [((0,), 1), ((0, 1, 5), 1), ((8, 9), 2), ((), 2)])
def test_decisions_that_were_not_recorded_are_counted(replay, model, tmp_path, lost, episodes):
    record_run(tmp_path / 'bag', model, episodes=episodes,
               left_out=[('decision', number) for number in lost])
    _, document, _ = replay(tmp_path / 'bag', '--model', model)
    assert [note.partition(' of these')[0] for note in document['notes']] == (
        [f'{len(lost)} decisions'] if lost else [])


@pytest.mark.parametrize('share', [0.35, 0.8, 0.95])
def test_a_bag_that_was_cut_off_is_replayed_as_far_as_it_goes(
        replay, run, model, tmp_path, share):
    whole = next(run[0].glob('*.mcap')).read_bytes()
    cut = tmp_path / 'bag' / 'bag_0.mcap'
    cut.parent.mkdir()
    cut.write_bytes(whole[:int(share * len(whole))])
    code, document, printed = replay(cut.parent, '--model', model)
    assert code == cli.EXIT_OK
    assert 0 < document['decisions'] <= 16 and document['agreement'] == 1.0
    assert 'bag_0.mcap is damaged' in document['damage']
    assert 'replayed what could be read' in printed.err


@pytest.mark.parametrize('content, message', [
    (None, 'there is none'), ('folder', 'it holds no .mcap'), (b'', 'it is empty'),
    (b'not a bag', 'does not begin as an MCAP file')])
def test_what_is_no_bag_is_said_in_one_line(replay, model, tmp_path, content, message):
    path = tmp_path / 'bag.mcap'
    if content == 'folder':
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    code, _, printed = replay(path, '--model', model)
    assert code == cli.EXIT_FAILURE
    assert message in printed.err and printed.err.count('\n') == 1


def test_a_topic_that_is_not_there_is_named(replay, run, model):
    code, _, printed = replay(run[0], '--model', model, '--topic', 'color=/nowhere')
    assert code == cli.EXIT_FAILURE and 'the bag has no /nowhere' in printed.err
    code, _, printed = replay(run[0], '--model', model, '--topic', 'nose=/audio')
    assert code == cli.EXIT_FAILURE and 'must be chosen as ROLE=NAME' in printed.err
