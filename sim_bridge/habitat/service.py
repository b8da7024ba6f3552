# SPDX-License-Identifier: Apache-2.0
"""The calls that a client may make: arguments checked, answered, errors named."""

from __future__ import annotations

import inspect
from typing import Any
from typing import Callable
from typing import Mapping

import numpy as np

from sim_bridge.habitat.backend import ACTIONS
from sim_bridge.habitat.backend import Backend
from sim_bridge.habitat.backend import number
from sim_bridge.habitat.backend import point
from sim_bridge.habitat.backend import Robot
from sim_bridge.habitat.backend import State
from sim_bridge.habitat.backend import WorldError

LONGEST_DRIVE_M = 10.0


class Service:
    """Answers one request after the other with the backend; outlives bad ones."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._opened = self._begun = False
        self._calls: Mapping[str, Callable[..., Any]] = {
            'open': self._open, 'begin': self._begin, 'act': self._act, 'drive': self._drive,
            'look': self._look, 'response': self._response, 'oracle_action': self._oracle_action}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply to a request ``{id, call, arguments}``; never raises on a bad one."""
        reply: dict[str, Any] = {'id': request.get('id')}
        try:
            reply['result'] = self._call(request)
        except Exception as error:  # whatever a world raises: the client is told, and may go on
            text = ' '.join(str(error).split()) or 'no message'
            reply['error'] = {'kind': type(error).__name__, 'message': f'{text:.500}'}
        return reply

    def _call(self, request: Mapping[str, Any]) -> Any:
        name, arguments = request.get('call'), request.get('arguments', {})
        if not isinstance(name, str) or name not in self._calls:
            raise WorldError(f'call must be one of {sorted(self._calls)}, got {name!r:.40}')
        if not isinstance(arguments, dict):
            raise WorldError(f'arguments must be a mapping, got {type(arguments).__name__}')
        call = self._calls[name]
        try:
            bound = inspect.signature(call).bind(**{str(key): arguments[key] for key in arguments})
        except TypeError as error:
            raise WorldError(f'{name} does not take {sorted(map(str, arguments))}: '
                             f'{error}') from error
        return call(**bound.arguments)

    def _open(self, *, scene: Any, robot: Any) -> dict[str, Any]:
        if not isinstance(scene, str) or not scene:
            raise WorldError(f'scene must be a name or path, got {scene!r:.80}')
        wanted = Robot.from_message(robot)
        self._opened = self._begun = False
        self._backend.open(scene, wanted)
        self._opened = True
        return {}

    def _begin(self, *, position: Any, yaw_rad: Any, goal: Any, seed: Any) -> dict[str, Any]:
        self._require(self._opened, 'open')
        if type(seed) is not int or not 0 <= seed < 2 ** 63:
            raise WorldError(f'seed must be a whole number of 63 bits, got {seed!r:.40}')
        start = State(point(position, 'position'), number(yaw_rad, 'yaw_rad'))
        self._begun = False
        self._backend.begin(start, point(goal, 'goal'), seed)
        self._begun = True
        return self._situation(False)

    def _act(self, *, action: Any) -> dict[str, Any]:
        self._require(self._begun, 'begin')
        if action not in ACTIONS:
            raise WorldError(f'action must be one of {list(ACTIONS)}, got {action!r:.40}')
        return self._situation(self._backend.act(action))

    def _drive(self, *, forward_m: Any, turn_rad: Any) -> dict[str, Any]:
        self._require(self._begun, 'begin')
        forward_m = number(forward_m, 'forward_m')
        if abs(forward_m) > LONGEST_DRIVE_M:
            raise WorldError(f'forward_m must be within {LONGEST_DRIVE_M}, got {forward_m}')
        return self._situation(self._backend.drive(forward_m, number(turn_rad, 'turn_rad')))

    def _look(self) -> dict[str, Any]:
        self._require(self._begun, 'begin')
        rgb, depth = self._backend.look()
        return {'rgb': np.ascontiguousarray(rgb, np.uint8),
                'depth': np.ascontiguousarray(depth, np.float32)}

    def _response(self) -> dict[str, Any]:
        self._require(self._begun, 'begin')
        return {'response': np.ascontiguousarray(self._backend.response(), np.float32)}

    def _oracle_action(self) -> dict[str, Any]:
        self._require(self._begun, 'begin')
        return {'action': self._backend.oracle_action()}

    def _situation(self, collided: bool) -> dict[str, Any]:
        position, yaw_rad = self._backend.state()
        return {'position': [float(each) for each in position], 'yaw_rad': float(yaw_rad),
                'geodesic_m': float(self._backend.geodesic_m()), 'collided': bool(collided)}

    def _require(self, done: bool, before: str) -> None:
        if not done:
            raise WorldError(f'call {before} first')
