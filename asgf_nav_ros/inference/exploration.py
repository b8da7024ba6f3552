# SPDX-License-Identifier: Apache-2.0
"""Lead a robot that gets nowhere: to unseen floor, or to where the goal is believed to be.

A policy that hears next to nothing, behind five doors in a large house, wanders about the same
rooms until its time is over. Where it has decided often in one place, or has been at no new
place for long, its moves lead to an end of the floor that its depth images have shown, until a
new place is reached: to one near by, and rather where the sound seems to come from. One window
tells front from back badly; the mean over many, in the frame of the start, tells more.

When to stop is the policy's own decision, but for robots that would never do so. One that has been
to no likelier place to stop for long goes back to the likeliest and stops there.

Policies with a map of where the goal may be (``goal_belief``) are led to the likeliest place as
soon as the goal is silent, and stop there when it has been silent for long; and where they get
nowhere near a place that the map is sure of, they settle for that place instead of unseen floor.
They do not stop where the map says that the goal is elsewhere: another sound may be there. A map
that is not sure of one place says nothing: where next to nothing was heard at the start, the
memory of the goal's sound is worth little, and what is heard later, from near by, is taken for
another sound. Nor do they stop where a sound is heard that is not like the goal
(``goal_likeness``); where they would have, the goal is not.
"""

from __future__ import annotations

import collections
import math

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import MOTION_BLOCKED
from asgf_nav_ros.contract import MOTION_YAW
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.goal_belief import GoalBelief
from asgf_nav_ros.inference.goal_belief import QUIET
from asgf_nav_ros.inference.goal_likeness import GoalLikeness
from asgf_nav_ros.inference.likely_stops import LikelyStops
from asgf_nav_ros.inference.likely_stops import Node
from asgf_nav_ros.inference.restlessness import position_m
from asgf_nav_ros.inference.restlessness import Restlessness
from asgf_nav_ros.mapping.frontier import way_to_frontier
from asgf_nav_ros.mapping.lattice import after
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import makes_lattice
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.planner import plan

LINGERING = 5  # decisions in one place before it is left for unseen floor
STALENESS = 16  # decisions since the last new place
MEMORY = 0.95  # share of the heard direction that is kept from one decision to the next
FAINT = 0.1  # length of a heard direction, or of their mean, under which it says little
FOUND = 0.3  # probability of STOP at a sound that is not the goal, from which on it was found
DOUBTED = 0.03  # probability of a goal near by, under which a policy does not stop
TRUSTED = 0.5  # probability of one place, from which on the map has its way
SILENT_FOR_GOOD = 10  # decisions without news before a robot stops at a goal that it cannot hear
BESIDE_M = 1.0  # from a place: it stops there if the way on is long, around a wall or a table
DETOUR = 6  # actions; more are a long way
NEAR_BY_M = 5.0  # a place so near is settled for where the robot gets nowhere
FARTHEST_M = 100.0  # from the start; odometry that says more is not mapped


