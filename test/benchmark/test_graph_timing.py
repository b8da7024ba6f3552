# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.benchmark.graph_timing import command_jitter_ms
from asgf_nav_ros.benchmark.graph_timing import decision_times_ms
from asgf_nav_ros.benchmark.graph_timing import percentiles

RATE_HZ, BLOCK = 16000, 320


def audio(blocks=100, *, late_s=0.002):
    """Blocks of 20 ms, each published ``late_s`` after its last sample."""
    return [{'stamp_s': 10 + n * BLOCK / RATE_HZ, 'samples': BLOCK,
             'published_s': 10 + (n + 1) * BLOCK / RATE_HZ + late_s} for n in range(blocks)]


def action(end_s, *, after_s=0.008):
    return {'stamp_s': end_s, 'published_s': end_s + after_s}


def times(*actions):
    return decision_times_ms(audio(), actions)


@pytest.mark.parametrize('sample, block_end', [(0, 0), (1, 1), (319, 1), (320, 1), (321, 2)])
def test_the_block_counts_that_holds_the_last_sample_of_the_window(sample, block_end):
    end_s = 11 + sample / RATE_HZ
    [since_audio], [since_sample] = times(action(end_s, after_s=0.03))
    published_s = 11 + block_end * BLOCK / RATE_HZ + 0.002
    assert since_audio == pytest.approx(1e3 * (end_s + 0.03 - published_s), abs=1e-6)
    assert since_sample == pytest.approx(30)


def test_an_action_that_was_sent_again_counts_once():
    since_audio, _ = times(action(11.0), action(11.0, after_s=1.0), action(11.5))
    assert since_audio == pytest.approx([6, 6])


def test_actions_on_sound_that_was_not_seen_do_not_count():
    assert times(action(9.0), action(13.0)) == ([], [])


def test_jitter_is_the_distance_of_a_period_from_20_ms():
    commands = [{'published_s': t_s} for t_s in (0, 0.02, 0.045, 0.06, 0.08)]
    jitter_ms, at_decisions = command_jitter_ms(commands, [])
    assert jitter_ms == pytest.approx([0, 5, 5, 0])
    assert at_decisions == []


def test_periods_that_touch_a_decision_are_told_apart():
    commands = [{'published_s': 0.02 * n + (0.003 if n == 50 else 0)} for n in range(100)]
    decided = [{'published_s': 1.01}]
    jitter_ms, at_decisions = command_jitter_ms(commands, decided)
    assert len(jitter_ms) == 99
    assert max(at_decisions) == pytest.approx(3) and 3 <= len(at_decisions) <= 5


def test_percentiles_stand_beside_what_is_wanted():
    found = percentiles(range(101), wanted=25.0)
    assert found == {'count': 101, 'p50': 50, 'p99': 99, 'most': 100, 'p99_wanted': 25.0}
    assert 'p99_wanted' not in percentiles([1.0])
    with pytest.raises(ValueError, match='at least one value'):
        percentiles([])
