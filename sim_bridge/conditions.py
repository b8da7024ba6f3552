# SPDX-License-Identifier: Apache-2.0
"""The benchmark's conditions: what breaks audio-visual navigation, each with its severities.

================ =========================================================== =================
condition        what happens                                                severity
================ =========================================================== =================
``clean``        nothing                                                     none
``noise``        fan, babble or motor noise at the robot's ears, constant    SNR in dB against
                 through the episode                                         the goal as heard
                                                                             at the start
``second_sound`` another sound elsewhere in the house, heard after three     its level at 1 m
                 windows of the goal alone                                   over the goal's, dB
``intermittent`` the goal pauses at random, three steps at a time on         share of time that
                 average, and stops for good after 20 / severity steps       is silent
``ears``         a spherical head, one ear louder, the right one 1-3         gain mismatch, dB
                 samples late, a bandwidth of 7 to 3 kHz
``pose``         every node and heading is missed, steps forward fail        standard deviation
                                                                             in m; 1.25 rad/m;
                                                                             share of steps
``dropout``      parts of listening windows and whole images are missing     probability of each
``all``          everything above                                            0-1 along the lists
================ =========================================================== =================
"""

from __future__ import annotations

import dataclasses
from typing import Callable
from typing import Sequence

import numpy as np

from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.bake import RESPONSE_SCALE
from sim_bridge.disturbance import Disturbance
from sim_bridge.disturbance import UNDISTURBED
from sim_bridge.robot_noise import draw_robot_noise
from sim_bridge.robot_noise import KINDS

OTHER_HEAD_RADIUS_M = 0.0875
GOAL_ALONE_STEPS = 3
PAUSE_STEPS = 3.0  # mean length of a pause
_SCHEDULE_STEPS = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Situation:
    """What a disturbance is drawn for: the agent's start and the sounds there are.

    dry : (window_samples,) float32, the goal's sound.
    others : sounds for a distractor, (window_samples,) float32 each, none of them the goal's.
    robot_noise : draws noise at the robot's ears, as ``draw_robot_noise`` does.
    """

    house: BakedHouse
    source: int
    node: int
    heading: int
    dry: np.ndarray
    others: Sequence[np.ndarray]
    sample_rate_hz: int
    rng: np.random.Generator
    robot_noise: Callable[..., np.ndarray] = draw_robot_noise

    def received_rms(self) -> float:
        """Level of the goal's sound at the start, over both ears."""
        response = self.house.responses[self.source, self.node, self.heading]
        wet = np.fft.rfft(np.asarray(response, np.float32) / RESPONSE_SCALE, len(self.dry))
        return float(np.sqrt(np.mean(np.fft.irfft(wet * np.fft.rfft(self.dry)) ** 2)))


def noise(situation: Situation, snr_db: float) -> dict:
    """Fan, babble or motor noise at the robot."""
    kind = str(situation.rng.choice(list(KINDS)))
    level = situation.received_rms() * 10 ** (-snr_db / 20)
    return {'noise': level * situation.robot_noise(
        kind, len(situation.dry), situation.sample_rate_hz, situation.rng)}


def second_sound(situation: Situation, level_db: float) -> dict:
    """A distractor at another source of the house."""
    sources = np.delete(np.arange(len(situation.house.source_nodes)), situation.source)
    if not len(sources) or not len(situation.others):
        raise ValueError('a second sound needs a second source place and a second recording, '
                         f'got {len(sources)} and {len(situation.others)}')
    other = situation.others[situation.rng.integers(len(situation.others))]
    return {'distractor': np.float32(10 ** (level_db / 20)) * other,
            'distractor_source': int(situation.rng.choice(sources)),
            'distractor_from': GOAL_ALONE_STEPS}


def intermittent(situation: Situation, silent_share: float) -> dict:
    """A goal that pauses, and stops for good in the end."""
    return {'sounding': draw_schedule(silent_share, situation.rng),
            'silent_from': round(20 / silent_share)}


