# SPDX-License-Identifier: Apache-2.0
"""The layout names what the graph publishes; Foxglove itself is not run here."""

import json
from pathlib import Path
import re

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import visuals

FILE = Path(__file__).resolve().parents[2] / 'config' / 'foxglove_layout.json'
TOPICS = {value for name, value in vars(graph).items()
          if name.isupper() and isinstance(value, str)} | {
    visuals.PATH, visuals.ACTION_ARROW, visuals.SOUND_DIRECTION, visuals.DASHBOARD}


def test_every_topic_of_the_layout_is_one_of_the_graph():
    text = FILE.read_text(encoding='utf-8')
    named = {name.lstrip('/') for name in re.findall(r'"(/[a-z_/]+)', text)}
    assert named >= {visuals.PATH, visuals.ACTION_ARROW, visuals.SOUND_DIRECTION,
                     visuals.DASHBOARD, graph.DIAGNOSTICS}
    assert named <= TOPICS


def test_every_panel_is_placed_once():
    layout = json.loads(FILE.read_text(encoding='utf-8'))
    placed, waiting = [], [layout['layout']]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            placed.append(part)
        else:
            waiting += [part['first'], part['second']]
    assert sorted(placed) == sorted(layout['configById'])
