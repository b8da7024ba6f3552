# SPDX-License-Identifier: Apache-2.0
"""Every fault that is tried: what is done to whom, and by which words its cause is known."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import fnmatch

NODES = ('spectrogram', 'policy', 'motion')
SENSES, SOUND_CARD = ('camera', 'audio_capture'), 'sound_card'
PLAIN, CLOCKED, RELIABLE, STARVED = 'plain', 'clocked', 'reliable', 'starved'
SENSING, FAMISHED = 'sensing', 'famished'
# Faults of one graph follow each other in it. Those that leave a mess in the transports (a reader
# that dies with megabytes in its hands) get a graph of their own, at the end.
ORDER = (PLAIN, CLOCKED, SENSING, STARVED, FAMISHED, RELIABLE)
WITH_SENSES = (SENSING, FAMISHED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaultCase:
    """One fault.

    Attributes:
        name: what ``--only`` matches.
        fault: of ``trial_faults``, or a method of ``process_faults``.
        target: the stream or node concerned; empty for all streams.
        words: diagnostics name the cause if they contain one of these.
        graph: which graph it happens to: plain, clocked (simulated time), reliable streams,
            sensing (with a camera node and microphones), or starved and famished, which are plain
            and sensing, but apart.
        process: done to the process ``target`` rather than to a stream.
        forward: needs a step forward under way, not just any motion.
        at_rest: the robot has stopped for another reason already, or need not stop.
        from_start: already there when the nodes come up.
        chance: differs from seed to seed, beyond the moment at which it begins.
    """

    name: str
    fault: str
    target: str = ''
    words: tuple[str, ...]
    graph: str = PLAIN
    process: bool = False
    forward: bool = False
    at_rest: bool = False
    from_start: bool = False
    chance: bool = False


def all_cases() -> tuple[FaultCase, ...]:
    """Every case, those of one graph together."""
    cases = (*_processes(), *_senses(), *_models(), *_cameras(), *_ears(), *_odometry(),
             *_stamps(), *_intruders(), *_whole_robot(), *_clocks(), *_from_start())
    return tuple(sorted(cases, key=lambda case: (case.from_start, ORDER.index(case.graph))))


def choose(pattern: str) -> tuple[FaultCase, ...]:
    """The cases whose name contains or matches ``pattern``.

    Raises:
        ValueError: there is none.
    """
    wanted = pattern if set(pattern) & set('*?[') else f'*{pattern}*'
    chosen = tuple(case for case in all_cases() if fnmatch.fnmatchcase(case.name, wanted))
    if not chosen:
        names = ', '.join(case.name for case in all_cases())
        raise ValueError(f'--only {pattern!r} matches no fault; there are: {names}')
    return chosen


def _processes() -> Iterator[FaultCase]:
    for node in NODES:
        words = ('motion_state',) if node == 'motion' else (f'no sign of life from {node}',)
        for fault in ('kill', 'freeze', 'restart'):
            named = words if fault != 'restart' else (*words, 'nobody publishes /motion_state')
            yield FaultCase(name=f'{fault}_{node}', fault=fault, target=node, process=True,
                            words=named, chance=True)
        yield FaultCase(name=f'no_memory_{node}', fault='exhaust', target=node, process=True,
                        graph=STARVED, words=(*words, 'refused'))
    for fault, words in (('kill', ()), ('freeze', ()), ('restart', ()),
                         ('fill_disk', ('cannot write', 'recording ends'))):
        yield FaultCase(name=f'{fault}_recorder', fault=fault, target='recorder', process=True,
                        at_rest=True, words=words)


def _senses() -> Iterator[FaultCase]:
    """The nodes that read the robot's own sensors, and the microphones themselves."""
    for node, words in (('camera', ('has stopped', 'stale_depth', 'nobody publishes')),
                        ('audio_capture', ('audio has stopped', 'nobody publishes'))):
        for fault in ('kill', 'freeze', 'restart'):
            yield FaultCase(name=f'{fault}_{node}', fault=fault, target=node, process=True,
                            graph=SENSING, words=words, chance=True)
    yield FaultCase(name='no_memory_camera', fault='exhaust', target='camera', process=True,
                    graph=FAMISHED, words=('has stopped', 'stale_depth', 'refused'))
    # No message reaches this one: it works on in the memory that it has, or ends and is missed.
    yield FaultCase(name='no_memory_audio_capture', fault='exhaust', target='audio_capture',
                    process=True, graph=FAMISHED, at_rest=True, words=())
    for name, fault in (('unplugged_microphones', 'kill'), ('hanging_microphones', 'freeze')):
        yield FaultCase(name=name, fault=fault, target=SOUND_CARD, process=True, graph=SENSING,
                        words=('audio has stopped', 'microphones'), chance=True)


def _models() -> Iterator[FaultCase]:
    for fault in ('corrupt_model', 'truncated_model', 'foreign_model'):
        for node in ('policy', 'motion'):
            yield FaultCase(name=f'{fault}_{node}', fault=fault, target=node, process=True,
                            words=('model', 'no sign of life', 'motion_state'))


