# SPDX-License-Identifier: Apache-2.0
import socket
import struct
import threading

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import msgpack
import numpy as np
import pytest

from sim_bridge.habitat import protocol
from sim_bridge.habitat.protocol import Disconnected
from sim_bridge.habitat.protocol import ProtocolError
from sim_bridge.habitat.protocol import receive_message
from sim_bridge.habitat.protocol import send_message
from sim_bridge.habitat.protocol import TimedOut


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def received(pair, content, *, then_close=True):
    ours, theirs = pair
    theirs.sendall(content)
    if then_close:
        theirs.close()
    return receive_message(ours, wait_s=30.0)


def framed(body):
    return struct.pack('>I', len(body)) + body


def test_message_comes_back_with_its_arrays(pair):
    ours, theirs = pair
    rng = np.random.default_rng(0)
    sent = {'id': 3, 'call': 'x', 'flag': True, 'nothing': None, 'way': float('inf'),
            'list': [1.5, -2], 'image': rng.integers(0, 256, (5, 4, 3), dtype=np.uint8),
            'depth': rng.standard_normal((2, 7)).astype(np.float32), 'none': np.zeros((0, 2))}
    send_message(theirs, sent)
    got = receive_message(ours)
    assert set(got) == set(sent)
    for name, value in sent.items():
        np.testing.assert_array_equal(got[name], value)
    assert got['image'].dtype == np.uint8
    assert got['depth'].dtype == np.float32
    assert got['none'].shape == (0, 2)


def test_large_arrays_come_in_pieces(pair):
    ours, theirs = pair
    response = np.random.default_rng(1).standard_normal((2, 441_000)).astype(np.float32)
    sender = threading.Thread(target=send_message, args=(theirs, {'response': response}))
    sender.start()
    np.testing.assert_array_equal(receive_message(ours)['response'], response)
    sender.join()


@pytest.mark.parametrize('content, message', [
    (b'\x00\x00', 'cut off in its length'),
    (framed(msgpack.packb({'a': 'b' * 100}))[:-1], r'of \d+ bytes was cut off after \d+'),
    (struct.pack('>I', 0), 'must have 1 to'),
    (struct.pack('>I', protocol.LARGEST_MESSAGE + 1), 'must have 1 to 16777216 bytes, 16777217'),
    (b'GET / HTTP/1.1\r\n\r\n', 'must have 1 to'),
    (framed(b'\xc1'), 'must be msgpack'),
    (framed(msgpack.packb([1, 2])), 'must be a mapping, got list'),
    (framed(msgpack.packb({1: 2})), 'must be msgpack'),
    (framed(msgpack.packb({'a': 1}) + b'\x01'), 'must be msgpack'),
    (framed(b'\x81\xa1a' + b'\x91' * 5000 + b'\x01'), 'must be msgpack'),
    (framed(b'\x81\xa1a\xdd\xff\xff\xff\xff'), 'must be msgpack'),
    (framed(msgpack.packb({'a': [0] * 5000})), 'must be msgpack'),
    (framed(msgpack.packb({'a': msgpack.ExtType(5, b'12')})), 'unknown extension type 5'),
    (framed(msgpack.packb({'a': msgpack.ExtType(1, b'')})), 'unknown extension type 1'),
])
def test_hostile_messages_are_refused_in_one_line(pair, content, message):
    with pytest.raises(ProtocolError, match=message) as error:
        received(pair, content)
    assert '\n' not in str(error.value)


def array(dtype, shape, values):
    head = msgpack.packb([dtype, shape])
    return framed(msgpack.packb({'a': msgpack.ExtType(1, bytes([len(head)]) + head + values)}))


@pytest.mark.parametrize('dtype, shape, values, message', [
    ('|O', [1], b'\x00' * 8, "array must be of .* got '|O'"),
    ('<f4', [2, 2], b'\x00' * 12, r'of shape \[2, 2\] must have 16 bytes, got 12'),
    ('<f4', [2 ** 40, 2 ** 40], b'', 'must have .* bytes, got 0'),
    ('<f4', [-1, 4], b'', 'impossible shape'),
    ('<f4', [True], b'\x00' * 4, 'impossible shape'),
    ('<f4', [1] * 5, b'\x00' * 4, 'impossible shape'),
    ('<f4', 'abc', b'', 'impossible shape'),
    (['<f4'], [1], b'', 'array must be of'),
])
def test_hostile_arrays_are_refused(pair, dtype, shape, values, message):
    with pytest.raises(ProtocolError, match=message):
        received(pair, array(dtype, shape, values))


@given(st.binary(min_size=1, max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_do_more_than_be_refused(content):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            assert isinstance(received((ours, theirs), framed(content)), dict)
        except ProtocolError as error:
            assert '\n' not in str(error)


def test_closed_connection_is_told_from_a_cut_message(pair):
    with pytest.raises(Disconnected, match='closed the connection'):
        received(pair, b'')


def test_silence_ends_the_wait(pair):
    with pytest.raises(TimedOut, match='did not answer in time'):
        receive_message(pair[0], wait_s=0.05)


def test_half_a_message_does_not_hold_the_receiver(pair, monkeypatch):
    monkeypatch.setattr(protocol, 'MESSAGE_TIMEOUT_S', 0.05)
    with pytest.raises(TimedOut):
        received(pair, framed(msgpack.packb({'a': 1}))[:-1], then_close=False)


def test_message_that_is_too_large_is_not_sent(pair):
    with pytest.raises(ProtocolError, match='at most 16777216 bytes'):
        send_message(pair[0], {'a': np.zeros(2 ** 24 + 1, np.uint8)})


def test_reader_that_takes_nothing_does_not_hold_the_sender(pair):
    with pytest.raises(TimedOut, match='not taken within'):
        send_message(pair[0], {'a': np.zeros(2 ** 23, np.uint8)}, timeout_s=0.05)


def test_objects_are_not_sent(pair):
    with pytest.raises(TypeError, match='cannot send object'):
        send_message(pair[0], {'a': object()})
    with pytest.raises(TypeError, match='arrays must be of'):
        send_message(pair[0], {'a': np.array([object()])})