def draw_schedule(silent_share: float, rng: np.random.Generator) -> np.ndarray:
    """At which steps a source sounds, (500,) bool; it always sounds at the first."""
    odds = silent_share / (1 - silent_share)
    resume = min(1 / PAUSE_STEPS, 1 / odds)  # the goal sounds for one step at least
    pause = resume * odds
    sounding = np.ones(_SCHEDULE_STEPS, bool)
    draws = rng.random(_SCHEDULE_STEPS)
    for step in range(1, _SCHEDULE_STEPS):
        sounding[step] = draws[step] >= pause if sounding[step - 1] else draws[step] < resume
    return sounding


def ears(situation: Situation, mismatch_db: float) -> dict:
    """Other microphones; the other head is a matter of the bake."""
    side = situation.rng.choice([-1.0, 1.0])
    return {'ear_gain_db': float(side * mismatch_db), 'skew_samples': 1 + mismatch_db / 6,
            'bandwidth_hz': 7000 - 4000 * mismatch_db / 12}


def pose(situation: Situation, deviation_m: float) -> dict:
    """Steps that fail; missed poses are a matter of the bake."""
    return {'slip': deviation_m}


def dropout(situation: Situation, share: float) -> dict:
    """Missing sound and sight."""
    return {'lost_audio': share, 'lost_frames': share}


@dataclasses.dataclass(frozen=True)
class Condition:
    """A family of disturbances over one scale; ``severities`` run from mild to hard."""

    severities: tuple[float, ...]
    draw: Callable[[Situation, float], dict]

    @property
    def middle(self) -> float:
        """The severity of the headline figures."""
        return self.severities[len(self.severities) // 2]


_SINGLE = {
    'noise': Condition((20.0, 10.0, 5.0, 0.0, -5.0), noise),
    'second_sound': Condition((-20.0, -15.0, -10.0, -5.0, 0.0), second_sound),
    'intermittent': Condition((0.2, 0.4, 0.5, 0.6, 0.8), intermittent),
    'ears': Condition((0.0, 3.0, 6.0, 9.0, 12.0), ears),
    'pose': Condition((0.02, 0.05, 0.08, 0.12, 0.15), pose),
    'dropout': Condition((0.1, 0.2, 0.3, 0.4, 0.5), dropout)}


def _at(name: str, share: float) -> float:
    severities = _SINGLE[name].severities
    return float(np.interp(share, np.linspace(0, 1, len(severities)), severities))


def everything(situation: Situation, share: float) -> dict:
    """All of the above at once, each ``share`` of the way along its severities."""
    drawn: dict = {}
    for name, condition in _SINGLE.items():
        drawn |= condition.draw(situation, _at(name, share))
    return drawn


CONDITIONS = {'clean': Condition((0.0,), lambda situation, severity: {}), **_SINGLE,
              'all': Condition((0.0, 0.25, 0.5, 0.75, 1.0), everything)}


def condition_named(name: str) -> Condition:
    """Look a condition up.

    Raises:
        ValueError: there is no such condition.
    """
    if name not in CONDITIONS:
        raise ValueError(f'condition must be one of {tuple(CONDITIONS)}, got {name!r}')
    return CONDITIONS[name]


def disturb(name: str, severity: float, situation: Situation) -> Disturbance:
    """Draw what goes wrong in one episode under a condition."""
    drawn = condition_named(name).draw(situation, severity)
    return Disturbance(**drawn) if drawn else UNDISTURBED


def bake_settings(name: str, severity: float, settings: BakeSettings) -> BakeSettings:
    """Bake houses as a condition needs them: another head, missed poses.

    Raises:
        ValueError: there is no such condition.
    """
    condition_named(name)
    if name in ('ears', 'all'):
        settings = dataclasses.replace(settings, head_radius_m=OTHER_HEAD_RADIUS_M)
    if name in ('pose', 'all'):
        deviation_m = severity if name == 'pose' else _at('pose', severity)
        settings = dataclasses.replace(settings, pose_noise_m=deviation_m,
                                       pose_noise_rad=1.25 * deviation_m)
    return settings
