# SPDX-License-Identifier: Apache-2.0
import math
import threading

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.house.furniture_models import furniture_models
from sim_bridge.house.generate import generate_house
from sim_bridge.house.materials import MATERIALS
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.rendering import mesh
from sim_bridge.rendering import Renderer
from sim_bridge.rendering.models import FURNITURE_DIRECTORY
from sim_bridge.rendering.models import load_model
from sim_bridge.rendering.models import MAX_TRIANGLES
from sim_bridge.rendering.textures import material_texture

SIZE = (7.0, 5.0, 2.6)
EMPTY = House('empty', [Room('a', [(0, 0), (7, 0), (7, 5), (0, 5)])], wall_height_m=SIZE[2])
CONTRACT = PolicyContract()


def _pixel_rays(contract, yaw_rad):
    """World directions through the pixel centres with 1 along the optical axis, (H, W, 3)."""
    focal = contract.image_width / 2 / math.tan(contract.hfov_rad / 2)
    right = (np.arange(contract.image_width) + 0.5 - contract.image_width / 2) / focal
    down = (np.arange(contract.image_height) + 0.5 - contract.image_height / 2) / focal
    right, down = np.meshgrid(right, down)
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    return np.stack([cos + right * sin, sin - right * cos, -down], axis=-1)


def _box_depth(xy, yaw_rad, contract):
    """Planar depth in the empty room, by intersecting rays with its six planes."""
    rays = _pixel_rays(contract, yaw_rad)
    eye = np.array([*xy, contract.camera_height_m])
    with np.errstate(divide='ignore'):
        reach = np.where(rays > 0, (np.array(SIZE) - eye) / rays, -eye / rays)
    return reach.min(axis=-1)


@pytest.mark.parametrize('contract', [
    CONTRACT, PolicyContract(image_width=96, image_height=64, hfov_rad=1.2,
                             camera_height_m=0.6)])
@pytest.mark.parametrize('xy, yaw_rad', [
    ((3.5, 2.5), 0.0), ((1.0, 4.2), 0.7), ((6.5, 0.4), math.pi / 2), ((2.0, 2.0), -2.5)])
def test_depth_is_the_planar_distance_to_the_walls(contract, xy, yaw_rad):
    with Renderer(EMPTY, contract) as renderer:
        _, depth = renderer.render(np.array(xy), yaw_rad)
    np.testing.assert_allclose(depth, _box_depth(xy, yaw_rad, contract), atol=0.01)


def test_depth_is_clipped_to_the_contract():
    with Renderer(EMPTY, PolicyContract(depth_min_m=0.5, depth_max_m=3.0)) as renderer:
        _, depth = renderer.render(np.array([0.3, 2.5]), 0.0)
        assert depth.max() == 3.0
        _, depth = renderer.render(np.array([0.3, 2.5]), math.pi)
        assert depth.min() == 0.5


@pytest.fixture(scope='module')
def coloured():
    """A red box to the left of somebody who looks east, a green one to the right."""
    pieces = [Furniture('pouf', (4, y), 0.0, (0.6, 0.6, 1.6), material=material)
              for y, material in ((3.5, 'thick_carpet'), (1.5, 'foliage'))]
    house = House('coloured', EMPTY.rooms, furniture=pieces, wall_height_m=SIZE[2])
    with Renderer(house, CONTRACT) as renderer:
        yield renderer


def test_left_is_left_and_up_is_up(coloured):
    rgb, depth = coloured.render(np.array([2.0, 2.5]), 0.0)
    rgb = rgb.astype(int)
    row = 90
    red = np.flatnonzero(rgb[row, :, 0] > 1.5 * rgb[row, :, 1])
    green = np.flatnonzero(rgb[row, :, 1] > 1.3 * rgb[row, :, 0])
    assert len(red) > 5 and len(green) > 5
    assert red.max() < 64 < green.min()
    assert rgb[2].mean() > rgb[-3].mean()  # a white ceiling over a brown floor
    assert depth[row, red].min() == pytest.approx(4.0 - 0.3 - 2.0, abs=0.01)


def test_walls_have_the_colour_of_their_material(coloured):
    rgb, _ = coloured.render(np.array([2.0, 0.8]), -math.pi / 2)
    seen = rgb[56:72, 100:120].reshape(-1, 3).mean(axis=0)
    wanted = np.array(MATERIALS['plaster_white'].color_rgb, float)
    np.testing.assert_allclose(seen / seen.sum(), wanted / wanted.sum(), atol=0.03)


