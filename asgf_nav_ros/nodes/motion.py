# SPDX-License-Identifier: Apache-2.0
"""Node ``motion``: executes actions on the base, and is the only one that commands it."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from std_srvs.srv import Trigger

from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.controller import Command
from asgf_nav_ros.motion.controller import MotionController
from asgf_nav_ros.motion.corridor import Corridor
from asgf_nav_ros.motion.primitives import MotionLimits
from asgf_nav_ros.motion.safety_gate import SafetyLimits
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter

STATE_PERIOD_S = 0.1
MOTION, SAFETY, CORRIDOR = MotionLimits(), SafetyLimits(), Corridor()


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
    hold_limit_s: float = parameter(
        SAFETY.hold_limit_s, 'A cause of zero that lasts longer ends the action.',
        low=0.05, high=60)
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


def _shared(parameters: MotionParameters, kind: type) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in dataclasses.asdict(parameters).items()
            if name in names}


class MotionNode(ManagedNode):
    """Carries messages between the graph and a ``MotionController``."""

    def __init__(self, **options: Any) -> None:
        super().__init__('motion', MotionParameters, **options)

    def set_up(self) -> None:
        """Build the controller from the model's contract and the limits."""
        self._contract = read_contract(self.settings.model_path)
        self._controller = self._fresh_controller()
        self._ticked_s = 0.0
        self._waiting_tick_s: float | None = None
        self._last_state: tuple[MotionState, float] | None = None
        kind = TwistStamped if self.settings.cmd_vel_stamped else Twist
        self._cmd_vel = self.advertise(kind, graph.CMD_VEL, graph.event_qos())
        self._state = self.advertise(Header, graph.MOTION_STATE, graph.state_qos())
        self.serve(SetBool, '~/enable', self._enable)
        self.serve(Trigger, '~/stop', self._stop)

    def _fresh_controller(self) -> MotionController:
        settings = self.settings
        return MotionController(
            self._contract, motion=settings.motion_limits(), safety=settings.safety_limits(),
            corridor=Corridor(
                half_width_m=settings.corridor_half_width_m, bottom_m=settings.corridor_bottom_m,
                top_m=settings.corridor_top_m, camera_height_m=self._contract.camera_height_m,
                camera_forward_m=settings.camera_forward_m,
                hfov_rad=settings.depth_hfov_rad or self._contract.hfov_rad))

    def start(self) -> None:
        """Listen, and tick by timer or odometry."""
        self._controller = self._fresh_controller()
        sensor = graph.sensor_qos(self.settings.sensor_reliability)
        if self.settings.enabled:
            self._controller.enable(self.now_s)
        self.listen(Image, graph.DEPTH, self._on_depth, sensor)
        self.listen(Odometry, graph.ODOMETRY, self._on_odometry, sensor)
        self.listen(Header, graph.ACTION, self._on_action, graph.event_qos(), awaited=False)
        if self.settings.control_trigger == 'timer':
            self.every(1 / self.settings.control_rate_hz, lambda: self._tick(self.now_s))
        else:
            self.every(STATE_PERIOD_S, self._watch_odometry)
        self.every(STATE_PERIOD_S, self._publish_state)
        self._publish_state()

    def halt(self) -> None:
        """Command a last zero."""
        self._controller.disable(Cause.SHUTDOWN, self.now_s)
        self._command(Command(cause=Cause.SHUTDOWN), self.now_s)
        self._publish_state()

    def rewind(self) -> None:
        """Drop the action under way and forget stamps."""
        self._ticked_s, self._waiting_tick_s = 0.0, None
        self._controller.forget(self.now_s)

    def _on_odometry(self, message: Odometry) -> None:
        pose, velocity = messages.motion_of(message)
        stamp_s = messages.seconds(message.header.stamp)
        self._controller.see_odometry(pose, velocity, stamp_s)
        if self.settings.control_trigger == 'odometry':
            self._waiting_tick_s = stamp_s
            self._tick_when_seen()

    def _on_depth(self, message: Image) -> None:
        self._controller.see_depth(
            messages.depth_of(message), messages.seconds(message.header.stamp))
        self._tick_when_seen()

    def _on_action(self, message: Header) -> None:
        stamp_s, now_s = messages.seconds(message.stamp), self._control_s
        refusal = self._controller.accept(message.frame_id, stamp_s, now_s)
        if refusal not in (Cause.NONE, Cause.DUPLICATE_ACTION):
            self.diagnostics.complain(
                graph.ACTION, f'refused {message.frame_id!r:.40} decided '
                f'{now_s - stamp_s:.2f} s ago: {refusal.value}')
        self._publish_change()

    @property
    def _control_s(self) -> float:
        """Time of the newest tick: that of the odometry where that sets the pace."""
        by_odometry = self.settings.control_trigger == 'odometry'
        return self._ticked_s if by_odometry and self._ticked_s else self.now_s

    def _tick_when_seen(self) -> None:
        """Tick for the odometry that waits, once the depth that the tick depends on is here."""
        if self._waiting_tick_s is None:
            return
        oldest_s = self._waiting_tick_s - self.settings.depth_wait_s
        if self.settings.depth_wait_s and self._controller.needs_depth_since(oldest_s):
            return
        stamp_s, self._waiting_tick_s = self._waiting_tick_s, None
        self._ticked_s = stamp_s
        self._tick(stamp_s)

    def _watch_odometry(self) -> None:
        """Without odometry no tick comes: command zero for that too."""
        silent_s = self.now_s - self._ticked_s
        if self._ticked_s and silent_s > self.settings.odometry_timeout_s:
            self._tick(self.now_s)

    def _tick(self, now_s: float) -> None:
        command = self._controller.step(now_s)
        self._publish_change()
        self._command(command, now_s)

    def _command(self, command: Command, now_s: float) -> None:
        velocity = (command.linear_mps, command.angular_radps)
        self._cmd_vel.publish(messages.stamped_twist_message(velocity, now_s)
                              if self.settings.cmd_vel_stamped
                              else messages.twist_message(velocity))
        self._report(command.cause)

    def _report(self, cause: Cause) -> None:
        self.diagnostics.tell(state=self._controller.state.value, cause=cause.value,
                              action=self._controller.action.name)
        if cause in (Cause.NONE, Cause.SHUTDOWN):
            self.diagnostics.settle(graph.CMD_VEL)
        else:
            self.diagnostics.complain(graph.CMD_VEL, f'zero: {cause.value}', fades=False)

    def _publish_change(self) -> None:
        state = (self._controller.state, self._controller.state_since_s)
        if state != self._last_state:
            self._publish_state()

    def _publish_state(self) -> None:
        state, since_s = self._controller.state, self._controller.state_since_s
        self._last_state = (state, since_s)
        self._state.publish(messages.header(state.value, since_s))

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data:
            self._controller.enable(self._control_s)
        else:
            self._controller.disable(Cause.NOT_ENABLED, self._control_s)
        return self._answer(response)

    def _stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._controller.disable(Cause.STOPPED, self._control_s)
        self._command(Command(cause=Cause.STOPPED), self.now_s)
        return self._answer(response)

    def _answer(self, response: Any) -> Any:
        self._publish_change()
        response.success, response.message = True, self._controller.state.value
        return response


def main() -> None:
    """Run the node."""
    sys.exit(run(MotionNode))


if __name__ == '__main__':
    main()
