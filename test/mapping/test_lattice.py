# SPDX-License-Identifier: Apache-2.0
from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import after
from asgf_nav_ros.mapping.lattice import State


def test_steps_and_turns_lead_to_a_state():
    way = [Action.MOVE_FORWARD, Action.TURN_LEFT, Action.MOVE_FORWARD, Action.TURN_RIGHT]
    assert after(State(2, 3, 1), way) == State(1, 4, 1)
    assert after(State(2, 3, 1), []) == State(2, 3, 1)
