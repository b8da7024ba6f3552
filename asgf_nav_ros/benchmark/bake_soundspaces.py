# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav bake --layout soundspaces``: baked houses and their episodes, as a dataset."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any
from typing import Sequence

from tqdm import tqdm

from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.sounds import prepare_sounds
from sim_bridge.sounds import Sound
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout


def add_arguments(group: Any) -> None:
    """Declare the options that only a dataset has."""
    group.add_argument('--dataset-name', default='replica', choices=sorted(DATASETS),
                       help='whose steps, and without --model whose sample rate, to take')
    group.add_argument('--sounds', default='unheard', choices=('heard', 'unheard'),
                       help='of the episodes; heard: the telephone')
    group.add_argument('--episodes', type=int, default=300, help='of the split')
    group.add_argument('--seed', type=int, default=1, help='draws the episodes')


def contract_of(dataset_name: str, image_pixels: int | None) -> PolicyContract:
    """The contract of the dataset's published experiments, with images of another size."""
    contract = DATASETS[dataset_name].contract
    if image_pixels is None:
        return contract
    return dataclasses.replace(contract, image_height=image_pixels, image_width=image_pixels)


def check(args: argparse.Namespace, contract: PolicyContract) -> None:
    """Refuse what cannot be written, before anything is baked.

    Raises:
        ValueError: names it.
    """
    if args.episodes < 1:
        raise ValueError(f'--episodes must be positive, got {args.episodes}')
    writer.check_contract(contract, Layout(args.out, args.dataset_name))


def write(args: argparse.Namespace, houses: Sequence[BakedHouse], contract: PolicyContract,
          settings: BakeSettings) -> None:
    """Write scenes, sounds and episodes, and say how to evaluate on them."""
    layout, sounds = Layout(args.out, args.dataset_name), _sounds(args)
    rate_hz = contract.sample_rate_hz
    drawn = draw_episodes([house.name for house in houses], sounds, contract, settings=settings,
                          count=args.episodes, seed=args.seed)
    prepare_sounds(sounds)
    for house in tqdm(houses, 'write', leave=False):
        writer.write_scene(house, layout, sample_rate_hz=rate_hz)
    for sound in sounds:
        writer.write_sound(layout, sound.name, load_sound(sound, rate_hz), sample_rate_hz=rate_hz)
    split = split_name(args.split, args.sounds)
    writer.write_episodes(layout, split, [each.episode for each in drawn],
                          {house.name: house for house in houses})
    print(f'{len(drawn)} episodes: asgf-nav evaluate --dataset soundspaces --root {args.out} '
          f'--dataset-name {args.dataset_name} --split {split} --system ...')


def split_name(split: str, sounds: str) -> str:
    """What SoundSpaces calls a split of episodes."""
    if sounds == 'heard':
        return f'{split}_telephone'
    return 'train_multiple' if split == 'train' else f'{split}_multiple_unheard'


def _sounds(args: argparse.Namespace) -> tuple[Sound, ...]:
    catalogue = load_catalogue()
    return (catalogue.heard,) if args.sounds == 'heard' else catalogue.split(args.split)
