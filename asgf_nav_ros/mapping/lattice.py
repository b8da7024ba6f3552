# SPDX-License-Identifier: Apache-2.0
"""Where a robot stands on the lattice of its own steps, and which steps it knows to be blocked."""

from __future__ import annotations

from typing import Iterable
from typing import NamedTuple

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.mapping.occupancy import CELL_M
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.occupancy import GeometricMap

HEADINGS = 4
AHEAD = ((1, 0), (0, 1), (-1, 0), (0, -1))  # of each heading: x is ahead at the start, y left
_BUMPS_OF_A_WALL = 2
_REACH = 1  # cells beside the line of a step that the robot's circle of 0.15 m touches
_GLANCE = 2  # cells around a node: floor that was seen in there is the node's


class State(NamedTuple):
    """A node of the lattice, in steps from the start, and quarter turns to the left."""

    x: int
    y: int
    heading: int


def ahead_of(state: State) -> tuple[int, int]:
    """The node one step ahead."""
    dx, dy = AHEAD[state.heading]
    return state.x + dx, state.y + dy


def turned(state: State, action: Action) -> State:
    """The state after TURN_LEFT or TURN_RIGHT."""
    turn = 1 if action is Action.TURN_LEFT else -1
    return State(state.x, state.y, (state.heading + turn) % HEADINGS)


def after(state: State, actions: Iterable[Action]) -> State:
    """The state that steps and turns lead to if nothing is in the way."""
    for action in actions:
        forward = action is Action.MOVE_FORWARD
        state = State(*ahead_of(state), state.heading) if forward else turned(state, action)
    return state


