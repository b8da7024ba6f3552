# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node that starts itself, refuses bad input in one line and ends cleanly."""

from __future__ import annotations

import time
from typing import Any
from typing import Callable
from typing import Sequence

import rclpy
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.clock import JumpThreshold
from rclpy.clock import TimeJump
from rclpy.duration import Duration
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Header

from asgf_nav_ros.motion.supervision import heartbeat
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.diagnostics import Diagnostics
from asgf_nav_ros.nodes.diagnostics import ERROR
from asgf_nav_ros.nodes.ending import leave_graph
from asgf_nav_ros.nodes.ending import limit_leaving
from asgf_nav_ros.nodes.ending import requests_to_end
from asgf_nav_ros.nodes.inputs import Inputs
from asgf_nav_ros.nodes.inputs import PATIENCE_S
from asgf_nav_ros.nodes.parameters import declare
from asgf_nav_ros.nodes.parameters import NodeParameters

HEARTBEAT_S = 0.5
# Signs of life for motion, which stops the robot without them.
PULSE_S = 0.05
# What ``ail`` reports is over after this time.
AILING_S = 0.5
# The clock of the machine against a steady one: more is a jump.
JUMP_S = 2.0
# Forward, between two messages of a simulated clock; less may be a pause of this process while a
# simulation runs at many times real time.
SIMULATED_JUMP_S = 60.0
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class ManagedNode(LifecycleNode):
    """What the nodes share. A subclass overrides some of ``set_up``, ``start``, ``halt``.

    ``set_up`` runs in configure: it loads, checks and creates publishers, and raises OSError or
    ValueError with one line that says what to do. ``start`` runs in activate and calls
    ``listen`` and ``every``; what these made is gone after deactivate. ``halt`` comes first in
    deactivate and shutdown, while publishers still work. A ``supervised`` node sends heartbeats
    while it is active, in which it says whether it is fit to have the robot move.
    """

    supervised = False

    def __init__(self, name: str, kind: type[NodeParameters], **options: Any) -> None:
        """Declare the parameters of ``kind``; ``options`` go to rclpy."""
        super().__init__(name, **options)
        self.steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.settings = declare(self, kind)
        self.diagnostics = Diagnostics(self, now_s=time.monotonic)
        self.finished = False
        self.exit_code = 0
        self.received_s = 0.0  # of the message that is being worked on, by time.perf_counter
        self._active = False
        self._inputs = Inputs(self)
        self._timers_of_active: list[Any] = []
        self._advertised: list[Any] = []
        self._served: list[Any] = []
        self._ailments: dict[str, tuple[str, float]] = {}
        self._rewinding = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=Duration(seconds=SIMULATED_JUMP_S),
                          min_backward=Duration(nanoseconds=-1), on_clock_change=False),
            post_callback=self._on_clock_jump)
        self._born_s = time.monotonic()
        self._ahead_s = self.now_s - self._born_s
        self.create_timer(HEARTBEAT_S, self._beat, clock=self.steady)

    @property
    def now_s(self) -> float:
        """Time of the graph's clock, seconds."""
        return self.get_clock().now().nanoseconds * 1e-9

    def set_up(self) -> None:
        """Load, check, create publishers."""

    def start(self) -> None:
        """Listen and work."""

    def halt(self) -> None:
        """Say the last words; publishers still work."""

    def rewind(self) -> None:
        """Forget stamps: the clock jumped, e.g. back because a simulation began anew."""

    def finish(self, exit_code: int) -> None:
        """End the process soon."""
        self.exit_code, self.finished = exit_code, True

    def fail(self, reason: str) -> None:
        """End the process with one line that says why."""
        self.diagnostics.complain('failure', reason, level=ERROR, fades=False)
        self.finish(1)

    def advertise(self, kind: type, topic: str, qos: QoSProfile) -> Any:
        """A publisher from configure until cleanup, which is silent unless active."""
        publisher = self.create_lifecycle_publisher(kind, topic, qos)
        self._advertised.append(publisher)
        return publisher

    def serve(self, kind: type, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """Answer a service from configure until cleanup."""
        self._served.append(self.create_service(kind, name, callback))

    def listen(self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile, *,
               awaited: bool = True, stamped: bool = False, fresh_s: float | None = None) -> None:
        """Subscribe while active; a message that makes ``callback`` raise ValueError is refused.

        Args:
            kind: message type.
            topic: relative name.
            callback: takes the message.
            qos: quality of service.
            awaited: say so if nothing comes for a while.
            stamped: refuse messages whose header was never stamped.
            fresh_s: the node is not well while the newest message is older.
        """
        def taken(message: Any) -> None:
            self.received_s = time.perf_counter()
            callback(message)

        self._inputs.add(kind, topic, taken, qos, refuse=self.refuse, awaited=awaited,
                         stamped=stamped, fresh_s=fresh_s)

    def every(self, period_s: float, callback: Callable[[], None], *,
              clock: Clock | None = None) -> None:
        """Call back every ``period_s`` of the graph's clock (or ``clock``) while active."""
        self._timers_of_active.append(
            self.create_timer(period_s, callback, clock=clock or self.get_clock()))

    def refuse(self, topic: str, error: ValueError) -> None:
        """Report input that was not used."""
        self.diagnostics.complain(topic, f'refused: {error}')

    def ail(self, subject: str, reason: str) -> None:
        """Report what makes this node unfit for a while; motion stops the robot for it."""
        self._ailments[subject] = (reason, time.monotonic() + AILING_S)
        self.diagnostics.complain(subject, reason)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check."""
        try:
            self.set_up()
        except (OSError, ValueError) as error:
            self.diagnostics.complain('configure', str(error), level=ERROR, fades=False)
            return FAILURE
        if self.supervised:
            self._pulse = self.advertise(Header, graph.HEARTBEAT, graph.sensor_qos('best_effort'))
        self.diagnostics.settle('configure')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to listen and publish."""
        result = super().on_activate(state)
        self._active = True
        self.start()
        if self.supervised:
            self.every(PULSE_S, self._send_heartbeat, clock=self.steady)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening."""
        self.retire()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo configure."""
        for publisher in self._advertised:
            self.destroy_lifecycle_publisher(publisher)
        for service in self._served:
            self.destroy_service(service)
        self._advertised, self._served = [], []
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good."""
        self.retire()
        return super().on_shutdown(state)

    def retire(self) -> None:
        """Say the last words and stop listening; what is left is to destroy the node."""
        if self._active:
            self.halt()
        self._active = False
        self._inputs.close()
        for timer in self._timers_of_active:
            self.destroy_timer(timer)
        self._timers_of_active = []

    def autostart(self) -> bool:
        """Configure and activate now, if the parameter says so; false if that failed."""
        if not self.settings.autostart:
            return True
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def _send_heartbeat(self) -> None:
        steady_s, now_s = time.monotonic(), self.now_s
        complaints = [reason for reason, until_s in self._ailments.values() if steady_s < until_s]
        complaint = '; '.join([*complaints, *self._inputs.complaints(now_s)])
        self._pulse.publish(messages.header(heartbeat(self.get_name(), complaint), now_s))

    def _on_clock_jump(self, jump: TimeJump) -> None:
        """A simulated clock jumped; that it is told the time at all is no jump."""
        if self.get_clock().now().nanoseconds != jump.delta.nanoseconds:
            self._restart_clock(jump.delta.nanoseconds * 1e-9)

    def _restart_clock(self, jump_s: float) -> None:
        if not self._active:
            return
        self.diagnostics.complain('clock', f'jumped by {jump_s:+.1f} s, starting afresh')
        self._inputs.forget()
        self.rewind()

    def _watch_system_clock(self) -> None:
        """No callback tells when somebody sets the clock of the machine."""
        ahead_s = self.now_s - time.monotonic()
        jump_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if abs(jump_s) > JUMP_S and not self.get_clock().ros_time_is_active:
            self._restart_clock(jump_s)

    def _beat(self) -> None:
        self._watch_system_clock()
        no_clock = self._why_no_clock()
        if no_clock:  # nothing else can come either
            self._inputs.wait_anew()
        lacks = [no_clock] if no_clock else self._inputs.lacks(self.now_s)
        if lacks:
            self.diagnostics.complain('inputs', '; '.join(lacks), fades=False)
        else:
            self.diagnostics.settle('inputs')
        self.diagnostics.publish()

    def _why_no_clock(self) -> str:
        """Nobody tells the time that was asked for."""
        if (not self.get_parameter('use_sim_time').value
                or self.get_clock().now().nanoseconds > 0
                or time.monotonic() - self._born_s < PATIENCE_S):
            return ''
        return f'use_sim_time is set, but nothing has come on {graph.CLOCK} yet'


def run(kind: type[ManagedNode], args: Sequence[str] | None = None) -> int:
    """Run one node until SIGINT, SIGTERM or its own end; return the exit code."""
    # rclpy's own handlers shut the context down before a last zero could be published.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    asked = requests_to_end()
    try:
        return spin(kind, asked)
    finally:
        leave_graph()


def spin(kind: type[ManagedNode], asked: list[int]) -> int:
    """Run one node until something stands in ``asked`` or it ends; return the exit code."""
    try:
        node = kind()
    except (ParameterException, ValueError) as error:
        rclpy.logging.get_logger(kind.__name__).fatal(' '.join(str(error).split()))
        return 2
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if not node.autostart():
            return 1
        while not (asked or node.finished):
            executor.spin_once()
        return node.exit_code
    finally:
        node.retire()
        limit_leaving()
        node.destroy_node()
        executor.shutdown()
