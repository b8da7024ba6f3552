# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node that starts itself, refuses bad input in one line and ends cleanly."""

from __future__ import annotations

import dataclasses
import signal
import time
from typing import Any
from typing import Callable
from typing import Sequence

import rclpy
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes.diagnostics import Diagnostics
from asgf_nav_ros.nodes.diagnostics import ERROR
from asgf_nav_ros.nodes.parameters import declare
from asgf_nav_ros.nodes.parameters import NodeParameters

# An input that has not come by then is named in the log.
PATIENCE_S = 3.0
HEARTBEAT_S = 0.5
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@dataclasses.dataclass
class _Input:
    """A subscription of the active node."""

    topic: str
    subscription: Any
    qos: QoSProfile
    waited_since_s: float
    came: bool = False


class ManagedNode(LifecycleNode):
    """What the nodes share. A subclass overrides some of ``set_up``, ``start``, ``halt``.

    ``set_up`` runs in configure: it loads, checks and creates publishers, and raises OSError or
    ValueError with one line that says what to do. ``start`` runs in activate and calls
    ``listen`` and ``every``; what these made is gone after deactivate. ``halt`` comes first in
    deactivate and shutdown, while publishers still work.
    """

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
        self._inputs: list[_Input] = []
        self._timers_of_active: list[Any] = []
        self._advertised: list[Any] = []
        self._served: list[Any] = []
        self._rewinding = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1),
                          on_clock_change=False), post_callback=self._on_clock_jump)
        self._born_s = time.monotonic()
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
        """Forget stamps: the clock went back, e.g. because a simulation began anew."""

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
               awaited: bool = True) -> None:
        """Subscribe while active; a message that makes ``callback`` raise ValueError is refused.

        Args:
            kind: message type.
            topic: relative name.
            callback: takes the message.
            qos: quality of service.
            awaited: say so if nothing comes for a while.
        """
        entry = _Input(topic, None, qos, time.monotonic(), came=not awaited)

        def guarded(message: Any) -> None:
            entry.came, self.received_s = True, time.perf_counter()
            try:
                callback(message)
            except ValueError as error:
                self.refuse(topic, error)

        entry.subscription = self.create_subscription(kind, topic, guarded, qos)
        self._inputs.append(entry)

    def every(self, period_s: float, callback: Callable[[], None], *,
              clock: Clock | None = None) -> None:
        """Call back every ``period_s`` of the graph's clock (or ``clock``) while active."""
        self._timers_of_active.append(
            self.create_timer(period_s, callback, clock=clock or self.get_clock()))

    def refuse(self, topic: str, error: ValueError) -> None:
        """Report input that was not used."""
        self.diagnostics.complain(topic, f'refused: {error}')

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check."""
        try:
            self.set_up()
        except (OSError, ValueError) as error:
            self.diagnostics.complain('configure', str(error), level=ERROR, fades=False)
            return FAILURE
        self.diagnostics.settle('configure')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to listen and publish."""
        result = super().on_activate(state)
        self._active = True
        self.start()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening."""
        self._retire()
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
        self._retire()
        return super().on_shutdown(state)

    def close(self) -> None:
        """Say the last words and free everything."""
        self._retire()
        self.destroy_node()

    def _retire(self) -> None:
        if self._active:
            self.halt()
        self._active = False
        for entry in self._inputs:
            self.destroy_subscription(entry.subscription)
        for timer in self._timers_of_active:
            self.destroy_timer(timer)
        self._inputs, self._timers_of_active = [], []

    def autostart(self) -> bool:
        """Configure and activate now, if the parameter says so; false if that failed."""
        if not self.settings.autostart:
            return True
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def _on_clock_jump(self, _: Any) -> None:
        if self._active:
            self.get_logger().warning('the clock went back, starting afresh')
            self.rewind()

    def _beat(self) -> None:
        lacks = [self._why_no_clock()]
        if lacks[0]:  # nothing else can come either
            for entry in self._inputs:
                entry.waited_since_s = time.monotonic()
        else:
            lacks = [why for entry in self._inputs if (why := self._why_silent(entry))]
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

    def _why_silent(self, entry: _Input) -> str:
        """Nobody there, quality of service that does not match, or just nothing sent."""
        if entry.came or time.monotonic() - entry.waited_since_s < PATIENCE_S:
            return ''
        name = entry.subscription.topic_name
        publishers = self.get_publishers_info_by_topic(name)
        if not publishers:
            return f'nobody publishes {name}'
        if entry.qos.reliability == ReliabilityPolicy.RELIABLE and any(
                info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
                for info in publishers):
            return (f'{name} is offered as best effort, but asked for as reliable: set '
                    'sensor_reliability to best_effort here or to reliable there')
        return f'nothing has come on {name} yet'


def run(kind: type[ManagedNode], args: Sequence[str] | None = None) -> int:
    """Run one node until SIGINT, SIGTERM or its own end; return the exit code."""
    # rclpy's own handlers shut the context down before a last zero could be published.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: asked.append(received))
    try:
        return _spin(kind, asked)
    finally:
        rclpy.try_shutdown()


def _spin(kind: type[ManagedNode], asked: list[int]) -> int:
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
        node.close()
        executor.shutdown()
