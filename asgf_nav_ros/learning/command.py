# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav train``: from a recipe to a checkpoint, and to the ONNX file that a robot runs."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asgf_nav_ros.learning import planner_systems
from asgf_nav_ros.learning import policy_training
from asgf_nav_ros.learning.distributed import Processes
from asgf_nav_ros.learning.export_command import export_run
from asgf_nav_ros.learning.house_feed import HouseFeed
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.sound_bank import SoundBank
from asgf_nav_ros.learning.training_scenes import TrainingScenes
from asgf_nav_ros.network import agent
from sim_bridge.job_pool import all_cores
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.resident_houses import ResidentHouses
from sim_bridge.resident_houses import Room
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.sounds import SPLITS
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout

HOUSES, SOUNDSPACES = 'houses', 'soundspaces'
SYSTEMS = (*agent.SYSTEMS, *planner_systems.SYSTEMS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = (
        'example: asgf-nav train --recipe config/recipes/imitation.yaml --system asgf '
        '--out runs/asgf --export asgf.onnx; in several processes or on several GPUs: '
        'torchrun --nproc_per_node 2 -m asgf_nav_ros.cli train ...')
    parser.add_argument('--recipe', type=Path, required=True, help='YAML recipe')
    parser.add_argument('--system', default='asgf', choices=SYSTEMS, help='what to train')
    parser.add_argument('--out', type=Path, required=True, help='folder of the run')
    parser.add_argument('--samples', type=int, help="environment steps, instead of the recipe's")
    parser.add_argument('--houses', type=int, help="small houses, instead of the recipe's")
    parser.add_argument('--dataset', default=HOUSES, choices=(HOUSES, SOUNDSPACES),
                        help='generated houses, or by PPO the scenes and sounds of a download of '
                        'SoundSpaces 1.0')
    soundspaces = parser.add_argument_group(f'--dataset {SOUNDSPACES}')
    soundspaces.add_argument('--root', type=Path, metavar='DIR', help='folder of the download')
    soundspaces.add_argument('--dataset-name', default='replica', choices=sorted(DATASETS))
    soundspaces.add_argument('--split', default='train_telephone')
    parser.add_argument('--seed', type=int, help="instead of the recipe's")
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--workers', type=int, help='processes that bake houses')
    parser.add_argument('--resident', action=argparse.BooleanOptionalAction, default=None,
                        help='hold all houses in the memory of the device; so by default on a GPU')
    parser.add_argument('--begin-with', type=int, metavar='N',
                        help='with resident houses: begin once N houses are baked, and take in '
                             'the others as they get ready')
    parser.add_argument('--house-memory-gb', type=float, default=4.0,
                        help='memory for houses that come later, %(default)s by default')
    parser.add_argument('--threads', type=int, help='threads of torch')
    parser.add_argument('--initial', type=Path, metavar='FILE',
                        help='begin with the weights of this checkpoint or exported policy '
                             '(.onnx), of an imitation run or a shipped model for example')
    parser.add_argument('--resume', action='store_true',
                        help='continue the run in --out, or begin it')
    parser.add_argument('--save-every-s', type=float, default=60.0,
                        help='time between checkpoints')
    parser.add_argument('--export', type=Path, metavar='FILE',
                        help='ONNX file to write in the end')


def run(args: argparse.Namespace) -> int:
    """Bake, train, export; return the exit code."""
    if (args.dataset == SOUNDSPACES) != (args.root is not None):
        raise ValueError(f'--dataset {SOUNDSPACES} and --root DIR need each other')
    recipe = recipe_from(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    processes = Processes.join(args.device)
    if torch.device(args.device).type == 'cuda':
        torch.set_float32_matmul_precision('high')
        torch.backends.cudnn.benchmark = True  # shapes stay the same
    _train(recipe, args, processes)
    if args.export and processes.leads:
        export_run(args.out, args.export)
    processes.leave()
    return 0


def recipe_from(args: argparse.Namespace) -> Recipe:
    """Read the recipe and apply the command line's changes to it."""
    recipe = Recipe.read(args.recipe).with_system(args.system)
    if args.samples:
        recipe = recipe.with_samples(args.samples)
    if args.houses:
        recipe = dataclasses.replace(
            recipe, houses=dataclasses.replace(recipe.houses, small=args.houses))
    return recipe if args.seed is None else dataclasses.replace(recipe, seed=args.seed)


def training_clips(recipe: Recipe) -> list[np.ndarray]:
    """The recipe's sounds, one window each."""
    catalogue = load_catalogue()
    sounds = (catalogue.split(recipe.sounds) if recipe.sounds in SPLITS
              else [catalogue.find(recipe.sounds)])
    return [load_sound(sound, recipe.contract.sample_rate_hz, duration_s=recipe.contract.window_s)
            for sound in sounds]


def _train(recipe: Recipe, args: argparse.Namespace, processes: Processes) -> None:
    recurrent = recipe.contract.system in agent.SYSTEMS
    device = processes.device(args.device)
    feed = None
    if args.dataset == SOUNDSPACES:
        places = {'houses': _scenes(recipe, args), 'clips': []}
    elif recurrent and _resident(args):
        feed, places = _resident_houses(recipe, args, processes)
    else:
        houses = processes.one_after_the_other(
            lambda: recipe.houses.bake(recipe.contract, recipe.bake, workers=args.workers))
        places = {'houses': houses, 'clips': training_clips(recipe)}
    world = {**places, 'device': device, 'resume': args.resume}
    if recurrent:
        with feed or contextlib.nullcontext():
            policy_training.train(recipe, args.out, **world, initial=args.initial,
                                  processes=processes, save_every_s=args.save_every_s)
    elif processes.size > 1 or args.initial:
        raise ValueError(f'{recipe.contract.system} is trained in one process and from nothing')
    else:
        planner_systems.train(recipe, args.out, **world)


def _resident(args: argparse.Namespace) -> bool:
    on_gpu = torch.device(args.device).type == 'cuda'
    resident = on_gpu if args.resident is None else args.resident
    if args.begin_with is not None and not resident:
        raise ValueError('--begin-with needs houses that are resident on the device: --resident')
    return resident


def _resident_houses(recipe: Recipe, args: argparse.Namespace, processes: Processes
                     ) -> tuple[HouseFeed | None, dict[str, Any]]:
    """Houses on the device and sounds made beforehand; the others come with the feed, if any."""
    pool = LocalProcesses(args.workers) if args.workers else all_cores()
    contract, device = recipe.contract, processes.device(args.device)
    feed = None
    if args.begin_with is None:
        houses = processes.one_after_the_other(
            lambda: recipe.houses.bake(contract, recipe.bake, workers=args.workers))
        resident = ResidentHouses.holding(houses, contract, device=device)
    elif processes.size > 1:
        raise ValueError('--begin-with is for one process, '
                         f'got {processes.size}: each would bake all houses')
    else:
        samples = round(recipe.bake.response_s * contract.sample_rate_hz)
        room = Room.in_bytes(args.house_memory_gb * 1e9, contract, response_samples=samples,
                             sources=max(recipe.bake.sources, recipe.houses.large_sources))
        resident = ResidentHouses(contract, room=room, response_samples=samples, device=device)
        feed = HouseFeed(recipe.houses, contract, recipe.bake, resident,
                         pool=dataclasses.replace(pool, aside=True))
    clips = training_clips(recipe)
    bank = SoundBank.make(recipe.sound_bank, recipe.sound, clips, pool=pool,
                          sample_rate_hz=contract.sample_rate_hz, seed=recipe.seed)
    if feed:
        feed.wait_for(args.begin_with)
    return feed, {'houses': resident, 'clips': clips, 'bank': bank}


def _scenes(recipe: Recipe, args: argparse.Namespace) -> TrainingScenes:
    """Scenes of SoundSpaces, which say neither how sound gets to a node nor from where."""
    if (recipe.method != 'ppo' or recipe.hearing.samples
            or recipe.contract.system not in agent.SYSTEMS):
        raise ValueError(f'--dataset {SOUNDSPACES} needs a recipe of method ppo without a lesson '
                         f'in hearing, for one of {", ".join(agent.SYSTEMS)}')
    return TrainingScenes(Layout(args.root, args.dataset_name), args.split, recipe.contract)
