# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from asgf_nav_ros.faults.soak_report import growth_percent
from asgf_nav_ros.faults.soak_report import MemorySample
from asgf_nav_ros.faults.soak_report import SoakRecord
from asgf_nav_ros.faults.soak_report import summary
from asgf_nav_ros.ros_processes.process_usage import MemoryUse

ACTIONS, ACTION_S = 100, 2.0


def status(node, *, level=0, text='ok', **values):
    return {'event': 'diagnostics', 'node': node, 'level': level, 'text': text,
            'clock_s': 1.0, 'values': {key: str(value) for key, value in values.items()}}


def result(clock_s=ACTIONS * ACTION_S, *, last=True, slips=0):
    return {'event': 'episode_result', 'clock_s': clock_s, 'start_s': 0.0, 'last': last,
            'success': True, 'actions': ACTIONS, 'slips': slips}


def use(grown):
    return MemoryUse(resident_mb=200.0, proportional_mb=150.0, private_mb=100 * grown)


def a_run(*, sent=ACTIONS, taken=ACTIONS, drift_s=0.0, off_s=0.0, growth=0.0, slips=0,
          ends=True, complaints=(), node='policy'):
    """A record of a run in which all is well but for what the arguments say."""
    record = SoakRecord()
    for number in range(ACTIONS):
        share, stamp_s = number / ACTIONS, number * ACTION_S
        record.take({'event': 'action', 'name': 'TURN_LEFT', 'stamp_s': stamp_s + off_s,
                     'clock_s': stamp_s + 0.02 + share * drift_s})
        record.memory.append(MemorySample(stamp_s, {node: use(1 + growth * share)}))
    record.take(result(last=ends, slips=slips))
    for complaint in complaints:
        record.take(complaint)
    for _ in range(3):
        record.take(status('policy', actions_sent=sent, actions_sent_again=0))
        record.take(status('motion', actions_taken=taken))
    return record


def report(**changes):
    return a_run(**changes).report(wall_s=50.0)


def test_a_run_in_which_nothing_is_lost_and_nothing_grows_passes():
    found = report()
    assert found['passed'] and found['failures'] == []
    assert found['actions']['lost'] == 0 and found['actions']['seen'] == ACTIONS
    assert found['sim_time_s'] == ACTIONS * ACTION_S
    assert found['memory']['policy']['private_mb_growth_percent'] == pytest.approx(0)
    assert '4.0x real time' in summary(found) and 'FAIL' not in summary(found)


@pytest.mark.parametrize('changes, words', [
    ({'taken': ACTIONS - 1}, '100 actions were sent, 99 were taken'),
    ({'slips': 1}, '1 came out of step'),
    ({'drift_s': 0.3}, r'stamps drifted by \+0.2'),
    ({'off_s': 0.004}, 'a window ended 4.0 ms off the ticks'),
    ({'growth': 0.1}, 'policy grew by 7'),
    ({'ends': False}, 'the run ended before its time'),
    ({'sent': 0, 'taken': 0}, 'no action was sent'),
    ({'complaints': [status('spectrogram', level=2, text='model: no action')]},
     'spectrogram reported an error: model: no action')])
def test_each_failure_is_named(changes, words):
    found = report(**changes)
    assert not found['passed']
    [failure] = found['failures']
    assert re.search(words, failure)
    assert f'FAIL {failure}' in summary(found)


def test_what_grows_while_it_warms_up_does_not_count():
    record = a_run()
    for number, sample in enumerate(record.memory[:5]):
        record.memory[number] = MemorySample(sample.clock_s, {
            'policy': use(0.5 + 0.1 * number)})
    assert record.report(wall_s=50.0)['passed']


def test_a_simulator_may_grow_with_its_houses():
    found = report(node='simulator', growth=0.5)
    assert found['passed']
    assert found['memory']['simulator']['private_mb_growth_percent'] > 20


def test_an_action_that_was_sent_again_is_one_action():
    record = a_run()
    record.take({'event': 'action', 'name': 'TURN_LEFT', 'stamp_s': 0.0, 'clock_s': 1.5})
    assert record.report(wall_s=50.0)['actions']['seen'] == ACTIONS


def test_a_warning_is_counted_once_until_it_changes():
    warning = status('spectrogram', level=1, text='audio: late')
    found = report(complaints=[warning, warning, status('spectrogram'), warning])
    assert found['passed']
    assert found['diagnostics'] == [
        {'level': 1, 'node': 'spectrogram', 'text': 'audio: late', 'count': 2}]


def test_numbers_are_final_when_both_nodes_have_spoken_after_the_end():
    record = SoakRecord()
    for _ in range(5):
        record.take(status('policy', actions_sent=1))
        record.take(status('motion', actions_taken=0))
    record.take(result())
    assert record.ended and not record.settled
    for _ in range(3):
        record.take(status('policy', actions_sent=1))
    assert not record.settled
    for _ in range(3):
        record.take(status('motion', actions_taken=1))
    assert record.settled


def test_growth_is_that_of_the_medians():
    assert growth_percent([100, 100, 500], [110, 110, 90]) == pytest.approx(10)


@pytest.mark.parametrize('actions, told', [(12, False), (60, True)])
def test_a_few_actions_tell_no_drift(actions, told):
    """The last ones are seen late here, as a busy machine sees them."""
    record = SoakRecord()
    for number in range(actions):
        stamp_s = number * ACTION_S
        late_s = 0.3 if number >= 0.8 * actions else 0.0
        record.take({'event': 'action', 'name': 'TURN_LEFT', 'stamp_s': stamp_s,
                     'clock_s': stamp_s + 0.02 + late_s})
    record.take(result(clock_s=actions * ACTION_S))
    document = record.report(wall_s=5.0)
    assert (document['stamps']['drift_s'] is not None) == told
    assert any('drifted' in failure for failure in document['failures']) == told
