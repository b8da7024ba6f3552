# SPDX-License-Identifier: Apache-2.0
import collections
import json
import pickle
import sys
import types

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional

from asgf_nav_ros.cli import main
from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import PROVENANCE_KEY
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.network.export import random_observations
from asgf_nav_ros.network.soundspaces_weights import load_soundspaces_av_nav
from asgf_nav_ros.published_contracts import PUBLISHED

# The networks of the repository, shape by shape: visual 128 x 128 -> 31 -> 14 -> 6; audio
# 65 x 69 -> 15 x 16 -> 6 x 7 -> 4 x 5, and 65 x 26 -> 31 x 11 -> 15 x 5 -> 13 x 3.
AUDIO = {'replica': ((8, 4, 3), (4, 2, 1), 64 * 4 * 5), 'matterport3d': ((5, 3, 3), (2, 2, 1),
                                                                         64 * 13 * 3)}
NET = 'actor_critic.net'


def published_weights(audio: str, sight_channels: int) -> dict[str, torch.Tensor]:
    kernels, _, cells = AUDIO[audio]
    shapes = {
        f'{NET}.visual_encoder.cnn.0': (32, sight_channels, 8, 8),
        f'{NET}.visual_encoder.cnn.2': (64, 32, 4, 4),
        f'{NET}.visual_encoder.cnn.4': (64, 64, 3, 3),
        f'{NET}.visual_encoder.cnn.6': (512, 64 * 6 * 6),
        f'{NET}.audio_encoder.cnn.0': (32, 2, kernels[0], kernels[0]),
        f'{NET}.audio_encoder.cnn.2': (64, 32, kernels[1], kernels[1]),
        f'{NET}.audio_encoder.cnn.4': (64, 64, kernels[2], kernels[2]),
        f'{NET}.audio_encoder.cnn.6': (512, cells),
        'actor_critic.action_distribution.linear': (4, 512),
        'actor_critic.critic.fc': (1, 512)}
    weights = {}
    for name, shape in shapes.items():
        fan_in = int(np.prod(shape[1:]))
        weights[f'{name}.weight'] = torch.randn(shape) * (2 / fan_in) ** 0.5
        weights[f'{name}.bias'] = 0.1 * torch.randn(shape[0])
    for kind, shape in (('weight_ih_l0', (1536, 1024)), ('weight_hh_l0', (1536, 512)),
                        ('bias_ih_l0', (1536,)), ('bias_hh_l0', (1536,))):
        weights[f'{NET}.state_encoder.rnn.{kind}'] = 0.05 * torch.randn(shape)
    return weights


def published_forward(weights, audio, image, spectrogram, hidden):
    """AV-Nav as the paper and its repository describe it: (probabilities, value, hidden)."""

    def encode(part, picture, strides):
        for place, stride in zip((0, 2, 4), strides):
            layer = f'{NET}.{part}_encoder.cnn.{place}'
            picture = functional.conv2d(picture, weights[f'{layer}.weight'],
                                        weights[f'{layer}.bias'], stride)
            if place < 4:
                picture = functional.relu(picture)
        layer = f'{NET}.{part}_encoder.cnn.6'
        return functional.relu(functional.linear(
            picture.reshape(len(picture), -1), weights[f'{layer}.weight'],
            weights[f'{layer}.bias']))

    heard = encode('audio', spectrogram.permute(0, 3, 1, 2), AUDIO[audio][1])
    seen = encode('visual', image, (4, 2, 2))
    gru = nn.GRU(1024, 512)
    gru.load_state_dict({name.rpartition('.')[2]: tensor for name, tensor in weights.items()
                         if 'rnn' in name})
    features, after = gru(torch.cat([heard, seen], 1)[None], hidden[None])
    logits = functional.linear(features[0],
                               weights['actor_critic.action_distribution.linear.weight'],
                               weights['actor_critic.action_distribution.linear.bias'])
    value = functional.linear(features[0], weights['actor_critic.critic.fc.weight'],
                              weights['actor_critic.critic.fc.bias'])
    return torch.softmax(logits, 1), value[:, 0], after[0]


def their_image(rgb, depth, sight):
    color = rgb.permute(0, 3, 1, 2) / 255.0
    near = (depth.clamp(0, 10) / 10).unsqueeze(1)
    return {'depth': near, 'rgb': color, 'rgbd': torch.cat([color, near], 1)}[sight]


