# SPDX-License-Identifier: Apache-2.0
"""OpenGL on EGL: colour and depth of a house in one pass, on a GPU or on Mesa's llvmpipe."""

from __future__ import annotations

import math
import os
import threading

import moderngl
import numpy as np

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.house.map_image import HouseMap
from sim_bridge.house.plan import House
from sim_bridge.house.visibility import RoomVisibility
from sim_bridge.rendering.mesh import build_house_mesh
from sim_bridge.rendering.mesh import VERTEX

NEAR_M, FAR_M = 0.03, 300.0

_VERTEX_SHADER = """
#version 330
uniform mat4 projection;
uniform vec3 eye;
uniform vec3 forward;
in vec3 position;
in vec3 normal;
in vec2 uv;
in vec3 color;
in float layer;
in float lift;
out vec3 v_position;
out vec3 v_normal;
out vec3 v_uv;
out vec3 v_color;
out float v_depth;
void main() {
    v_position = position;
    v_normal = normal;
    v_uv = vec3(uv, layer);
    v_color = color;
    v_depth = dot(position - eye, forward);
    gl_Position = projection * vec4(position, 1.0);
    gl_Position.z -= lift * 1.2e-6 * gl_Position.w;  // ten steps of a 24-bit depth buffer
}
"""

# One lamp a room, some light from everywhere, and a little from one side, so that walls of one
# colour that meet in a corner differ.
_FRAGMENT_SHADER = """
#version 330
uniform sampler2DArray layers;
uniform vec3 lamp;
in vec3 v_position;
in vec3 v_normal;
in vec3 v_uv;
in vec3 v_color;
in float v_depth;
layout(location = 0) out vec4 out_color;
layout(location = 1) out float out_depth;
void main() {
    vec3 normal = gl_FrontFacing ? v_normal : -v_normal;
    vec3 to_lamp = lamp - v_position;
    float squared = dot(to_lamp, to_lamp);
    float facing = max(dot(normal, to_lamp) * inversesqrt(squared), 0.0);
    float side = dot(normal, vec3(0.17, 0.07, 0.04));
    float light = 0.50 + side + 0.45 * facing / (1.0 + 0.10 * squared);
    out_color = vec4(texture(layers, v_uv).rgb * v_color * light, 1.0);
    out_depth = v_depth;
}
"""

_contexts = threading.local()


class RenderingUnavailable(RuntimeError):
    """This machine has no usable OpenGL."""


