# SPDX-License-Identifier: Apache-2.0
"""Results of faults as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LONGEST_CAUSE = 110
HEAD = """\
# Every fault, measured

Printed by `asgf-nav faults --markdown docs/faults.md`: real processes, a robot on a treadmill
whose sensors fail on command, one fault at a time.

- *Zero after*: from the fault to the zero command, in the slowest try.
- *By*: a command of `motion`; the base by its own timeout, as no command came any more; or the
  robot was at rest already.
- *Works again after*: from the end of the fault to motion.
- *Tries*: those that passed of all. One that failed while the machine did not let the robot that
  measures run for over 0.15 s is tried again, and counted in brackets.

| fault | zero after | by | works again after | tries | cause, as diagnostics name it |
|---|---:|---|---:|---:|---|
"""


def table(rows: Sequence[dict[str, Any]]) -> str:
    """One line a fault, those that did not end as they must marked."""
    return HEAD + ''.join(map(_line, rows))


def _line(row: dict[str, Any]) -> str:
    name = row['name'] if row['passed'] else f'**{row["name"]}: {"; ".join(row["failures"])}**'
    cells = (name, _seconds(row['zero_after_s']), ', '.join(row['stopped_by']),
             _seconds(row['resumed_after_s']), _tries(row),
             _cell(row['cause']))
    return '| ' + ' | '.join(cells) + ' |\n'


def _tries(row: dict[str, Any]) -> str:
    again = f' ({row["repeats"]})' if row['repeats'] else ''
    return f'{row["passed_tries"]}/{row["tries"]}{again}'


def _seconds(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f} s'


def _cell(text: str) -> str:
    """Text that cannot end its cell, at a bearable length."""
    short = text if len(text) <= LONGEST_CAUSE else f'{text[:LONGEST_CAUSE]}…'
    return f'`{short.replace("|", "/").replace("`", "")}`' if short else ''
