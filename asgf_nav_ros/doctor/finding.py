# SPDX-License-Identifier: Apache-2.0
"""What a check found, and how a screenful of it looks."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
import enum


class Grade(enum.Enum):
    """Whether a robot would work with it."""

    OK = 'ok'
    WARN = 'warn'  # it would, but not as well, or something outside must help
    STOP = 'STOP'  # it would not


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line about a subject."""

    grade: Grade
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(Grade.OK, subject, text)


def warn(subject: str, text: str) -> Finding:
    """Worth knowing."""
    return Finding(Grade.WARN, subject, text)


def stop(subject: str, text: str) -> Finding:
    """This machine would not work."""
    return Finding(Grade.STOP, subject, text)


def screen(findings: Sequence[Finding]) -> str:
    """Findings as aligned lines, and the verdict."""
    width = max((len(finding.subject) for finding in findings), default=0)
    lines = [f'{finding.grade.value:<5} {finding.subject:<{width}}  '
             f'{" ".join(finding.text.split())}' for finding in findings]
    stops = sum(finding.grade is Grade.STOP for finding in findings)
    verdict = ('Nothing here would stop the robot.' if not stops else
               f'{stops} of {len(findings)} findings would stop the robot.')
    return '\n'.join([*lines, verdict])
