# SPDX-License-Identifier: Apache-2.0
"""The dashboard: one picture that shows what the robot hears and sees, and why it turns."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.benchmark.dashboard_canvas import ACTION
from asgf_nav_ros.benchmark.dashboard_canvas import ALARM
from asgf_nav_ros.benchmark.dashboard_canvas import BACKGROUND
from asgf_nav_ros.benchmark.dashboard_canvas import Canvas
from asgf_nav_ros.benchmark.dashboard_canvas import Color
from asgf_nav_ros.benchmark.dashboard_canvas import FAINT
from asgf_nav_ros.benchmark.dashboard_canvas import SIGHT
from asgf_nav_ros.benchmark.dashboard_canvas import SOUND
from asgf_nav_ros.benchmark.dashboard_canvas import TEXT
from asgf_nav_ros.benchmark.dashboard_canvas import text_width
from asgf_nav_ros.benchmark.dashboard_map import MapPanel
from asgf_nav_ros.benchmark.dashboard_panels import ACTION_LABELS
from asgf_nav_ros.benchmark.dashboard_panels import direction_in_words
from asgf_nav_ros.benchmark.dashboard_panels import draw_choice
from asgf_nav_ros.benchmark.dashboard_panels import draw_ear_levels
from asgf_nav_ros.benchmark.dashboard_panels import draw_fusion
from asgf_nav_ros.benchmark.dashboard_panels import draw_hearing
from asgf_nav_ros.benchmark.dashboard_panels import draw_sight
from asgf_nav_ros.benchmark.recording import EpisodeRecording
from asgf_nav_ros.benchmark.recording import RecordedDecision

WIDTH, HEIGHT = 1280, 720
MARGIN = 16
LEFT_WIDTH = 472
RIGHT_X = MARGIN + LEFT_WIDTH + 12
RIGHT_WIDTH = WIDTH - RIGHT_X - MARGIN
TOP = 72
SIGHT_HEIGHT = 272
CHOICE_HEIGHT = 156
HEARING_Y = TOP + SIGHT_HEIGHT + 12
HEARING_HEIGHT = HEIGHT - HEARING_Y - MARGIN
CHOICE_Y = HEIGHT - MARGIN - CHOICE_HEIGHT
MAP_HEIGHT = CHOICE_Y - 12 - TOP
SECONDS_SHOWN_DECIDING = 0.5
STATES: dict[str, tuple[str, Color]] = {
    'idle': ('LISTENING', SOUND), 'deciding': ('DECIDING', TEXT), 'moving': ('MOVING', ACTION),
    'blocked': ('BLOCKED', ALARM), 'failed': ('FAILED', ALARM), 'disabled': ('DISABLED', ALARM),
    'arrived': ('ARRIVED', ACTION), 'stopped': ('STOPPED', ALARM)}


class Dashboard:
    """Draws any moment of one recorded episode."""

    def __init__(self, recording: EpisodeRecording) -> None:
        self._recording = recording
        self._loudest = _loudest(recording)
        self._map = MapPanel(recording, x=RIGHT_X + 14, y=TOP + 12, width=RIGHT_WIDTH - 28,
                             height=MAP_HEIGHT - 20)
        self._background = self._draw_background()
        self._drawn: tuple[RecordedDecision | None, Canvas] = (None, self._background)

    def frame(self, time_s: float) -> np.ndarray:
        """Return the picture of ``time_s``, (720, 1280, 3) uint8."""
        decision = self._recording.decision(time_s)
        canvas = self._with_decision(decision).copy()
        self._draw_header(canvas, decision, time_s)
        self._map.draw(canvas, time_s)
        levels_db = self._recording.ear_levels_db(time_s)
        draw_ear_levels(canvas, levels_db, x=MARGIN + LEFT_WIDTH - 60, y=HEARING_Y + 40, width=46,
                        height=HEARING_HEIGHT - 54)
        return canvas.pixels

    def _with_decision(self, decision: RecordedDecision | None) -> Canvas:
        """Return the background with ``decision`` drawn in; it is kept until the next one."""
        if decision is not self._drawn[0]:
            canvas = self._background.copy()
            if decision is not None:
                self._draw_decision(canvas, decision)
            self._drawn = (decision, canvas)
        return self._drawn[1]

    def _draw_background(self) -> Canvas:
        """Draw whatever does not change during the episode."""
        canvas = Canvas(WIDTH, HEIGHT, color=BACKGROUND)
        canvas.panel(MARGIN, TOP, LEFT_WIDTH, SIGHT_HEIGHT)
        canvas.panel(MARGIN, HEARING_Y, LEFT_WIDTH, HEARING_HEIGHT)
        canvas.panel(RIGHT_X, TOP, RIGHT_WIDTH, MAP_HEIGHT)
        canvas.panel(RIGHT_X, CHOICE_Y, RIGHT_WIDTH, CHOICE_HEIGHT)
        canvas.text(MARGIN + 14, TOP + 27, 'WHAT IT SEES', size=14, bold=True, color=SIGHT)
        canvas.text(MARGIN + LEFT_WIDTH - 14, TOP + 27, 'color and depth', size=13, color=FAINT,
                    anchor='right')
        canvas.text(MARGIN + 14, HEARING_Y + 27, 'WHAT IT HEARS', size=14, bold=True, color=SOUND)
        canvas.text(MARGIN + LEFT_WIDTH - 14, HEARING_Y + 27,
                    'bars: which moments count', size=13, color=FAINT, anchor='right')
        canvas.text(RIGHT_X + 14, CHOICE_Y + 27, 'WHAT IT DOES', size=14, bold=True, color=ACTION)
        self._map.draw_background(canvas)
        return canvas

    def _draw_header(self, canvas: Canvas, decision: RecordedDecision | None,
                     time_s: float) -> None:
        label, color = STATES.get(self._state(time_s), (self._state(time_s).upper(), FAINT))
        width = text_width(label, size=16, bold=True) + 32
        canvas.panel(WIDTH - MARGIN - width, 20, width, 36, color=BACKGROUND, outline=color,
                     radius=18)
        canvas.text(WIDTH - MARGIN - width / 2, 44, label, size=16, bold=True, color=color,
                    anchor='center')
        elapsed_s = time_s - self._recording.start_s
        canvas.text(WIDTH - MARGIN - width - 16, 44, f'{self._recording.name}   {elapsed_s:.0f} s',
                    size=14, color=FAINT, anchor='right')
        self._draw_sentence(canvas, decision)

    def _draw_sentence(self, canvas: Canvas, decision: RecordedDecision | None) -> None:
        """Say in one sentence what it hears and does."""
        x, y, name = MARGIN + 2, 46, self._recording.sound_name
        if decision is None:
            canvas.text(x, y, f'Listens: {name}', size=23, bold=True)
            return
        x += canvas.text(x, y, f'Hears {name} ', size=23, bold=True)
        where = direction_in_words(decision.sound_azimuth_rad)
        x += canvas.text(x, y, f'{where}, {decision.sound_path_m:.0f} m', size=23, bold=True,
                         color=SOUND)
        canvas.arrow((x + 16, y - 8), (x + 44, y - 8), color=FAINT, width=4)
        canvas.text(x + 58, y, ACTION_LABELS[decision.action], size=23, bold=True, color=ACTION)

    def _draw_decision(self, canvas: Canvas, decision: RecordedDecision) -> None:
        size = (LEFT_WIDTH - 36) // 2
        draw_sight(canvas, decision, x=MARGIN + 14, y=TOP + 40, size=size)
        draw_hearing(canvas, decision, x=MARGIN + 14, y=HEARING_Y + 40, width=LEFT_WIDTH - 90,
                     height=HEARING_HEIGHT - 54, loudest=self._loudest)
        draw_choice(canvas, decision, x=RIGHT_X + 14, y=CHOICE_Y + 42, width=440)
        draw_fusion(canvas, decision, x=RIGHT_X + 500, y=CHOICE_Y + 14, width=RIGHT_WIDTH - 514)

    def _state(self, time_s: float) -> str:
        """Return the key of ``STATES`` for ``time_s``."""
        recording = self._recording
        if time_s >= recording.end_s and recording.succeeded is not None:
            return 'arrived' if recording.succeeded else 'stopped'
        decision = recording.decision(time_s)
        fresh = decision is not None and time_s - decision.window_end_s < SECONDS_SHOWN_DECIDING
        state = recording.motion_state(time_s)
        return 'deciding' if fresh and state in ('idle', 'moving') else state


def _loudest(recording: EpisodeRecording) -> float:
    """Return the log magnitude to draw brightest: nearly the loudest of the episode."""
    if not recording.decisions:
        return 1.0
    ears = np.stack([decision.spectrogram[:, :, :2] for decision in recording.decisions])
    return max(float(np.quantile(ears, 0.998)), 1e-3)
