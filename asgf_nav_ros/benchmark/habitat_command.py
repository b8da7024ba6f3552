# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav habitat``: a navigator in SoundSpaces 2.0, continuous motion in habitat's scenes.

Success is measured as habitat does it: STOP *below* the contract's radius along the navigation
mesh. SNA compares with the actions that habitat's own follower of the shortest way takes.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
import time
from typing import Any

import numpy as np
from tqdm import tqdm

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.contract import Action
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.systems.exported import ExportedPolicy
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.navigator import Views
from sim_bridge.habitat.connection import Refused
from sim_bridge.habitat.dataset import draw_continuous_episodes
from sim_bridge.habitat.dataset import read_dry_sound
from sim_bridge.habitat.episode import HabitatEpisode
from sim_bridge.habitat.server_process import OwnServer
from sim_bridge.habitat.world import HabitatDied
from sim_bridge.habitat.world import HabitatGivenUp
from sim_bridge.habitat.world import HabitatWorld
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout

MOST_ACTIONS = 500
_MOST_ORACLE_ACTIONS = 2000
_SLOT = np.array([0])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = (
        'example: asgf-nav habitat --python ~/miniconda3/envs/ss/bin/python --root data '
        '--dataset-name mp3d --split test_telephone --model av_nav.onnx --json result.json')
    parser.add_argument('--python', required=True,
                        help='interpreter of the environment that has habitat_sim')
    parser.add_argument('--model', type=Path, required=True, help='exported recurrent policy')
    parser.add_argument('--root', type=Path, required=True, metavar='DIR',
                        help='folder of datasets, sounds and scene_datasets')
    parser.add_argument('--dataset-name', default='mp3d', choices=sorted(DATASETS))
    parser.add_argument('--split', default='test_telephone')
    parser.add_argument('--scene-dataset', type=Path, metavar='FILE',
                        help='scene_dataset_config.json of the scenes')
    parser.add_argument('--materials', type=Path, metavar='FILE',
                        help='acoustic materials; none, as SoundSpaces trains, if not given')
    parser.add_argument('--gpu', type=int, default=0, help='device that renders')
    parser.add_argument('--episodes', type=int, default=100)
    parser.add_argument('--seed', type=int, default=1, help='draws episodes and actions')
    parser.add_argument('--temperature', type=float, default=1.0,
                        help='of the actions drawn; 1 as SoundSpaces evaluates AV-Nav')
    parser.add_argument('--json', type=Path, required=True, help='file to write')


def run(args: argparse.Namespace) -> int:
    """Evaluate; return the exit code."""
    contract = read_contract_of_file(args.model)
    navigator = ExportedPolicy(args.model, system=contract.system, temperature=args.temperature)
    layout = Layout(args.root.resolve(), args.dataset_name)
    episodes = draw_continuous_episodes(
        layout, args.split, scenes=layout.root / 'scene_datasets' / layout.name,
        count=args.episodes, seed=args.seed)

    def sound(name: str) -> np.ndarray:
        return read_dry_sound(layout, name, sample_rate_hz=contract.sample_rate_hz)

    with HabitatWorld(contract, OwnServer(args.python, arguments=_server_arguments(args)),
                      sounds=sound, seed=args.seed) as world:
        document = evaluate(world, navigator, episodes, seed=args.seed)
    document = {'benchmark': f'soundspaces2/{layout.name}', 'system': contract.system,
                'model': str(args.model), 'model_sha256': navigator.model_sha256,
                'split': args.split, 'seed': args.seed, 'temperature': args.temperature,
                **document}
    args.json.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')
    means = ', '.join(f'{name} {value:.3f}' for name, value in document['metrics'].items())
    print(f'{document["system"]}, {document["benchmark"]}, {args.split}, '
          f'{document["episodes"]} episodes, {len(document["skipped"])} skipped: {means}')
    return 0


def evaluate(world: HabitatWorld, navigator: Navigator, episodes: list[HabitatEpisode], *,
             seed: int) -> dict[str, Any]:
    """Run episode after episode; those that the world refuses or dies over are listed.

    Raises:
        HabitatGivenUp: the server dies again and again.
        ValueError: not one episode could be run.
    """
    rows, skipped, outcomes = [], [], []
    begun_s = time.perf_counter()
    for number, episode in enumerate(tqdm(episodes, 'episodes', leave=False)):
        try:
            outcome = walk(world, navigator, episode, np.random.default_rng([seed, number]))
        except HabitatGivenUp:
            raise
        except (HabitatDied, Refused) as error:
            skipped.append({'episode': episode.episode_id, 'scene': episode.scene,
                            'reason': str(error)})
            continue
        outcomes.append(outcome)
        rows.append(_row(episode, outcome, _radius_m(world)))
    if not outcomes:
        reason = skipped[0]['reason'] if skipped else 'there are none'
        raise ValueError(f'no episode could be run: {reason}')
    steps = sum(outcome.actions for outcome in outcomes)
    return {'episodes': len(outcomes), 'skipped': skipped,
            'steps_per_second': steps / (time.perf_counter() - begun_s),
            **metrics.report(outcomes, np.random.default_rng(seed), radius_m=_radius_m(world)),
            'runs': rows}


def walk(world: HabitatWorld, navigator: Navigator, episode: HabitatEpisode,
         rng: np.random.Generator) -> metrics.EpisodeOutcome:
    """Run one episode, after counting the actions of habitat's own way through it."""
    oracle_actions = _count_oracle_actions(world, episode)
    world.reset(episode)
    start_m = world.geodesic_m()
    navigator.begin(_SLOT, [rng])
    moved, stopped, actions = True, False, 0
    while not stopped and actions < MOST_ACTIONS:
        seen = world.observe()
        views = Views(seen.rgb[None], seen.depth[None], seen.spectrogram[None],
                      np.array([moved]))
        action = Action(int(navigator.decide(_SLOT, views)[0]))
        actions += 1
        moved = not world.act(action)
        stopped = action == Action.STOP
    return metrics.EpisodeOutcome(
        stopped=stopped, geodesic_start_m=start_m, geodesic_end_m=world.geodesic_m(),
        path_m=world.travelled_m, actions=actions, oracle_actions=oracle_actions)


def _count_oracle_actions(world: HabitatWorld, episode: HabitatEpisode) -> int:
    world.reset(episode)
    for actions in range(1, _MOST_ORACLE_ACTIONS + 1):
        action = world.oracle_action()
        if action == Action.STOP:
            return actions
        world.act(action)
    raise Refused(f'the shortest way takes more than {_MOST_ORACLE_ACTIONS} actions')


def _radius_m(world: HabitatWorld) -> float:
    return math.nextafter(world.contract.success_radius_m, 0.0)


def _row(episode: HabitatEpisode, outcome: metrics.EpisodeOutcome,
         radius_m: float) -> dict[str, Any]:
    return {'episode': episode.episode_id, 'scene': episode.scene, 'sound': episode.sound,
            'geodesic_m': outcome.geodesic_start_m,
            **metrics.episode_metrics(outcome, radius_m=radius_m), 'stopped': outcome.stopped,
            'actions': outcome.actions, 'oracle_actions': outcome.oracle_actions,
            'path_m': outcome.path_m}


def _server_arguments(args: argparse.Namespace) -> list[str]:
    arguments = ['--gpu', str(args.gpu)]
    for name in ('scene_dataset', 'materials'):
        if (file := getattr(args, name)) is not None:
            arguments += [f'--{name.replace("_", "-")}', str(file.resolve())]
    return arguments
