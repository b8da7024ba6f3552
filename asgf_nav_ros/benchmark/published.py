# SPDX-License-Identifier: Apache-2.0
"""What others published, on other data: SPL, SR, SNA in percent on unseen test scenes."""

from __future__ import annotations

SETTINGS = ('Replica heard', 'Replica unheard', 'Matterport3D heard', 'Matterport3D unheard')
TABLE_I: dict[str, tuple[tuple[float, float, float], ...]] = {
    'Random': ((4.9, 18.5, 1.8), (4.9, 18.5, 1.8), (2.1, 9.1, 0.8), (2.1, 9.1, 0.8)),
    'Direction Follower': ((54.7, 72.0, 41.1), (11.1, 17.2, 8.4), (32.3, 41.2, 23.8),
                           (13.9, 18.0, 10.7)),
    'Gan et al.': ((57.6, 83.1, 47.9), (7.5, 15.7, 5.7), (22.8, 37.9, 17.1), (5.0, 10.2, 3.6)),
    'AV-WaN': ((86.6, 98.7, 70.7), (34.7, 52.8, 27.1), (72.3, 93.6, 54.8), (40.9, 56.7, 30.6)),
    'AGSA': ((80.1, 95.6, 52.0), (36.6, 48.3, 22.4), (57.8, 72.1, 34.3), (26.2, 36.5, 13.1)),
    'SoundSpaces AV-Nav': ((74.4, 91.4, 48.1), (34.7, 50.9, 16.7), (54.3, 67.7, 31.3),
                           (25.9, 40.5, 12.8)),
    'ASGF-Nav (the paper)': ((82.7, 94.5, 62.7), (63.3, 76.5, 36.9), (59.1, 87.6, 39.5),
                             (52.2, 66.4, 29.9)),
}
TABLE_II_SETTINGS = ('Replica unheard', 'Matterport3D unheard')
TABLE_II: dict[str, tuple[tuple[float, float, float], ...]] = {
    'without ASGF': ((38.8, 53.6, 21.4), (31.6, 40.0, 20.7)),
    'without ASE': ((59.5, 71.9, 34.8), (41.4, 59.9, 22.7)),
}