def test_a_door_is_seen_through_and_its_lintel_is_not():
    rooms = [Room('a', [(0, 0), (3, 0), (3, 3), (0, 3)]),
             Room('b', [(3, 0), (8, 0), (8, 3), (3, 3)])]
    with Renderer(House('x', rooms, [Door((3, 1), (3, 2))]), CONTRACT) as renderer:
        _, depth = renderer.render(np.array([2.0, 1.5]), 0.0)
    assert depth[64, 64] == pytest.approx(6.0, abs=0.01)
    assert depth[2, 64] == pytest.approx(1.0, abs=0.03)  # the frame stands out 2 cm
    assert depth[64, 5] == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize('seed', [4, 6])
def test_leaving_out_hidden_rooms_changes_nothing(seed):
    house = generate_house(seed)
    graph, rng = build_navigation_graph(house), np.random.default_rng(seed)
    with Renderer(house, CONTRACT) as renderer:
        for _ in range(15):
            pose = graph.nodes[rng.integers(len(graph))], rng.uniform(-np.pi, np.pi)
            rgb, depth = renderer.render(*pose)
            renderer._visibility.visible, narrowed = (
                lambda *_: range(len(house.rooms)), renderer._visibility.visible)
            all_rgb, all_depth = renderer.render(*pose)
            renderer._visibility.visible = narrowed
            np.testing.assert_array_equal(rgb, all_rgb)
            np.testing.assert_array_equal(depth, all_depth)
            assert (depth > 0).all()  # no pinholes


def test_same_pose_same_image_also_from_another_renderer():
    house = generate_house(1)
    xy = build_navigation_graph(house).nodes[5]
    with Renderer(house, CONTRACT) as one, Renderer(house, CONTRACT) as other:
        first, again, others = one.render(xy, 1.0), other.render(xy, 1.0), one.render(xy, 1.0)
    for image, second, third in zip(first, again, others):
        np.testing.assert_array_equal(image, second)
        np.testing.assert_array_equal(image, third)


def test_images_fit_the_contract_and_are_not_shared_between_calls(coloured):
    rgb, depth = coloured.render(np.array([2.0, 2.5]), 0.0)
    kept = rgb.copy()
    coloured.render(np.array([2.0, 2.5]), 2.0)
    np.testing.assert_array_equal(rgb, kept)
    assert (rgb.shape, rgb.dtype) == ((128, 128, 3), np.uint8)
    assert (depth.shape, depth.dtype) == ((128, 128), np.float32)


def test_a_closed_renderer_and_one_of_another_thread_are_refused():
    renderer = Renderer(EMPTY, CONTRACT)
    errors = []

    def elsewhere():
        try:
            renderer.render(np.array([2.0, 2.0]), 0.0)
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert errors == ['a renderer must be used on the thread that made it']
    renderer.close()
    renderer.close()
    with pytest.raises(RuntimeError, match='closed'):
        renderer.render(np.array([2.0, 2.0]), 0.0)


def test_without_the_furniture_package_boxes_of_the_same_size_are_drawn(monkeypatch):
    house = generate_house(5)
    monkeypatch.setattr(mesh, 'load_model', lambda model: None)
    built = mesh.build_house_mesh(house)
    drawn = np.concatenate([built.vertices[first:first + count]['position']
                            for first, count in built.furniture])
    corners = np.concatenate([piece.footprint for piece in house.furniture])
    np.testing.assert_allclose(drawn[:, :2].min(axis=0), corners.min(axis=0), atol=1e-5)
    np.testing.assert_allclose(drawn[:, :2].max(axis=0), corners.max(axis=0), atol=1e-5)
    assert len(drawn) == 36 * len(house.furniture)


@pytest.mark.skipif(not FURNITURE_DIRECTORY.is_dir(), reason='sweethome3d-furniture is missing')
@pytest.mark.parametrize('name', ['Scopia/bed1', 'KatorLegaz/full-bookcase',
                                  'BlendSwap-CC-0/toiletsUnit', 'Scopia/chair4'])
def test_models_are_few_triangles_of_the_catalogue_size(name):
    model = furniture_models()[name]
    loaded = load_model(model)
    points = loaded.corners.reshape(-1, 3)
    assert 20 < len(loaded.corners) <= MAX_TRIANGLES
    np.testing.assert_allclose(np.ptp(points, axis=0), model.size_m, atol=0.06)
    assert points[:, 2].min() == pytest.approx(0.0, abs=0.03)


def test_a_concave_room_has_a_whole_floor():
    room = Room('L', [(0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)])
    built = mesh.build_house_mesh(House('x', [room]))
    corners = built.vertices['position'].reshape(-1, 3, 3)
    flat = corners[(corners[:, :, 2] == 0).all(axis=1)]
    cross = np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])[:, 2]
    assert (cross > 0).all()
    assert cross.sum() / 2 == pytest.approx(room.area_m2)


@pytest.mark.parametrize('name', sorted(MATERIALS))
def test_textures_look_like_their_material(name):
    mean = material_texture(name).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(mean, MATERIALS[name].color_rgb, rtol=0.15, atol=4)