class Renderer:
    """Draws one house for the camera of a contract; use it on the thread that made it.

    Renderers of a thread share one OpenGL context; ``close`` frees what belongs to this one.

    Raises:
        RenderingUnavailable: EGL or a driver is missing.
    """

    def __init__(self, house: House, contract: PolicyContract) -> None:
        self._house = house
        self._contract = contract
        self._thread = threading.get_ident()
        self._context = _shared_context()
        self._resources: list[object] = []
        self._visibility = RoomVisibility(house)
        self._mesh = build_house_mesh(house)
        self._focal = contract.image_width / 2 / math.tan(contract.hfov_rad / 2)
        self._program = self._own(self._context.program(
            vertex_shader=_VERTEX_SHADER, fragment_shader=_FRAGMENT_SHADER))
        buffer = self._own(self._context.buffer(self._mesh.vertices.tobytes()))
        self._vertices = self._own(self._context.vertex_array(
            self._program, [(buffer, '3f 3f 2f 3f 1f 1f', *VERTEX.names)]))
        self._texture = self._own(self._upload_layers())
        size = (contract.image_width, contract.image_height)
        self._frame = self._own(self._context.framebuffer(
            [self._own(self._context.renderbuffer(size, 4)),
             self._own(self._context.renderbuffer(size, 1, dtype='f4'))],
            self._own(self._context.depth_renderbuffer(size))))

    def _own(self, resource: object) -> object:
        self._resources.append(resource)
        return resource

    def _upload_layers(self) -> moderngl.TextureArray:
        layers = self._mesh.layers
        texture = self._context.texture_array(
            (layers.shape[2], layers.shape[1], layers.shape[0]), 3, layers.tobytes())
        texture.build_mipmaps()
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        return texture

    def render(self, xy: np.ndarray, yaw_rad: float) -> tuple[np.ndarray, np.ndarray]:
        """See from a pose at the contract's camera height.

        Args:
            xy: (2,) metres.
            yaw_rad: heading, counter-clockwise from +x.

        Returns:
            rgb (H, W, 3) uint8 and depth (H, W) float32: metres along the optical axis, clipped
            to the contract's range, 0 where nothing was hit.

        Raises:
            RuntimeError: the renderer is closed or belongs to another thread.
        """
        self._check_usable()
        self._look_from(np.asarray(xy, np.float64), float(yaw_rad))
        self._frame.use()
        self._frame.clear()
        self._texture.use(0)
        self._draw(self._visibility.visible(xy, yaw_rad, self._half_angle_rad))
        return self._read()

    @property
    def _half_angle_rad(self) -> float:
        return self._contract.hfov_rad / 2 + 0.01

    def _check_usable(self) -> None:
        if not self._resources:
            raise RuntimeError('the renderer is closed')
        if threading.get_ident() != self._thread:
            raise RuntimeError('a renderer must be used on the thread that made it')

    def _look_from(self, xy: np.ndarray, yaw_rad: float) -> None:
        eye = np.array([*xy, self._contract.camera_height_m])
        cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
        right, forward = np.array([sin, -cos, 0.0]), np.array([cos, sin, 0.0])
        view = np.eye(4)
        view[:3, :3] = right, (0.0, 0.0, 1.0), -forward
        view[:3, 3] = -view[:3, :3] @ eye
        projection = self._projection() @ view
        self._program['projection'].write(np.asfortranarray(projection, np.float32).tobytes('F'))
        self._program['eye'].value = tuple(eye)
        self._program['forward'].value = tuple(forward)

    def _projection(self) -> np.ndarray:
        contract = self._contract
        matrix = np.zeros((4, 4))
        matrix[0, 0] = 2 * self._focal / contract.image_width
        matrix[1, 1] = -2 * self._focal / contract.image_height  # row 0 on top when read back
        matrix[2, 2:] = (FAR_M + NEAR_M) / (NEAR_M - FAR_M), 2 * FAR_M * NEAR_M / (NEAR_M - FAR_M)
        matrix[3, 2] = -1.0
        return matrix

    def _draw(self, rooms: list[int]) -> None:
        context = self._context
        context.front_face = 'cw'  # the image is upside down to OpenGL
        context.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        for room in rooms:
            self._draw_part(self._mesh.shell[room], room)
        context.enable_only(moderngl.DEPTH_TEST)  # models have faces of either winding
        for room in rooms:
            self._draw_part(self._mesh.furniture[room], room)

    def _draw_part(self, part: tuple[int, int], room: int) -> None:
        first, count = part
        if count:
            self._program['lamp'].write(self._mesh.lamps[room].tobytes())
            self._vertices.render(vertices=count, first=first)

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        height, width = self._contract.image_height, self._contract.image_width
        rgb = np.empty((height, width, 3), np.uint8)
        depth = np.empty((height, width), np.float32)
        self._frame.read_into(rgb, components=3, alignment=1)
        self._frame.read_into(depth, components=1, attachment=1, dtype='f4', alignment=1)
        hit = depth > 0
        np.clip(depth, self._contract.depth_min_m, self._contract.depth_max_m, out=depth)
        depth[~hit] = 0.0
        return rgb, depth

    def top_down(self, pixels_per_m: float = 50.0) -> np.ndarray:
        """Draw the house as a map for people: (h, w, 3) uint8, see ``HouseMap``."""
        return HouseMap(self._house, pixels_per_m).image

    def close(self) -> None:
        """Free what this renderer holds on the GPU; a second call does nothing."""
        for resource in reversed(self._resources):
            resource.release()
        self._resources.clear()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _shared_context() -> moderngl.Context:
    """The thread's context: a context a renderer would have to be switched at every frame."""
    if getattr(_contexts, 'process', None) != os.getpid():  # a fork cannot use its parent's
        try:
            _contexts.context = moderngl.create_context(standalone=True, backend='egl')
            _contexts.process = os.getpid()
        except Exception as error:  # glcontext raises plain Exception
            raise RenderingUnavailable(
                'OpenGL on EGL is not available, install libegl1 and libgl1-mesa-dri or a GPU '
                f'driver: {error}') from error
    return _contexts.context
