# SPDX-License-Identifier: Apache-2.0
"""Node ``simulator``: a simulated world in place of a robot; it owns the clock."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import time
from typing import Any

from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.duration import Duration
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.episode_result import EpisodeRecord
from asgf_nav_ros.nodes.episode_result import summary
from asgf_nav_ros.nodes.lockstep import Due
from asgf_nav_ros.nodes.lockstep import Lockstep
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.simulated_searches import open_searches
from asgf_nav_ros.nodes.simulated_senses import SimulatedSenses
from asgf_nav_ros.nodes.simulator_parameters import SimulatorParameters

# Zero is what a clock says that has never been told the time.
FIRST_TICK_S = 1.0
WATCH_PERIOD_S = 0.1
COMMAND_TIMEOUT_S = 0.5
# An episode ends so long after the last halt: motion's word of it has come by then for certain, so
# that no run depends on whether it or the command of the same tick was faster.
REST_S = 0.2
DELIVERY = Duration(seconds=2)


class SimulatorNode(ManagedNode):
    """Publishes what a simulated robot senses and applies the commands that come."""

    def __init__(self, **options: Any) -> None:
        super().__init__('simulator', SimulatorParameters, **options)

    def set_up(self) -> None:
        """Build the world, find episodes, create publishers."""
        settings = self.settings
        self._contract = read_contract(settings.model_path)
        self._searches = open_searches(settings, self._contract)
        self._world = self._searches.world
        self._lockstep = Lockstep(window_s=self._contract.window_s)
        self._advertise()

    def start(self) -> None:
        """Wait for the graph, then begin."""
        settings = self.settings
        self._index, self._record = -1, None
        self._time_ns = round(FIRST_TICK_S * messages.NANOSECONDS)
        self._complete_since_s = math.inf
        self._progress_s = time.monotonic()
        self._command_s = -math.inf
        kind = TwistStamped if settings.cmd_vel_stamped else Twist
        self.listen(kind, graph.CMD_VEL, self._on_cmd_vel, graph.event_qos(), awaited=False)
        self.listen(Header, graph.MOTION_STATE, self._on_motion_state, graph.state_qos(),
                    awaited=False)
        self.listen(Header, graph.ACTION, self._on_action, graph.event_qos(), awaited=False)
        self.every(WATCH_PERIOD_S, self._watch, clock=self.steady)
        if not settings.lockstep:
            self.every(settings.tick_s / settings.realtime_factor, self._tick_by_wall_clock,
                       clock=self.steady)

    def halt(self) -> None:
        """Free the renderer."""
        self._world.close()

    def _advertise(self) -> None:
        sensor = graph.sensor_qos(self.settings.sensor_reliability,
                                  depth=graph.DEPTH_OF_SIMULATION)
        self._clock_publisher = self.advertise(
            Clock, graph.CLOCK, graph.sensor_qos('reliable', depth=1))
        self._odometry = self.advertise(Odometry, graph.ODOMETRY, sensor)
        self._senses = SimulatedSenses(self, self._world, self._contract)
        self._episode = self.advertise(Header, graph.EPISODE, graph.state_qos())
        self._result = self.advertise(String, graph.EPISODE_RESULT, graph.event_qos(depth=100))

    @property
    def _time_s(self) -> float:
        return self._time_ns / messages.NANOSECONDS

    # ---- messages

    def _on_cmd_vel(self, message: Any) -> None:
        stamped = self.settings.cmd_vel_stamped
        twist = message.twist if stamped else message
        stamp_s = messages.seconds(message.header.stamp) if stamped else self._time_s
        velocity = (twist.linear.x, twist.angular.z)
        if not np.isfinite(velocity).all():
            raise ValueError(f'velocities must be finite, got {velocity}')
        self._command_s = self._time_s
        self._lockstep.see_command(velocity, stamp_s)
        if not self.settings.lockstep:
            self._lockstep.velocity = velocity
        self._go_on()

    def _on_motion_state(self, message: Header) -> None:
        self._lockstep.see_motion(
            MotionState(message.frame_id), messages.seconds(message.stamp))
        self._go_on()

    def _on_action(self, message: Header) -> None:
        if self._record is None or message.frame_id not in Action.__members__:
            return
        stamp_s = messages.seconds(message.stamp)
        if stamp_s <= self._last_action_s:  # sent again
            return
        self._last_action_s = stamp_s
        action = Action[message.frame_id]
        if not self._lockstep.see_action(action) and self.settings.lockstep:
            self._record.slips += 1
            self.diagnostics.complain(graph.ACTION, f'{action.name} came before it was owed: '
                                      'this run is not reproducible')
        self._record.acted(action, self._world.pose)
        self._end_if_over()
        self._go_on()

    # ---- episodes

    def _begin_next(self) -> None:
        """Set the next episode up; the clock stands still meanwhile."""
        self._index += 1
        self._record = None
        began_s = time.perf_counter()
        try:
            episode = self._searches.episode(self._index)
            self.get_logger().info(f'episode {episode.episode_id}: {episode.sound} in '
                                   f'{episode.house}, {episode.geodesic_m:.1f} m away')
            self._searches.begin(episode)
        except (OSError, ValueError) as error:
            self.fail(f'episode {self._index} cannot begin: {" ".join(str(error).split())}')
            return
        self._record = EpisodeRecord(episode, start_s=self._time_s,
                                     reset_time_s=time.perf_counter() - began_s)
        self._start_pose, self._last_action_s = self._world.pose, -math.inf
        self._senses.begin(self._time_s)
        self._lockstep.begin_episode(self._time_s)
        self._episode.publish(messages.header(episode.episode_id, self._time_s))

    @property
    def _is_last(self) -> bool:
        """Whether no episode follows the one that was begun last."""
        limit_s = self.settings.run_time_limit_s
        late = limit_s > 0 and self._time_s - FIRST_TICK_S >= limit_s
        return late or self._index + 1 >= self._searches.count

    def _end_if_over(self) -> None:
        record, settings = self._record, self.settings
        if record.stopped:
            self._end('stop')
        elif not self._rests:  # the last action must not be driven in the next episode
            return
        elif len(record.actions) >= settings.max_actions:
            self._end('max_actions')
        elif self._time_s - record.start_s > settings.episode_time_limit_s:
            self._end('time_limit')

    @property
    def _rests(self) -> bool:
        """Whether the last action is over, as far as motion takes actions at all."""
        motion = self._lockstep.motion
        if motion is None or motion == MotionState.DISABLED:
            return True
        since_s = self._lockstep.motion_since_s
        # A step that is blocked at once is over at the very time that it was decided on.
        return (motion.at_rest and since_s >= self._last_action_s
                and self._time_s >= since_s + REST_S)

    def _end(self, end: str) -> None:
        last = self._is_last
        result = self._record.result(
            now_s=self._time_s, distance_to_goal_m=self._world.geodesic_m(),
            success_radius_m=self._searches.success_radius_m, end=end,
            travelled_m=self._world.travelled_m)
        document = json.dumps({
            **result, 'last': last, 'start_pose': dataclasses.astuple(self._start_pose),
            'source_xyz': self._world.source_xyz.tolist()})
        self._result.publish(String(data=document))
        if self.settings.tell_results:
            print(document, flush=True)
        self.get_logger().info(summary(result))
        self._record = None
        if last and self.settings.exit_when_done:
            self._result.wait_for_all_acked(DELIVERY)
            self.finish(0)

    # ---- ticks

    def _go_on(self) -> None:
        """Do what lockstep allows now."""
        if not self.settings.lockstep or self._index < 0 or self.finished:
            return
        if self._record is None:
            self._next_tick()
            return
        due = self._lockstep.due
        if due == Due.SENSES:
            self._sense()
            self._progress_s = time.monotonic()
            due = self._lockstep.due
        if due == Due.ADVANCE:
            self._advance()
            self._next_tick()

    def _tick_by_wall_clock(self) -> None:
        if self._index < 0 or self.finished:
            return
        if self._record is not None:
            self._sense()
            if self._time_s - self._command_s > COMMAND_TIMEOUT_S:
                self._lockstep.velocity = (0.0, 0.0)
            self._advance()
        self._next_tick()

    def _advance(self) -> None:
        linear_mps, angular_radps = self._lockstep.velocity
        touched = self._world.advance(linear_mps, angular_radps, self.settings.tick_s)
        self._record.moved(touched)

    def _next_tick(self) -> None:
        """Let the clock go on, and say where the robot is."""
        if self._record is not None:
            self._end_if_over()
        if self.finished or (self._record is None and self._is_last):
            return
        self._time_ns += round(self.settings.tick_s * messages.NANOSECONDS)
        if self._record is None:
            self._begin_next()
        if self._record is None:
            return
        self._progress_s = time.monotonic()
        self._lockstep.begin_tick(self._time_s)
        self._clock_publisher.publish(Clock(clock=messages.stamp_of(self._time_s)))
        odometry = self._world.odometry
        self._odometry.publish(messages.odometry_message(
            Pose(odometry.x_m, odometry.y_m, odometry.yaw_rad), self._lockstep.velocity,
            self._time_s))

    def _sense(self) -> None:
        """Publish audio and images that are due at this tick."""
        lockstep = self.settings.lockstep
        heard_until_s = self._senses.hear(self._time_s)
        owed = lockstep and self._lockstep.turn_complete(heard_until_s)
        moving = self._lockstep.motion == MotionState.MOVING
        self._senses.look(self._time_s, now=owed, regularly=moving or not lockstep)
        self._lockstep.sensed(action_owed=owed)

    # ---- waiting

    def _watch(self) -> None:
        if self._index < 0:
            self._begin_when_complete()
        elif self.settings.lockstep and self._record is not None and not self.finished:
            waited_s = time.monotonic() - self._progress_s
            if waited_s > self.settings.handshake_timeout_s and self._lockstep.waits_for:
                self.fail(f'lockstep: waited {waited_s:.0f} s for {self._lockstep.waits_for}')

    def _begin_when_complete(self) -> None:
        missing, now_s = self._missing(), time.monotonic()
        if missing:
            self._complete_since_s = math.inf
            if now_s - self._progress_s > self.settings.startup_timeout_s:
                self.fail('the graph is not complete: ' + ', '.join(missing))
            elif now_s - self._progress_s > 3.0:
                self.diagnostics.complain('startup', 'waits for ' + ', '.join(missing))
            return
        self._complete_since_s = min(self._complete_since_s, now_s)
        if now_s - self._complete_since_s >= self.settings.startup_settle_s:
            self._begin_next()
            self._next_tick()

    def _missing(self) -> list[str]:
        """Which partners are not there yet, in words."""
        if not self.settings.wait_for_graph:
            return []
        partners = {
            'spectrogram (listens to audio)': self._senses.audio.get_subscription_count(),
            'spectrogram (publishes)': self.count_publishers(graph.SPECTROGRAM),
            'policy (listens to spectrogram)': self.count_subscribers(graph.SPECTROGRAM),
            'policy (listens to images)': self._senses.color.get_subscription_count(),
            'policy (publishes action)': self.count_publishers(graph.ACTION),
            'motion (listens to odom)': self._odometry.get_subscription_count(),
            'motion (publishes cmd_vel)': self.count_publishers(graph.CMD_VEL)}
        missing = [name for name, found in partners.items() if not found]
        if self._lockstep.motion is None:
            missing.append('motion_state')
        elif self._lockstep.motion == MotionState.DISABLED:
            missing.append('motion to be enabled (call motion/enable)')
        return missing


def main() -> None:
    """Run the node."""
    sys.exit(run(SimulatorNode))


if __name__ == '__main__':
    main()