class Exploration:
    """One episode's map; does nothing for policies without odometry or without a lattice."""

    def __init__(self, contract: PolicyContract) -> None:
        self._contract = contract
        self._restlessness = Restlessness(contract)
        self._actions = [Action[name] for name in contract.actions]
        self._stays = np.array([action == Action.STOP for action in self._actions])
        moves = {Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT}
        self._mapper = (EgoMapper(contract) if contract.odometry and makes_lattice(contract)
                        and moves <= set(self._actions) else None)
        self._belief = GoalBelief(contract) if contract.belief_cells and self._mapper else None
        self._likeness = GoalLikeness(contract)
        self.begin()

    def begin(self) -> None:
        """Forget the episode."""
        self._restlessness.begin()
        self._lattice = Lattice(self._contract, self._mapper) if self._mapper else None
        self._decisions: collections.Counter[tuple[int, int]] = collections.Counter()
        self._since_new = 0
        self._heard = np.zeros(2)  # mean direction of the sound, in the frame of the start
        self._likeness.begin()
        self._stops = LikelyStops()
        self._settles = False  # whether the robot is on its way to a place near by
        if self._belief is not None:
            self._belief.begin()
        self._frontier: tuple[int, int] | None = None  # where the last choice led to
        self.exploring = False  # whether the last choice led to unseen floor

    def choose(self, probabilities: np.ndarray, motion: np.ndarray | None, depth: np.ndarray,
               sound_direction: np.ndarray, *, temperature: float,
               rng: np.random.Generator | None, memory: np.ndarray | None = None,
               spectrogram: np.ndarray | None = None) -> int:
        """Index of an action, as ``Restlessness`` chooses, or the next one of a way.

        Args:
            probabilities: (actions,) float32, sum 1.
            motion: (MOTION_FEATURES,) float32 of this decision; None for policies without.
            depth: (H, W) float32, metres.
            sound_direction: (3,) float32, believed cosine and sine of the sound's azimuth, left
                positive, and a third value; the less certain, the nearer to 0.
            temperature: 0 takes the most probable action, come what may.
            rng: needed when temperature is over 0.
            memory: (hidden_size,) float32, what the policy carries on from this decision; for
                policies with a map of where the goal may be.
            spectrogram: (bins, frames, channels) float32 of this decision; without it nothing
                is compared with the goal.
        """
        led = motion is not None and temperature > 0
        heard = float(np.hypot(*sound_direction[:2])) >= FAINT
        allowed = probabilities
        if led and spectrogram is not None:
            self._likeness.hear(spectrogram)
        another = heard and self._likeness.another
        if led and self._belief is not None and memory is not None:
            self._belief.see(memory, heard=heard,
                             goal_alone=not (heard and self._likeness.mixed))
            allowed = self._doubted(probabilities, motion, another=another)
        chosen = self._restlessness.choose(allowed, motion, temperature=temperature, rng=rng)
        way: list[Action] = []
        if led and self._mapped(motion, depth):
            self._stops.see(self._lattice.state[:2], float(probabilities[self._stays].sum()),
                            heard=heard and not another)
            self._listen(motion, sound_direction)
            stuck = self._stuck()
            if not self._stays[chosen]:
                goalwards = self._goalwards(motion, stuck=stuck)
                if goalwards is not None:
                    chosen = self._actions.index(goalwards)
                elif stuck:
                    way = self._way_to_unseen_floor()
        self.exploring = bool(way)
        self._frontier = after(self._lattice.state, way)[:2] if way else None
        return self._actions.index(way[0]) if way else chosen

    def _doubted(self, probabilities: np.ndarray, motion: np.ndarray, *,
                 another: bool) -> np.ndarray:
        """``probabilities`` without STOP where the goal is known to be elsewhere."""
        here_m = position_m(motion)
        if another and probabilities[self._stays].sum() > FOUND:
            self._belief.rule_out(here_m)
        elsewhere = another or (self._belief.mass_near(here_m) <= DOUBTED
                                and self._belief.likeliest()[1] >= TRUSTED)
        if not elsewhere or not probabilities[~self._stays].sum() > 0:
            return probabilities
        moves = np.where(self._stays, 0, probabilities)
        return moves / moves.sum()

    def _goalwards(self, motion: np.ndarray, *, stuck: bool) -> Action | None:
        """The next action to a place to stop at, or STOP there; None while the policy decides."""
        overdue = self._stops.overdue()
        if overdue is not None:
            return next(iter(plan(self._lattice, overdue)), Action.STOP)
        if self._belief is None:
            return None
        silent = self._belief.quiet >= QUIET
        if not (silent or stuck or self._settles):
            return None
        goal_m, mass = self._belief.likeliest()
        away_m = float(np.hypot(*(goal_m - position_m(motion))))
        self._settles = (self._settles or stuck) and mass >= TRUSTED and away_m <= NEAR_BY_M
        if mass < TRUSTED or not (silent or self._settles):
            return None
        way = plan(self._lattice, self._node_to_stop_at(goal_m, silent=silent))
        there = not way or (away_m <= BESIDE_M and len(way) > DETOUR)
        if there and (self._settles or self._belief.quiet >= SILENT_FOR_GOOD):
            return Action.STOP
        return way[0] if way else None

    def _node_to_stop_at(self, goal_m: np.ndarray, *, silent: bool) -> Node:
        step_m = self._contract.forward_step_m
        likely = None if silent else self._stops.near(goal_m, step_m)
        return likely or tuple(int(value) for value in np.rint(goal_m / step_m))

    def _mapped(self, motion: np.ndarray, depth: np.ndarray) -> bool:
        """Map what is seen; whether the robot stands on the map."""
        x_m, y_m = (float(value) for value in position_m(motion))
        if self._lattice is None or not max(abs(x_m), abs(y_m)) <= FARTHEST_M:
            return False
        cosine, sine = (float(value) for value in motion[MOTION_YAW])
        self._lattice.observe_from(depth, (x_m, y_m, math.atan2(sine, cosine)),
                                   bumped=motion[MOTION_BLOCKED] > 0)
        return True

    def _listen(self, motion: np.ndarray, sound_direction: np.ndarray) -> None:
        cosine, sine = (float(value) for value in motion[MOTION_YAW])
        ahead, left = (float(value) for value in sound_direction[:2])
        heard = np.array([cosine * ahead - sine * left, sine * ahead + cosine * left])
        self._heard = MEMORY * self._heard + (1 - MEMORY) * heard

    def _way_to_unseen_floor(self) -> list[Action]:
        x, y = self._heard / max(float(np.hypot(*self._heard)), FAINT)
        return way_to_frontier(self._lattice, towards=(float(x), float(y)), chosen=self._frontier)

    def _stuck(self) -> bool:
        place = self._lattice.state[:2]
        new = place not in self._decisions
        self._decisions[place] += 1
        self._since_new = 0 if new else self._since_new + 1
        if self.exploring:
            return not new
        return self._decisions[place] > LINGERING or self._since_new > STALENESS
