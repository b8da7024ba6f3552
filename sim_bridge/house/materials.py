# SPDX-License-Identifier: Apache-2.0
"""Surface materials: how they sound (six octave bands) and how they look."""

from __future__ import annotations

import dataclasses

BAND_CENTERS_HZ = (125, 250, 500, 1000, 2000, 4000)


@dataclasses.dataclass(frozen=True)
class Material:
    """One surface finish.

    absorption : (6,) energy absorption coefficient in [0, 1] at ``BAND_CENTERS_HZ``; of rooms'
        surfaces as they are in a furnished house.
    scattering : share of the reflected energy that leaves diffusely, in [0, 1].
    color_rgb : (3,) albedo, 0-255.
    texture : pattern that the renderer paints, one of ``TEXTURES``.
    """

    name: str
    absorption: tuple[float, ...]
    scattering: float
    color_rgb: tuple[int, int, int]
    texture: str

    def __post_init__(self) -> None:
        if len(self.absorption) != len(BAND_CENTERS_HZ):
            raise ValueError(f'absorption must have {len(BAND_CENTERS_HZ)} bands, '
                             f'got {len(self.absorption)}')
        if not all(0.0 <= value <= 1.0 for value in (*self.absorption, self.scattering)):
            raise ValueError(f'absorption and scattering must be in [0, 1], got '
                             f'{self.absorption} and {self.scattering}')
        if self.texture not in TEXTURES:
            raise ValueError(f'texture must be one of {TEXTURES}, got {self.texture!r}')


TEXTURES = ('plain', 'speckle', 'brick', 'planks', 'panels', 'tiles', 'carpet', 'folds', 'grid')

# Curtains, pictures, clothes and odds and ends that no floor plan lists. With this much of them
# the median house reverberates for 0.4 s at 1 kHz, as living rooms do (M. A. Burgess and W. A.
# Utley, "Reverberation times in British living rooms", Applied Acoustics 18, 1985); without, for
# 0.75 s.
FURNISHING_ABSORPTION = 0.08
_OF_FURNITURE = ('wood', 'painted_wood', 'upholstery', 'bedding', 'books', 'ceramic', 'metal',
                 'foliage')

# Absorption: the tables of M. Vorlaender, "Auralization", Springer 2008, appendix (plaster,
# masonry, wood, floor coverings, curtains, ceilings). Scattering: the smooth / structured /
# furniture classes of ISO 17497-1 practice, 0.05-0.6. Colours are ours.
_PLASTER = (0.02, 0.02, 0.03, 0.03, 0.04, 0.05)
_PLASTERBOARD = (0.15, 0.10, 0.06, 0.04, 0.04, 0.05)
_BRICK = (0.03, 0.03, 0.03, 0.04, 0.05, 0.07)
_WOODEN_LINING = (0.27, 0.23, 0.22, 0.15, 0.10, 0.07)
_WOOD = (0.18, 0.12, 0.10, 0.09, 0.08, 0.07)
_PARQUET = (0.04, 0.04, 0.07, 0.06, 0.06, 0.07)
_TILES = (0.01, 0.01, 0.01, 0.02, 0.02, 0.02)
_CARPET = (0.02, 0.04, 0.08, 0.20, 0.35, 0.40)
_THICK_CARPET = (0.08, 0.24, 0.57, 0.69, 0.71, 0.73)
_CURTAIN = (0.30, 0.45, 0.65, 0.56, 0.59, 0.71)
_UPHOLSTERY = (0.44, 0.56, 0.67, 0.74, 0.83, 0.87)

_ALL = (
    Material('plaster_white', _PLASTER, 0.05, (226, 222, 212), 'speckle'),
    Material('plaster_yellow', _PLASTER, 0.05, (226, 196, 118), 'speckle'),
    Material('plaster_green', _PLASTER, 0.05, (142, 178, 130), 'speckle'),
    Material('plaster_blue', _PLASTER, 0.05, (122, 158, 196), 'speckle'),
    Material('plaster_terracotta', _PLASTER, 0.05, (200, 118, 88), 'speckle'),
    Material('plasterboard', _PLASTERBOARD, 0.05, (206, 200, 214), 'plain'),
    Material('brick', _BRICK, 0.20, (164, 84, 66), 'brick'),
    Material('concrete', (0.02, 0.03, 0.03, 0.03, 0.04, 0.07), 0.10, (150, 150, 148), 'speckle'),
    Material('wood_panel', _WOODEN_LINING, 0.15, (152, 108, 66), 'panels'),
    Material('curtain', _CURTAIN, 0.40, (132, 62, 84), 'folds'),
    Material('tiled_wall', _TILES, 0.05, (196, 220, 222), 'tiles'),
    Material('parquet', _PARQUET, 0.10, (168, 120, 72), 'planks'),
    Material('wood_floor', _WOOD, 0.10, (120, 84, 56), 'planks'),
    Material('tile_floor', _TILES, 0.05, (178, 172, 162), 'tiles'),
    Material('linoleum', (0.02, 0.03, 0.03, 0.03, 0.03, 0.02), 0.05, (104, 124, 112), 'speckle'),
    Material('carpet', _CARPET, 0.20, (112, 96, 132), 'carpet'),
    Material('thick_carpet', _THICK_CARPET, 0.30, (140, 58, 56), 'carpet'),
    Material('ceiling_plaster', _PLASTERBOARD, 0.05, (238, 238, 234), 'plain'),
    Material('ceiling_wood', _WOOD, 0.15, (178, 142, 98), 'panels'),
    Material('ceiling_acoustic', (0.49, 0.53, 0.53, 0.75, 0.92, 0.99), 0.15,
             (214, 216, 216), 'grid'),
    Material('door_wood', (0.14, 0.10, 0.06, 0.08, 0.10, 0.10), 0.10, (98, 66, 42), 'plain'),
    Material('wood', _WOOD, 0.30, (150, 106, 64), 'planks'),
    Material('painted_wood', _WOOD, 0.30, (216, 214, 206), 'plain'),
    Material('upholstery', _UPHOLSTERY, 0.50, (92, 110, 150), 'carpet'),
    Material('bedding', _THICK_CARPET, 0.50, (208, 200, 224), 'carpet'),
    Material('books', (0.10, 0.20, 0.35, 0.40, 0.40, 0.40), 0.60, (146, 96, 70), 'panels'),
    Material('ceramic', _TILES, 0.20, (240, 240, 240), 'plain'),
    Material('metal', (0.04, 0.04, 0.04, 0.04, 0.05, 0.05), 0.20, (188, 192, 198), 'plain'),
    Material('foliage', (0.03, 0.06, 0.11, 0.17, 0.27, 0.31), 0.60, (62, 122, 58), 'speckle'),
)


def _furnished(material: Material) -> Material:
    """A room's surface with the absorption of what hangs on it and stands before it."""
    absorption = tuple(min(value + FURNISHING_ABSORPTION, 1.0) for value in material.absorption)
    return dataclasses.replace(material, absorption=absorption)


MATERIALS: dict[str, Material] = {
    material.name: material if material.name in _OF_FURNITURE else _furnished(material)
    for material in _ALL}
