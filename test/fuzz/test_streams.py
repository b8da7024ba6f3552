# SPDX-License-Identifier: Apache-2.0
"""Whatever stamps, poses and names come in which order: no crash, and never a wild command."""

import contextlib
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.controller import MotionController
from asgf_nav_ros.motion.observation_gatherer import ObservationGatherer
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.primitives import MotionLimits
from asgf_nav_ros.motion.stream_watch import StreamWatch
from asgf_nav_ros.motion.supervision import Supervision
from asgf_nav_ros.motion.supervision import SupervisionLimits
from asgf_nav_ros.motion.turn_taking import TurnTaking
from asgf_nav_ros.sound.ear_watch import EarWatch
from asgf_nav_ros.sound.listening_window import ListeningWindow

CONTRACT = PolicyContract(sample_rate_hz=8000, window_s=0.1, image_height=4, image_width=4)
STAMPS = st.one_of(st.floats(0, 10), st.floats(-2**31, 2**31))  # what a header can say
NUMBERS = st.one_of(st.floats(-3, 3), st.floats())
SAMPLES = st.floats(width=32)
NAMES = st.one_of(st.sampled_from([*CONTRACT.actions, *(state.value for state in MotionState)]),
                  st.text(max_size=10))


@given(st.lists(st.tuples(STAMPS, st.integers(0, 900), SAMPLES), max_size=12), STAMPS)
def test_audio_chunks_make_whole_windows_or_none(chunks, since_s):
    window, ears = ListeningWindow(CONTRACT), EarWatch(8000)
    for stamp_s, count, value in chunks:
        audio = np.full((2, count), value, np.float32)
        with contextlib.suppress(ValueError):
            for event in window.push(stamp_s, audio):
                ears.interrupt(event, stamp_s)
            ears.push(audio)
    found = window.window_after(since_s)
    if found is not None:
        assert found.audio.shape == (2, CONTRACT.window_samples)
        assert np.isfinite(found.audio).all()
        assert found.end_s >= since_s + CONTRACT.window_s - 1e-3 or found.end_s >= since_s


EVENTS = st.lists(st.one_of(
    st.tuples(st.just('pose'), NUMBERS, NUMBERS, NUMBERS),
    st.tuples(st.just('depth'), NUMBERS),
    st.tuples(st.just('action'), NAMES, st.one_of(st.floats(-1, 1), NUMBERS)),
    st.tuples(st.just('wait'), st.one_of(st.floats(0, 0.1), st.floats(-10, 100))),
    st.tuples(st.just('trouble'), st.sampled_from(list(Cause))),
    st.tuples(st.sampled_from(['enable', 'disable', 'forget', 'rest']))), max_size=40)


@given(EVENTS)
def test_a_command_is_finite_within_limits_and_zero_where_there_is_a_cause(events):
    limits, now_s = MotionLimits(), 100.0
    controller = MotionController(CONTRACT, motion=limits)
    controller.enable(now_s)
    for kind, *values in events:
        trouble = Cause.NONE
        if kind == 'pose':
            controller.see_odometry(Pose(*values), (0.0, 0.0), now_s)
        elif kind == 'depth':
            controller.see_depth(np.full((4, 4), values[0]), now_s)
        elif kind == 'action':
            controller.accept(values[0], now_s + values[1], now_s)
        elif kind == 'wait':
            now_s += values[0]
        elif kind == 'trouble':
            trouble = values[0]
        elif kind == 'disable':
            controller.disable(Cause.STOPPED, now_s)
        elif kind != 'rest':
            getattr(controller, kind)(now_s)
        now_s += 0.02
        command = controller.step(now_s, trouble)
        velocity = (command.linear_mps, command.angular_radps)
        assert all(map(math.isfinite, velocity)) and command.linear_mps >= 0
        assert command.linear_mps <= limits.max_linear_mps
        assert abs(command.angular_radps) <= limits.max_angular_radps
        assert velocity == (0.0, 0.0) or (
            command.cause == trouble == Cause.NONE and controller.state == MotionState.MOVING)


@given(st.lists(st.tuples(st.sampled_from(['color', 'depth', 'hear']), STAMPS), max_size=12),
       STAMPS)
def test_an_observation_is_wholly_from_after_the_rest(seen, since_s):
    gatherer = ObservationGatherer(CONTRACT, tolerance_s=0.25)
    for kind, stamp_s in seen:
        take = getattr(gatherer, kind if kind == 'hear' else f'see_{kind}')
        take(np.zeros(1, np.float32), stamp_s)
    observation = gatherer.gather(since_s)
    if observation is None:
        assert gatherer.missing(since_s)
    else:
        assert observation.stamp_s >= since_s + CONTRACT.window_s - 1e-3


TURNS = st.sampled_from(['motion', 'episode', 'reset', 'forget'])


@given(st.lists(st.tuples(TURNS, NAMES, STAMPS), max_size=12))
def test_turns_are_taken_at_rest_only(events):
    turn, newest = TurnTaking(action_timeout_s=1.0), None
    for kind, name, stamp_s in events:
        if kind == 'motion':
            with contextlib.suppress(ValueError):
                turn.see_motion(name, stamp_s)
                newest = MotionState(name)
        elif kind == 'episode':
            turn.see_episode(name, stamp_s)
        elif kind == 'reset':
            turn.reset(stamp_s)
        else:
            turn.forget()
            newest = None
        if turn.listens_since_s is not None:
            assert newest is not None and newest.at_rest
        else:
            assert turn.waits_for


@given(st.lists(st.tuples(st.text(max_size=30), st.floats(0, 100)), max_size=12))
def test_heartbeats_of_any_text_are_taken(beats):
    watch = Supervision(SupervisionLimits(nodes=('policy',), clock_timeout_s=0.0), steady_s=0.0)
    for text, steady_s in beats:
        watch.see_heartbeat(text, steady_s)
        assert watch.trouble(steady_s).cause in (
            Cause.NONE, Cause.SILENT_NODE, Cause.UNWELL_NODE)


@given(st.lists(st.tuples(STAMPS, STAMPS, st.booleans()), max_size=12))
def test_a_stream_always_says_something_sensible(arrivals):
    stream = StreamWatch('audio', fresh_s=0.4, stamped=True)
    for stamp_s, now_s, refused in arrivals:
        with contextlib.suppress(ValueError):
            stream.see(stamp_s, now_s)
            assert (stream.lack(now_s) == '') == (abs(now_s - stamp_s) <= 0.4)
        if refused:
            stream.refuse('why', now_s)
            assert 'why' in stream.complaint(now_s)
