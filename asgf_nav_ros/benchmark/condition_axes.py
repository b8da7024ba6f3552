# SPDX-License-Identifier: Apache-2.0
"""What the severity of each condition means, for headings and axes."""

from __future__ import annotations

from asgf_nav_ros.benchmark.result_files import Setting

# Title, what the severity is, its unit.
AXES = {
    'noise': ('robot noise', 'signal-to-noise ratio', 'dB'),
    'second_sound': ('second sound', 'level over the goal', 'dB'),
    'intermittent': ('intermittent sound', 'share of time silent', ''),
    'ears': ('other ears', 'gain mismatch', 'dB'),
    'pose': ('pose noise', 'standard deviation', 'm'),
    'dropout': ('dropout', 'probability of loss', ''),
    'all': ('everything at once', 'severity, 0 to 1', '')}


def condition_head(name: str, setting: Setting) -> str:
    """Heading of a table's column, e.g. 'noise, 5 dB'."""
    if setting.severity is None:
        return name.replace('_', ' ')
    unit = AXES[name][2] if name in AXES else ''
    return f'{name.replace("_", " ")}, {setting.severity:g} {unit}'.strip().replace('-', '−')


def axis_label(name: str) -> str:
    """Label of a severity axis, e.g. 'signal-to-noise ratio (dB)'."""
    _, meaning, unit = AXES.get(name, (name, 'severity', ''))
    return f'{meaning} ({unit})' if unit else meaning


def title(name: str) -> str:
    """A condition in words."""
    return AXES[name][0] if name in AXES else name.replace('_', ' ')
