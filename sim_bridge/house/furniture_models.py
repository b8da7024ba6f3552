# SPDX-License-Identifier: Apache-2.0
"""The table of furniture models: names, sizes and licences, the same on every machine."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib


@dataclasses.dataclass(frozen=True)
class FurnitureModel:
    """A 3-D model of Debian's ``sweethome3d-furniture``.

    size_m : (width, depth, height).
    path : the OBJ file inside the archive ``<library>.sh3f``.
    license : SPDX identifier; CC0 or CC-BY.
    """

    name: str
    category: str
    size_m: tuple[float, float, float]
    elevation_m: float
    material: str
    path: str
    license: str
    creator: str

    @property
    def library(self) -> str:
        """Archive that holds the mesh."""
        return self.name.split('/', 1)[0]


@functools.cache
def furniture_models() -> dict[str, FurnitureModel]:
    """Read the table that ships with the package: model name -> model."""
    text = pathlib.Path(__file__).with_name('furniture_models.json').read_text('utf-8')
    return {name: FurnitureModel(name, **{**fields, 'size_m': tuple(fields['size_m'])})
            for name, fields in json.loads(text)['models'].items()}


@functools.cache
def models_of(category: str) -> tuple[FurnitureModel, ...]:
    """Models of a category, e.g. ``'bed'``, in the order of the table.

    Raises:
        ValueError: the table has no such category.
    """
    found = tuple(model for model in furniture_models().values() if model.category == category)
    if not found:
        known = sorted({model.category for model in furniture_models().values()})
        raise ValueError(f'category must be one of {known}, got {category!r}')
    return found
