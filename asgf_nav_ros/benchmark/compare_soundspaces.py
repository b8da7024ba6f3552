# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav soundspaces compare``: written datasets against the houses they were written from.

The one side is ``asgf-nav bake --layout soundspaces`` and then the evaluation of its files; the
other walks the baked houses themselves, whose sound is played in SoundSpaces' way as well.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
from pathlib import Path
import tempfile
from typing import Any
from typing import Iterator
from typing import Sequence

import torch

from asgf_nav_ros.benchmark import bake_command
from asgf_nav_ros.benchmark.bake_soundspaces import split_name
from asgf_nav_ros.benchmark.cluster import job_pool
from asgf_nav_ros.benchmark.evaluate_soundspaces import drawn
from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.metrics import success
from asgf_nav_ros.benchmark.parallel import System
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.benchmark.soundspaces_runner import evaluate_episodes
from asgf_nav_ros.benchmark.soundspaces_runner import LARGEST_SUCCESS_M
from asgf_nav_ros.benchmark.soundspaces_runner import SoundSpacesRunner
from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.mirror import own_contract
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.systems.registry import SHIPPED_MODELS
from sim_bridge.bake_pool import bake_houses
from sim_bridge.episodes import Episode
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.world import Hearing

SYSTEMS = ('av_nav', 'asgf_plus')
SPLIT, SIZE = 'test', 'small'
FRESH_IMAGE_PIXELS = 64
# Fresh weights choose almost evenly: these make them look at what they choose by, and seldom stop.
FRESH_WEIGHT, FRESH_STOP = 30.0, -0.25


@dataclasses.dataclass(frozen=True)
class Case:
    """One policy on the dataset that is written for its contract."""

    system: str
    model: Path
    dataset_name: str
    trained: bool


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far two walks of the same episodes agree.

    decisions : of the walk through the files.
    decisions_differ : where the other walk decided otherwise, or not at all.
    episodes_differ : whose decisions, nodes on the way or outcome are not the same.
    """

    episodes: int
    decisions: int
    decisions_differ: int
    episodes_differ: int


def agreement(read: Sequence[Run], baked: Sequence[Run]) -> Agreement:
    """Compare runs of the same episodes in the same order."""
    pairs = list(zip(read, baked, strict=True))
    return Agreement(
        episodes=len(pairs), decisions=sum(len(one.decisions) for one in read),
        decisions_differ=sum(a != b for one, other in pairs for a, b
                             in itertools.zip_longest(one.decisions, other.decisions)),
        episodes_differ=sum(_course(one) != _course(other) for one, other in pairs))


def compare(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Write the datasets, walk them and their houses; return a row for each case."""
    if min(args.houses, args.episodes) < 1:
        raise ValueError(f'--houses and --episodes must be positive, got {args.houses} and '
                         f'{args.episodes}')
    with _folder(args.out) as folder:
        return [_row(case, args, folder) for case in cases(folder, args.only)]


def cases(folder: Path, only: str | None = None) -> Iterator[Case]:
    """The shipped models, then fresh weights for the contracts that none of them has.

    Args:
        folder: where fresh policies are written.
        only: 'shipped', or the name of a dataset, for fresh weights on it; all by default.
    """
    for system in SYSTEMS if only in (None, 'shipped') else ():
        yield Case(system, share_directory('models') / SHIPPED_MODELS[system], 'replica', True)
    for name in DATASETS if only is None else {only} & set(DATASETS):
        for system in SYSTEMS:
            model = folder / f'{system}_{name}_fresh.onnx'
            write_fresh_policy(system, name, model)
            yield Case(system, model, name, False)