def _cameras() -> Iterator[FaultCase]:
    stopped, refused = ('has stopped', 'stale_depth'), ('refused',)
    for stream in ('color/image', 'depth/image'):
        short = stream.partition('/')[0]
        yield FaultCase(name=f'silent_{short}', fault='silent', target=stream, words=stopped)
        yield FaultCase(name=f'slow_{short}', fault='slow', target=stream, words=stopped)
        yield FaultCase(name=f'frozen_{short}', fault='frozen', target=stream, forward=True,
                        words=('frozen',))
        yield FaultCase(name=f'same_stamp_{short}', fault='same_stamp', target=stream,
                        words=('behind the clock', 'stale_depth'))
        for fault in ('empty', 'oversized', 'truncated', 'encoding'):
            yield FaultCase(name=f'{fault}_{short}', fault=fault, target=stream, words=refused)
    for fault in ('nan', 'inf'):
        yield FaultCase(name=f'{fault}_depth', fault=fault, target='depth/image', forward=True,
                        words=('blind_depth',))
        yield FaultCase(name=f'{fault}_camera_info', fault=fault, target='camera_info',
                        words=('camera_info',))
    for fault in ('empty', 'oversized'):
        yield FaultCase(name=f'{fault}_camera_info', fault=fault, target='camera_info',
                        words=('camera_info',))
    yield FaultCase(name='obstacle', fault='obstacle', target='depth/image', forward=True,
                    words=('obstacle',))


def _ears() -> Iterator[FaultCase]:
    for fault, words in (
            ('silent', ('audio has stopped',)), ('slow', ('audio',)),
            ('dead_left', ('left ear is silent',)), ('dead_right', ('right ear is silent',)),
            ('dead', ('both ears stay under',)), ('clipped', ('full scale',)),
            ('mono', ('both ears are the same',)), ('rate', ('came again', 'wants sample_rate')),
            ('empty', ('refused',)), ('oversized', ('refused',)), ('truncated', ('refused',)),
            ('encoding', ('refused',)), ('same_stamp', ('audio',)), ('frozen', ('audio',))):
        yield FaultCase(name=f'{fault}_audio', fault=fault, target='audio', words=words)
    yield FaultCase(name='swapped_audio', fault='swapped', target='audio', at_rest=True,
                    words=('left and right have changed places',))


def _odometry() -> Iterator[FaultCase]:
    for fault, words in (
            ('silent', ('stale_odometry',)), ('slow', ('stale_odometry', 'slipped', 'jump')),
            ('nan', ('not_finite',)), ('inf', ('not_finite',)), ('empty', ('odometry_jump',)),
            ('oversized', ('odometry_jump',)), ('same_stamp', ('stale_odometry',))):
        yield FaultCase(name=f'{fault}_odom', fault=fault, target='odom', words=words)


def _stamps() -> Iterator[FaultCase]:
    for stream in ('odom', 'audio', 'color/image', 'depth/image'):
        short = stream.partition('/')[0]
        yield FaultCase(name=f'no_stamp_{short}', fault='no_stamp', target=stream,
                        words=('no stamp',))
        for fault, side in (('late_stamp', 'behind'), ('early_stamp', 'ahead')):
            yield FaultCase(name=f'{fault}_{short}', fault=fault, target=stream,
                            words=(f's {side}', 'stale', 'jumped', 'missing'))


def _intruders() -> Iterator[FaultCase]:
    """Other publishers on the graph's own topics."""
    for stream in ('action', 'motion_state', 'episode', 'heartbeat'):
        for fault in ('unknown', 'oversized', 'empty'):
            if (stream, fault) in (('episode', 'unknown'), ('episode', 'empty'),
                                   ('heartbeat', 'unknown'), ('heartbeat', 'empty'),
                                   ('heartbeat', 'oversized')):
                continue  # these are names like any other
            yield FaultCase(name=f'{fault}_{stream}', fault=f'intruder_{fault}', target=stream,
                            words=('unknown_action', 'refused'))
    for fault in ('nan', 'inf', 'empty', 'oversized', 'shape'):
        yield FaultCase(name=f'{fault}_spectrogram', fault=f'planes_{fault}',
                        target='spectrogram', words=('spectrogram',))


def _whole_robot() -> Iterator[FaultCase]:
    yield FaultCase(name='loss_30_percent', fault='loss', words=('missing',), chance=True)
    yield FaultCase(name='all_streams_silent', fault='silent',
                    words=('stale_odometry', 'has stopped'))


def _clocks() -> Iterator[FaultCase]:
    for fault, words in (
            ('clock_forward', ('clock: jumped', 'paused')), ('clock_back', ('clock: jumped',)),
            ('clock_stops', ('clock_stopped',))):
        yield FaultCase(name=fault, fault=fault, graph=CLOCKED, words=words)


def _from_start() -> Iterator[FaultCase]:
    yield FaultCase(name='no_clock', fault='no_clock', graph=CLOCKED, from_start=True,
                    words=('nothing has come on /clock',))
    yield FaultCase(name='qos_mismatch', fault='best_effort', graph=RELIABLE, from_start=True,
                    words=('offered as best effort, but asked for as reliable',))
    for stream in ('odom', 'audio', 'color/image', 'depth/image', 'camera_info'):
        short = stream.partition('/')[0]
        yield FaultCase(name=f'never_{short}', fault='silent', target=stream, from_start=True,
                        words=(f'/{stream} yet',))
