# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node ``motion``."""

from __future__ import annotations

import dataclasses
from typing import Any

from asgf_nav_ros.motion.corridor import Corridor
from asgf_nav_ros.motion.primitives import MotionLimits
from asgf_nav_ros.motion.safety_gate import SafetyLimits
from asgf_nav_ros.motion.supervision import SupervisionLimits
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter

MOTION, SAFETY, CORRIDOR = MotionLimits(), SafetyLimits(), Corridor()
SUPERVISION = SupervisionLimits()


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionParameters(NodeParameters):
    """Parameters of ``motion``; limits get their defaults from the classes that use them."""

    enabled: bool = parameter(False, 'Allow motion at once, without a call of ~/enable.')
    cmd_vel_stamped: bool = parameter(
        False, 'Command TwistStamped (diff_drive_controller) rather than Twist (Nav2).')
    control_trigger: str = parameter(
        'timer', 'Command at control_rate_hz, or once for each odometry message.',
        choices=('timer', 'odometry'))
    control_rate_hz: float = parameter(
        50.0, 'Rate of commands with control_trigger timer.', low=1, high=500)
    depth_wait_s: float = parameter(
        0.0, 'With control_trigger odometry: hold a tick of a step forward until depth not older '
        'than this has come; 0 never holds. For lockstep simulation.', low=0, high=10)
    max_linear_mps: float = parameter(
        MOTION.max_linear_mps, 'Top speed forward.', low=0.01, high=3)
    max_linear_mps2: float = parameter(
        MOTION.max_linear_mps2, 'Acceleration and braking forward.', low=0.01, high=10)
    max_angular_radps: float = parameter(
        MOTION.max_angular_radps, 'Top speed of turns.', low=0.01, high=10)
    max_angular_radps2: float = parameter(
        MOTION.max_angular_radps2, 'Acceleration and braking of turns.', low=0.01, high=50)
    position_tolerance_m: float = parameter(
        MOTION.position_tolerance_m, 'A step ends this close to its goal.', low=0.001, high=0.2)
    yaw_tolerance_rad: float = parameter(
        MOTION.yaw_tolerance_rad, 'A turn ends this close to its goal.', low=0.001, high=0.5)
    settle_s: float = parameter(
        MOTION.settle_s, 'Rest within the tolerance before an action is over.', low=0.02, high=5)
    response_s: float = parameter(
        MOTION.response_s, 'Lag of the base behind commands.', low=0.001, high=2)
    stall_s: float = parameter(
        MOTION.stall_s, 'Commanded for so long without getting on: blocked.', low=0.1, high=30)
    slip_m: float = parameter(
        MOTION.slip_m, 'Sideways on a step, or off the spot in a turn: failed.', low=0.01, high=2)
    slip_rad: float = parameter(
        MOTION.slip_rad, 'Off the heading on a step: failed.', low=0.01, high=3)
    jump_m: float = parameter(
        MOTION.jump_m, 'Between two odometry messages: failed.', low=0.01, high=10)
    jump_rad: float = parameter(
        MOTION.jump_rad, 'Between two odometry messages: failed.', low=0.01, high=3.2)
    action_deadline_s: float = parameter(
        MOTION.action_deadline_s, 'An action that takes longer fails.', low=0.5, high=120)
    odometry_timeout_s: float = parameter(
        SAFETY.odometry_timeout_s, 'Older odometry: zero.', low=0.02, high=5)
    depth_timeout_s: float = parameter(
        SAFETY.depth_timeout_s, 'Older depth: no motion forward.', low=0.02, high=5)
    tick_timeout_s: float = parameter(
        SAFETY.tick_timeout_s, 'A longer pause between two commands ends the action.',
        low=0.05, high=5)
    hold_limit_s: float = parameter(
        SAFETY.hold_limit_s, 'An obstacle that stays longer ends the step.', low=0.05, high=60)
    watched_nodes: str = parameter(
        'spectrogram policy', 'Nodes without whose heartbeat nothing moves, separated by blanks.')
    heartbeat_timeout_s: float = parameter(
        SUPERVISION.heartbeat_timeout_s, 'No heartbeat of a watched node for longer: zero; 0 '
        'watches none.', low=0, high=10)
    deadman_timeout_s: float = parameter(
        SUPERVISION.deadman_timeout_s, 'Move only while deadman (std_msgs/Bool) says true, at '
        'least so often; 0 needs no deadman switch.', low=0, high=5)
    clock_timeout_s: float = parameter(
        SUPERVISION.clock_timeout_s, 'With use_sim_time and control_trigger timer: zero when '
        '/clock stands still for longer; 0 does not watch it.', low=0, high=60)
    action_timeout_s: float = parameter(
        SAFETY.action_timeout_s, 'An action decided longer ago is refused.', low=0.1, high=60)
    stop_distance_m: float = parameter(
        SAFETY.stop_distance_m, 'Obstacle to the centre of the robot at rest.', low=0.02, high=3)
    whole_step: bool = parameter(
        SAFETY.whole_step, 'Begin a step forward only if all of it is clear.')
    whole_step_slack_m: float = parameter(
        SAFETY.whole_step_slack_m, 'So much of a whole step may be missing.', low=0, high=1)
    corridor_half_width_m: float = parameter(
        CORRIDOR.half_width_m, 'Half of the width that must be clear.', low=0.01, high=2)
    corridor_bottom_m: float = parameter(
        CORRIDOR.bottom_m, 'Lower things can be driven over.', low=0, high=1)
    corridor_top_m: float = parameter(
        CORRIDOR.top_m, 'Higher things can be driven under.', low=0.1, high=3)
    camera_forward_m: float = parameter(
        CORRIDOR.camera_forward_m, 'Camera ahead of the centre of the robot.', low=-1, high=1)
    depth_hfov_rad: float = parameter(
        0.0, 'Horizontal field of view of depth images; 0 is that of the model.', low=0, high=3.1)

    def motion_limits(self) -> MotionLimits:
        """The limits of actions."""
        return MotionLimits(**_shared(self, MotionLimits))

    def safety_limits(self) -> SafetyLimits:
        """The limits of the gate; it counts on the braking that the base is given."""
        return SafetyLimits(**{**_shared(self, SafetyLimits),
                               'braking_mps2': self.max_linear_mps2})

    def supervision_limits(self, *, simulated: bool) -> SupervisionLimits:
        """What is watched outside; odometry that sets the pace is the clock itself."""
        by_clock = simulated and self.control_trigger == 'timer'
        return SupervisionLimits(**{
            **_shared(self, SupervisionLimits), 'nodes': tuple(self.watched_nodes.split()),
            'clock_timeout_s': self.clock_timeout_s if by_clock else 0.0})


def _shared(parameters: MotionParameters, kind: type) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in dataclasses.asdict(parameters).items()
            if name in names}
