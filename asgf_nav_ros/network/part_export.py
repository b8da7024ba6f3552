# SPDX-License-Identifier: Apache-2.0
"""Write a navigator's network, which is not a whole policy, as a verified ONNX file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from typing import Mapping
import warnings

import numpy as np
import onnx
import torch
from torch import nn

import asgf_nav_ros
from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import PROVENANCE_KEY
from asgf_nav_ros.network.export import cpu_session
from asgf_nav_ros.network.export import ExportError
from asgf_nav_ros.network.export import OPSET
from asgf_nav_ros.network.export import TOLERANCE

_EXAMPLE_ROWS, _OTHER_ROWS = 2, 5  # another batch than the trace's proves that it is free


def export_part(network: nn.Module, path: Path, *, inputs: Mapping[str, tuple[int, ...]],
                outputs: tuple[str, ...], contract: PolicyContract,
                provenance: Mapping[str, Any]) -> None:
    """Trace ``network``, and keep the file only if ONNX Runtime agrees with torch.

    Args:
        network: takes float32 tensors (B, *shape) in the order of ``inputs``, returns a tuple.
        path: the file to write.
        inputs: names and shapes without the batch.
        outputs: names of the results.
        contract: kept in the file.
        provenance: where the weights come from, JSON values.

    Raises:
        ExportError: the file computes something else; nothing is left at ``path``.
    """
    network = network.cpu().eval()
    part = path.with_name(path.name + '.part')
    try:
        _trace(network, part, inputs, outputs)
        model = onnx.load(part)
        onnx.helper.set_model_props(model, {
            CONTRACT_KEY: contract.to_json(),
            PROVENANCE_KEY: json.dumps({
                **provenance, 'asgf_nav_ros': asgf_nav_ros.__version__,
                'torch': torch.__version__}, sort_keys=True)})
        onnx.checker.check_model(model)
        onnx.save(model, part)
        _verify(network, part, inputs, outputs)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _trace(network: nn.Module, path: Path, inputs: Mapping[str, tuple[int, ...]],
           outputs: tuple[str, ...]) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated, but it writes GRUs right; _verify tests the rest.
        warnings.simplefilter('ignore')
        torch.onnx.export(
            network, tuple(_random(inputs, _EXAMPLE_ROWS)), path, dynamo=False,
            opset_version=OPSET, input_names=list(inputs), output_names=list(outputs),
            dynamic_axes={name: {0: 'batch'} for name in (*inputs, *outputs)})


def _verify(network: nn.Module, path: Path, inputs: Mapping[str, tuple[int, ...]],
            outputs: tuple[str, ...]) -> None:
    tensors = _random(inputs, _OTHER_ROWS)
    with torch.inference_mode():
        wanted = network(*tensors)
    session = cpu_session(path)
    got = session.run(list(outputs), {
        name: tensor.numpy() for name, tensor in zip(inputs, tensors)})
    for name, ours, theirs in zip(outputs, wanted, got):
        ours = ours.numpy()
        difference = float((np.abs(ours - theirs) / np.maximum(np.abs(ours), 1)).max())
        if not difference < TOLERANCE:  # a NaN fails too
            raise ExportError(f'{name} must be within {TOLERANCE} of torch, '
                              f'got {difference:.2g}')


def _random(inputs: Mapping[str, tuple[int, ...]], rows: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(rows)
    return [torch.rand(rows, *shape, generator=generator) for shape in inputs.values()]
