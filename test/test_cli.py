# SPDX-License-Identifier: Apache-2.0
import argparse
from pathlib import Path
import subprocess
import sys
import types

import pytest

import asgf_nav_ros
from asgf_nav_ros import cli

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def command(monkeypatch):
    """Stand-in for a command's module: ``outcome`` is returned, or raised if it is an error."""
    module = types.ModuleType('stand_in')
    module.add_arguments = lambda parser: parser.add_argument('--episodes', type=int, default=3)
    module.outcome = 0

    def run(arguments):
        module.arguments = arguments
        if isinstance(module.outcome, BaseException):
            raise module.outcome
        return module.outcome

    module.run = run
    monkeypatch.setitem(sys.modules, cli.COMMANDS['demo'].module, module)
    return module


def test_help_names_every_command_and_loads_none(capsys):
    code = ('import sys; from asgf_nav_ros import cli\n'
            'try:\n    cli.main(["--help"])\n'
            'except SystemExit as stop:\n    assert stop.code == 0\n'
            'print("numpy" in sys.modules, "rclpy" in sys.modules, "torch" in sys.modules)')
    shown = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout
    assert all(name in shown for name in cli.COMMANDS)
    assert shown.splitlines()[-1] == 'False False False'


@pytest.mark.parametrize('name', cli.COMMANDS)
def test_every_command_explains_itself_with_an_example(name, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([name, '--help'])
    assert stop.value.code == cli.EXIT_OK
    assert f'example: asgf-nav {name}' in capsys.readouterr().out


def test_arguments_reach_the_command_and_its_exit_code_comes_back(command):
    command.outcome = 1
    assert cli.main(['demo', '--episodes', '7']) == 1
    assert isinstance(command.arguments, argparse.Namespace)
    assert command.arguments.episodes == 7


@pytest.mark.parametrize('arguments', [[], ['fly'], ['demo', '--episodes', 'many'], ['--what']])
def test_wrong_usage_exits_with_two(command, arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == cli.EXIT_USAGE


@pytest.mark.parametrize('error', [
    ValueError('rooms overlap:\n kitchen, bath'), FileNotFoundError(2, 'No such file', 'a.onnx'),
    RuntimeError('no display')])
def test_errors_are_one_line_and_exit_with_one(command, capsys, error):
    command.outcome = error
    assert cli.main(['demo']) == cli.EXIT_FAILURE
    shown = capsys.readouterr().err
    assert shown.startswith('asgf-nav: error: ') and shown.count('\n') == 1


def test_a_missing_optional_package_says_what_to_install(command, capsys):
    command.outcome = ModuleNotFoundError("No module named 'av'", name='av')
    assert cli.main(['demo']) == cli.EXIT_FAILURE
    assert "pip install 'asgf_nav_ros[demo]'" in capsys.readouterr().err


def test_debug_shows_the_traceback(command):
    command.outcome = ValueError('rooms overlap')
    with pytest.raises(ValueError, match='overlap'):
        cli.main(['demo', '--debug'])


def test_programming_errors_are_not_swallowed(command):
    command.outcome = KeyError('typo')
    with pytest.raises(KeyError):
        cli.main(['demo'])


def test_interruption_has_the_exit_code_of_shells(command):
    command.outcome = KeyboardInterrupt()
    assert cli.main(['demo']) == cli.EXIT_INTERRUPTED


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit):
        cli.main(['--version'])
    assert asgf_nav_ros.__version__ in capsys.readouterr().out
