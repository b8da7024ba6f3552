# SPDX-License-Identifier: Apache-2.0
"""Small real ONNX policies whose decisions can be told from what they hear and see.

The louder ear turns the robot to its side, equal ears drive on, and silence stops. Half of the
memory is kept at each step.
"""

from __future__ import annotations

import json
from pathlib import Path

import onnx

from asgf_nav_ros.contract import PolicyContract

GRAPH = """
<ir_version: 8, opset_import: ["" : 17]>
policy (uint8[{batch},{height},{width},3] rgb, float[{batch},{height},{width}] depth,
        float[{batch},{bins},{frames},{channels}] spectrogram, float[{batch},{hidden}] hidden)
    => (float[{batch},4] action_probabilities, float[{batch}] value,
        float[{batch},{hidden}] hidden_out, float[{batch},1] gate, float[{batch},2] attention,
        float[{batch},frame] frame_weights, float[{batch},3] sound_direction)
{{
    color = Cast <to = 1> (rgb)
    brightness = ReduceMean <axes = [1, 2, 3], keepdims = 0> (color)
    distance = ReduceMean <axes = [1, 2], keepdims = 0> (depth)
    value = Add (brightness, distance)
    two = Constant <value = int64[2] {{0, 1}}> ()
    loudness = ReduceMean <axes = [1, 2], keepdims = 0> (spectrogram)
    ears = Gather <axis = 1> (loudness, two)
    to_actions = Constant <value = float[2, 4] {{0, 5, 20, -20, 0, 5, -20, 20}}> ()
    turns = MatMul (ears, to_actions)
    bias = Constant <value = float[4] {{1, 0, 0, 0}}> ()
    logits = Add (turns, bias)
    action_probabilities = Softmax (logits)
    half = Constant <value = float {{0.5}}> ()
    kept = Mul (hidden, half)
    level = ReduceMean <axes = [1], keepdims = 1> (ears)
    hidden_out = Add (kept, level)
    mood = ReduceMean <axes = [1], keepdims = 1> (hidden_out)
    one = Constant <value = float {{1.0}}> ()
    limit = Constant <value = float {{5.0}}> ()
    far = ReduceMean <axes = [1, 2], keepdims = 0> (depth)
    near = Sub (limit, far)
    margin = {margin}
    root = Sqrt (margin)
    sane = Div (root, root)
    damped = Mul (mood, sane)
    gate = Sigmoid (damped)
    rest = Sub (one, gate)
    attention = Concat <axis = 1> (gate, rest)
    intensity = ReduceMean <axes = [1, 3], keepdims = 0> (spectrogram)
    frame_weights = Softmax (intensity)
    to_direction = Constant <value = float[2, 3] {{0, 1, 0.5, 0, -1, 0.5}}> ()
    sound_direction = MatMul (ears, to_direction)
}}
"""
# Under the root of the gate: NaN never, always, or once the mean of the depth is over 5 m.
MARGINS = {
    'never': 'Identity (one)',
    'always': 'Neg (one)',
    'far': 'Identity (near)',
}


def build_policy(path: Path, contract: PolicyContract, *, batch: str = 'N', nan: str = 'never',
                 with_contract: bool = True) -> Path:
    """Write a policy to ``path``."""
    bins, frames, channels = contract.spectrogram_shape
    text = GRAPH.format(
        batch=batch, height=contract.image_height, width=contract.image_width, bins=bins,
        frames=frames, channels=channels, hidden=contract.hidden_size, margin=MARGINS[nan])
    model = onnx.parser.parse_model(text)
    if with_contract:
        onnx.helper.set_model_props(model, {
            'asgf_nav_contract': contract.to_json(),
            'asgf_nav_provenance': json.dumps({'recipe': 'written by hand'})})
    onnx.save(model, path)
    return path


def rename_tensor(path: Path, old: str, new: str) -> None:
    """Rewrite the file with another name for one tensor."""
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.name = new if value.name == old else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    onnx.save(model, path)
