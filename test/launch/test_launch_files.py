# SPDX-License-Identifier: Apache-2.0
"""Launch files compile, with or without ROS's own launch."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'launch'


@pytest.mark.parametrize('name', ['sim', 'replay', 'robot'])
def test_it_compiles_and_has_the_entry_point(name):
    file = FOLDER / f'{name}.launch.py'
    tree = ast.parse(file.read_text(), str(file))
    compile(tree, str(file), 'exec')
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert 'generate_launch_description' in functions
