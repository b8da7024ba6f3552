# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav export``: a training checkpoint becomes an ONNX file that a robot runs."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Sequence

import torch

from asgf_nav_ros.inference.model_file import provenance_of
from asgf_nav_ros.learning import planner_systems
from asgf_nav_ros.learning.run_folder import CHECKPOINT
from asgf_nav_ros.learning.run_folder import RECIPE
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.export import cpu_session
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.network.soundspaces_weights import load_soundspaces_av_nav
from asgf_nav_ros.published_contracts import PUBLISHED
from asgf_nav_ros.published_contracts import published_contract


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = (
        'example: asgf-nav export --run runs/asgf --out models/asgf_nav.onnx; weights that '
        'SoundSpaces published: asgf-nav export --soundspaces-checkpoint heard.pth '
        '--contract replica --out av_nav_replica.onnx')
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--run', type=Path, help='folder of a training run')
    source.add_argument('--policy', type=Path, nargs='+', metavar='FILE',
                        help='an exported policy, to be written otherwise, or several that learnt '
                             'on from one: the mean of their weights')
    source.add_argument('--soundspaces-checkpoint', type=Path, metavar='FILE',
                        help='weights of ss_baselines/av_nav; needs --contract')
    parser.add_argument('--contract', choices=list(PUBLISHED),
                        help='what those weights were trained for')
    parser.add_argument('--mirrored', action='store_true',
                        help='decide on the mirror image of everything too, and average')
    parser.add_argument('--out', type=Path, required=True, help='ONNX file to write')


def run(args: argparse.Namespace) -> int:
    """Export and verify; return the exit code."""
    if args.contract and not args.soundspaces_checkpoint:
        raise ValueError('--contract goes with --soundspaces-checkpoint; a run has its own')
    if args.mirrored and args.soundspaces_checkpoint:
        raise ValueError('--mirrored goes with --run or --policy')
    if args.run:
        export_run(args.run, args.out, mirrored=args.mirrored)
    elif args.policy:
        export_policy(args.policy, args.out, mirrored=args.mirrored)
    else:
        if not args.contract:
            raise ValueError('--soundspaces-checkpoint does not tell steps and turns: add '
                             f'--contract, one of {", ".join(PUBLISHED)}')
        export_soundspaces_checkpoint(args.soundspaces_checkpoint, args.contract, args.out)
    return 0


def export_soundspaces_checkpoint(checkpoint: Path, contract: str, out: Path) -> None:
    """Write weights of SoundSpaces' AV-Nav to ``out``; ``contract`` is a published one."""
    agent = load_soundspaces_av_nav(checkpoint, dataclasses.replace(
        published_contract(contract), trained_on=f'SoundSpaces, {contract}: {checkpoint.name}'))
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    export_onnx(agent, out, provenance={'soundspaces_checkpoint': checkpoint.name,
                                        'checkpoint_sha256': digest, 'contract': contract})
    _report(out, agent.system)


def export_policy(policies: Sequence[Path], out: Path, *, mirrored: bool) -> None:
    """Write the weights of an exported policy, or the mean of several, to ``out``.

    Where they come from goes with them, of the last of several, and of which files they are the
    mean.

    Raises:
        ValueError: the policies are of different contracts.
    """
    agents = [agent_of_export(policy) for policy in policies]
    agent = agents[-1]
    provenance = provenance_of(cpu_session(policies[-1]))
    if len(agents) > 1:
        for policy, other in zip(policies, agents):
            if other.contract != agent.contract:
                raise ValueError(f'policies to average must be of one contract, {policy} and '
                                 f'{policies[-1]} are of two')
        weights = [other.state_dict() for other in agents]
        agent.load_state_dict({
            name: torch.stack([each[name] for each in weights]).mean(0)
            if last.is_floating_point() else last for name, last in weights[-1].items()})
        provenance |= {'mean_of_sha256': [
            hashlib.sha256(policy.read_bytes()).hexdigest() for policy in policies]}
    export_onnx(agent, out, provenance=provenance, mirrored=mirrored)
    _report(out, agent.system)


def export_run(run: Path, out: Path, *, mirrored: bool = False) -> None:
    """Write the network of a run's checkpoint to ``out``, with where it comes from.

    Raises:
        ValueError: ``mirrored``, but the system plans its way and is no ``NavigationAgent``.
    """
    recipe = json.loads((run / RECIPE).read_text())
    system = recipe['contract']['system']
    if system in planner_systems.SYSTEMS:
        if mirrored:
            raise ValueError(f'{system} cannot be mirrored')
        planner_systems.export(run, out, recipe=recipe)
    else:
        checkpoint = load_checkpoint(run / CHECKPOINT)
        provenance = {'recipe': recipe, 'samples': checkpoint.training['samples']}
        export_onnx(checkpoint.agent, out, provenance=provenance, mirrored=mirrored)
    _report(out, system)


def _report(out: Path, system: str) -> None:
    print(f'{out}: {system}, {out.stat().st_size / 1e6:.1f} MB')
