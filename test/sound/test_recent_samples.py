# SPDX-License-Identifier: Apache-2.0
"""The bounded buffer against the endless sequence that it stands for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.sound.recent_samples import RecentSamples


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 30), max_size=30), keep=st.integers(1, 12))
def test_holds_the_newest_entries_at_their_index(sizes, keep):
    whole = np.arange(sum(sizes), dtype=np.float32)
    recent = RecentSamples((), keep=keep)
    for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        recent.append(whole[start:start + size])
    assert recent.end == len(whole)
    assert recent.start == max(0, len(whole) - keep)
    np.testing.assert_array_equal(recent.part(recent.start, recent.end), whole[recent.start:])


@pytest.mark.parametrize('start, stop', [(4, 8), (6, 11), (8, 7)])
def test_refuses_what_is_gone_or_has_not_come(start, stop):
    recent = RecentSamples((2,), keep=5)
    recent.append(np.zeros((2, 10)))
    with pytest.raises(IndexError, match=f'entries {start}..{stop} asked, 5..10 held'):
        recent.part(start, stop)