@pytest.fixture
def save(tmp_path):
    def write(weights, **others):
        path = tmp_path / 'ckpt.pth'
        torch.save({'state_dict': collections.OrderedDict(weights), **others}, path)
        return path
    return write


@pytest.mark.parametrize('name, sight, channels', [
    ('replica', 'depth', 1), ('replica', 'rgbd', 4), ('matterport3d', 'depth', 1),
    ('matterport3d', 'rgb', 3)])
def test_computes_what_the_published_network_computes(name, sight, channels, save):
    weights, contract = published_weights(name, channels), PUBLISHED[name]
    agent = load_soundspaces_av_nav(save(weights), contract)
    assert (agent.system, agent.sight) == ('av_nav', sight)
    rng, ours, theirs = np.random.default_rng(0), agent.initial_hidden(3), torch.zeros(3, 512)
    for _ in range(6):
        rgb, depth, sound = map(torch.from_numpy, random_observations(contract, 3, rng=rng))
        with torch.no_grad():
            got = agent(rgb, depth, sound, ours)
            probabilities, value, theirs = published_forward(
                weights, name, their_image(rgb, depth, sight), sound, theirs)
        ours = got.hidden
        torch.testing.assert_close(torch.softmax(got.logits, 1), probabilities,
                                   atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(got.value, value, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        assert not got.sound_direction.any()
    assert probabilities.std(0).max() > 1e-3  # the observations mattered


@pytest.mark.parametrize('name, parameters', [('replica', 4346693), ('matterport3d', 4952453)])
def test_network_has_the_published_number_of_parameters(name, parameters):
    agent = NavigationAgent(PUBLISHED[name], sight='depth')
    assert agent.policy_parameters == parameters
    assert sum(map(torch.numel, published_weights(name, 1).values())) == parameters


def test_soundspaces_2_has_the_network_of_matterport3d(save):
    contract = PUBLISHED['soundspaces2']
    agent = load_soundspaces_av_nav(save(published_weights('matterport3d', 1)), contract)
    assert agent.contract == contract


def test_command_writes_a_file_that_runs(save, tmp_path, capsys):
    weights, out = published_weights('replica', 1), tmp_path / 'av_nav.onnx'
    path = save(weights)
    assert main(['export', '--soundspaces-checkpoint', str(path), '--contract', 'replica',
                 '--out', str(out)]) == 0
    metadata = {each.key: each.value for each in onnx.load(out).metadata_props}
    contract = PolicyContract.from_json(metadata[CONTRACT_KEY])
    assert (contract.sample_rate_hz, contract.forward_step_m) == (44100, 0.5)
    assert contract.actions == ('STOP', 'MOVE_FORWARD', 'TURN_LEFT', 'TURN_RIGHT')
    assert contract.trained_on == 'SoundSpaces, replica: ckpt.pth'
    assert json.loads(metadata[PROVENANCE_KEY])['contract'] == 'replica'
    rgb, depth, sound = random_observations(contract, 2, rng=np.random.default_rng(5))
    probabilities = onnxruntime.InferenceSession(out).run(['action_probabilities'], {
        'rgb': rgb, 'depth': depth, 'spectrogram': sound,
        'hidden': np.zeros((2, 512), np.float32)})[0]
    wanted = published_forward(weights, 'replica', their_image(
        torch.from_numpy(rgb), torch.from_numpy(depth), 'depth'), torch.from_numpy(sound),
        torch.zeros(2, 512))[0]
    np.testing.assert_allclose(probabilities, wanted.detach(), atol=1e-4)


def test_command_wants_to_know_the_contract(save, capsys):
    path = save(published_weights('replica', 1))
    assert main(['export', '--soundspaces-checkpoint', str(path), '--out', 'x.onnx']) == 1
    assert 'add --contract, one of replica, matterport3d, soundspaces2' in capsys.readouterr().err


@pytest.fixture
def configuration(monkeypatch):
    """A configuration like theirs: a dict subclass of a package that is gone when it is read."""
    for name in ('yacs', 'yacs.config', 'habitat', 'habitat.config', 'habitat.config.default'):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    class CfgNode(dict):
        def __init__(self, *args):
            super().__init__(*args)
            self.__dict__['__immutable__'] = True
            self.__dict__['__deprecated_keys__'] = {'OLD'}

    CfgNode.__module__, CfgNode.__qualname__ = 'yacs.config', 'CfgNode'
    sys.modules['yacs.config'].CfgNode = CfgNode

    class Config(CfgNode):
        pass

    Config.__module__, Config.__qualname__ = 'habitat.config.default', 'Config'
    sys.modules['habitat.config.default'].Config = Config
    return Config({'SEED': 0, 'RL': CfgNode({'PPO': Config({'lr': 2.5e-4})}), 'NAMES': ['a']})


@pytest.mark.parametrize('layout', [True, False], ids=['zip', 'legacy'])
def test_configuration_beside_the_weights_is_skipped(configuration, layout, tmp_path, monkeypatch):
    path = tmp_path / 'ckpt.pth'
    torch.save({'state_dict': published_weights('replica', 1), 'config': configuration}, path,
               _use_new_zipfile_serialization=layout)
    for name in ('yacs', 'yacs.config', 'habitat', 'habitat.config', 'habitat.config.default'):
        monkeypatch.delitem(sys.modules, name)
    load_soundspaces_av_nav(path, PUBLISHED['replica'])
    assert 'habitat' not in sys.modules


class Malice:
    def __reduce__(self):
        return print, ('run by unpickling',)


@pytest.mark.parametrize('content', [
    b'', b'not a checkpoint', pickle.dumps(Malice(), protocol=2), pickle.dumps([1], protocol=2)],
    ids=['empty', 'text', 'malice', 'list'])
def test_refuses_other_files_in_one_line(content, tmp_path):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(CheckpointError, match='x.pth must hold') as error:
        load_soundspaces_av_nav(tmp_path / 'x.pth', PUBLISHED['replica'])
    assert '\n' not in str(error.value)


def test_code_beside_the_weights_is_not_run(save, capsys):
    path = save(published_weights('replica', 1), config=Malice())
    with pytest.raises(CheckpointError, match="save it again with .*'state_dict'"):
        load_soundspaces_av_nav(path, PUBLISHED['replica'])
    assert 'run by unpickling' not in capsys.readouterr().out


def test_refuses_files_that_are_too_large(save, monkeypatch):
    monkeypatch.setattr('asgf_nav_ros.network.soundspaces_weights.LARGEST_FILE', 2 ** 20)
    with pytest.raises(CheckpointError, match='must hold at most 1 MiB, got 1[67] MiB'):
        load_soundspaces_av_nav(save(published_weights('replica', 1)), PUBLISHED['replica'])


def renamed(weights, old, new):
    return {name.replace(old, new): tensor for name, tensor in weights.items()}


@pytest.mark.parametrize('change, message', [
    (lambda w: renamed(w, 'visual', 'eye'), 'a blind agent, or none of'),
    (lambda w: renamed(w, 'critic.fc', 'critic.net'), 'lack .*critic.fc.bias.* have unknown'),
    (lambda w: w | {f'{NET}.state_encoder.rnn.weight_ih_l0': torch.zeros(1536, 1026)},
     r'point goal: .*\(1536, 1026\) instead of \(1536, 1024\)'),
    (lambda w: w | {'actor_critic.critic.fc.bias': torch.full((1,), torch.nan)},
     'critic.fc.bias must be finite'),
    (lambda w: w | {'actor_critic.critic.fc.bias': torch.zeros(1, dtype=torch.int64)},
     'must be a tensor of floats'),
    (lambda w: w | {f'{NET}.visual_encoder.cnn.0.weight': torch.zeros(32, 2, 8, 8)},
     'must take 1, 3 or 4 channels'),
])
def test_refuses_other_networks_by_name(change, message, save):
    with pytest.raises(CheckpointError, match=message) as error:
        load_soundspaces_av_nav(save(change(published_weights('replica', 1))),
                                PUBLISHED['replica'])
    assert '\n' not in str(error.value)


def test_refuses_weights_for_another_rate(save):
    with pytest.raises(CheckpointError, match='trained for another contract'):
        load_soundspaces_av_nav(save(published_weights('replica', 1)), PUBLISHED['matterport3d'])


@pytest.mark.parametrize('contract, message', [
    (PolicyContract(actions=('MOVE_FORWARD', 'STOP', 'TURN_LEFT', 'TURN_RIGHT')), 'numbers its'),
    (PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL), 'two log-magnitude planes')])
def test_refuses_contracts_that_theirs_never_had(contract, message, save):
    with pytest.raises(CheckpointError, match=message):
        load_soundspaces_av_nav(save(published_weights('matterport3d', 1)), contract)
