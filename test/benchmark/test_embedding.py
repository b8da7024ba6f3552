# SPDX-License-Identifier: Apache-2.0
import dataclasses

import cv2
import numpy as np
import onnx
import pytest
import torch

from asgf_nav_ros.benchmark.embedding import AudioStateEncoder
from asgf_nav_ros.benchmark.embedding import listen
from asgf_nav_ros.benchmark.embedding import project
from asgf_nav_ros.benchmark.embedding import StatePanel
from asgf_nav_ros.benchmark.embedding import write_embedding
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.share import share_directory


@pytest.fixture(scope='module')
def agent(tiny_contract):
    torch.manual_seed(0)
    contract = dataclasses.replace(tiny_contract, hidden_size=32, system='asgf')
    return NavigationAgent(contract).eval()


@pytest.fixture(scope='module')
def model(agent, tmp_path_factory):
    path = tmp_path_factory.mktemp('model') / 'asgf.onnx'
    export_onnx(agent, path, provenance={})
    return path


@pytest.fixture(scope='module')
def heard(tiny_bake, tiny_contract):
    rng = np.random.default_rng(0)
    sounds = {name: rng.standard_normal(tiny_contract.window_samples).astype(np.float32)
              for name in ('hiss', 'hum')}
    return listen([tiny_bake, tiny_bake], sounds, tiny_contract, count=100, seed=3)


def test_the_part_computes_the_agents_audio_state(agent, model, heard):
    encoder = AudioStateEncoder(model)
    assert encoder.contract == agent.contract
    spectrograms = torch.from_numpy(heard.spectrograms[:70])
    with torch.inference_mode():
        wanted, _ = agent.spatial_state(spectrograms)
    np.testing.assert_allclose(encoder.states(heard.spectrograms[:70]), wanted.numpy(), atol=1e-4)


def test_the_shipped_default_has_an_audio_state():
    """It is mirrored, and hears what it remembers of the goal beside each window."""
    path = share_directory('models') / 'asgf_nav.onnx'
    encoder, agent = AudioStateEncoder(path), agent_of_export(path)
    assert encoder.contract.mirrored and encoder.contract.goal_windows
    rng = np.random.default_rng(1)
    spectrograms = rng.random((3, *encoder.contract.spectrogram_shape), np.float32)
    first = torch.from_numpy(spectrograms)
    with torch.inference_mode():
        _, wanted, _ = agent.hear(first, agent.goal_sound_of(first[None]))
    np.testing.assert_allclose(encoder.states(spectrograms), wanted.numpy(), atol=1e-3)


def test_a_file_without_an_audio_state_is_refused(model, tmp_path):
    graph = onnx.load(model)
    kept = [output for output in graph.graph.output if output.name != 'sound_direction']
    del graph.graph.output[:]
    graph.graph.output.extend(kept)
    for node in graph.graph.node:
        node.input[:] = [name.replace('direction_head', 'head') for name in node.input]
        node.output[:] = ['other' if name == 'sound_direction' else name for name in node.output]
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.replace('direction_head', 'head')
    onnx.save(graph, tmp_path / 'other.onnx')
    with pytest.raises(ValueError, match='must have an output audio_state'):
        AudioStateEncoder(tmp_path / 'other.onnx')


def test_listens_the_same_with_the_same_seed(heard, tiny_bake, tiny_contract):
    rng = np.random.default_rng(0)
    sounds = {name: rng.standard_normal(tiny_contract.window_samples).astype(np.float32)
              for name in ('hiss', 'hum')}
    again = listen([tiny_bake, tiny_bake], sounds, tiny_contract, count=100, seed=3)
    np.testing.assert_array_equal(heard.spectrograms, again.spectrograms)
    assert heard.spectrograms.shape == (100, *tiny_contract.spectrogram_shape)
    assert set(heard.fold) == {0, 1}
    assert heard.distance_m.min() > 0


def test_folds_share_no_sound(tiny_bake, tiny_contract):
    """One sound is silence here: all of it falls into one fold."""
    silent = np.zeros(tiny_contract.window_samples, np.float32)
    hiss = np.random.default_rng(0).standard_normal(silent.size).astype(np.float32)
    found = listen([tiny_bake, tiny_bake], {'hiss': hiss, 'silent': silent}, tiny_contract,
                   count=40, seed=0)
    loud = found.spectrograms[..., 0].max(axis=(1, 2)) > 1e-3
    np.testing.assert_array_equal(loud, found.fold == 0)


def test_two_folds_need_two_houses(tiny_bake, tiny_contract):
    with pytest.raises(ValueError, match='two of each, got 1 houses'):
        listen([tiny_bake], {}, tiny_contract, count=10, seed=0)


def test_draws_two_rows_of_panels(tmp_path):
    rng = np.random.default_rng(0)
    states = rng.standard_normal((60, 8)).astype(np.float32)
    xy = project(states, seed=1)
    np.testing.assert_array_equal(xy, project(states, seed=1))
    write_embedding(tmp_path / 'e.png', [StatePanel('asgf', xy, 'caption')] * 2,
                    azimuth_rad=rng.uniform(-3, 3, 60), distance_m=rng.uniform(1, 9, 60))
    height, width, _ = cv2.imread(str(tmp_path / 'e.png')).shape
    assert width > height
