# SPDX-License-Identifier: Apache-2.0
"""Furniture meshes from Debian's ``sweethome3d-furniture``, thinned out for small images."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import posixpath
import zipfile

import cv2
import numpy as np

from sim_bridge.house.furniture_models import FurnitureModel
from sim_bridge.rendering.textures import TEXTURE_PIXELS

FURNITURE_DIRECTORY = pathlib.Path('/usr/share/sweethome3d/furniture')
MAX_TRIANGLES = 900  # a model; more is lost on 128 x 128 pixels
_MIN_OPACITY = 0.5  # glass is left out: depth cameras see through it
_FIRST_CELL_M = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class ModelMesh:
    """Triangles in the furniture's own frame: x right, y to the back, z up from its foot.

    corners : (t, 3, 3) float32, metres. uv : (t, 3, 2) float32.
    color : (t, 3) float32 in 0-1. texture : (t,) int, index into ``textures``, -1 for none.
    textures : each (128, 128, 3) uint8, row 0 at v = 0.
    """

    corners: np.ndarray
    uv: np.ndarray
    color: np.ndarray
    texture: np.ndarray
    textures: tuple[np.ndarray, ...]


@functools.cache
def load_model(model: FurnitureModel) -> ModelMesh | None:
    """Read a mesh at its catalogue size; None where the package is not installed."""
    archive = FURNITURE_DIRECTORY / f'{model.library}.sh3f'
    if not archive.is_file():
        return None
    with zipfile.ZipFile(archive) as files:
        if model.path not in files.namelist():
            return None
        return _thinned(_scaled(_read_obj(files, model.path), model.size_m))


@dataclasses.dataclass(frozen=True)
class _Surface:
    """A material of an MTL file."""

    color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    opacity: float = 1.0
    image: str | None = None


def _read_obj(files: zipfile.ZipFile, path: str) -> ModelMesh:
    folder = posixpath.dirname(path)
    positions, uvs = [], [(0.0, 0.0)]
    corners, corner_uvs, used = [], [], []
    surfaces: dict[str, _Surface] = {}
    current = ''
    for line in files.read(path).decode('latin-1').splitlines():
        word, _, rest = line.partition(' ')
        if word == 'v':
            positions.append(tuple(map(float, rest.split()[:3])))
        elif word == 'vt':
            uvs.append(tuple(map(float, rest.split()[:2])))
        elif word == 'usemtl':
            current = rest.strip()
        elif word == 'mtllib':
            surfaces |= _read_mtl(files, posixpath.join(folder, rest.strip()))
        elif word == 'f':
            indices = [_corner(token, len(positions), len(uvs) - 1) for token in rest.split()]
            for second, third in zip(indices[1:], indices[2:]):
                triangle = (indices[0], second, third)
                corners.append([position for position, _ in triangle])
                corner_uvs.append([uv for _, uv in triangle])
                used.append(current)
    names = list(dict.fromkeys(used))
    surface = np.array([names.index(name) for name in used])
    drawn = [surfaces.get(name, _Surface()) for name in names]
    return _mesh(files, folder, np.array(positions)[corners], np.array(uvs)[corner_uvs], surface,
                 drawn)


def _corner(token: str, positions: int, uvs: int) -> tuple[int, int]:
    """Indices of ``v/vt/vn``; uv 0 is the added (0, 0). Negative ones count from the end."""
    position, _, rest = token.partition('/')
    uv = rest.partition('/')[0]
    first = int(position)
    second = int(uv) if uv else 0
    return (first - 1 if first > 0 else positions + first,
            second if second >= 0 else uvs + second + 1)


def _read_mtl(files: zipfile.ZipFile, path: str) -> dict[str, _Surface]:
    surfaces: dict[str, _Surface] = {}
    name = ''
    if path not in files.namelist():
        return surfaces
    for line in files.read(path).decode('latin-1').splitlines():
        word, _, rest = line.strip().partition(' ')
        if word == 'newmtl':
            name = rest.strip()
            surfaces[name] = _Surface()
        elif word == 'Kd':
            color = tuple(float(value) for value in rest.split()[:3])
            surfaces[name] = dataclasses.replace(surfaces[name], color=color)
        elif word == 'd':
            surfaces[name] = dataclasses.replace(surfaces[name], opacity=float(rest.split()[-1]))
        elif word == 'map_Kd':
            surfaces[name] = dataclasses.replace(surfaces[name], image=rest.strip())
    return surfaces


def _mesh(files: zipfile.ZipFile, folder: str, corners: np.ndarray, uv: np.ndarray,
          surface: np.ndarray, drawn: list[_Surface]) -> ModelMesh:
    textures, texture_of, colors = [], [], []
    for one in drawn:
        image = _read_image(files, folder, one.image)
        texture_of.append(len(textures) if image is not None else -1)
        textures.extend([] if image is None else [image])
        colors.append((1.0, 1.0, 1.0) if image is not None else one.color)
    opaque = np.array([one.opacity for one in drawn])[surface] >= _MIN_OPACITY
    surface = surface[opaque]
    # OBJ has y up and the front towards +z; ours has z up and the front towards -y.
    turned = np.stack([corners[..., 0], -corners[..., 2], corners[..., 1]], axis=-1)
    return ModelMesh(turned[opaque].astype(np.float32), uv[opaque].astype(np.float32),
                     np.array(colors, np.float32)[surface], np.array(texture_of)[surface],
                     tuple(textures))


def _read_image(files: zipfile.ZipFile, folder: str, name: str | None) -> np.ndarray | None:
    path = posixpath.join(folder, name) if name else None
    if path is None or path not in files.namelist():
        return None
    image = cv2.imdecode(np.frombuffer(files.read(path), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    size = (TEXTURE_PIXELS, TEXTURE_PIXELS)
    return cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA),
                        cv2.COLOR_BGR2RGB)[::-1].copy()


def _scaled(mesh: ModelMesh, size_m: tuple[float, float, float]) -> ModelMesh:
    """Stretch to ``size_m``, centred in x and y, standing on z = 0."""
    points = mesh.corners.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = np.array(size_m, np.float32) / np.maximum(high - low, 1e-6)
    origin = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]], np.float32)
    return dataclasses.replace(mesh, corners=(mesh.corners - origin) * scale)


def _thinned(mesh: ModelMesh) -> ModelMesh:
    """Merge vertices that share a cell of a growing raster until few triangles are left."""
    cell_m, thin = _FIRST_CELL_M, mesh
    while len(thin.corners) > MAX_TRIANGLES:
        thin = _clustered(mesh, cell_m)
        cell_m *= 1.25
    return thin


def _clustered(mesh: ModelMesh, cell_m: float) -> ModelMesh:
    points = mesh.corners.reshape(-1, 3)
    cells = np.round(points / cell_m).astype(np.int64)
    _, cluster = np.unique(_packed(cells), return_inverse=True)
    mean = np.stack([np.bincount(cluster, points[:, axis]) for axis in range(3)], axis=1)
    mean /= np.bincount(cluster)[:, None]
    triangle = cluster.reshape(-1, 3)
    _, first = np.unique(_packed(np.sort(triangle, axis=1)), return_index=True)
    first = np.sort(first)
    a, b, c = triangle[first].T
    keep = first[(a != b) & (b != c) & (a != c)]
    return dataclasses.replace(
        mesh, corners=mean[triangle[keep]].astype(np.float32), uv=mesh.uv[keep],
        color=mesh.color[keep], texture=mesh.texture[keep])


def _packed(rows: np.ndarray) -> np.ndarray:
    """One integer a row of (n, 3) small integers: sorting those is fast."""
    return ((rows[:, 0] << 42) + (rows[:, 1] << 21)) + rows[:, 2]
