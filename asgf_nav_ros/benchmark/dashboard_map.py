# SPDX-License-Identifier: Apache-2.0
"""The top-down map of the dashboard: house, path, robot, what it believes, and the truth."""

from __future__ import annotations

import math

import numpy as np

from asgf_nav_ros.benchmark.dashboard_canvas import ACTION
from asgf_nav_ros.benchmark.dashboard_canvas import BACKGROUND
from asgf_nav_ros.benchmark.dashboard_canvas import Canvas
from asgf_nav_ros.benchmark.dashboard_canvas import Color
from asgf_nav_ros.benchmark.dashboard_canvas import FAINT
from asgf_nav_ros.benchmark.dashboard_canvas import SIGHT
from asgf_nav_ros.benchmark.dashboard_canvas import SOUND
from asgf_nav_ros.benchmark.dashboard_canvas import text_width
from asgf_nav_ros.benchmark.recording import EpisodeRecording
from asgf_nav_ros.benchmark.recording import RecordedDecision
from sim_bridge.house.plan import House

MARGIN_M = 0.35
LEGEND_HEIGHT = 26
ROOM: Color = (38, 47, 59)
ROOM_NAME: Color = (134, 144, 156)
FURNITURE: Color = (58, 70, 86)
FURNITURE_EDGE: Color = (78, 92, 111)
WALL: Color = (203, 212, 222)
ROBOT_RADIUS_M = 0.22  # drawn larger than life, to be seen
NOSE = np.array([[0.85, 0.0], [-0.45, 0.6], [-0.15, 0.0], [-0.45, -0.6]])  # of its radius
BELIEF_LENGTHS_M = (0.6, 2.5)
HALF_VIEW_RAD, FAN_M = math.pi / 4, 1.1
RING_PERIOD_S = 1.2


class MapPanel:
    """Draws one episode's map into a fixed rectangle of a canvas.

    The still part, house and source, is drawn once by ``draw_background``.
    """

    def __init__(self, recording: EpisodeRecording, *, x: int, y: int, width: int,
                 height: int) -> None:
        self._recording = recording
        self._rectangle = (x, y, width, height)
        self._view = PlanView(recording.house, x=x, y=y, width=width,
                              height=height - LEGEND_HEIGHT)

    def draw_background(self, canvas: Canvas) -> None:
        """Draw rooms, furniture, walls, the start and the legend."""
        draw_house(canvas, self._recording.house, self._view)
        start = self._view.pixels(self._recording.poses[:1, 1:3])[0]
        canvas.disc(*start, 5, color=FAINT, width=2)
        self._draw_legend(canvas)

    def draw(self, canvas: Canvas, time_s: float) -> None:
        """Draw everything that moves, as it is at ``time_s``."""
        recording, view = self._recording, self._view
        self._draw_source(canvas, time_s)
        canvas.line(view.pixels(recording.path(time_s)), color=ACTION, width=3)
        decision = recording.decision(time_s)
        x, y, yaw_rad = recording.pose(time_s)
        self._draw_view(canvas, np.array([x, y]), yaw_rad)
        if decision is not None:
            self._draw_belief(canvas, decision)
        self._draw_robot(canvas, np.array([x, y]), yaw_rad)

    def _draw_source(self, canvas: Canvas, time_s: float) -> None:
        x, y = self._view.pixels(self._recording.source_xy[None])[0]
        for ring in range(3):
            phase = (time_s / RING_PERIOD_S + ring / 3) % 1.0
            color = _mix(SOUND, ROOM, 1 - phase)
            canvas.disc(x, y, 7 + 22 * phase, color=color, width=2)
        canvas.disc(x, y, 8, color=BACKGROUND)
        canvas.disc(x, y, 6, color=SOUND)

    def _draw_belief(self, canvas: Canvas, decision: RecordedDecision) -> None:
        """Draw the believed direction of the sound where the robot stood when it listened."""
        x, y, yaw_rad = self._recording.pose(decision.window_end_s)
        world_rad = yaw_rad + decision.sound_azimuth_rad
        length_m = float(np.clip(decision.sound_path_m, *BELIEF_LENGTHS_M))
        direction = np.array([math.cos(world_rad), math.sin(world_rad)])
        ends = np.array([x, y]) + np.outer([ROBOT_RADIUS_M, ROBOT_RADIUS_M + length_m], direction)
        start, end = self._view.pixels(ends)
        canvas.arrow(start, end, color=SOUND, width=7)

    def _draw_view(self, canvas: Canvas, xy: np.ndarray, yaw_rad: float) -> None:
        """Draw where the camera looks; it sees farther than the fan reaches."""
        rays = yaw_rad + np.linspace(-HALF_VIEW_RAD, HALF_VIEW_RAD, 13)
        fan = np.vstack([xy, xy + FAN_M * np.stack([np.cos(rays), np.sin(rays)], axis=1)])
        canvas.polygon(self._view.pixels(fan), color=SIGHT, opacity=0.18)

    def _draw_robot(self, canvas: Canvas, xy: np.ndarray, yaw_rad: float) -> None:
        view = self._view
        radius = max(ROBOT_RADIUS_M * view.pixels_per_m, 8.0)
        center = view.pixels(xy[None])[0]
        canvas.disc(*center, radius + 2, color=BACKGROUND)
        canvas.disc(*center, radius, color=ACTION)
        cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
        nose = NOSE @ np.array([[cos, sin], [-sin, cos]]) * radius / view.pixels_per_m
        canvas.polygon(view.pixels(xy + nose), color=BACKGROUND)

    def _draw_legend(self, canvas: Canvas) -> None:
        x, y, _, height = self._rectangle
        x, y = x + 4, y + height - 8
        for color, label in ((ACTION, 'robot and its path'), (SOUND, 'sound source'),
                             (SIGHT, 'what the camera sees')):
            canvas.disc(x + 6, y - 5, 5, color=color)
            x += 18 + canvas.text(x + 18, y, label, size=13, color=FAINT) + 22
        canvas.arrow((x, y - 5), (x + 30, y - 5), color=SOUND, width=5)
        canvas.text(x + 38, y, 'where the robot believes it is', size=13, color=FAINT)


