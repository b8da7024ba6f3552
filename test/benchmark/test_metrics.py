# SPDX-License-Identifier: Apache-2.0
import dataclasses

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.benchmark import metrics

DISTANCES = st.floats(0, 200, allow_nan=False)
OUTCOMES = st.builds(
    metrics.EpisodeOutcome, stopped=st.booleans(), geodesic_start_m=DISTANCES,
    geodesic_end_m=DISTANCES, path_m=DISTANCES, actions=st.integers(0, 500),
    oracle_actions=st.integers(1, 500))
RADII = st.sampled_from([metrics.STRICT_RADIUS_M, metrics.SUCCESS_RADIUS_M])


def outcome(**changes):
    fields = {'stopped': True, 'geodesic_start_m': 6.0, 'geodesic_end_m': 0.0, 'path_m': 8.0,
              'actions': 20, 'oracle_actions': 16}
    return metrics.EpisodeOutcome(**{**fields, **changes})


def test_values_follow_the_definitions():
    assert metrics.success(outcome())
    assert metrics.spl(outcome()) == pytest.approx(6 / 8)
    assert metrics.sna(outcome()) == pytest.approx(16 / 20)
    assert metrics.soft_spl(outcome(geodesic_end_m=1.5)) == pytest.approx(0.75 * 6 / 8)


def test_success_needs_a_stop_inside_the_radius():
    assert not metrics.success(outcome(stopped=False))
    near = outcome(geodesic_end_m=0.5)
    assert metrics.success(near, 1.0) and not metrics.success(near, 0.2)
    assert metrics.success(outcome(geodesic_end_m=1.0), 1.0)


def test_a_path_shorter_than_the_geodesic_is_not_rewarded():
    assert metrics.spl(outcome(path_m=5.0, geodesic_end_m=0.9)) == 1.0
    assert metrics.sna(outcome(actions=10)) == 1.0


def test_start_at_the_goal_is_defined():
    stayed = outcome(geodesic_start_m=0.0, path_m=0.0, actions=1, oracle_actions=1)
    assert metrics.spl(stayed) == metrics.soft_spl(stayed) == metrics.sna(stayed) == 1.0


@settings(deadline=None)
@given(OUTCOMES, RADII)
def test_rates_lie_between_zero_and_success(sample, radius_m):
    achieved = metrics.success(sample, radius_m)
    assert 0 <= metrics.spl(sample, radius_m) <= achieved
    assert 0 <= metrics.sna(sample, radius_m) <= achieved
    assert 0 <= metrics.soft_spl(sample) <= 1


@settings(deadline=None)
@given(OUTCOMES, st.floats(0, 50), st.integers(0, 50))
def test_detours_and_extra_turns_never_raise_a_metric(sample, detour_m, turns):
    worse = dataclasses.replace(
        sample, path_m=sample.path_m + detour_m, actions=sample.actions + turns)
    for name, value in metrics.episode_metrics(worse).items():
        assert value <= metrics.episode_metrics(sample)[name]


@settings(deadline=None)
@given(OUTCOMES)
def test_strict_is_never_above_the_default(sample):
    strict = metrics.episode_metrics(sample, radius_m=metrics.STRICT_RADIUS_M)
    loose = metrics.episode_metrics(sample)
    assert all(strict[name] <= loose[name] for name in metrics.METRIC_NAMES)


@settings(deadline=None, max_examples=30)
@given(st.lists(OUTCOMES, min_size=1, max_size=30), st.integers(0, 2**32))
def test_intervals_stay_inside_the_extremes_of_the_episodes(outcomes, seed):
    intervals = metrics.bootstrap_intervals(outcomes, np.random.default_rng(seed), resamples=50)
    for name, (low, high) in intervals.items():
        values = [metrics.episode_metrics(sample)[name] for sample in outcomes]
        assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


def test_interval_matches_the_binomial_and_repeats_with_its_seed():
    outcomes = [outcome(stopped=index < 160) for index in range(200)]
    first, again = (metrics.bootstrap_intervals(outcomes, np.random.default_rng(3))
                    for _ in range(2))
    assert first == again
    low, high = first['success_rate']
    half = 1.96 * np.sqrt(0.8 * 0.2 / 200)
    assert low == pytest.approx(0.8 - half, abs=0.012)
    assert high == pytest.approx(0.8 + half, abs=0.012)


def test_report_has_both_radii_and_their_intervals():
    written = metrics.report([outcome(), outcome(geodesic_end_m=0.5)], np.random.default_rng(0))
    assert written['metrics']['success_rate'] == 1.0
    assert written['strict']['success_rate'] == 0.5
    assert set(written['ci95']['strict']) == set(metrics.METRIC_NAMES)


@pytest.mark.parametrize(('field', 'value'), [
    ('path_m', -1.0), ('geodesic_end_m', float('nan')), ('geodesic_start_m', float('inf')),
    ('actions', -1), ('oracle_actions', 0)])
def test_impossible_outcomes_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        outcome(**{field: value})


def test_no_episodes_is_refused():
    with pytest.raises(ValueError, match='at least one episode'):
        metrics.mean_metrics([])
