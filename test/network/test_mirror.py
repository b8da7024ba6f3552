# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import numpy as np
import onnx
import pytest
import torch

from asgf_nav_ros.cli import main
from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import PROVENANCE_KEY
from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.motion.reckoning import Reckoning
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.export import random_motion
from asgf_nav_ros.network.export import verify_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.network.mirror import Mirror
from asgf_nav_ros.network.mirror import mirrored_contract
from asgf_nav_ros.network.mirror import own_contract
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram

CONTRACT = PolicyContract(image_height=64, image_width=64, system='asgf_plus', odometry=True,
                          audio_channels=TWO_EARS_WITH_INTERAURAL)
OTHER_WAY = {Action.TURN_LEFT: Action.TURN_RIGHT, Action.TURN_RIGHT: Action.TURN_LEFT}


@pytest.mark.parametrize('channels', [TWO_EARS, TWO_EARS_WITH_INTERAURAL])
def test_exchanged_ears_give_the_mirrored_spectrogram(channels):
    contract = dataclasses.replace(CONTRACT, audio_channels=channels)
    sound = np.random.default_rng(0).normal(size=(2, contract.window_samples)).astype(np.float32)
    sound[1, 20:] = 0.4 * sound[0, :-20]
    heard, exchanged = (torch.from_numpy(log_magnitude_spectrogram(ears, contract))[None]
                        for ears in (sound, np.ascontiguousarray(sound[::-1])))
    assert not torch.allclose(heard, exchanged, atol=0.1)
    torch.testing.assert_close(Mirror(contract).spectrogram(heard), exchanged,
                               rtol=0, atol=1e-5)


def test_the_other_way_round_is_reckoned_as_the_mirrored_way():
    ours, theirs, slot = Reckoning(1, CONTRACT), Reckoning(1, CONTRACT), np.array([0])
    mirror = Mirror(CONTRACT)
    for action, moved in ((1, True), (2, True), (1, True), (1, False), (3, True), (3, True),
                          (1, True)):
        ours.record(slot, np.array([action]), np.array([moved]))
        theirs.record(slot, np.array([OTHER_WAY.get(Action(action), action)]),
                      np.array([moved]))
        torch.testing.assert_close(mirror.motion(torch.from_numpy(ours.features(slot))),
                                   torch.from_numpy(theirs.features(slot)))


def test_pictures_are_turned_round():
    rgb = torch.arange(2 * 3 * 4 * 3).view(2, 3, 4, 3)
    assert torch.equal(Mirror(CONTRACT).images(rgb)[1, 2, 0], rgb[1, 2, 3])


@pytest.fixture(scope='module')
def files(build_agent, tmp_path_factory):
    """An agent as it is, and mirrored."""
    torch.manual_seed(1)
    agent, folder = build_agent(contract=CONTRACT), tmp_path_factory.mktemp('mirrored')
    export_onnx(agent, folder / 'plain.onnx', provenance={'seed': 3})
    assert main(['export', '--policy', str(folder / 'plain.onnx'), '--mirrored',
                 '--out', str(folder / 'mirrored.onnx')]) == 0
    return agent, folder / 'plain.onnx', folder / 'mirrored.onnx'


def test_a_mirrored_world_is_decided_the_other_way_round(files, observe):
    """Exactly, step after step, which the agent without a mirror does not."""
    mirror, rng = Mirror(CONTRACT), np.random.default_rng(5)
    for path, same in zip(files[1:], (False, True)):
        policy = OnnxPolicy(path)
        memories = [np.zeros((1, policy.contract.hidden_size), np.float32)] * 2
        largest = 0.0
        for step in range(6):
            rgb, depth, spectrogram = observe(1, seed=step, of=CONTRACT)
            motion = torch.from_numpy(random_motion(CONTRACT, 1, rng=rng)[0])
            here = policy.decide_batch(*(each.numpy() for each in (rgb, depth, spectrogram)),
                                       memories[0], motion.numpy())
            there = policy.decide_batch(
                *(each.numpy() for each in (mirror.images(rgb), mirror.images(depth),
                                            mirror.spectrogram(spectrogram))),
                memories[1], mirror.motion(motion).numpy())
            memories = [here['hidden_out'], there['hidden_out']]
            expected = mirror.actions(torch.from_numpy(here['action_probabilities'])).numpy()
            largest = max(largest, np.abs(expected - there['action_probabilities']).max())
            assert np.ptp(expected) > 0.01
            if same:
                np.testing.assert_allclose(
                    mirror.direction(torch.from_numpy(here['sound_direction'])).numpy(),
                    there['sound_direction'], atol=1e-4)
                np.testing.assert_allclose(here['value'], there['value'], atol=1e-4)
        assert (largest < 1e-4) == same


def test_the_agent_comes_back_out_of_a_mirrored_file(files):
    agent, _, path = files
    found = agent_of_export(path)
    assert found.contract == agent.contract == own_contract(mirrored_contract(agent.contract))
    assert verify_onnx(found, path, steps=30) < 1e-4
    assert OnnxPolicy(path).contract == mirrored_contract(agent.contract)


def test_own_memory_comes_last(files, observe):
    views = [each.numpy() for each in observe(1, of=CONTRACT)]
    motion = np.zeros((1, 9), np.float32)
    plain, mirrored = (OnnxPolicy(path) for path in files[1:])
    own = plain.decide_batch(*views, np.zeros((1, 512), np.float32), motion)['hidden_out']
    both = mirrored.decide_batch(*views, np.zeros((1, 1024), np.float32), motion)['hidden_out']
    np.testing.assert_allclose(both[:, 512:], own, atol=1e-5)
    assert not np.allclose(both[:, :512], own, atol=1e-3)


def test_the_mirrored_file_says_where_it_comes_from(files):
    metadata = {each.key: each.value for each in onnx.load(files[2]).metadata_props}
    assert json.loads(metadata[PROVENANCE_KEY])['seed'] == 3


def test_one_turn_alone_has_no_mirror_image():
    contract = dataclasses.replace(CONTRACT, actions=('MOVE_FORWARD', 'TURN_LEFT', 'STOP'))
    with pytest.raises(ValueError, match='TURN_LEFT has no counterpart'):
        Mirror(contract)


def test_a_planner_is_not_mirrored(tmp_path, capsys):
    (tmp_path / 'recipe.json').write_text(json.dumps({'contract': {'system': 'av_wan'}}))
    assert main(['export', '--run', str(tmp_path), '--mirrored', '--out', 'x.onnx']) == 1
    assert 'av_wan cannot be mirrored' in capsys.readouterr().err


def test_an_odd_memory_cannot_be_mirrored():
    with pytest.raises(ValueError, match='hidden_size must be even if mirrored, got 513'):
        dataclasses.replace(CONTRACT, hidden_size=513, mirrored=True)


def test_an_agent_itself_is_not_mirrored():
    with pytest.raises(ValueError, match='an agent is not mirrored, its export is'):
        NavigationAgent(mirrored_contract(PolicyContract()))
