# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav export``: a training checkpoint becomes an ONNX file that a robot runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from asgf_nav_ros.learning.command import CHECKPOINT
from asgf_nav_ros.learning.command import RECIPE
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.export import export_onnx


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = 'example: asgf-nav export --run runs/asgf --out models/asgf_nav.onnx'
    parser.add_argument('--run', type=Path, required=True, help='folder of a training run')
    parser.add_argument('--out', type=Path, required=True, help='ONNX file to write')


def run(args: argparse.Namespace) -> int:
    """Export and verify; return the exit code."""
    checkpoint = load_checkpoint(args.run / CHECKPOINT)
    recipe = json.loads((args.run / RECIPE).read_text())
    provenance = {'recipe': recipe, 'samples': checkpoint.training['samples']}
    export_onnx(checkpoint.agent, args.out, provenance=provenance)
    print(f'{args.out}: {checkpoint.agent.system}, {args.out.stat().st_size / 1e6:.1f} MB')
    return 0
