# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav train``: from a recipe to a checkpoint that ``asgf-nav export`` turns into ONNX."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
import time

import numpy as np
import torch

from asgf_nav_ros.learning.imitation import ImitationLearner
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.rollout import Rollout
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.checkpoint import save_checkpoint
from sim_bridge.bake_pool import bake_houses
from sim_bridge.grid_world import GridWorld
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound

CHECKPOINT = 'checkpoint.pt'
HISTORY = 'history.jsonl'
RECIPE = 'recipe.json'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = ('example: asgf-nav train --recipe config/recipes/imitation.yaml '
                     '--system asgf --out runs/asgf')
    parser.add_argument('--recipe', type=Path, required=True, help='YAML recipe')
    parser.add_argument('--system', default='asgf', help='network to train')
    parser.add_argument('--out', type=Path, required=True, help='folder of the run')
    parser.add_argument('--samples', type=int, help="environment steps, instead of the recipe's")
    parser.add_argument('--houses', type=int, help="training houses, instead of the recipe's")
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--workers', type=int, help='processes that bake houses')
    parser.add_argument('--threads', type=int, help='threads of torch')
    parser.add_argument('--resume', action='store_true', help='continue the run in --out')


def run(args: argparse.Namespace) -> int:
    """Train, with a checkpoint every minute; return the exit code."""
    recipe = recipe_from(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / RECIPE).write_text(json.dumps(dataclasses.asdict(recipe), indent=1))
    learner = _learner(recipe, args)
    saved_s = began_s = time.monotonic()

    def on_round(figures: dict[str, float]) -> None:
        nonlocal saved_s
        elapsed_s = time.monotonic() - began_s
        with (args.out / HISTORY).open('a') as file:
            file.write(json.dumps(figures | {'elapsed_s': elapsed_s}) + '\n')
        print(_line(figures, elapsed_s), flush=True)
        if time.monotonic() - saved_s > 60:
            save_checkpoint(learner.agent, args.out / CHECKPOINT, training=learner.state())
            saved_s = time.monotonic()

    learner.learn(on_round)
    save_checkpoint(learner.agent, args.out / CHECKPOINT, training=learner.state())
    return 0


def _learner(recipe: Recipe, args: argparse.Namespace) -> ImitationLearner:
    if not args.resume:
        return build_learner(recipe, device=args.device, workers=args.workers)
    checkpoint = load_checkpoint(args.out / CHECKPOINT, device=args.device)
    learner = build_learner(recipe, device=args.device, workers=args.workers,
                            agent=checkpoint.agent)
    learner.restore(checkpoint.training)
    return learner


def recipe_from(args: argparse.Namespace) -> Recipe:
    """Read the recipe and apply the command line's changes to it."""
    recipe = Recipe.read(args.recipe).with_system(args.system)
    if args.samples:
        recipe = dataclasses.replace(
            recipe, imitation=dataclasses.replace(recipe.imitation, samples=args.samples))
    return dataclasses.replace(recipe, houses=args.houses) if args.houses else recipe


def build_learner(recipe: Recipe, *, device: str = 'cpu', workers: int | None = None,
                  agent: NavigationAgent | None = None) -> ImitationLearner:
    """Bake what is missing and put ``agent``, or a fresh one, into its grid world."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    houses = bake_houses([f'small/train/{index}' for index in range(recipe.houses)],
                         recipe.contract, settings=recipe.bake, workers=workers)
    rate_hz = recipe.contract.sample_rate_hz
    clips = [load_sound(sound, rate_hz) for sound in load_catalogue().split('train')]
    agent = agent or NavigationAgent(recipe.contract).to(device)
    world = GridWorld(houses, recipe.contract, count=recipe.agents, device=device)
    rollout = Rollout(world, clips, teacher=recipe.teacher, variation=recipe.sound, rng=rng,
                      max_steps=recipe.max_steps, bfloat16=recipe.imitation.bfloat16)
    return ImitationLearner(agent, world, rollout, settings=recipe.imitation, rng=rng,
                            device=device)


def _line(figures: dict[str, float], elapsed_s: float) -> str:
    return (f'{figures["samples"]:7d} samples  {elapsed_s:6.0f} s  '
            f'action loss {figures["action_loss"]:.3f}  '
            f'direction loss {figures["direction_loss"]:.3f}  '
            f'agreement {figures["agreement"]:.3f}  '
            f'student success {figures["student_success"]:.2f}')