def write_fresh_policy(system: str, dataset_name: str, path: Path) -> None:
    """Export an untrained network of ``system`` for the published contract of a dataset.

    Rate and step are the dataset's; channels, gain and odometry those of the shipped model. It
    walks, and what it sees and hears decides where, but it finds nothing except by chance.
    """
    published = DATASETS[dataset_name].contract
    shipped = own_contract(
        read_contract_of_file(share_directory('models') / SHIPPED_MODELS[system]))
    torch.manual_seed(0)
    agent = NavigationAgent(dataclasses.replace(
        shipped, sample_rate_hz=published.sample_rate_hz, trained_on='nothing',
        forward_step_m=published.forward_step_m, image_height=FRESH_IMAGE_PIXELS,
        image_width=FRESH_IMAGE_PIXELS))
    with torch.no_grad():
        agent.actor.weight.mul_(FRESH_WEIGHT)
        agent.actor.bias[0] = FRESH_STOP
    path.parent.mkdir(parents=True, exist_ok=True)
    export_onnx(agent, path, provenance={'weights': 'fresh, to compare walks'})


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each case."""
    return '\n'.join(
        f'{row["system"]} ({"shipped" if row["trained"] else "fresh weights"}), '
        f'{row["sample_rate_hz"] / 1000:g} kHz, {row["forward_step_m"]:g} m, '
        f'{row["image_pixels"]} pixels, {row["nodes"]} nodes: {row["episodes"]} episodes, '
        f'{row["decisions"]} decisions, {row["decisions_differ"]} differ, in '
        f'{row["episodes_differ"]} episodes; success rate {row["success_rate"]:.2f}'
        for row in rows)


def _row(case: Case, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    layout = Layout(folder / case.model.stem, case.dataset_name)
    system = System(name=case.system, model=case.model, temperature=DEPLOYED_TEMPERATURE)
    _bake(case, args, layout.root)
    read = _walk_files(system, layout, args)
    baked, nodes = _walk_houses(system, args, read)
    contract = system.build().contract
    return {'system': case.system, 'trained': case.trained, 'dataset_name': case.dataset_name,
            'sample_rate_hz': contract.sample_rate_hz, 'forward_step_m': contract.forward_step_m,
            'image_pixels': contract.image_height, 'nodes': nodes,
            **dataclasses.asdict(agreement(read, baked)),
            'success_rate': sum(success(run.outcome, LARGEST_SUCCESS_M)
                                for run in read) / len(read)}


def _bake(case: Case, args: argparse.Namespace, out: Path) -> None:
    """Write the dataset by the command that anyone writes one with."""
    parser = argparse.ArgumentParser()
    bake_command.add_arguments(parser)
    words = [str(out), '--layout', 'soundspaces', '--dataset-name', case.dataset_name,
             '--model', str(case.model), '--split', SPLIT, '--size', SIZE,
             '--houses', str(args.houses), '--episodes', str(args.episodes),
             '--seed', str(args.seed)]
    words += ['--workers', str(args.workers)] if args.workers else []
    bake_command.run(parser.parse_args(words))


def _walk_files(system: System, layout: Layout, args: argparse.Namespace) -> list[Run]:
    stored = drawn(layout, split_name(SPLIT, 'unheard'), count=args.episodes, seed=args.seed)
    runs, _ = evaluate_episodes(stored, system=system, layout=layout, seed=args.seed,
                                batch=args.batch, pool=job_pool(args.workers, None))
    return runs


def _walk_houses(system: System, args: argparse.Namespace,
                 read: Sequence[Run]) -> tuple[list[Run], int]:
    """Walk the episodes of ``read`` in the baked houses; the runs, and how many nodes there are.

    The episodes are drawn anew: nothing but their seeds and their order is taken from the files.
    """
    benchmark, contract = Benchmark.read(), system.build().contract
    sounds = load_catalogue().split(SPLIT)
    names = benchmark.house_names(SIZE, SPLIT, args.houses)
    own = {each.episode.episode_id: each.episode for each in draw_episodes(
        names, sounds, contract, settings=benchmark.bake, count=args.episodes, seed=args.seed)}
    episodes = [dataclasses.replace(own[_own_id(run.episode)], seed=run.episode.seed)
                for run in read]
    clips = {sound.name: load_sound(sound, contract.sample_rate_hz) for sound in sounds}
    torch.set_num_threads(1)
    houses = bake_houses(names, contract, settings=benchmark.bake, workers=1, progress=False)
    runner = SoundSpacesRunner(houses, system.build(), batch=args.batch, hearing={
        each.episode_id: Hearing(clips[each.sound]) for each in episodes})
    return runner.run(episodes), sum(len(house.nodes) for house in houses)


def _own_id(episode: Episode) -> str:
    """What an episode of the files was called when it was drawn."""
    return episode.episode_id.rpartition('/')[2]


def _course(run: Run) -> tuple:
    outcome = run.outcome
    return (run.decisions, run.trajectory, outcome.stopped, outcome.oracle_actions,
            round(outcome.path_m, 4), round(outcome.geodesic_start_m, 4),
            round(outcome.geodesic_end_m, 4))


@contextlib.contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix='asgf_nav_soundspaces_') as folder:
        yield Path(folder)