class PlanView:
    """Maps plan coordinates, metres with y up, to pixels of a rectangle with y down.

    A house that is longer the other way than the rectangle is turned by 90 degrees.
    """

    def __init__(self, house: House, *, x: int, y: int, width: int, height: int) -> None:
        low, high = house.bounds()
        extent = high - low + 2 * MARGIN_M
        turned = (extent[0] < extent[1]) != (width < height)
        self._axes = np.array([[0, 1], [1, 0]]) if turned else np.array([[1, 0], [0, -1]])
        room = np.array([height, width] if turned else [width, height])
        self.pixels_per_m = float(min(room / extent))
        self._center_m = (low + high) / 2
        self._center = np.array([x + width / 2, y + height / 2])

    def pixels(self, xy: np.ndarray) -> np.ndarray:
        """Return where plan points, (n, 2), are drawn."""
        return self._center + (np.asarray(xy, float) - self._center_m) @ (
            self.pixels_per_m * self._axes)


def draw_house(canvas: Canvas, house: House, view: PlanView) -> None:
    """Draw a house's rooms, furniture and walls; doors stay open."""
    for room in house.rooms:
        canvas.polygon(view.pixels(room.polygon), color=ROOM)
    for piece in house.furniture:
        corners = view.pixels(piece.footprint)
        canvas.polygon(corners, color=FURNITURE)
        canvas.line(corners, color=FURNITURE_EDGE, width=1, closed=True)
    for wall in house.walls():
        if wall.bottom_m == 0:
            canvas.line(view.pixels(np.array([wall.start, wall.end])), color=WALL, width=3)
    for room in house.rooms:
        name, corners = room.name.replace('_', ' '), view.pixels(room.polygon)
        if text_width(name, size=12) + 12 < np.ptp(corners[:, 0]):
            canvas.text(*corners.mean(axis=0), name, size=12, color=ROOM_NAME, anchor='center')


def _mix(color: Color, other: Color, share: float) -> Color:
    """Return ``share`` of ``color`` mixed with ``other``."""
    return tuple(round(share * a + (1 - share) * b) for a, b in zip(color, other))
