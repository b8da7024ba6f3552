# SPDX-License-Identifier: Apache-2.0
"""One episode as it was recorded: what the figures and the dashboard are drawn from."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from asgf_nav_ros.contract import Action
from sim_bridge.house.plan import House


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RecordedDecision:
    """What the policy was given and what it made of it.

    window_end_s : end of the listening window, which is when it was decided.
    rgb : (H, W, 3) uint8. depth : (H, W) float32, metres.
    spectrogram : (bins, frames, channels) float32.
    probabilities : (4,), indexed by ``Action``. gate : how much of the fused state passes, 0-1.
    attention : (2,), on sight and on sound. frame_weights : (F,), over the window's time.
    sound_azimuth_rad : left of the heading is positive. sound_path_m : along the floor.
    """

    window_end_s: float
    action: Action
    probabilities: np.ndarray
    gate: float
    attention: np.ndarray
    frame_weights: np.ndarray
    sound_azimuth_rad: float
    sound_path_m: float
    latency_ms: float
    rgb: np.ndarray
    depth: np.ndarray
    spectrogram: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeRecording:
    """One episode; times are seconds of the graph's clock, positions those of the house's plan.

    poses : (n, 4) float64, rows of time, x, y and yaw; rising in time.
    motion_states : (time, name) of each change, e.g. ``(3.2, 'moving')``.
    sound : (2, m) float32 in [-1, 1], left ear first, starting at ``sound_start_s``.
    """

    name: str
    sound_name: str
    house: House
    source_xy: np.ndarray
    start_s: float
    end_s: float
    poses: np.ndarray
    decisions: tuple[RecordedDecision, ...]
    motion_states: tuple[tuple[float, str], ...]
    sound: np.ndarray
    sound_start_s: float
    sample_rate_hz: int
    succeeded: bool | None = None

    def __post_init__(self) -> None:
        if self.poses.ndim != 2 or self.poses.shape[1:] != (4,) or not len(self.poses):
            raise ValueError(f'poses must be (n, 4) with n > 0, got {self.poses.shape}')
        if not self.end_s > self.start_s:
            raise ValueError(f'end_s must be after start_s={self.start_s}, got {self.end_s}')

    def pose(self, time_s: float) -> tuple[float, float, float]:
        """Return x, y and yaw at ``time_s``, interpolated; the ends hold outside."""
        times, x, y, yaw = self.poses.T
        return (float(np.interp(time_s, times, x)), float(np.interp(time_s, times, y)),
                float(np.interp(time_s, times, np.unwrap(yaw))))

    def path(self, time_s: float = math.inf) -> np.ndarray:
        """Return the positions driven through until ``time_s``, (k, 2)."""
        until = np.searchsorted(self.poses[:, 0], time_s, side='right')
        return self.poses[:max(until, 1), 1:3]

    def decision(self, time_s: float) -> RecordedDecision | None:
        """Return the latest decision at ``time_s``, None before the first."""
        made = [decision for decision in self.decisions if decision.window_end_s <= time_s]
        return made[-1] if made else None

    def motion_state(self, time_s: float) -> str:
        """Return the motion state at ``time_s``; 'idle' before the first."""
        begun = [name for since_s, name in self.motion_states if since_s <= time_s]
        return begun[-1] if begun else 'idle'

    def ear_levels_db(self, time_s: float, *, span_s: float = 0.25) -> np.ndarray:
        """Return the level at each ear, (2,), dB re full scale, over ``span_s`` up to now."""
        end = round((time_s - self.sound_start_s) * self.sample_rate_hz)
        start = max(end - round(span_s * self.sample_rate_hz), 0)
        part = self.sound[:, start:max(end, start)]
        power = np.mean(np.square(part, dtype=np.float64), axis=1) if part.size else np.zeros(2)
        return 10 * np.log10(power + 1e-12)
