# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav demo``: the whole graph as ROS processes, and a film of what it did."""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
import shutil
import sys
import time
from typing import Any
from typing import Callable

from asgf_nav_ros.benchmark.dashboard_video import write_dashboard_video
from asgf_nav_ros.benchmark.figures import write_trajectories
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.demo import graph
from asgf_nav_ros.demo.bag_reader import RecordedBag
from asgf_nav_ros.demo.progress import Progress
from asgf_nav_ros.demo.result import caption
from asgf_nav_ros.demo.result import episode_row
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.ros_processes.node_command import NODES
from asgf_nav_ros.ros_processes.process_group import ProcessGroup
from asgf_nav_ros.ros_processes.process_group import terminated_as_interrupted
from asgf_nav_ros.ros_processes.ros_domain import chosen_or_free_domain
from asgf_nav_ros.ros_processes.ros_domain import graph_environment
from asgf_nav_ros.share import share_directory
from sim_bridge.episodes import load_house
from sim_bridge.house.plan import House
from sim_bridge.sounds import read_sound_folder
from sim_bridge.soundspaces.driven_world import DrivenWorld
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.scene_plan import ScenePlan

SILENCE_S = 180.0  # the first start on a machine compiles the acoustics
BAG, LOGS, RESULT = 'bag', 'log', 'result.json'
TRAJECTORY, DASHBOARD = 'trajectory.png', 'dashboard.mp4'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--episodes', type=int, default=3, metavar='N', help='searches to film')
    parser.add_argument('--seed', type=int, default=1, metavar='K',
                        help='draws houses, ways and sounds')
    parser.add_argument('--out', type=Path, default=Path('demo'), metavar='DIR',
                        help='folder to write; what an earlier demo left there is replaced')
    parser.add_argument('--model', type=Path, metavar='FILE',
                        help='exported policy, instead of the shipped one')
    parser.add_argument('--house', default='', metavar='FILE',
                        help='a floor plan of your own (JSON), instead of generated houses')
    parser.add_argument('--sound-folder', default='', metavar='DIR',
                        help="recordings of your own, instead of the catalogue's")
    parser.add_argument('--root', default='', metavar='DIR',
                        help='a download of SoundSpaces 1.0, instead of generated houses')
    parser.add_argument('--dataset-name', default='replica', choices=sorted(DATASETS),
                        help='of --root')
    parser.add_argument('--split', default='test_telephone', help='of --root')
    parser.add_argument('--realtime', action='store_true',
                        help='run by the wall clock, not in lockstep as fast as it goes')


def run(arguments: argparse.Namespace) -> int:
    """Run the episodes, write everything into ``--out`` and return the exit code."""
    model = arguments.model or share_directory('models') / 'asgf_nav.onnx'
    plan = graph.DemoPlan(
        model=model.resolve(), episodes=arguments.episodes, seed=arguments.seed,
        house=arguments.house, sound_folder=arguments.sound_folder,
        dataset_root=arguments.root and str(Path(arguments.root).resolve()),
        dataset_name=arguments.dataset_name, dataset_split=arguments.split,
        realtime=arguments.realtime)
    contract = OnnxPolicy(plan.model).contract
    check_world(plan, contract)
    out = _clean_folder(arguments.out)
    began_s = time.monotonic()
    with terminated_as_interrupted():
        drive(plan, out)
    rows = report(out, contract, plan_of=plan_reader(plan))
    found = sum(row['success'] for row in rows)
    print(f'{found} of {len(rows)} sounds found, {time.monotonic() - began_s:.0f} s; '
          f'see {out / DASHBOARD}, {out / TRAJECTORY} and {out / RESULT}')
    return 0 if len(rows) == plan.episodes else 1


def check_world(plan: graph.DemoPlan, contract: PolicyContract) -> None:
    """Read the user's own house and sounds, before any process starts.

    Raises:
        ValueError: the floor plan, the folder of recordings or the dataset cannot be used.
    """
    if plan.dataset_root:
        _check_dataset(plan, contract)
    if plan.house:
        load_house(plan.house)
    if plan.sound_folder:
        read_sound_folder(plan.sound_folder)


def _check_dataset(plan: graph.DemoPlan, contract: PolicyContract) -> None:
    world = DrivenWorld(contract, Layout(Path(plan.dataset_root), plan.dataset_name),
                        plan.dataset_split, count=plan.episodes, seed=plan.seed)
    if len(world.episodes) < plan.episodes:
        raise ValueError(f'{plan.dataset_split} holds {len(world.episodes)} episodes, got '
                         f'--episodes {plan.episodes}')
    world.reset(world.episodes[0])
    world.listen(1)


def plan_reader(plan: graph.DemoPlan) -> Callable[[str], House]:
    """What finds the floor plan of a house that a result names."""
    if not plan.dataset_root:
        return load_house
    layout = Layout(Path(plan.dataset_root), plan.dataset_name)
    return functools.partial(ScenePlan.of, layout)


def drive(plan: graph.DemoPlan, out: Path) -> None:
    """Run every episode of ``plan`` and record it to ``out``.

    Raises:
        ChildFailed: a process of the graph ended early; its last words are in the message.
        TooSlow: the graph stands still.
    """
    progress = Progress(plan.episodes, stream=sys.stdout)
    environment = graph_environment(chosen_or_free_domain())
    with ProcessGroup(out / LOGS, environment=environment) as processes:
        processes.start('recorder', graph.recorder_arguments(plan, out / BAG), listened=True)
        for line in processes.lines(silence_s=SILENCE_S):
            event = json.loads(line)
            if event['event'] == 'ready':  # nothing that is said from now on is missed
                for node in NODES:
                    processes.start(node, graph.node_arguments(node, plan))
            progress.show(event)


def report(out: Path, contract: PolicyContract, *,
           plan_of: Callable[[str], House] = load_house) -> list[dict[str, Any]]:
    """Write results, figure and film from the bag in ``out`` and return the results."""
    bag = RecordedBag(out / BAG, plan_of=plan_of)
    rows = [episode_row(result, bag.decisions(result['episode'])) for result in bag.results]
    (out / RESULT).write_text(json.dumps(rows, indent=2) + '\n', encoding='utf-8')
    recordings = bag.recordings(contract)
    write_trajectories(out / TRAJECTORY, recordings, [caption(row) for row in rows])
    print(f'filming {sum(r.end_s - r.start_s for r in recordings):.0f} s ...', flush=True)
    write_dashboard_video(out / DASHBOARD, recordings)
    return rows


def _clean_folder(folder: Path) -> Path:
    """Remove what an earlier demo wrote to ``folder`` and nothing else.

    Raises:
        ValueError: there is a folder ``bag`` that is no rosbag2.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bag = folder / BAG
    if bag.exists():
        if not list(bag.glob('*.mcap')):
            raise ValueError(f'{bag} is there and is not a rosbag2: choose another --out')
        shutil.rmtree(bag)
    for name in (RESULT, TRAJECTORY, DASHBOARD):
        (folder / name).unlink(missing_ok=True)
    return folder
