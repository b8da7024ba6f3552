# SPDX-License-Identifier: Apache-2.0
"""Which topic of a recording is the robot's ears, eyes or odometry, whoever's driver wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import enum

from asgf_nav_ros.replay import audio_messages

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
HEADER, STRING = 'std_msgs/msg/Header', 'std_msgs/msg/String'


class Role(enum.Enum):
    """What a topic is to a replay; the value is its name in the graph."""

    AUDIO = 'audio'
    AUDIO_INFO = 'audio_info'
    COLOR = 'color/image'
    DEPTH = 'depth/image'
    CAMERA_INFO = 'camera_info'
    ODOMETRY = 'odom'
    SPECTROGRAM = 'spectrogram'
    SPECTROGRAM_INFO = 'spectrogram_info'
    ACTION = 'action'
    DECISION = 'decision'
    POLICY_INFO = 'policy_info'
    EPISODE = 'episode'
    EPISODE_RESULT = 'episode_result'
    MOTION_STATE = 'motion_state'
    CLOCK = 'clock'

    @property
    def option(self) -> str:
        """What a user calls it, e.g. ``color``."""
        return self.value.partition('/')[0]


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """Types that will do, and how the topic's name ends, the best first."""

    types: tuple[str, ...]
    endings: tuple[str, ...]


_WANTED = {
    Role.AUDIO: _Wanted(
        (audio_messages.IMAGE, audio_messages.AUDIO_STAMPED, audio_messages.DATA_STAMPED),
        ('audio', 'audio_stamped', 'audio/audio_stamped')),
    Role.AUDIO_INFO: _Wanted((audio_messages.AUDIO_INFO,), ('audio_info',)),
    Role.COLOR: _Wanted((IMAGE, COMPRESSED), (
        'color/image', 'color/image_raw', 'rgb/image_rect_color', 'rgb/color/rect/image',
        'color/image_rect_color', 'rgb/image_rect', 'rgb/image_raw', 'color/image/compressed',
        'color/image_raw/compressed', 'rgb/image_rect_color/compressed',
        'rgb/image_raw/compressed')),
    Role.DEPTH: _Wanted((IMAGE,), (
        'depth/image', 'aligned_depth_to_color/image_raw', 'depth_registered/image_raw',
        'depth_registered/image_rect', 'depth/depth_registered', 'depth_registered',
        'stereo/image_raw', 'depth_to_rgb/image_raw', 'depth/image_raw')),
    Role.CAMERA_INFO: _Wanted(('sensor_msgs/msg/CameraInfo',), (
        'camera_info', 'color/camera_info', 'rgb/camera_info')),
    Role.ODOMETRY: _Wanted(('nav_msgs/msg/Odometry',), ('odom', 'odometry', 'odometry/filtered')),
    Role.SPECTROGRAM: _Wanted((IMAGE,), ('spectrogram',)),
    Role.SPECTROGRAM_INFO: _Wanted((STRING,), ('spectrogram_info',)),
    Role.ACTION: _Wanted((HEADER,), ('action',)),
    Role.DECISION: _Wanted((STRING,), ('decision',)),
    Role.POLICY_INFO: _Wanted((STRING,), ('policy_info',)),
    Role.EPISODE: _Wanted((HEADER,), ('episode',)),
    Role.EPISODE_RESULT: _Wanted((STRING,), ('episode_result',)),
    Role.MOTION_STATE: _Wanted((HEADER,), ('motion_state',)),
    Role.CLOCK: _Wanted(('rosgraph_msgs/msg/Clock',), ('clock',)),
}
ROLES_BY_OPTION = {role.option: role for role in Role}


def assign_roles(types: Mapping[str, str],
                 chosen: Mapping[Role, str]) -> tuple[dict[str, Role], list[str]]:
    """Find the topic of each role.

    Args:
        types: of every topic of the recording.
        chosen: topics that the user named.

    Returns:
        The role of each topic that has one, and a line for each choice among several.

    Raises:
        ValueError: a chosen topic is not there or has a type that will not do.
    """
    found, notes = {}, []
    for role, wanted in _WANTED.items():
        if role in chosen:
            _require(role, chosen[role], types)
            found[chosen[role]] = role
            continue
        fitting = sorted(name for name, kind in types.items() if kind in wanted.types)
        if role == Role.CAMERA_INFO:
            fitting = _beside_color(fitting, found) or fitting
        matches = _best(fitting, wanted.endings)
        if not matches and role == Role.AUDIO:  # the type says it all
            matches = [name for name in fitting if types[name] != IMAGE]
        if matches:
            found[matches[0]] = role
        if len(matches) > 1:
            notes.append(f'{role.option} is {matches[0]}, {" and ".join(matches[1:])} '
                         f'would do too: choose with --topic {role.option}=NAME')
    return found, notes


def parse_choices(options: Iterable[str]) -> dict[Role, str]:
    """Read a user's ``ROLE=NAME``.

    Raises:
        ValueError: no such role, or no name.
    """
    chosen = {}
    for option in options:
        role, _, name = option.partition('=')
        if role not in ROLES_BY_OPTION or not name:
            raise ValueError(f'a topic must be chosen as ROLE=NAME with a role of '
                             f'{", ".join(ROLES_BY_OPTION)}, got {option!r}')
        chosen[ROLES_BY_OPTION[role]] = name
    return chosen


def _best(names: Iterable[str], endings: Iterable[str]) -> list[str]:
    """Return the names with the first ending that any has."""
    names = list(names)
    matches = ([name for name in names if f'/{name}'.endswith(f'/{ending}')]
               for ending in endings)
    return next(filter(None, matches), [])


def _beside_color(names: Iterable[str], found: Mapping[str, Role]) -> list[str]:
    """Return the camera_info that a driver keeps beside its color images."""
    color = next((name for name, role in found.items() if role == Role.COLOR), '')
    folder = color.removesuffix('/compressed').rpartition('/')[0]
    return [name for name in names if name == f'{folder}/camera_info']


def _require(role: Role, name: str, types: Mapping[str, str]) -> None:
    wanted = _WANTED[role].types
    if name not in types:
        raise ValueError(f'--topic {role.option}: the bag has no {name}; it has '
                         f'{", ".join(sorted(types)) or "no topics"}'[:600])
    if types[name] not in wanted:
        raise ValueError(f'--topic {role.option}: {name} must be {" or ".join(wanted)}, '
                         f'got {types[name]}')
