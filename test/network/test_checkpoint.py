# SPDX-License-Identifier: Apache-2.0
import pickle

import pytest
import torch

from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.checkpoint import save_checkpoint
from asgf_nav_ros.network.checkpoint import weights_sha256


def test_agent_comes_back_the_same(build_agent, observe, tmp_path):
    agent = build_agent('asgf_without_ase')
    save_checkpoint(agent, tmp_path / 'agent.pt', training={'samples': 320})
    loaded = load_checkpoint(tmp_path / 'agent.pt')
    views = observe(2)
    for ours, theirs in zip(agent(*views, agent.initial_hidden(2)),
                            loaded.agent.eval()(*views, agent.initial_hidden(2))):
        assert torch.equal(ours, theirs)
    assert loaded.agent.contract == agent.contract
    assert loaded.training == {'samples': 320}
    assert [each.name for each in tmp_path.iterdir()] == ['agent.pt']


def test_sight_comes_back(build_agent, tmp_path):
    save_checkpoint(build_agent('av_nav', sight='depth'), tmp_path / 'agent.pt')
    assert load_checkpoint(tmp_path / 'agent.pt').agent.sight == 'depth'


def test_optimizer_state_comes_back(build_agent, tmp_path):
    agent = build_agent('av_nav')
    optimizer = torch.optim.Adam(agent.parameters())
    agent.actor.bias.sum().backward()
    optimizer.step()
    save_checkpoint(agent, tmp_path / 'agent.pt', training={'optimizer': optimizer.state_dict()})
    loaded = load_checkpoint(tmp_path / 'agent.pt')
    again = torch.optim.Adam(loaded.agent.parameters())
    again.load_state_dict(loaded.training['optimizer'])
    assert len(again.state) == 1


class Malice:
    def __reduce__(self):
        return print, ('run by unpickling',)


@pytest.mark.parametrize('content', [
    b'', b'not a checkpoint', pickle.dumps(Malice(), protocol=2),
    pickle.dumps({'contract': 1}, protocol=2)], ids=['empty', 'text', 'malice', 'other'])
def test_refuses_other_files_without_running_them(content, tmp_path, capsys):
    (tmp_path / 'agent.pt').write_bytes(content)
    with pytest.raises(CheckpointError, match='agent.pt must be a checkpoint') as error:
        load_checkpoint(tmp_path / 'agent.pt')
    assert '\n' not in str(error.value)
    assert 'run by unpickling' not in capsys.readouterr().out


def test_refuses_weights_that_do_not_fit_the_contract(build_agent, tmp_path):
    path = tmp_path / 'agent.pt'
    save_checkpoint(build_agent('av_nav'), path)
    saved = torch.load(path, weights_only=True)
    saved['contract'] = saved['contract'].replace('av_nav', 'asgf')
    torch.save(saved, path)
    with pytest.raises(CheckpointError, match='spatial_state'):
        load_checkpoint(path)


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / 'none.pt')


def test_hash_follows_every_weight(build_agent):
    agent = build_agent('av_nav')
    before = weights_sha256(agent)
    assert weights_sha256(agent) == before
    with torch.no_grad():
        agent.memory.gru.bias_hh_l0[5] += 1e-6
    assert weights_sha256(agent) != before
