# SPDX-License-Identifier: Apache-2.0
"""The contract keeps its word through JSON and refuses what does not fit."""

from __future__ import annotations

import dataclasses
import json
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL

DEFAULT = PolicyContract()
METRES = st.floats(0.01, 100)


def observation(**changes: np.ndarray) -> Observation:
    fields = {'rgb': np.zeros((128, 128, 3), np.uint8),
              'depth': np.zeros((128, 128), np.float32),
              'spectrogram': np.zeros((65, 26, 2), np.float32)}
    return Observation(**{**fields, **changes})


def test_actions_are_numbered_as_in_soundspaces():
    assert [action.name for action in sorted(Action)] == [
        'STOP', 'MOVE_FORWARD', 'TURN_LEFT', 'TURN_RIGHT']


@pytest.mark.parametrize('changes, shape', [
    ({}, (65, 26, 2)),
    ({'sample_rate_hz': 44100}, (65, 69, 2)),
    ({'audio_channels': TWO_EARS_WITH_INTERAURAL}, (65, 26, 5)),
    ({'pool': 1}, (257, 101, 2)),
    ({'window_s': 0.25}, (65, 7, 2))])
def test_spectrogram_has_the_shape_of_soundspaces(changes, shape):
    assert PolicyContract(**changes).spectrogram_shape == shape


@settings(deadline=None)
@given(changes=st.fixed_dictionaries({}, optional={
    'sample_rate_hz': st.sampled_from([16000, 22050, 44100, 48000]),
    'input_gain': METRES, 'window_s': METRES, 'hfov_rad': st.floats(0.1, 3.1),
    'depth_max_m': METRES, 'forward_step_m': METRES, 'turn_rad': METRES,
    'audio_channels': st.sampled_from([TWO_EARS, TWO_EARS_WITH_INTERAURAL]),
    'actions': st.permutations(list(Action.__members__)), 'trained_on': st.text()}))
def test_survives_json_exactly(changes):
    contract = PolicyContract(**changes)
    assert PolicyContract.from_json(contract.to_json()) == contract
    assert hash(PolicyContract.from_json(contract.to_json())) == hash(contract)


@pytest.mark.parametrize('changes, message', [
    ({'sample_rate_hz': 0}, 'sample_rate_hz must be positive and finite, got 0'),
    ({'sample_rate_hz': 16000.0}, 'sample_rate_hz must be a whole number, got 16000.0'),
    ({'image_height': True}, 'image_height must be a whole number, got True'),
    ({'window_s': math.nan}, 'window_s must be positive and finite, got nan'),
    ({'window_s': '1'}, "window_s must be a number, got '1'"),
    ({'turn_rad': math.inf}, 'turn_rad must be positive and finite, got inf'),
    ({'system': 5}, 'system must be text, got 5'),
    ({'win_length': 513}, 'win_length must be at most n_fft=512, got 513'),
    ({'depth_min_m': 10.0}, r'depth_min_m must be in \[0, depth_max_m\), got 10.0'),
    ({'depth_min_m': math.nan}, r'depth_min_m must be in \[0, depth_max_m\), got nan'),
    ({'hfov_rad': 3.2}, 'hfov_rad must be under pi, got 3.2'),
    ({'audio_channels': ('left',)}, r"audio_channels must be .*, got \('left',\)"),
    ({'actions': ('STOP', 'FLY')}, r"actions must be distinct names .*, got \['STOP', 'FLY'\]"),
    ({'actions': ('STOP', 'STOP')}, 'actions must be distinct names')])
def test_refuses_what_makes_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        PolicyContract(**changes)


@pytest.mark.parametrize('text', [
    '', 'rubbish', '[]', 'null', '{}', '[' * 10**5, None,
    json.dumps({**dataclasses.asdict(DEFAULT), 'color': 'red'}),
    json.dumps({**dataclasses.asdict(DEFAULT), 'x' * 10**5: 1}),
    json.dumps({**dataclasses.asdict(DEFAULT), 'window_s': 10**400}),
    json.dumps({**dataclasses.asdict(DEFAULT), 'window_s': math.nan}),
    json.dumps({**dataclasses.asdict(DEFAULT), 'pool': None}),
    json.dumps({**dataclasses.asdict(DEFAULT), 'actions': 5}),
    json.dumps({**dataclasses.asdict(DEFAULT), 'actions': [[]]})])
def test_refuses_other_text_in_one_line(text):
    with pytest.raises(ContractMismatch) as refusal:
        PolicyContract.from_json(text)
    assert '\n' not in str(refusal.value)
    assert len(str(refusal.value)) < 1000


def test_names_both_sides_of_a_mismatch():
    DEFAULT.require(sample_rate_hz=16000, hfov_rad=1.5708)
    with pytest.raises(ContractMismatch, match='the policy wants sample_rate_hz=16000, '
                       'the stream has 44100'):
        DEFAULT.require(hfov_rad=math.pi / 2, sample_rate_hz=44100)


def test_accepts_an_observation_that_fits():
    observation().check(DEFAULT)


@pytest.mark.parametrize('changes, message', [
    ({'rgb': np.zeros((128, 128), np.uint8)}, r'rgb must be \(128, 128, 3\) uint8, got \(128'),
    ({'rgb': np.zeros((128, 128, 3), np.float32)}, 'rgb must be .* got .* float32'),
    ({'depth': np.zeros((128, 128, 1), np.float32)}, r'depth must be \(128, 128\) float32'),
    ({'depth': np.full((128, 128), np.nan, np.float32)}, 'depth must be finite'),
    ({'spectrogram': np.zeros((65, 69, 2), np.float32)}, r'must be \(65, 26, 2\) float32'),
    ({'spectrogram': np.full((65, 26, 2), np.inf, np.float32)}, 'spectrogram must be finite')])
def test_refuses_an_observation_that_does_not_fit(changes, message):
    with pytest.raises(ContractMismatch, match=message):
        observation(**changes).check(DEFAULT)
