# SPDX-License-Identifier: Apache-2.0
"""The panels of the dashboard that show one decision: sight, hearing and choice."""

from __future__ import annotations

import math

import cv2
import numpy as np

from asgf_nav_ros.benchmark.dashboard_canvas import ACTION
from asgf_nav_ros.benchmark.dashboard_canvas import Canvas
from asgf_nav_ros.benchmark.dashboard_canvas import Color
from asgf_nav_ros.benchmark.dashboard_canvas import FAINT
from asgf_nav_ros.benchmark.dashboard_canvas import OUTLINE
from asgf_nav_ros.benchmark.dashboard_canvas import SIGHT
from asgf_nav_ros.benchmark.dashboard_canvas import SOUND
from asgf_nav_ros.benchmark.dashboard_canvas import TEXT
from asgf_nav_ros.benchmark.recording import RecordedDecision
from asgf_nav_ros.contract import Action

ACTION_LABELS = {
    Action.STOP: 'stop', Action.MOVE_FORWARD: 'forward', Action.TURN_LEFT: 'turn left',
    Action.TURN_RIGHT: 'turn right'}
ACTION_ORDER = (Action.TURN_LEFT, Action.MOVE_FORWARD, Action.TURN_RIGHT, Action.STOP)
QUIETEST_DB, LOUDEST_DB = -60.0, -12.0
DEPTH_SCALE_M = 2.5  # brightness falls to 1/e over so much: rooms, not halls


def draw_sight(canvas: Canvas, decision: RecordedDecision, *, x: int, y: int,
               size: int) -> None:
    """Draw the color image and, to its right, depth as brightness: near is bright."""
    canvas.image(x, y, _enlarged(decision.rgb, size, size))
    canvas.image(x + size + 8, y, depth_image(decision.depth, size))


def depth_image(depth: np.ndarray, size: int) -> np.ndarray:
    """Return depth, (H, W) metres, as a (size, size, 3) picture; invalid pixels are dark."""
    nearness = np.exp(-depth / DEPTH_SCALE_M) * (depth > 0)
    colored = cv2.applyColorMap(np.uint8(255 * nearness), cv2.COLORMAP_MAGMA)
    return _enlarged(cv2.cvtColor(colored, cv2.COLOR_BGR2RGB), size, size)


def draw_hearing(canvas: Canvas, decision: RecordedDecision, *, x: int, y: int, width: int,
                 height: int, loudest: float) -> None:
    """Draw frame weights above one spectrogram an ear, all on the same second of time.

    ``loudest`` is the log magnitude that is drawn brightest.
    """
    weights_height, gap = height // 5, 6
    draw_frame_weights(canvas, decision.frame_weights, x=x, y=y, width=width,
                       height=weights_height)
    ear_height = (height - weights_height - 2 * gap) // 2
    for ear, label in enumerate(('left ear', 'right ear')):
        top = y + weights_height + gap + ear * (ear_height + gap)
        canvas.image(x, top, spectrogram_image(
            decision.spectrogram[:, :, ear], width, ear_height, loudest))
        canvas.text(x + 8, top + 18, label, size=13, bold=True)


def draw_frame_weights(canvas: Canvas, weights: np.ndarray, *, x: int, y: int, width: int,
                       height: int) -> None:
    """Draw one bar a frame; the tallest fills the height."""
    edges = x + np.linspace(0, width, len(weights) + 1)
    tallest = max(float(np.max(weights)), 1e-9)
    canvas.bar(x, y + height - 1, width, 1, color=OUTLINE)
    for left, right, weight in zip(edges[:-1], edges[1:], weights):
        bar_height = height * float(weight) / tallest
        canvas.bar(left + 1, y + height - bar_height, right - left - 2, bar_height, color=SOUND)


def spectrogram_image(log_magnitude: np.ndarray, width: int, height: int,
                      loudest: float) -> np.ndarray:
    """Return one ear's (bins, frames) as a picture, low frequencies at the bottom."""
    level = np.clip(log_magnitude[::-1] / max(loudest, 1e-9), 0, 1)
    colored = cv2.applyColorMap(np.uint8(255 * level), cv2.COLORMAP_INFERNO)
    return _enlarged(cv2.cvtColor(colored, cv2.COLOR_BGR2RGB), width, height)


