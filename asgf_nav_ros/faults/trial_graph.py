# SPDX-License-Identifier: Apache-2.0
"""The nodes of a robot as processes, around a trial robot that fails on command."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import itertools
import os
from pathlib import Path
import threading
import time
from typing import Any

from asgf_nav_ros.faults.cases import CLOCKED
from asgf_nav_ros.faults.cases import NODES
from asgf_nav_ros.faults.cases import RELIABLE
from asgf_nav_ros.faults.cases import SENSES
from asgf_nav_ros.faults.cases import SOUND_CARD
from asgf_nav_ros.faults.cases import WITH_SENSES
from asgf_nav_ros.faults.node_process import NodeProcess
from asgf_nav_ros.faults.sound_card import DEVICE
from asgf_nav_ros.faults.sound_card import NoisyCard
from asgf_nav_ros.faults.sound_card import RATE_HZ
from asgf_nav_ros.faults.verdict import Event
from asgf_nav_ros.ros_processes.node_command import node_arguments
from asgf_nav_ros.ros_processes.ros_domain import chosen_or_free_domain
from asgf_nav_ros.ros_processes.ros_domain import graph_environment

ROBOT, RECORDER, WITNESS = 'trial_robot', 'recorder', 'witness'
STARTING_S = 90.0
POLL_S = 0.01
# Where the nodes that read sensors run, the trial robot is a driver; nobody hears its own audio.
DRIVER = {'color/image': 'camera/driver/color', 'depth/image': 'camera/driver/depth',
          'camera_info': 'camera/driver/camera_info', 'audio': 'driver/audio'}
# Without motion for so long the policy has said STOP: the next episode begins.
EPISODE_S = 8.0


class TrialGraph:
    """Processes and the events of the robot; use it as a context manager."""

    def __init__(self, kind: str, *, model: Path, folder: Path, seed: int,
                 recorded: bool = False, witnessed: str = '',
                 sound_level: float | None = None) -> None:
        """Name the processes.

        Args:
            kind: of ``cases``: plain, clocked, reliable, sensing, starved or famished.
            model: exported policy.
            folder: of logs and the recording.
            seed: of the robot's noise.
            recorded: a recorder runs too.
            witnessed: topics that a witness tells about, separated by commas; none without.
            sound_level: of the sound that the robot hears, None for its own.
        """
        self.kind, self.model = kind, model
        self._folder, self._seed, self._topics = folder, seed, witnessed
        self._heard = {} if sound_level is None else {'sound_level': sound_level}
        self._events: list[Event] = []
        self._seen: list[Event] = []
        self._recorded: list[Event] = []
        self._lock = threading.Lock()
        self._episodes = itertools.count()
        environment = {**os.environ, **graph_environment(chosen_or_free_domain())}
        folder.mkdir(parents=True, exist_ok=True)
        self.processes: dict[str, NodeProcess | NoisyCard] = {}
        if kind in WITH_SENSES:
            card = NoisyCard(log=folder / f'{SOUND_CARD}.log', seed=seed)
            self.processes[SOUND_CARD] = card
            environment |= card.environment
        names = (ROBOT, *(SENSES if kind in WITH_SENSES else []), *NODES,
                 *([RECORDER] if recorded else []), *([WITNESS] if witnessed else []))
        listeners = {ROBOT: self._hear, WITNESS: self._seen.append,
                     RECORDER: self._recorded.append}
        self.processes |= {name: NodeProcess(
            name, self._arguments(name), environment=environment, log=folder / f'{name}.log',
            listener=listeners.get(name)) for name in names}

    def __enter__(self) -> TrialGraph:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes.values()):
            process.end()

    def start(self, **fault: Any) -> None:
        """Start the robot, then the nodes; the robot has ``fault`` before they come.

        Raises:
            RuntimeError: the robot does not come up.
        """
        robot = self.processes[ROBOT]
        robot.start()
        if not self.wait(lambda events: any(e['event'] == 'ready' for e in events), STARTING_S):
            raise RuntimeError(f'the trial robot did not start; see {robot.log}')
        if fault:
            robot.order(**fault)
        for name, process in self.processes.items():
            if name != ROBOT:
                process.start()

    def order(self, **order: Any) -> None:
        """Tell the robot something."""
        self.processes[ROBOT].order(**order)

    def events(self, since_s: float = 0.0) -> list[Event]:
        """What the robot said from then on."""
        with self._lock:
            return [event for event in self._events if event['t'] >= since_s]

    def witnessed(self) -> list[Event]:
        """What the witness told."""
        return list(self._seen)

    def recorded(self) -> list[Event]:
        """What the recorder told: ``ready`` and what it wrote."""
        return list(self._recorded)

    def wait(self, condition: Callable[[list[Event]], Any], timeout_s: float,
             since_s: float = 0.0) -> Any:
        """Poll until ``condition(events)`` is true; its value, or None after ``timeout_s``."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if value := condition(self.events(since_s)):
                return value
            time.sleep(POLL_S)
        return None

    def wait_for_motion(self, timeout_s: float, *, since_s: float, forward: bool = False) -> bool:
        """Until the robot begins to move, in new episodes where the last one is over."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if self.wait(lambda events: any(
                    e['event'] == 'moving' and (e['forward'] or not forward) for e in events),
                    min(EPISODE_S, deadline_s - time.monotonic()), since_s):
                return True
            with contextlib.suppress(BrokenPipeError):
                self.order(episode=f'trial {next(self._episodes)}')
        return False

    def is_moving(self) -> bool:
        """Whether the robot moves now."""
        newest = [e['event'] for e in self.events() if e['event'] in ('moving', 'still')]
        return bool(newest) and newest[-1] == 'moving'

    def forget(self) -> None:
        """Drop what happened so far."""
        with self._lock:
            newest = [e for e in self._events if e['event'] in ('moving', 'still')]
            self._events = newest[-1:]

    def dead(self, *, but: str) -> list[str]:
        """Processes that ended, apart from one."""
        return [name for name, process in self.processes.items()
                if name != but and not process.alive]

    def _hear(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)

    def _arguments(self, name: str) -> list[str]:
        shared = {'model_path': str(self.model),
                  'sensor_reliability': 'reliable' if self.kind == RELIABLE else 'best_effort'}
        simulated = {'use_sim_time': self.kind == CLOCKED}
        own = {
            ROBOT: {'seed': self._seed, 'owns_clock': self.kind == CLOCKED, **self._heard},
            'motion': {**simulated, 'enabled': True, 'cmd_vel_stamped': True},
            'camera': {'source': 'topics'},
            'audio_capture': {'device': DEVICE, 'device_rate_hz': RATE_HZ},
            WITNESS: {'topics': self._topics, 'cmd_vel_stamped': True},
            RECORDER: {'bag_path': str(self._folder / 'bag_%H%M%S'), 'cmd_vel_stamped': True},
        }.get(name, simulated)
        file = f'{name}.yaml' if name in (*NODES, *SENSES) else 'sim.yaml'
        driver = DRIVER if name == ROBOT and self.kind in WITH_SENSES else {}
        remaps = [word for old, new in driver.items() for word in ('-r', f'{old}:={new}')]
        # Another graph that happens to use the same domain is not heard.
        return [*node_arguments(name, {**shared, **own}, file=file), *remaps,
                '-r', f'__ns:=/trial_{os.getpid()}']
