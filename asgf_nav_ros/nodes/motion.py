# SPDX-License-Identifier: Apache-2.0
"""Node ``motion``: executes actions on the base, and is the only one that commands it."""

from __future__ import annotations

import sys
import time
from typing import Any

from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.duration import Duration
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Bool
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from std_srvs.srv import Trigger

from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.controller import Command
from asgf_nav_ros.motion.controller import MotionController
from asgf_nav_ros.motion.corridor import Corridor
from asgf_nav_ros.motion.supervision import Supervision
from asgf_nav_ros.motion.supervision import Trouble
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.motion_parameters import MotionParameters

STATE_PERIOD_S = 0.1
WATCH_PERIOD_S = 0.05
WELL = Trouble()
DELIVERY = Duration(seconds=0.2)  # of the last zero


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
        lockstep = self.settings.depth_wait_s > 0  # depth then comes when it is needed
        self.listen(Image, graph.DEPTH, self._on_depth, sensor, stamped=True,
                    fresh_s=None if lockstep else self.settings.depth_timeout_s)
        self.listen(Odometry, graph.ODOMETRY, self._on_odometry, sensor, stamped=True,
                    fresh_s=self.settings.odometry_timeout_s)
        self.listen(Header, graph.ACTION, self._on_action, graph.event_qos(), awaited=False)
        self._supervise()
        if self.settings.control_trigger == 'timer':
            self.every(1 / self.settings.control_rate_hz, lambda: self._tick(self.now_s))
        else:
            self.every(STATE_PERIOD_S, self._watch_odometry)
        self.every(STATE_PERIOD_S, self._publish_state)
        self._publish_state()

    def _supervise(self) -> None:
        """Watch the other nodes, the deadman switch and the clock."""
        limits = self.settings.supervision_limits(
            simulated=self.get_parameter('use_sim_time').value)
        self._supervision = Supervision(limits, steady_s=time.monotonic())
        if limits.heartbeat_timeout_s and limits.nodes:
            self.listen(Header, graph.HEARTBEAT, self._on_heartbeat,
                        graph.sensor_qos('best_effort'), awaited=False)
        if limits.deadman_timeout_s:
            self.listen(Bool, graph.DEADMAN, self._on_deadman, graph.event_qos())
        if limits.clock_timeout_s:
            self.every(WATCH_PERIOD_S, self._watch_clock, clock=self.steady)

    def halt(self) -> None:
        """Command a last zero."""
        self._controller.disable(Cause.SHUTDOWN, self.now_s)
        self._command(Command(cause=Cause.SHUTDOWN), self.now_s)
        self._publish_state()
        self._cmd_vel.wait_for_all_acked(DELIVERY)  # else it may be lost with the process

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
        self.diagnostics.tell(actions_taken=self._controller.taken)
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

    def _on_heartbeat(self, message: Header) -> None:
        self._supervision.see_heartbeat(message.frame_id, time.monotonic())

    def _on_deadman(self, message: Bool) -> None:
        self._supervision.see_deadman(message.data, time.monotonic())

    def _watch_clock(self) -> None:
        """Without time no tick comes: command zero for that too."""
        now_s, steady_s = self.now_s, time.monotonic()
        self._supervision.see_clock(now_s, steady_s)
        if self._supervision.trouble(steady_s).cause == Cause.CLOCK_STOPPED:
            self._tick(now_s)

    def _tick(self, now_s: float) -> None:
        began_s = self.now_s
        trouble = self._supervision.trouble(time.monotonic())
        command = self._controller.step(now_s, trouble.cause)
        self._publish_change()
        # Whoever is frozen between looking and sending sends when the world has gone on: next to
        # nothing is left to do after this look at the clock.
        message = self._serialized(command, now_s)
        if self.now_s - began_s > self.settings.tick_timeout_s:
            command = self._controller.step(self.now_s, Cause.PAUSED)
            self._publish_change()
            message = self._serialized(command, now_s)
        self._cmd_vel.publish(message)
        self._report(command.cause, trouble)

    def _command(self, command: Command, now_s: float) -> None:
        self._cmd_vel.publish(self._serialized(command, now_s))
        self._report(command.cause, WELL)

    def _serialized(self, command: Command, now_s: float) -> bytes:
        velocity = (command.linear_mps, command.angular_radps)
        return serialize_message(messages.stamped_twist_message(velocity, now_s)
                                 if self.settings.cmd_vel_stamped
                                 else messages.twist_message(velocity))

    def _report(self, cause: Cause, trouble: Trouble) -> None:
        self.diagnostics.tell(state=self._controller.state.value, cause=cause.value,
                              action=self._controller.action.name)
        if cause in (Cause.NONE, Cause.SHUTDOWN):
            self.diagnostics.settle(graph.CMD_VEL)
        else:
            detail = f' ({trouble.detail})' if cause == trouble.cause else ''
            self.diagnostics.complain(
                graph.CMD_VEL, f'zero: {cause.value}{detail}', fades=False)

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
