# SPDX-License-Identifier: Apache-2.0
"""A short episode in a generated house and result files, made up to have something to show."""

import json

import numpy as np
import pytest

from asgf_nav_ros.benchmark.metrics import episode_metrics
from asgf_nav_ros.benchmark.metrics import EpisodeOutcome
from asgf_nav_ros.benchmark.metrics import report
from asgf_nav_ros.benchmark.recording import EpisodeRecording
from asgf_nav_ros.benchmark.recording import RecordedDecision
from asgf_nav_ros.contract import Action
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph

ACTIONS = (Action.TURN_LEFT, Action.MOVE_FORWARD, Action.MOVE_FORWARD, Action.TURN_RIGHT,
           Action.MOVE_FORWARD, Action.STOP)
RATE_HZ = 16000
EPISODES = 60
PERIOD_S = 2.0


def decision(index, action, rng):
    probabilities = np.full(4, 0.04)
    probabilities[action] = 0.88
    return RecordedDecision(
        window_end_s=PERIOD_S * index + 1.0, action=action,
        probabilities=probabilities, gate=0.7, attention=np.array([0.35, 0.65]),
        frame_weights=rng.dirichlet(np.ones(13)), sound_azimuth_rad=1.1 - 0.4 * index,
        sound_path_m=5.0 - 0.8 * index, latency_ms=6.0,
        rgb=rng.integers(0, 256, (128, 128, 3), dtype=np.uint8),
        depth=rng.uniform(0.5, 9, (128, 128)).astype(np.float32),
        spectrogram=rng.exponential(0.5, (65, 26, 2)).astype(np.float32))


def make_recording(seed=3):
    rng = np.random.default_rng(seed)
    house = generate_house(seed)
    nodes = build_navigation_graph(house).nodes
    end_s = PERIOD_S * len(ACTIONS)
    times_s = np.linspace(0, end_s, 60)
    start = nodes[0]
    xy = start + np.outer(times_s / end_s, nodes[len(nodes) // 4] - start)
    return EpisodeRecording(
        name='episode 1', sound_name='telephone', house=house, source_xy=nodes[-1], start_s=0.0,
        end_s=end_s, poses=np.column_stack([times_s, xy, times_s / 5]),
        decisions=tuple(decision(i, action, rng) for i, action in enumerate(ACTIONS)),
        motion_states=tuple((PERIOD_S * i / 2 + 0.1, ('idle', 'moving')[i % 2])
                            for i in range(2 * len(ACTIONS))),
        sound=0.1 * rng.standard_normal((2, round(end_s * RATE_HZ))).astype(np.float32),
        sound_start_s=0.0, sample_rate_hz=RATE_HZ, succeeded=True)


@pytest.fixture(scope='session')
def recording():
    return make_recording()


def outcomes(success, *, seed, episodes=EPISODES):
    """Episodes whose distances are always the same; ``seed`` decides which succeed."""
    distances_m = np.random.default_rng(0).uniform(2, 15, episodes).round(1)
    succeeds = np.random.default_rng([seed, 1]).random(episodes) < success
    return [EpisodeOutcome(
        stopped=True, geodesic_start_m=distance_m, geodesic_end_m=0.0 if won else 3.0,
        path_m=1.1 * distance_m, actions=40, oracle_actions=30)
        for distance_m, won in zip(distances_m, succeeds)]


def write_result(path, system, *, success=0.8, seed=0, size='small', sounds='unheard',
                 episode_seed=1, episodes=EPISODES, **more):
    """Write a file of which every episode succeeds with probability ``success``."""
    found = outcomes(success, seed=seed, episodes=episodes)
    runs = [{'house': f'{size}/test/{index % 5}', 'sound': f'bell_{index % 7}',
             'ratio': 1.0 + 0.3 * (index % 5), 'rooms_away': index % 3,
             'geodesic_m': outcome.geodesic_start_m, 'seed': 1000 * episode_seed + index,
             **episode_metrics(outcome), 'actions': outcome.actions}
            for index, outcome in enumerate(found)]
    document = {
        'system': system, 'split': 'test', 'size': size, 'sounds': sounds,
        'episodes': len(found), 'seed': episode_seed, **report(found, np.random.default_rng(1)),
        'steps_per_second': 100.0, 'model_sha256': f'{system}{seed}', 'houses': 20, 'runs': runs}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document | more))
    return path


@pytest.fixture
def result_file():
    """Writes a result file: ``result_file(path, system, success=0.8, ...)``."""
    return write_result
