# SPDX-License-Identifier: Apache-2.0
"""The measured systems: their order in tables, their colours in figures, who is compared."""

from __future__ import annotations

ORDER = ('random', 'direction_follower', 'look_listen_act', 'av_wan', 'agsa_style', 'av_nav',
         'av_nav_plus', 'asgf_without_ase', 'asgf_without_asgf', 'asgf', 'asgf_plus')
ABLATIONS = {
    'av_nav': 'neither ASE nor ASGF', 'asgf_without_ase': 'a learnable query for the ASE',
    'asgf_without_asgf': 'concatenation for the ASGF', 'asgf': 'the paper'}
ABLATIONS_ALONE = ('asgf_without_ase', 'asgf_without_asgf')  # not in Table I
PAIRS = (
    *(('asgf', other) for other in ('av_nav', 'asgf_without_ase', 'asgf_without_asgf')),
    *(('asgf_plus', other) for other in (
        'asgf', 'av_nav', 'av_nav_plus', 'agsa_style', 'av_wan', 'look_listen_act',
        'direction_follower')),
    ('av_nav_plus', 'av_nav'), ('agsa_style', 'av_nav'), ('av_wan', 'av_nav'))
PAIRS_UNDER_CONDITIONS = (('asgf_plus', 'av_nav'), ('asgf_plus', 'av_nav_plus'),
                          ('asgf_plus', 'asgf'), ('asgf', 'av_nav'))
# Okabe and Ito's colours, which stay apart for colour-blind readers, and Tol's wine and olive;
# grey for chance.
COLORS = {
    'random': '#999999', 'direction_follower': '#999933', 'look_listen_act': '#F0E442',
    'av_wan': '#CC79A7', 'agsa_style': '#56B4E9', 'av_nav': '#E69F00', 'av_nav_plus': '#D55E00',
    'asgf': '#0072B2', 'asgf_plus': '#009E73', 'asgf_without_ase': '#000000',
    'asgf_without_asgf': '#882255'}
OTHER_COLOR = '#444444'


def order_of(system: str) -> int:
    """Place of a system in tables; unknown ones come last."""
    return ORDER.index(system) if system in ORDER else len(ORDER)


def color_of(system: str) -> str:
    """Colour of a system in figures; those of one group, '(ppo)' say, share it."""
    return COLORS.get(system.partition(' ')[0], OTHER_COLOR)
