# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav export``: a training checkpoint becomes an ONNX file that a robot runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.command import CHECKPOINT
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = 'example: asgf-nav export --run runs/asgf --out models/asgf_nav.onnx'
    parser.add_argument('--run', type=Path, required=True, help='folder of a training run')
    parser.add_argument('--out', type=Path, required=True, help='ONNX file to write')


def run(args: argparse.Namespace) -> int:
    """Export and verify; return the exit code."""
    state = torch.load(args.run / CHECKPOINT, map_location='cpu', weights_only=True)
    contract = PolicyContract.from_json(state['contract'])
    agent = NavigationAgent(contract, system=contract.system)
    agent.load_state_dict(state['agent'])
    recipe = json.loads((args.run / 'recipe.json').read_text())
    export_onnx(agent, args.out, provenance={'recipe': recipe, 'samples': state['samples']})
    print(f'{args.out}: {contract.system}, {args.out.stat().st_size / 1e6:.1f} MB')
    return 0
