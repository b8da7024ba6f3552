# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.episodes import load_house
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.rendering import Renderer
from sim_bridge.simulator import Pose2D
from sim_bridge.soundspaces.moved_view import moved_view
from sim_bridge.soundspaces.moved_view import STILL_M

CONTRACT = PolicyContract(image_height=64, image_width=64)
CAMERA = {'hfov_rad': CONTRACT.hfov_rad, 'depth_max_m': CONTRACT.depth_max_m}


def test_at_rest_the_stored_view_is_seen_as_it_is():
    color, depth_m = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.float32)
    seen = moved_view(color, depth_m, Pose2D(STILL_M / 2, 0.0, 0.0), **CAMERA)
    assert seen[0] is color and seen[1] is depth_m


def test_a_wall_comes_nearer_by_the_way_driven():
    depth_m = np.full((8, 8), 2.0, np.float32)
    _, nearer_m = moved_view(np.zeros((8, 8, 3), np.uint8), depth_m, Pose2D(0.25, 0.0, 0.0),
                             **CAMERA)
    assert nearer_m.dtype == np.float32 and nearer_m == pytest.approx(1.75)


@pytest.mark.parametrize('moved', [
    Pose2D(0.2, 0.0, 0.0), Pose2D(0.0, 0.1, 0.0), Pose2D(0.0, 0.0, 0.3), Pose2D(0.1, 0.0, -0.3)])
def test_it_is_nearer_to_what_is_seen_there_than_the_stored_view(moved):
    house = load_house('small/train/11')
    graph = build_navigation_graph(house)
    closer = []
    with Renderer(house, CONTRACT) as renderer:
        for node in range(0, len(graph), 7):
            xy, yaw_rad = graph.nodes[node], graph.yaw_rad(node % 4)
            cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
            there = xy + moved.x_m * np.array([cos, sin]) + moved.y_m * np.array([-sin, cos])
            stored = renderer.render(xy, yaw_rad)
            _, true_m = renderer.render(there, yaw_rad + moved.yaw_rad)
            _, depth_m = moved_view(*stored, moved, **CAMERA)
            inner = (slice(None), slice(16, 48))  # turned sideways, the border is not known
            closer.append(np.abs(depth_m - true_m)[inner].mean()
                          < np.abs(stored[1] - true_m)[inner].mean())
    assert all(closer)


def test_five_centimetres_change_both_images(tiny_bake):
    for node in range(0, len(tiny_bake.nodes), 5):
        color, depth_m = tiny_bake.view(node, 0)
        seen = moved_view(color, depth_m, Pose2D(0.05, 0.0, 0.0), **CAMERA)
        assert (seen[0] != color).any() and (seen[1] != depth_m).any()
