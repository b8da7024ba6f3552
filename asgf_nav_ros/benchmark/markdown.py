# SPDX-License-Identifier: Apache-2.0
"""Figures and tables as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

MISSING = '–'
BEGIN, END = '<!-- results:begin -->', '<!-- results:end -->'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column holds names, the others are set to the right."""
    lines = [header, ['---'] + ['---:'] * (len(header) - 1), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def percent(mean: float, interval: Sequence[float]) -> str:
    """A rate (0-1) with its interval, e.g. '93.5 (90.0–97.0)'."""
    low, high = interval
    return f'{100 * mean:.1f} ({100 * low:.1f}–{100 * high:.1f})'


def points(mean: float, interval: Sequence[float]) -> str:
    """A difference of rates in percentage points, with signs; bold where zero is left out."""
    low, high = interval
    text = f'{_signed(mean)} ({_signed(low)} to {_signed(high)})'
    return f'**{text}**' if low > 0 or high < 0 else text


def shell(lines: Sequence[str]) -> str:
    """Commands as a fenced block."""
    return '\n'.join(['```bash', *lines, '```'])


def replace_between_markers(path: Path, text: str) -> None:
    """Put ``text`` between the markers ``BEGIN`` and ``END`` of a Markdown file.

    Raises:
        ValueError: the file does not hold each marker once, in this order.
    """
    document = path.read_text(encoding='utf-8')
    if (document.count(BEGIN), document.count(END)) != (1, 1) or (
            document.index(BEGIN) > document.index(END)):
        raise ValueError(f'{path} must hold {BEGIN} and then {END}, each once')
    before, _, rest = document.partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f'{before}{BEGIN}\n{text.strip()}\n{END}{after}', encoding='utf-8')


def _signed(rate: float) -> str:
    return f'{round(100 * rate, 1) + 0.0:+.1f}'.replace('-', '−').replace('+0.0', '0.0')
