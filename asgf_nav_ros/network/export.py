# SPDX-License-Identifier: Apache-2.0
"""From a trained agent to the one ONNX file that a robot runs: graph, contract, provenance."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from pathlib import Path
from typing import Any
from typing import Mapping
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

import asgf_nav_ros
from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import PROVENANCE_KEY
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import weights_sha256
from asgf_nav_ros.network.mirror import Mirror
from asgf_nav_ros.network.mirror import mirrored_contract

INPUTS = ('rgb', 'depth', 'spectrogram', 'hidden')  # and 'motion' with odometry
OUTPUTS = ('action_probabilities', 'value', 'hidden_out', 'gate', 'attention', 'frame_weights',
           'sound_direction')
OPSET = 17  # the first with LayerNormalization
TOLERANCE = 1e-4
_BATCHES = (1, 3)  # the trace has one row: another size proves that the batch is free
_STEPS = 10


class ExportError(RuntimeError):
    """The written file does not compute what the agent computes."""


class _DeployedAgent(nn.Module):
    """The agent with the outputs of the file, in the order of ``OUTPUTS``."""

    def __init__(self, agent: NavigationAgent) -> None:
        super().__init__()
        self.agent, self.contract = agent, agent.contract

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                hidden: torch.Tensor,
                motion: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        output = self.agent(rgb, depth, spectrogram, hidden, motion)
        return (torch.softmax(output.logits, -1), output.value, output.hidden, output.gate,
                output.attention, output.frame_weights, output.sound_direction)


class _MirroredAgent(_DeployedAgent):
    """The agent twice, the second time with left and right exchanged; it decides the mean.

    Probabilities are averaged as logarithms, the value and the sound's direction as they are.
    Gate, attention and frame weights are those of the agent without the mirror.
    """

    def __init__(self, agent: NavigationAgent) -> None:
        super().__init__(agent)
        self._mirror = Mirror(agent.contract)
        self.contract = mirrored_contract(agent.contract)

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                hidden: torch.Tensor,
                motion: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        mirror, size = self._mirror, self.contract.own_size
        output = self.agent(
            torch.cat([rgb, mirror.images(rgb)]), torch.cat([depth, mirror.images(depth)]),
            torch.cat([spectrogram, mirror.spectrogram(spectrogram)]),
            torch.cat([hidden[:, size:], hidden[:, :size]]),
            None if motion is None else torch.cat([motion, mirror.motion(motion)]))
        count = rgb.shape[0]
        log, log_mirrored = _halves(torch.log_softmax(output.logits, -1), count)
        value, value_mirrored = _halves(output.value, count)
        own, mirrored = _halves(output.hidden, count)
        direction, direction_mirrored = _halves(output.sound_direction, count)
        return (torch.softmax((log + mirror.actions(log_mirrored)) / 2, -1),
                (value + value_mirrored) / 2, torch.cat([mirrored, own], -1),
                *(part[:count] for part in (output.gate, output.attention,
                                            output.frame_weights)),
                (direction + mirror.direction(direction_mirrored)) / 2)


def _halves(both: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return both[:count], both[count:]


def _deployed(agent: NavigationAgent, *, mirrored: bool) -> _DeployedAgent:
    kind = _MirroredAgent if mirrored else _DeployedAgent
    return kind(copy.deepcopy(agent).cpu()).eval()


def export_onnx(agent: NavigationAgent, path: str | os.PathLike[str], *,
                provenance: Mapping[str, Any], mirrored: bool = False) -> str:
    """Write ``agent`` as one ONNX file, and keep it only if ONNX Runtime agrees with torch.

    The batch is dynamic and the memory explicit: ``hidden`` goes in, ``hidden_out`` comes out.

    Args:
        agent: any system of ``NavigationAgent``; it is not changed.
        path: the file to write.
        provenance: where the weights come from (recipe, data, seed), JSON values. The versions
            of package and torch, sight and the hash of the weights are added.
        mirrored: have the file decide on the mirror image of everything too, and average.

    Returns:
        SHA-256 of the file.

    Raises:
        ExportError: the file computes something else; nothing is left at ``path``.
    """
    path = Path(path)
    part = path.with_name(path.name + '.part')
    deployed = _deployed(agent, mirrored=mirrored)
    try:
        _trace(deployed, part)
        _complete(part, deployed, provenance)
        for batch in _BATCHES:
            verify_onnx(agent, part, batch=batch)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify_onnx(agent: NavigationAgent, path: str | os.PathLike[str], *, steps: int = _STEPS,
                batch: int = 1, seed: int = 0) -> float:
    """Run torch and ONNX Runtime side by side, each with its own memory, on random views.

    Args:
        agent: what the file must compute.
        path: the ONNX file.
        steps: recurrent steps, each with a fresh observation.
        batch: environments at once.
        seed: of the observations.

    Returns:
        The largest absolute difference over all outputs and steps.

    Raises:
        ContractMismatch: the file's contract is none.
        KeyError: it has none.
        ExportError: it is over ``TOLERANCE``, or an output is not finite.
    """
    session = cpu_session(path)
    contract = PolicyContract.from_json(session.get_modelmeta().custom_metadata_map[CONTRACT_KEY])
    deployed = _deployed(agent, mirrored=contract.mirrored)
    rng = np.random.default_rng(seed)
    theirs = ours = np.zeros((batch, deployed.contract.hidden_size), np.float32)
    largest = 0.0
    for _ in range(steps):
        views = random_observations(agent.contract, batch, rng=rng)
        motion = random_motion(agent.contract, batch, rng=rng)
        names = inputs_of(agent.contract)
        got = session.run(list(OUTPUTS), dict(zip(names, (*views, theirs, *motion))))
        with torch.inference_mode():
            wanted = [tensor.numpy() for tensor in
                      deployed(*(torch.from_numpy(array) for array in (*views, ours, *motion)))]
        largest = max(largest, *(_difference(*each) for each in zip(OUTPUTS, wanted, got)))
        theirs, ours = (each[OUTPUTS.index('hidden_out')] for each in (got, wanted))
    return largest


def random_observations(contract: PolicyContract, batch: int, *, rng: np.random.Generator
                        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Views and sounds with the contract's shapes, types and ranges, but no meaning.

    Returns:
        rgb (batch, H, W, 3) uint8, depth (batch, H, W) float32 in metres, and spectrogram
        (batch, bins, frames, channels) float32.
    """
    image = (batch, contract.image_height, contract.image_width)
    rgb = rng.integers(0, 256, (*image, 3), dtype=np.uint8)
    depth = rng.uniform(contract.depth_min_m, contract.depth_max_m, image).astype(np.float32)
    loudness = 10 ** rng.uniform(-2, 1, (batch, 1, 1, 1))  # from far to near
    sound = np.log1p(loudness * rng.exponential(size=(batch, *contract.spectrogram_shape)))
    return rgb, depth, sound.astype(np.float32)


