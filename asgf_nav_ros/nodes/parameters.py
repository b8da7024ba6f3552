# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node as one frozen dataclass: defaults, units, ranges and descriptions."""

from __future__ import annotations

import dataclasses
from typing import Any
from typing import Sequence
from typing import TypeVar

from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from asgf_nav_ros.sound.level import FULL_SCALE

Settings = TypeVar('Settings', bound='NodeParameters')


def parameter(default: Any, description: str, *, low: float | None = None,
              high: float | None = None, choices: Sequence[str] = ()) -> Any:
    """A dataclass field that becomes a ROS parameter; numbers need a range."""
    metadata = {'description': description, 'low': low, 'high': high, 'choices': tuple(choices)}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeParameters:
    """What every node has."""

    autostart: bool = parameter(True, 'Configure and activate without being told to.')
    model_path: str = parameter('', 'The ONNX policy; its contract fixes rates, sizes and steps.')
    sensor_reliability: str = parameter(
        'best_effort', 'Quality of service of sensor streams.',
        choices=('best_effort', 'reliable'))

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            choices, value = field.metadata['choices'], getattr(self, field.name)
            if choices and value not in choices:
                raise ValueError(f'{field.name} must be one of {choices}, got {value!r}')


def full_scale() -> Any:
    """The level of ``audio``, for those who write and read it: they must agree."""
    return parameter(
        FULL_SCALE, 'Sound level that full scale of the 16 bit audio stands for, where 1 is the '
        'peak of a usual source at 1 m in the open: the calibration of the microphones.',
        low=0.001, high=1000)


def declare(node: Node, kind: type[Settings]) -> Settings:
    """Declare every field of ``kind`` on ``node`` and return what was set.

    Raises:
        ValueError: a value is none of the choices.
        rclpy.exceptions.ParameterException: a value has another type or is out of range.
    """
    values = {}
    for field in dataclasses.fields(kind):
        declared = node.declare_parameter(field.name, field.default, _descriptor(field))
        values[field.name] = declared.value
    return kind(**values)


def _descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    told = field.metadata
    descriptor = ParameterDescriptor(description=told['description'], read_only=True)
    if told['choices']:
        descriptor.additional_constraints = 'one of ' + ', '.join(told['choices'])
    if told['low'] is None:
        return descriptor
    if isinstance(field.default, int):
        descriptor.integer_range = [
            IntegerRange(from_value=told['low'], to_value=told['high'], step=1)]
    else:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(told['low']), to_value=float(told['high']))]
    return descriptor
