# SPDX-License-Identifier: Apache-2.0
"""One picture of what a running policy sees, hears and decides; OpenCV alone draws it."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import math
from typing import Any

import cv2
import numpy as np

from asgf_nav_ros.replay.pictures import depth_picture
from asgf_nav_ros.replay.pictures import spectrogram_picture

WIDTH, HEIGHT = 960, 540
# BGR, as OpenCV has it.
BACKGROUND, PANEL, LINE = (23, 17, 13), (37, 28, 22), (64, 51, 42)
TEXT, FAINT = (243, 237, 232), (177, 160, 147)
SOUND, SIGHT, ACTION, ALARM = (46, 176, 255), (255, 196, 86), (145, 226, 94), (107, 107, 255)
VIEW = 224  # pixels of an image
MAX_NUMBERS = 1000
LABELS = {'STOP': 'stop', 'MOVE_FORWARD': 'forward', 'TURN_LEFT': 'turn left',
          'TURN_RIGHT': 'turn right'}
STATES = {'idle': SOUND, 'moving': ACTION}  # others are alarming
_FONT = cv2.FONT_HERSHEY_DUPLEX


@dataclasses.dataclass
class LiveMoment:
    """What is known now; None and empty where nothing has come yet.

    color : (H, W, 3) uint8. depth : (H, W) float32 metres. spectrogram : (bins, frames,
    channels) float32. decision : the document of the ``decision`` topic.
    """

    color: np.ndarray | None = None
    depth: np.ndarray | None = None
    spectrogram: np.ndarray | None = None
    decision: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    motion_state: str = ''


def live_picture(moment: LiveMoment) -> np.ndarray:
    """Return (540, 960, 3) uint8, red first."""
    canvas = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.uint8)
    for x, y, width, height in ((12, 56, 484, 264), (12, 330, 484, 198),
                                (506, 56, 442, 264), (506, 330, 442, 198)):
        cv2.rectangle(canvas, (x, y), (x + width, y + height), PANEL, -1)
    _draw_header(canvas, moment)
    _draw_views(canvas, moment)
    _draw_hearing(canvas, moment)
    if moment.decision:
        _draw_direction(canvas, moment.decision)
        _draw_choice(canvas, moment.decision)
    return canvas[..., ::-1]


def direction_in_words(azimuth_rad: float) -> str:
    """Return an egocentric direction, e.g. '62 deg left'."""
    degrees = math.degrees(math.remainder(azimuth_rad, math.tau))
    if abs(degrees) < 15:
        return 'ahead'
    return 'behind' if abs(degrees) > 165 else (
        f'{abs(degrees):.0f} deg {"left" if degrees > 0 else "right"}')


def _draw_header(canvas: np.ndarray, moment: LiveMoment) -> None:
    decision, state = moment.decision, moment.motion_state or 'no motion_state'
    _write(canvas, (14, 36), _sentence(decision), 0.72, TEXT)
    width = cv2.getTextSize(state, _FONT, 0.6, 1)[0][0]
    _write(canvas, (WIDTH - 16 - width, 36), state, 0.6, STATES.get(state, ALARM))


def _sentence(decision: Mapping[str, Any]) -> str:
    if not decision:
        return 'no decision yet'
    where = direction_in_words(_number(decision, 'sound_azimuth_rad'))
    action = str(decision.get('action', ''))
    return (f'hears it {where}, {_number(decision, "sound_distance_m"):.0f} m'
            f'  ->  {LABELS.get(action, action)}')


def _draw_views(canvas: np.ndarray, moment: LiveMoment) -> None:
    _write(canvas, (24, 78), 'what it sees', 0.5, SIGHT)
    views = (None if moment.color is None else moment.color[..., ::-1],
             None if moment.depth is None else depth_picture(moment.depth))
    for number, view in enumerate(views):
        x = 24 + number * (VIEW + 12)
        if view is not None:
            canvas[88:88 + VIEW, x:x + VIEW] = cv2.resize(
                np.ascontiguousarray(view), (VIEW, VIEW), interpolation=cv2.INTER_AREA)


def _draw_hearing(canvas: np.ndarray, moment: LiveMoment) -> None:
    _write(canvas, (24, 352), 'what it hears: left, right, and which moments count', 0.5, SOUND)
    left, right, top, height = 24, 484, 392, 62
    weights = _numbers(moment.decision.get('frame_weights'))
    if weights.size:
        edges = np.linspace(left, right, weights.size + 1).astype(int)
        for start, stop, weight in zip(edges[:-1], edges[1:], weights / max(weights.max(), 1e-9)):
            cv2.rectangle(canvas, (start + 1, top - 4 - round(28 * float(np.clip(weight, 0, 1)))),
                          (stop - 2, top - 4), SOUND, -1)
    if moment.spectrogram is None:
        return
    ears = moment.spectrogram[:, :, :2]
    for ear in range(ears.shape[2]):
        picture = spectrogram_picture(ears[:, :, ear], float(ears.max()))
        y = top + ear * (height + 6)
        canvas[y:y + height, left:right] = cv2.resize(
            picture, (right - left, height), interpolation=cv2.INTER_LINEAR)


def _draw_direction(canvas: np.ndarray, decision: Mapping[str, Any]) -> None:
    """Draw the believed direction around the robot, which looks up."""
    _write(canvas, (518, 78), 'where it believes the sound', 0.5, SOUND)
    center, radius = (727, 200), 100
    cv2.circle(canvas, center, radius, LINE, 2, cv2.LINE_AA)
    nose = np.array([[0, -16], [11, 12], [0, 6], [-11, 12]]) + center
    cv2.fillPoly(canvas, [nose.astype(np.int32)], ACTION, cv2.LINE_AA)
    azimuth_rad = _number(decision, 'sound_azimuth_rad')
    toward = np.array([-math.sin(azimuth_rad), -math.cos(azimuth_rad)])
    start, tip = (np.array(center) + reach * toward for reach in (26, radius))
    cv2.arrowedLine(canvas, _pixel(start), _pixel(tip), SOUND, 4, cv2.LINE_AA, tipLength=0.25)


def _draw_choice(canvas: np.ndarray, decision: Mapping[str, Any]) -> None:
    _write(canvas, (518, 352), 'what it does', 0.5, ACTION)
    probabilities = decision.get('probabilities')
    shares = dict(probabilities) if isinstance(probabilities, Mapping) else {}
    for row, (name, share) in enumerate(list(shares.items())[:4]):
        chosen = name == decision.get('action')
        _draw_bar(canvas, 366 + 26 * row, LABELS.get(name, name[:12]), share,
                  ACTION if chosen else FAINT)
    attention = _numbers(decision.get('attention'))
    _draw_bar(canvas, 366 + 26 * 4 + 2, 'listens',
              float(attention[-1]) if attention.size else None, SOUND)
    _draw_bar(canvas, 366 + 26 * 5 + 2, 'gate', decision.get('gate'), TEXT)


def _draw_bar(canvas: np.ndarray, y: int, label: str, share: Any, color: tuple) -> None:
    known = isinstance(share, (int, float)) and math.isfinite(share)
    width = round(250 * min(max(share, 0.0), 1.0)) if known else 0
    _write(canvas, (518, y + 15), label, 0.5, color)
    cv2.rectangle(canvas, (620, y + 3), (870, y + 18), LINE, -1)
    if width:
        cv2.rectangle(canvas, (620, y + 3), (620 + width, y + 18), color, -1)
    _write(canvas, (884, y + 15), f'{100 * share:.0f} %' if known else '-', 0.5, color)


def _number(decision: Mapping[str, Any], name: str) -> float:
    value = decision.get(name)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0


def _numbers(values: Any) -> np.ndarray:
    """Return a list of finite numbers as an array, anything else as an empty one."""
    usable = isinstance(values, list) and len(values) <= MAX_NUMBERS and all(
        isinstance(value, (int, float)) and math.isfinite(value) for value in values)
    return np.array(values if usable else [], float)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return int(round(point[0])), int(round(point[1]))


def _write(canvas: np.ndarray, place: tuple[int, int], text: str, scale: float,
           color: tuple) -> None:
    cv2.putText(canvas, text, place, _FONT, scale, color, 1, cv2.LINE_AA)
