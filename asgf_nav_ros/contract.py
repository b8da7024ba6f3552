# SPDX-License-Identifier: Apache-2.0
"""What a policy sees and does: the one place that fixes the geometry of a deployment."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from typing import Any
from typing import Mapping

import numpy as np

# Under these keys an ONNX file carries its contract and where its weights come from.
CONTRACT_KEY = 'asgf_nav_contract'
PROVENANCE_KEY = 'asgf_nav_provenance'
MOTION_FEATURES = 9  # of ``motion.reckoning``, for policies with ``odometry``
# Where they are among them: the last action, one-hot without STOP, whether that step was blocked,
# the position in units of the scale, cosine and sine of the yaw, both in the frame where the
# episode began.
MOTION_LAST, MOTION_BLOCKED, MOTION_POSITION, MOTION_YAW = slice(3), 3, slice(4, 6), slice(6, 8)
MOTION_POSITION_SCALE_M = 10.0
# Of the map of where the goal may be, for policies with ``belief_cells``: the side of a cell, and
# by how many nats a metre sources far from the start are taken to be rarer.
BELIEF_CELL_M, BELIEF_FAR_COST = 1.0, 0.08
TWO_EARS = ('left', 'right')
TWO_EARS_WITH_INTERAURAL = ('left', 'right', 'ild', 'ipd_cos', 'ipd_sin')


class Action(enum.IntEnum):
    """Primitive actions, numbered as in SoundSpaces."""

    STOP = 0
    MOVE_FORWARD = 1
    TURN_LEFT = 2
    TURN_RIGHT = 3


class ContractMismatch(ValueError):
    """A stream, file or model does not fit the contract."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PolicyContract:
    """Everything that a node must know about a policy before it may feed it.

    Units stand in the names. ``audio_channels`` are the feature planes of the spectrogram:
    ``TWO_EARS`` (the paper) or ``TWO_EARS_WITH_INTERAURAL``. ``hidden_size`` numbers are carried
    from decision to decision, what is remembered of the first ``goal_windows`` and a map of
    ``belief_cells`` by ``belief_cells`` among them; twice as many as an agent's own if it decides
    ``mirrored`` too.
    """

    sample_rate_hz: int = 16000
    window_s: float = 1.0
    input_gain: float = 1.0  # multiplies samples in [-1, 1] before the transform
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    pool: int = 4  # block mean over bins and frames
    audio_channels: tuple[str, ...] = TWO_EARS
    image_height: int = 128
    image_width: int = 128
    hfov_rad: float = math.pi / 2
    depth_min_m: float = 0.0
    depth_max_m: float = 10.0
    camera_height_m: float = 1.25
    actions: tuple[str, ...] = tuple(action.name for action in Action)
    forward_step_m: float = 0.5
    turn_rad: float = math.pi / 2
    success_radius_m: float = 1.0
    hidden_size: int = 512
    odometry: bool = False  # the policy is also told its last action and its reckoned pose
    goal_windows: int = 0  # of an episode's first windows, what they sound like is remembered
    belief_cells: int = 0  # side of a map of where the goal may be, odd; 0: the policy has none
    mirrored: bool = False  # decides on the mirror image of everything too; own memory comes last
    system: str = 'asgf'
    trained_on: str = ''

    def __post_init__(self) -> None:
        object.__setattr__(self, 'audio_channels', tuple(self.audio_channels))
        object.__setattr__(self, 'actions', tuple(self.actions))
        self._check_types()
        for name in _POSITIVE:
            value = getattr(self, name)
            if not value > 0 or not math.isfinite(value):
                raise ValueError(f'{name} must be positive and finite, got {value}')
        if self.win_length > self.n_fft:
            raise ValueError(
                f'win_length must be at most n_fft={self.n_fft}, got {self.win_length}')
        if not 0 <= self.depth_min_m < self.depth_max_m:
            raise ValueError('depth_min_m must be in [0, depth_max_m), got '
                             f'{self.depth_min_m} with depth_max_m={self.depth_max_m}')
        if self.hfov_rad >= math.pi:
            raise ValueError(f'hfov_rad must be under pi, got {self.hfov_rad}')
        if self.goal_windows < 0:
            raise ValueError(f'goal_windows must be at least 0, got {self.goal_windows}')
        if self.belief_cells < 0 or (self.belief_cells and self.belief_cells % 2 == 0):
            raise ValueError(f'belief_cells must be odd or 0, got {self.belief_cells}')
        if self.mirrored and self.hidden_size % 2:
            raise ValueError(f'hidden_size must be even if mirrored, got {self.hidden_size}')
        if self.recurrent_size <= 0:
            taken = self.goal_sound_size + self.belief_size
            raise ValueError(f'hidden_size must be over the {taken} numbers that remember the '
                             f"goal's sound and place, got {self.hidden_size}")
        if self.audio_channels not in (TWO_EARS, TWO_EARS_WITH_INTERAURAL):
            raise ValueError(f'audio_channels must be {TWO_EARS} or {TWO_EARS_WITH_INTERAURAL}, '
                             f'got {self.audio_channels}')
        unknown = [name for name in self.actions if name not in Action.__members__]
        if unknown or len(set(self.actions)) != len(self.actions):
            raise ValueError(f'actions must be distinct names of {list(Action.__members__)}, '
                             f'got {list(self.actions)}')

    def _check_types(self) -> None:
        """Sizes index arrays: a 128.0 out of somebody's JSON would fail much later."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == 'int' and (not isinstance(value, int) or isinstance(value, bool)):
                raise ValueError(f'{field.name} must be a whole number, got {value!r:.40}')
            if field.type == 'bool' and not isinstance(value, bool):
                raise ValueError(f'{field.name} must be true or false, got {value!r:.40}')
            if field.type == 'float' and not isinstance(value, (int, float)):
                raise ValueError(f'{field.name} must be a number, got {value!r:.40}')
            if field.type == 'str' and not isinstance(value, str):
                raise ValueError(f'{field.name} must be text, got {value!r:.40}')

    @property
    def window_samples(self) -> int:
        """Samples per ear in one listening window."""
        return round(self.sample_rate_hz * self.window_s)

    @property
    def spectrogram_shape(self) -> tuple[int, int, int]:
        """(bins, frames, channels) after pooling, e.g. (65, 26, 2) at 16 kHz."""
        bins = self.n_fft // 2 + 1
        frames = self.window_samples // self.hop_length + 1
        return (-(-bins // self.pool), -(-frames // self.pool), len(self.audio_channels))

    @property
    def own_size(self) -> int:
        """Numbers of the memory that are the agent's without a mirror, its last ones."""
        return self.hidden_size // 2 if self.mirrored else self.hidden_size

    @property
    def goal_sound_size(self) -> int:
        """Numbers of the memory that hold the goal's sound: a sum of windows, and their count."""
        return self.spectrogram_shape[0] + 1 if self.goal_windows else 0

    @property
    def belief_size(self) -> int:
        """Numbers of the memory that hold the map of where the goal may be, its last ones."""
        return self.belief_cells ** 2

    @property
    def recurrent_size(self) -> int:
        """Numbers of the agent's own memory that are the GRU's, its first ones."""
        return self.own_size - self.goal_sound_size - self.belief_size

    def to_json(self) -> str:
        """Serialise for the metadata of an ONNX file."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PolicyContract:
        """Read what ``to_json`` wrote.

        Raises:
            ContractMismatch: the text is not JSON, or has unknown, missing or bad fields.
        """
        try:
            fields = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise ContractMismatch(f'contract must be a JSON object, got {text!r:.80}') from error
        if not isinstance(fields, Mapping):
            raise ContractMismatch(f'contract must be a JSON object, got {text!r:.80}')
        return cls._from_fields(fields)

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> PolicyContract:
        known = {field.name for field in dataclasses.fields(cls)}
        fields = {'odometry': False, 'goal_windows': 0, 'belief_cells': 0, 'mirrored': False,
                  **fields}  # models from before them
        if set(fields) != known:
            raise ContractMismatch(
                f'contract lacks {sorted(known - set(fields))} and has unknown '
                f'{sorted(set(fields) - known)!s:.300}')
        try:
            return cls(**fields)
        except (TypeError, ValueError, OverflowError) as error:
            raise ContractMismatch(f'contract is invalid: {error!s:.300}') from error

    def require(self, **found: Any) -> None:
        """Refuse a stream whose named fields differ, e.g. ``require(sample_rate_hz=44100)``.

        Raises:
            ContractMismatch: names the field, what the policy wants and what came.
        """
        for name, value in found.items():
            wanted = getattr(self, name)
            same = (math.isclose(value, wanted, rel_tol=1e-3)
                    if isinstance(wanted, float) else value == wanted)
            if not same:
                raise ContractMismatch(f'the policy wants {name}={wanted}, the stream has {value}')


_POSITIVE = (
    'sample_rate_hz', 'window_s', 'input_gain', 'n_fft', 'win_length', 'hop_length', 'pool',
    'image_height', 'image_width', 'hfov_rad', 'depth_max_m', 'camera_height_m',
    'forward_step_m', 'turn_rad', 'success_radius_m', 'hidden_size')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observation:
    """What the policy is given for one decision.

    rgb : (H, W, 3) uint8.
    depth : (H, W) float32, metres along the optical axis; 0 where invalid.
    spectrogram : (bins, frames, channels) float32, see ``PolicyContract.spectrogram_shape``.
    stamp_s : end of the listening window, seconds of the graph's clock.
    motion : (MOTION_FEATURES,) float32, see ``motion.reckoning``; for contracts with odometry.
    color_stamp_s, depth_stamp_s : of the images, seconds; None where they have none.
    """

    rgb: np.ndarray
    depth: np.ndarray
    spectrogram: np.ndarray
    stamp_s: float = 0.0
    motion: np.ndarray | None = None
    color_stamp_s: float | None = None
    depth_stamp_s: float | None = None

    def check(self, contract: PolicyContract) -> None:
        """Raise ContractMismatch unless shapes, types and values fit ``contract``."""
        image = (contract.image_height, contract.image_width)
        _check_array('rgb', self.rgb, image + (3,), np.uint8)
        _check_array('depth', self.depth, image, np.float32)
        _check_array('spectrogram', self.spectrogram, contract.spectrogram_shape, np.float32)
        if contract.odometry:
            if self.motion is None:
                raise ContractMismatch('the policy wants motion features, got none')
            _check_array('motion', self.motion, (MOTION_FEATURES,), np.float32)


def _check_array(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ContractMismatch(f'{name} must be {shape} {np.dtype(dtype).name}, '
                               f'got {array.shape} {array.dtype.name}')
    if dtype == np.float32 and not np.isfinite(array).all():
        raise ContractMismatch(f'{name} must be finite, got NaN or infinity')
