# SPDX-License-Identifier: Apache-2.0
"""Small bags and small real policies."""

from pathlib import Path
import sys

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'inference')]  # however pytest imports the tests

from bag_builder import record_run  # noqa: E402
from onnx_builder import build_policy  # noqa: E402

from asgf_nav_ros.contract import PolicyContract  # noqa: E402


@pytest.fixture(scope='session')
def contract():
    return PolicyContract(image_height=32, image_width=32, hidden_size=4)


@pytest.fixture(scope='session')
def model(contract, tmp_path_factory):
    return build_policy(tmp_path_factory.mktemp('model') / 'tiny.onnx', contract)


@pytest.fixture(scope='session')
def run(model, tmp_path_factory):
    """A bag of two episodes, and the actions in it."""
    bag = tmp_path_factory.mktemp('run') / 'bag'
    return bag, record_run(bag, model, episodes=2)
