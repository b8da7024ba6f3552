# SPDX-License-Identifier: Apache-2.0
"""The ``asgf-nav`` command: one subcommand a module, imported only when it is called."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import dataclasses
import importlib
import sys
from types import ModuleType

from asgf_nav_ros import __version__

EXIT_OK, EXIT_FAILURE, EXIT_USAGE = 0, 1, 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


@dataclasses.dataclass(frozen=True)
class Command:
    """A subcommand: ``module`` has ``add_arguments(parser)`` and ``run(arguments) -> int``.

    ``extra`` names the optional dependencies (setup.py) that it needs; empty for none.
    """

    module: str
    extra: str
    summary: str
    example: str


COMMANDS = {
    'doctor': Command(
        'asgf_nav_ros.doctor.command', '',
        'say what would stop this machine; calibrate and check its microphones',
        'asgf-nav doctor --device ReSpeaker'),
    'demo': Command(
        'asgf_nav_ros.demo.command', 'demo',
        'run the whole ROS graph in a simulated house and film it',
        'asgf-nav demo --episodes 3 --seed 1 --out demo'),
    'replay': Command(
        'asgf_nav_ros.replay.command', 'replay',
        'decide again from a recording, without ROS, and show where and why it differs',
        'asgf-nav replay demo/bag --json replay.json --html replay.html'),
    'faults': Command(
        'asgf_nav_ros.faults.command', 'demo',
        'break everything, one thing at a time, in a graph of real processes',
        'asgf-nav faults --only audio --json faults.json'),
    'soak': Command(
        'asgf_nav_ros.faults.soak_command', 'demo',
        'run the whole graph for hours of simulated time: memory, lost actions, drift of stamps',
        'asgf-nav soak --hours 2 --json soak.json'),
    'evaluate': Command(
        'asgf_nav_ros.benchmark.evaluate', 'train',
        'measure success, SPL and SNA of a system over many episodes',
        'asgf-nav evaluate --system asgf --split test --sounds unheard --episodes 200 --seed 1 '
        '--json asgf.json'),
    'tables': Command(
        'asgf_nav_ros.benchmark.tables_command', 'train',
        'write the tables of the paper, and those beyond it, from result files',
        'asgf-nav tables results --out docs/results.md --readme README.md'),
    'figures': Command(
        'asgf_nav_ros.benchmark.figures_command', 'figures',
        'draw trajectories, audio states, severity and learning curves',
        'asgf-nav figures --results results --runs runs --out docs/figures'),
    'bench': Command(
        'asgf_nav_ros.benchmark.bench', 'bench',
        'measure speed and memory against the usual way, on one core',
        'asgf-nav bench --json bench.json'),
    'train': Command(
        'asgf_nav_ros.learning.command', 'train',
        'learn a policy from the shortest-path oracle or by PPO',
        'asgf-nav train --help'),
    'bake': Command(
        'asgf_nav_ros.benchmark.bake_command', 'train',
        'bake houses into the caches that learning and evaluation read',
        'asgf-nav bake --help'),
    'soundspaces': Command(
        'asgf_nav_ros.benchmark.soundspaces_command', 'sim',
        'look after a download of SoundSpaces 1.0: what is missing, where to get it',
        'asgf-nav soundspaces check data --dataset-name replica'),
    'habitat': Command(
        'asgf_nav_ros.benchmark.habitat_command', 'sim',
        'measure a policy in SoundSpaces 2.0, in the environment that has habitat-sim',
        'asgf-nav habitat --help'),
    'export': Command(
        'asgf_nav_ros.learning.export_command', 'train',
        'write a trained policy as an ONNX file that carries its contract',
        'asgf-nav export --help'),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``asgf-nav`` and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = '--debug' in words
    words = [word for word in words if word != '--debug']
    name = words[0] if words and words[0] in COMMANDS else None
    try:
        module = importlib.import_module(COMMANDS[name].module) if name else None
        options = _parser(name, module).parse_args(words)
        return module.run(options) if module else EXIT_OK
    except KeyboardInterrupt:
        return _complain('interrupted', EXIT_INTERRUPTED)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        if debug:
            raise
        return _complain(_one_line(error) + _hint(error, name), EXIT_FAILURE)


def _parser(chosen: str | None, module: ModuleType | None) -> argparse.ArgumentParser:
    """Return the parser; only the chosen subcommand knows its own arguments."""
    parser = argparse.ArgumentParser(
        prog='asgf-nav', description='Audio-visual navigation: hear a sound, drive to it.',
        epilog='example: asgf-nav demo --episodes 3')
    parser.add_argument('--version', action='version', version=f'asgf-nav {__version__}')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    subparsers = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=command.summary, description=f'{command.summary.capitalize()}.',
            epilog=f'example: {command.example}',
            formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        if name == chosen and module:
            module.add_arguments(subparser)
    return parser


def _one_line(error: BaseException) -> str:
    """Return the message of ``error`` on one line, with its class if it says nothing."""
    return ' '.join(str(error).split()) or type(error).__name__


def _hint(error: BaseException, command: str | None) -> str:
    """Return which optional dependencies to install, where ``error`` is about a missing one."""
    missing = isinstance(error, ModuleNotFoundError) and (error.name or '').partition('.')[0]
    if not missing or not command or missing in ('asgf_nav_ros', 'sim_bridge'):
        return ''
    extra = COMMANDS[command].extra
    package = f'asgf_nav_ros[{extra}]' if extra else 'asgf_nav_ros'
    return f"; {command} needs: pip install '{package}'"


def _complain(message: str, exit_code: int) -> int:
    print(f'asgf-nav: error: {message}', file=sys.stderr)
    return exit_code


if __name__ == '__main__':
    sys.exit(main())