def random_motion(contract: PolicyContract, batch: int, *,
                  rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """One array (batch, MOTION_FEATURES) float32 for contracts with odometry, else none."""
    if not contract.odometry:
        return ()
    return (rng.uniform(-2, 2, (batch, MOTION_FEATURES)).astype(np.float32),)


def inputs_of(contract: PolicyContract) -> tuple[str, ...]:
    """Names of the inputs of an exported policy, in order."""
    return (*INPUTS, 'motion') if contract.odometry else INPUTS


def _difference(name: str, wanted: np.ndarray, got: np.ndarray) -> float:
    if wanted.shape != got.shape:
        raise ExportError(f'{name} must be {wanted.shape} as in torch, got {got.shape}')
    difference = float(np.abs(wanted - got).max())
    if not difference < TOLERANCE:  # a NaN fails too
        raise ExportError(f'{name} must be within {TOLERANCE} of torch, got {difference:.2g}')
    return difference


def cpu_session(path: str | os.PathLike[str]) -> onnxruntime.InferenceSession:
    """Open a file as it will be run on a robot, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        os.fspath(path), options, providers=['CPUExecutionProvider'])


def _trace(deployed: _DeployedAgent, path: Path) -> None:
    contract = deployed.contract
    rng = np.random.default_rng(0)
    views = random_observations(contract, 1, rng=rng)
    motion = random_motion(contract, 1, rng=rng)
    names = inputs_of(contract)
    example = (*map(torch.from_numpy, views), torch.zeros(1, contract.hidden_size),
               *map(torch.from_numpy, motion))
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated, but it writes GRUs right; and it warns that sizes
        # and the batch of a GRU are fixed, which the batch is not. verify_onnx tests both.
        warnings.simplefilter('ignore', DeprecationWarning)
        warnings.simplefilter('ignore', torch.jit.TracerWarning)
        warnings.filterwarnings('ignore', 'Exporting a model to ONNX with', UserWarning)
        torch.onnx.export(
            deployed, example, path, dynamo=False, opset_version=OPSET,
            input_names=names, output_names=OUTPUTS,
            dynamic_axes={name: {0: 'batch'} for name in names + OUTPUTS})


def _complete(path: Path, deployed: _DeployedAgent, provenance: Mapping[str, Any]) -> None:
    agent, model = deployed.agent, onnx.load(path)
    onnx.helper.set_model_props(model, {
        CONTRACT_KEY: deployed.contract.to_json(),
        PROVENANCE_KEY: json.dumps({
            **provenance, 'asgf_nav_ros': asgf_nav_ros.__version__, 'torch': torch.__version__,
            'sight': agent.sight, 'weights_sha256': weights_sha256(agent)}, sort_keys=True)})
    _restore_unused_sight(model, agent.contract)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _restore_unused_sight(model: onnx.ModelProto, contract: PolicyContract) -> None:
    """Declare rgb or depth again where a blind half let the exporter drop it."""
    image = ['batch', contract.image_height, contract.image_width]
    declared = {value.name for value in model.graph.input}
    if 'rgb' not in declared:
        model.graph.input.insert(0, onnx.helper.make_tensor_value_info(
            'rgb', onnx.TensorProto.UINT8, [*image, 3]))
    if 'depth' not in declared:
        model.graph.input.insert(1, onnx.helper.make_tensor_value_info(
            'depth', onnx.TensorProto.FLOAT, image))
