# SPDX-License-Identifier: Apache-2.0
import dataclasses

from heard_window import tone
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference import exploration
from asgf_nav_ros.inference.exploration import Exploration
from asgf_nav_ros.inference.exploration import SILENT_FOR_GOOD
from asgf_nav_ros.inference.goal_belief import GoalBelief
from asgf_nav_ros.inference.goal_belief import QUIET
from asgf_nav_ros.inference.likely_stops import PATIENCE
from asgf_nav_ros.motion.reckoning import Reckoning

CELLS = 21
CONTRACT = PolicyContract(image_height=64, image_width=64, odometry=True, belief_cells=CELLS,
                          hidden_size=8 + CELLS ** 2, system='asgf_plus')
OPEN_FLOOR = np.full((64, 64), 9.0, np.float32)
UNHEARD = np.zeros(3, np.float32)
HEARD_AHEAD = np.array([1.0, 0.0, 1.0], np.float32)
ALL_BUT_STOP = np.array([0.01, 0.33, 0.33, 0.33], np.float32)
STOP = np.array([0.97, 0.01, 0.01, 0.01], np.float32)
TURNING = np.array([0.0, 0.0, 0.5, 0.5], np.float32)


def memory_of(*peaks):
    """What a policy carries on that believes the goal to be at some cells, metres."""
    log_odds = np.full((CELLS, CELLS), -12.0, np.float32)
    for x, y in peaks:
        log_odds[x + CELLS // 2, y + CELLS // 2] = 0.0
    return np.concatenate([np.ones(8, np.float32), log_odds.ravel()])


def seeing(*memories, heard=False):
    belief = GoalBelief(CONTRACT)
    for memory in memories:
        belief.see(memory, heard=heard)
    return belief


def test_it_tells_the_likeliest_place_and_how_likely_it_is():
    place_m, mass = seeing(memory_of((4, -2))).likeliest()
    assert place_m == pytest.approx([4, -2]) and mass > 0.95
    _, half = seeing(memory_of((4, -2), (-4, -2))).likeliest()
    assert 0.4 < half < 0.65
    assert seeing(memory_of((4, -2))).mass_near(np.array([-4, -2])) < 0.01


def test_equal_beliefs_are_no_news_and_other_ones_are():
    here, there = memory_of((4, -2)), memory_of((3, 3))
    assert seeing(here, here, here).quiet == 2
    assert seeing(here, here, there).quiet == 0
    assert seeing(here, here, here, heard=True).quiet == 0


def test_windows_with_another_sound_do_not_move_the_goal():
    belief = seeing(memory_of((4, -2)))
    belief.see(memory_of((-4, 2)), heard=True, goal_alone=False)
    assert belief.likeliest()[0] == pytest.approx([4, -2])
    belief.see(memory_of((-4, 2)), heard=True)  # nothing new: still not there
    assert belief.mass_near(np.array([-4, 2])) < 0.01


def test_a_place_where_another_sound_was_found_is_not_the_goal_s():
    belief = seeing(memory_of((4, -2), (-4, 2)))
    belief.rule_out(np.array([4, -1]))
    place_m, mass = belief.likeliest()
    assert place_m == pytest.approx([-4, 2]) and mass > 0.95


def test_contracts_without_a_map_have_no_belief():
    with pytest.raises(ValueError, match='needs a contract with belief_cells'):
        GoalBelief(PolicyContract())


class Walker:
    """A robot on an endless floor."""

    def __init__(self, is_wall=lambda before, after: False, contract=CONTRACT):
        self._exploration, self._reckoning = Exploration(contract), Reckoning(1, contract)
        self._rng, self._is_wall = np.random.default_rng(0), is_wall
        self.explored = []  # at which decisions it was led to unseen floor

    def go(self, memory, probabilities, decisions, heard=UNHEARD, spectrogram=None):
        """Actions, and the pose after them, of a policy that always says and believes the same."""
        slot, actions = np.array([0]), []
        for _ in range(decisions):
            action = self._exploration.choose(
                probabilities, self._reckoning.features(slot)[0], OPEN_FLOOR, heard,
                temperature=0.25, rng=self._rng, memory=memory, spectrogram=spectrogram)
            actions.append(Action(action))
            self.explored.append(self._exploration.exploring)
            if action == Action.STOP:
                break
            x, y, yaw = self._reckoning.poses(slot)[0]
            after = x + 0.5 * np.cos(yaw), y + 0.5 * np.sin(yaw)
            blocked = action == Action.MOVE_FORWARD and self._is_wall((x, y), after)
            self._reckoning.record(slot, np.array([action]), np.array([not blocked]))
        return actions, self._reckoning.poses(slot)[0]


def walk(memory, probabilities, decisions):
    return Walker().go(memory, probabilities, decisions)


def test_a_silent_goal_is_driven_to_and_stopped_at():
    actions, pose = walk(memory_of((3, -2)), ALL_BUT_STOP, 40)
    assert actions[-1] == Action.STOP
    assert pose[:2] == pytest.approx([3, -2], abs=0.6)
    assert SILENT_FOR_GOOD < len(actions) < 30


def test_a_policy_does_not_stop_where_the_goal_cannot_be():
    actions, _ = walk(memory_of((8, 8)), STOP, 8)
    assert Action.STOP not in actions
    assert walk(memory_of((0, 1)), STOP, 5)[0] == [Action.STOP]


def test_a_map_that_is_not_sure_lets_a_policy_stop():
    unsure = memory_of((8, 8), (-8, 8), (-8, -8), (8, -8))
    assert walk(unsure, STOP, 5)[0] == [Action.STOP]


def test_a_silent_goal_goes_before_unseen_floor(monkeypatch):
    monkeypatch.setattr(exploration, 'way_to_frontier', lambda *_, **__: [Action.TURN_LEFT])
    walker = Walker()
    walker.go(memory_of((8, 8), (-8, 8), (-8, -8), (8, -8)), TURNING, 20)
    assert walker.explored[-1]  # it turns there for ever
    actions, pose = walker.go(memory_of((3, -2)), TURNING, 40)
    assert actions[-1] == Action.STOP and not any(walker.explored[20 + QUIET + 1:])
    assert pose[:2] == pytest.approx([3, -2], abs=0.6)


def test_it_stops_beside_a_silent_goal_that_a_wall_keeps_away():
    def crosses(before, after):
        return min(before[0], after[0]) < 2.2 < max(before[0], after[0]) and abs(before[1]) < 20

    actions, pose = Walker(crosses).go(memory_of((3, 0)), ALL_BUT_STOP, 60)
    assert actions[-1] == Action.STOP
    assert np.hypot(pose[0] - 3, pose[1]) <= 1.2


def test_a_policy_that_is_sure_stops_on_the_way_to_a_silent_goal():
    walker = Walker()
    walker.go(memory_of((0, 1)), TURNING, QUIET + 1)
    assert walker.go(memory_of((0, 1)), STOP, 1)[0] == [Action.STOP]


def test_a_goal_that_is_heard_is_not_driven_to_as_a_silent_one():
    actions, _ = Walker().go(memory_of((3, -2)), ALL_BUT_STOP, SILENT_FOR_GOOD, heard=HEARD_AHEAD)
    silent, _ = Walker().go(memory_of((3, -2)), ALL_BUT_STOP, SILENT_FOR_GOOD)
    assert actions[:QUIET] == silent[:QUIET] and actions != silent


def test_a_robot_that_gets_nowhere_settles_for_a_sure_place_near_by():
    actions, pose = Walker().go(memory_of((3, -2)), TURNING, 60, heard=HEARD_AHEAD)
    assert actions[-1] == Action.STOP
    assert pose[:2] == pytest.approx([3, -2], abs=0.6)


@pytest.mark.parametrize('memory', [memory_of((8, 8)), memory_of((3, -2), (-3, 2), (3, 2))])
def test_it_does_not_settle_for_a_place_that_is_far_or_not_sure(memory, monkeypatch):
    monkeypatch.setattr(exploration, 'way_to_frontier', lambda *_, **__: [Action.TURN_LEFT])
    walker = Walker()
    assert Action.STOP not in walker.go(memory, TURNING, 60, heard=HEARD_AHEAD)[0]
    assert any(walker.explored)


def test_it_goes_back_to_where_it_would_have_liked_to_stop():
    unsure, perhaps = memory_of((8, 8), (-8, 8), (-8, -8)), np.array([0.2, 0.8, 0, 0], np.float32)
    onwards = np.array([0.0, 0.9, 0.05, 0.05], np.float32)
    walker = Walker()
    before, _ = walker.go(unsure, perhaps, 1, heard=HEARD_AHEAD)
    away, far = walker.go(unsure, onwards, PATIENCE - 1, heard=HEARD_AHEAD)
    assert np.hypot(*far[:2]) > 3 and Action.STOP not in before + away
    back, pose = walker.go(unsure, onwards, 200, heard=HEARD_AHEAD)
    assert back[-1] == Action.STOP and pose[:2] == pytest.approx([0, 0], abs=0.01)


def test_a_policy_does_not_stop_at_another_sound_and_looks_for_the_goal_elsewhere():
    contract = dataclasses.replace(CONTRACT, goal_windows=3, hidden_size=CONTRACT.hidden_size + 66)
    both = memory_of((0, 0), (3, -2))
    walker = Walker(contract=contract)
    walker.go(both, TURNING, 3, heard=HEARD_AHEAD, spectrogram=tone(10, level=0.1))
    actions, pose = walker.go(both, STOP, 60, heard=HEARD_AHEAD, spectrogram=tone(50))
    assert np.hypot(*pose[:2]) > 1.6  # the place of the other sound
    walker = Walker(contract=contract)
    walker.go(both, TURNING, 3, heard=HEARD_AHEAD, spectrogram=tone(10, level=0.1))
    assert walker.go(both, STOP, 5, heard=HEARD_AHEAD, spectrogram=tone(10))[0] == [Action.STOP]


def test_nothing_changes_for_policies_without_a_map():
    contract = dataclasses.replace(CONTRACT, belief_cells=0)
    rng = np.random.default_rng(0)
    motion = Reckoning(1, contract).features(np.array([0]))[0]
    assert Exploration(contract).choose(STOP, motion, OPEN_FLOOR, UNHEARD, temperature=0.25,
                                        rng=rng, memory=memory_of((8, 8))) == Action.STOP
