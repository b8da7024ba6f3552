# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import random

import numpy as np
import pytest

from asgf_nav_ros.faults import command
from asgf_nav_ros.faults.cases import all_cases
from asgf_nav_ros.faults.cases import choose
from asgf_nav_ros.faults.command import row
from asgf_nav_ros.faults.process_faults import begin
from asgf_nav_ros.faults.verdict import Verdict
from asgf_nav_ros.nodes.trial_faults import TrialFault

INTRUDERS = ('intruder_', 'planes_', 'clock_', 'no_clock', 'best_effort')
WELL = Verdict(zero_after_s=0.3, stopped_by='command', cause='why', resumed_after_s=1.0,
               failures=())


def test_names_are_unique_and_many():
    counts = collections.Counter(case.name for case in all_cases())
    assert max(counts.values()) == 1 and len(counts) >= 40


def test_every_stream_fault_is_one_that_the_robot_knows():
    for case in all_cases():
        if not case.process and not case.fault.startswith(INTRUDERS):
            assert hasattr(TrialFault(case.fault, '', np.random.default_rng()),
                           f'_on_{case.fault}'), case.name


@pytest.mark.parametrize('pattern, names', [
    ('kill_policy', {'kill_policy'}), ('kill_*', {f'kill_{node}' for node in (
        'spectrogram', 'policy', 'motion', 'recorder', 'camera', 'audio_capture')})])
def test_only_chooses_by_part_or_pattern(pattern, names):
    assert {case.name for case in choose(pattern)} == names


def test_a_pattern_without_a_case_is_an_error_that_lists_them():
    with pytest.raises(ValueError, match='matches no fault; there are: .*kill_policy'):
        choose('earthquake')


def test_without_a_sound_card_of_software_the_rest_is_tried(monkeypatch, capsys):
    monkeypatch.setattr(command, 'missing_programs', lambda: ['pacat'])
    cases = command.possible(choose('kill_*'))
    assert {case.target for case in cases} == {'spectrogram', 'policy', 'motion', 'recorder'}
    assert 'left out: kill_camera, kill_audio_capture need pacat' in capsys.readouterr().out
    with pytest.raises(ValueError, match='unplugged_microphones need pacat'):
        command.possible(choose('unplugged'))


def test_an_unknown_process_fault_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='fault must be one of kill'):
        begin('earthquake', None, model=tmp_path)


def test_a_row_tells_the_worst_of_all_tries():
    late = dataclasses.replace(WELL, zero_after_s=0.7, failures=('zero came after 0.70 s',))
    case = random.Random(1).choice(all_cases())
    assert row(case, [WELL])['passed'] and row(case, [WELL])['cause_named']
    told = row(case, [WELL, late])
    assert (told['passed'], told['zero_after_s'], told['passed_tries']) == (False, 0.7, 1)
    never = dataclasses.replace(WELL, zero_after_s=None)
    assert row(case, [WELL, never])['zero_after_s'] is None


@pytest.mark.parametrize('verdicts, tries', [
    (['late and held up', 'well'], 2), (['late', 'well'], 1), (['late and held up'] * 9, 4),
    (['well and held up', 'late'], 1)])
def test_a_try_is_repeated_where_the_robot_that_measures_was_held_up(monkeypatch, verdicts, tries):
    told = iter(verdicts)

    def run_trial(*_, **__):
        words = next(told)
        failures = ('zero came after 0.70 s',) if 'late' in words else ()
        return dataclasses.replace(WELL, failures=failures, held_up='held up' in words)

    monkeypatch.setattr(command, 'run_trial', run_trial)
    verdict = command.tried(None, all_cases()[0], window_s=1.0, seed=1)
    assert verdict.repeats == tries - 1
    assert verdict.passed == (verdicts[tries - 1].startswith('well'))
    assert row(all_cases()[0], [verdict, WELL])['repeats'] == tries - 1
