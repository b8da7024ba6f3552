# SPDX-License-Identifier: Apache-2.0
"""How fast a window of sound becomes an action, against librosa and eager torch."""

from __future__ import annotations

from pathlib import Path
import tempfile

import numpy as np
import torch

from asgf_nav_ros.benchmark.bench_timing import compare
from asgf_nav_ros.benchmark.bench_timing import Comparison
from asgf_nav_ros.benchmark.soundspaces_way import EagerAgent
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.sound.streaming_spectrogram import StreamingSpectrogram

WANTED = 3.0


def measure(rng: np.random.Generator, *, laps: int) -> list[Comparison]:
    """Compare the same network, weights included, behind both ways to an action."""
    contract = PolicyContract()
    torch.set_num_threads(1)
    agent = NavigationAgent(contract).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'agent.onnx'
        export_onnx(agent, path, provenance={'purpose': 'timing, not trained'})
        policy = OnnxPolicy(path, threads=1)
    image = (contract.image_height, contract.image_width)
    rgb = rng.integers(0, 256, (*image, 3), dtype=np.uint8)
    depth = rng.uniform(0.2, 9.0, image).astype(np.float32)
    audio = rng.uniform(-0.5, 0.5, (2, contract.window_samples)).astype(np.float32)
    chunk = audio[:, :320]
    stream = StreamingSpectrogram(contract)
    stream.push(audio)
    eager = EagerAgent(agent)

    def ours() -> int:
        stream.push(chunk)
        return policy.decide(Observation(rgb=rgb, depth=depth,
                                         spectrogram=stream.spectrogram())).action

    return [compare('window to action', laps=laps, wanted=WANTED,
                    ours=('streaming spectrogram + ONNX Runtime', ours),
                    theirs=('librosa + skimage + eager torch',
                            lambda: eager.decide(rgb, depth, audio)))]
