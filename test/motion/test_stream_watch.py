# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.motion.stream_watch import StreamWatch


@pytest.fixture
def stream():
    stream = StreamWatch('audio', fresh_s=0.4, stamped=True)
    stream.see(9.98, 10.0)
    return stream


def test_a_stream_that_comes_is_well(stream):
    assert stream.complaint(10.3) == ''


def test_what_never_came_is_named():
    assert StreamWatch('audio', fresh_s=0.4).complaint(9.0) == 'nothing has come on audio yet'


def test_what_stopped_is_named(stream):
    assert stream.complaint(10.5) == 'audio has stopped, nothing for 0.5 s'


@pytest.mark.parametrize('stamp_s, text', [
    (7.0, 'stamps of audio are 3.0 s behind'), (13.0, 'stamps of audio are 3.0 s ahead of')])
def test_stamps_of_another_clock_are_named(stream, stamp_s, text):
    stream.see(stamp_s, 10.0)
    assert stream.complaint(10.0).startswith(text)


def test_a_header_without_a_stamp_is_refused(stream):
    with pytest.raises(ValueError, match='the header has no stamp'):
        stream.see(0.0, 10.1)


def test_stamps_do_not_matter_where_there_are_none():
    stream = StreamWatch('motion_state', fresh_s=0.4)
    stream.see(0.0, 10.0)
    assert stream.complaint(10.1) == ''
    assert stream.complaint(10.5) != ''


def test_a_refused_message_is_remembered_for_a_while(stream):
    stream.refuse('no image', 10.0)
    stream.see(10.3, 10.3)
    assert stream.complaint(10.3) == 'audio is refused: no image'
    stream.see(10.6, 10.6)
    assert stream.complaint(10.6) == ''


def test_without_a_limit_only_refusals_count():
    stream = StreamWatch('episode')
    assert stream.complaint(99.0) == ''
    stream.see(0.0, 1.0)
    stream.refuse('unknown', 1.0)
    assert 'unknown' in stream.complaint(1.1)


def test_after_a_jump_of_the_clock_it_waits_anew(stream):
    stream.forget()
    assert stream.complaint(1.0) == 'nothing has come on audio yet'