class Lattice:
    """Dead reckoning in whole steps, with the map that was seen on the way.

    Unknown steps count as open.

    Raises:
        ValueError: the contract's steps and turns make no lattice on the map's cells.
    """

    def __init__(self, contract: PolicyContract, mapper: EgoMapper) -> None:
        _require_lattice(contract)
        self._cells_per_step = round(contract.forward_step_m / CELL_M)
        self._step_m, self._turn_rad = contract.forward_step_m, contract.turn_rad
        self._mapper = mapper
        self.state = State(0, 0, 0)
        self.map = GeometricMap()
        self.visited = {(0, 0)}
        self._walked: set[tuple[int, int, int]] = set()
        self._bumps: dict[tuple[int, int, int], int] = {}
        self._last: Action | None = None
        # Answers since the last view: a search for a way asks the same over and over.
        self._obstructed: dict[tuple[int, int, int], bool] = {}
        self._known: dict[tuple[int, int], bool] = {}
        self._occupied: dict[tuple[int, int], bool] = {}

    @property
    def cell(self) -> tuple[int, int]:
        """The map's cell under the robot."""
        return (self.state.x * self._cells_per_step, self.state.y * self._cells_per_step)

    def observe(self, depth: np.ndarray, *, moved: bool) -> bool:
        """Take in the outcome of the last action and the view after it.

        Args:
            depth: (H, W) float32, metres.
            moved: whether the last MOVE_FORWARD went ahead.

        Returns:
            Whether the robot has just bumped.
        """
        bumped = self._last is Action.MOVE_FORWARD and not moved
        self._reckon(bumped)
        self.map.write(self._mapper(depth), self.cell, self.state.heading)
        self._forget_answers()
        return bumped

    def observe_from(self, depth: np.ndarray, pose: tuple[float, float, float], *,
                     bumped: bool) -> None:
        """Take in a view from where odometry says that the robot is; ``take`` is not needed then.

        Args:
            depth: (H, W) float32, metres.
            pose: metres ahead and to the left of the start, and radians to the left of its
                heading; the nearest node and quarter turn count.
            bumped: whether the last action was a step that did not go ahead.
        """
        x_m, y_m, yaw_rad = pose
        state = State(round(x_m / self._step_m), round(y_m / self._step_m),
                      round(yaw_rad / self._turn_rad) % HEADINGS)
        if bumped:
            self._bump(_edge(state))
        elif state[:2] == ahead_of(self.state):
            self._walk(_edge(self.state))
        self.state = state
        self.visited.add(state[:2])
        cell = round(x_m / CELL_M), round(y_m / CELL_M)
        self.map.write(self._mapper(depth), cell, state.heading)
        self._forget_answers()

    def _forget_answers(self) -> None:
        for answers in (self._obstructed, self._known, self._occupied):
            answers.clear()

    def take(self, action: Action) -> Action:
        """Remember, and return, the action that is now carried out."""
        self._last = action
        return action

    def _reckon(self, bumped: bool) -> None:
        state = self.state
        if bumped:
            self._bump(_edge(state))
        elif self._last is Action.MOVE_FORWARD:
            self._walk(_edge(state))
            self.state = State(*ahead_of(state), state.heading)
            self.visited.add(self.state[:2])
        elif self._last in (Action.TURN_LEFT, Action.TURN_RIGHT):
            self.state = turned(state, self._last)
        self._last = None

    def _walk(self, edge: tuple[int, int, int]) -> None:
        self._walked.add(edge)
        self._bumps.pop(edge, None)

    def _bump(self, edge: tuple[int, int, int]) -> None:
        """Doors shut and people stand in the way: a step that was free once need not be now."""
        self._bumps[edge] = self._bumps.get(edge, 0) + 1
        if self._bumps[edge] >= _BUMPS_OF_A_WALL:
            self._walked.discard(edge)

    def closed(self, state: State) -> bool:
        """Tell whether the step ahead of ``state`` failed too often; wheels may slip once."""
        return self._bumps.get(_edge(state), 0) >= _BUMPS_OF_A_WALL

    def doubtful(self, state: State) -> bool:
        """Tell whether the step ahead failed or looks obstructed, and was not walked since."""
        edge = _edge(state)
        if edge in self._walked:
            return False
        if edge not in self._obstructed:
            self._obstructed[edge] = edge in self._bumps or self._looks_obstructed(edge)
        return self._obstructed[edge]

    def occupied(self, x: int, y: int) -> bool:
        """Tell whether the robot's circle is known not to fit at a node."""
        if (x, y) in self.visited:
            return False
        if (x, y) not in self._occupied:
            self._occupied[x, y] = self._obstacle(x, y, x, y) or self._enclosed(x, y)
        return self._occupied[x, y]

    def known(self, x: int, y: int) -> bool:
        """Tell whether a node was visited, or floor or an obstacle was seen there."""
        if (x, y) not in self._known:
            size = self._cells_per_step
            self._known[x, y] = (x, y) in self.visited or self.map.seen(
                (x * size - _GLANCE, y * size - _GLANCE), (x * size + _GLANCE, y * size + _GLANCE))
        return self._known[x, y]

    def _enclosed(self, x: int, y: int) -> bool:
        return all(self.closed(State(x, y, heading)) for heading in range(HEADINGS))

    def _looks_obstructed(self, edge: tuple[int, int, int]) -> bool:
        x, y, heading = edge
        dx, dy = AHEAD[heading]
        return self._obstacle(x, y, x + dx, y + dy)

    def _obstacle(self, x0: int, y0: int, x1: int, y1: int) -> bool:
        size = self._cells_per_step
        return self.map.obstacle((x0 * size - _REACH, y0 * size - _REACH),
                                 (x1 * size + _REACH, y1 * size + _REACH))


def makes_lattice(contract: PolicyContract) -> bool:
    """Whether a contract's steps and turns lead from node to node of a lattice."""
    try:
        _require_lattice(contract)
    except ValueError:
        return False
    return True


def _require_lattice(contract: PolicyContract) -> None:
    steps = contract.forward_step_m / CELL_M
    if abs(round(steps) - steps) * CELL_M > 1e-6:
        raise ValueError(f'forward_step_m must be a multiple of {CELL_M}, '
                         f'got {contract.forward_step_m}')
    if abs(HEADINGS * contract.turn_rad - 2 * np.pi) > 1e-6:
        raise ValueError(f'turn_rad must be pi/2, got {contract.turn_rad}')


def _edge(state: State) -> tuple[int, int, int]:
    """The step ahead of ``state`` under one name for both directions."""
    if state.heading < 2:
        return tuple(state)
    return (*ahead_of(state), state.heading - 2)


def start_frame(ego: np.ndarray, heading: int) -> np.ndarray:
    """Turn an egocentric vector (2,), ahead and left, into the frame of the start."""
    (cos, sin), vector = AHEAD[heading], np.asarray(ego, np.float64)
    return np.array([cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1]])
