# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.benchmark.bench_soundspaces import _world
from asgf_nav_ros.benchmark.bench_soundspaces import PlainEnvironment
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.scene import Scene

CONTRACT = PolicyContract(image_height=64, image_width=64)


@pytest.mark.parametrize('kept', [0, 100])
def test_both_ways_see_and_hear_the_same(tiny_bake, tmp_path, kept):
    layout, name = Layout(tmp_path, 'replica'), writer.scene_name(tiny_bake.name)
    writer.write_scene(tiny_bake, layout, sample_rate_hz=CONTRACT.sample_rate_hz)
    rng, source = np.random.default_rng(0), int(tiny_bake.source_nodes[0])
    dry = rng.uniform(-0.5, 0.5, CONTRACT.window_samples).astype(np.float32)
    plain = PlainEnvironment(layout, name, source, CONTRACT, dry)
    world = _world(Scene(layout, name, CONTRACT, [source], kept_bytes=kept), CONTRACT, dry, rng,
                   kept=kept)
    world.node[0], world.heading[0] = 0, 0
    for action in rng.integers(1, 4, 30):
        color, depth_m, spectrogram = plain.observe()
        batch = world.observe([0, 1])
        assert (batch.rgb[0].numpy() == color).all() and (batch.depth[0].numpy() == depth_m).all()
        np.testing.assert_allclose(batch.spectrogram[0].numpy(), spectrogram, atol=1e-4)
        plain.act(int(action))
        world.act(np.array([action]), np.array([0]))