def draw_ear_levels(canvas: Canvas, levels_db: np.ndarray, *, x: int, y: int, width: int,
                    height: int) -> None:
    """Draw two upright level meters, left ear and right ear."""
    share = np.clip((levels_db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB), 0, 1)
    bar_width = (width - 8) / 2
    for ear, label in enumerate('LR'):
        left = x + ear * (bar_width + 8)
        canvas.bar(left, y, bar_width, height - 20, color=OUTLINE)
        filled = (height - 20) * float(share[ear])
        canvas.bar(left, y + height - 20 - filled, bar_width, filled, color=SOUND)
        canvas.text(left + bar_width / 2, y + height - 2, label, size=13, color=FAINT,
                    anchor='center')


def draw_choice(canvas: Canvas, decision: RecordedDecision, *, x: int, y: int,
                width: int) -> None:
    """Draw a bar of probability for every action; the chosen one stands out."""
    for row, action in enumerate(ACTION_ORDER):
        probability = float(decision.probabilities[action])
        chosen = action == decision.action
        baseline = y + 26 * row + 15
        text_color, color = (TEXT, ACTION) if chosen else (FAINT, FAINT)
        draw_action_sign(canvas, action, x=x + 9, y=baseline - 5, color=color)
        canvas.text(x + 28, baseline, ACTION_LABELS[action], size=14, color=text_color,
                    bold=chosen)
        draw_meter(canvas, probability, x=x + 122, y=baseline - 12, width=width - 172,
                   color=color)
        canvas.text(x + width, baseline, f'{100 * probability:.0f} %', size=14,
                    color=text_color, bold=chosen, anchor='right')


def draw_fusion(canvas: Canvas, decision: RecordedDecision, *, x: int, y: int,
                width: int) -> None:
    """Draw how attention splits between sight and sound, and how far the gate is open."""
    sight, sound = decision.attention / max(float(np.sum(decision.attention)), 1e-9)
    canvas.text(x, y + 15, f'looks {100 * sight:.0f} %', size=14, color=SIGHT)
    canvas.text(x + width, y + 15, f'listens {100 * sound:.0f} %', size=14, color=SOUND,
                anchor='right')
    canvas.bar(x, y + 24, width, 14, color=SOUND)
    canvas.bar(x, y + 24, width * sight, 14, color=SIGHT)
    canvas.text(x, y + 67, 'gate', size=14)
    canvas.text(x + width, y + 67, f'{100 * decision.gate:.0f} % of both', size=14, anchor='right')
    draw_meter(canvas, decision.gate, x=x, y=y + 76, width=width, color=TEXT)
    canvas.text(x, y + 112, 'shut: sound alone', size=12, color=FAINT)
    canvas.text(x + width, y + 112, 'open: fused with sight', size=12, color=FAINT, anchor='right')


def draw_meter(canvas: Canvas, share: float, *, x: float, y: float, width: float,
               color: Color, height: int = 14) -> None:
    """Draw a horizontal bar that ``share``, 0-1, fills."""
    canvas.bar(x, y, width, height, color=OUTLINE)
    canvas.bar(x, y, width * min(max(share, 0.0), 1.0), height, color=color)


def draw_action_sign(canvas: Canvas, action: Action, *, x: float, y: float, color: Color) -> None:
    """Draw an action's sign, about 18 pixels wide, centred at (x, y)."""
    if action == Action.STOP:
        canvas.bar(x - 6, y - 6, 12, 12, color=color)
        return
    if action == Action.MOVE_FORWARD:
        canvas.arrow((x, y + 8), (x, y - 9), color=color, width=4)
        return
    side = -1 if action == Action.TURN_LEFT else 1
    angles = np.linspace(0, math.pi / 2, 8)
    bend = np.stack([side * 7 * (1 - np.cos(angles)), 8 - 10 * np.sin(angles)], axis=1)
    canvas.line(np.array([x - side * 4, y]) + bend, color=color, width=4)
    tip = np.array([[side * 10, -2], [side * 2, -8], [side * 2, 4]])
    canvas.polygon(np.array([x, y]) + tip, color=color)


def direction_in_words(azimuth_rad: float) -> str:
    """Return an egocentric direction as people say it, e.g. '62° to the left'."""
    degrees = math.degrees(math.remainder(azimuth_rad, math.tau))
    if abs(degrees) < 15:
        return 'straight ahead'
    if abs(degrees) > 165:
        return 'behind'
    return f'{abs(degrees):.0f}° to the {"left" if degrees > 0 else "right"}'


def _enlarged(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)

