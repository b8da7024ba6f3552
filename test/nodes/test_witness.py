# SPDX-License-Identifier: Apache-2.0
import json
import time

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.witness import WitnessNode


@pytest.fixture
def witness(ros, capsys):
    """Start a witness of these topics; returns what it has told about one of them so far."""
    def start(*topics):
        ros.start(WitnessNode, topics=','.join(topics))
        told = []

        def newest(topic):
            told.extend(map(json.loads, capsys.readouterr().out.splitlines()))
            return [event for event in told if event['event'] == topic]

        return newest
    return start


def test_it_tells_when_a_message_was_published_not_when_it_came(ros, witness):
    told = witness(graph.ACTION)
    publisher = ros.talk(Header, graph.ACTION)
    before_s = time.time()
    publisher.publish(messages.header('STOP', 12.5))
    after_s = time.time()
    time.sleep(0.3)  # nobody spins: the witness is late
    ros.until(lambda: told(graph.ACTION))
    [event] = told(graph.ACTION)
    assert event['name'] == 'STOP' and event['stamp_s'] == 12.5
    assert before_s - 0.001 <= event['published_s'] <= after_s + 0.001
    assert event['clock_s'] >= before_s + 0.3


def test_it_tells_the_length_of_sound(ros, witness):
    told = witness(graph.AUDIO)
    publisher = ros.talk(Image, graph.AUDIO, graph.sensor_qos('best_effort'))
    publisher.publish(messages.audio_message(np.zeros((2, 320), np.float32), 3.0, 'ears'))
    ros.until(lambda: told(graph.AUDIO))
    [event] = told(graph.AUDIO)
    assert event['samples'] == 320 and event['stamp_s'] == 3.0


def test_it_tells_what_a_node_says_about_itself(ros, witness):
    told = witness(graph.DIAGNOSTICS)
    publisher = ros.talk(DiagnosticArray, graph.DIAGNOSTICS)
    publisher.publish(DiagnosticArray(status=[DiagnosticStatus(
        name='/robot/motion', level=DiagnosticStatus.WARN, message='zero: stopped',
        values=[KeyValue(key='actions_taken', value='7')])]))
    ros.until(lambda: any(event['node'] == 'motion' for event in told(graph.DIAGNOSTICS)))
    event = next(e for e in told(graph.DIAGNOSTICS) if e['node'] == 'motion')
    assert event['level'] == 1 and event['text'] == 'zero: stopped'
    assert event['values'] == {'actions_taken': '7'}


def test_results_come_without_their_long_lists(ros, witness):
    told = witness(graph.EPISODE_RESULT)
    publisher = ros.talk(String, graph.EPISODE_RESULT)
    publisher.publish(String(data=json.dumps({'actions': 2, 'poses': [1, 2], 'last': True})))
    ros.until(lambda: told(graph.EPISODE_RESULT))
    [event] = told(graph.EPISODE_RESULT)
    assert event['actions'] == 2 and event['last'] is True and 'poses' not in event


def test_a_topic_that_it_does_not_know_is_named(ros):
    node = ros.start(WitnessNode, autostart=False, topics='action,smell')
    assert not node.autostart()
    ros.until(lambda: ros.complained('topics must be some of audio'))
    assert ros.complained("got 'smell'")
