# SPDX-License-Identifier: Apache-2.0
"""Damaged copies of valid inputs, and some noise: the same number gives the same input again."""

from __future__ import annotations

import random
from typing import Sequence

MAX_BYTES = 1 << 16
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
            0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_WORDS = (b'null', b'true', b'NaN', b'-Infinity', b'1e999', b'9' * 40, b'9' * 5000, b'-1', b'0',
          b'""', b'{}', b'[]', b'[' * 2000, b'{"a":' * 500, b'\\u0000', b'\xff\xfe', b'\n', b'\t',
          b'../', b'*a', b'&a ', b'!!int ')
_NOISE_SHARE, _UNTOUCHED_SHARE = 0.1, 0.03


def mutated(seeds: Sequence[bytes], *, key: str) -> bytes:
    """One input: a seed with one to four damages, as drawn by ``key``."""
    rng = random.Random(key)
    if rng.random() < _NOISE_SHARE:
        return rng.randbytes(rng.randrange(400))
    content = bytearray(rng.choice(seeds))
    if rng.random() < _UNTOUCHED_SHARE:
        return bytes(content)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_DAMAGES)(content, seeds, rng)
    return bytes(content[:MAX_BYTES])


def _flip_bits(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    for _ in range(rng.randint(1, 8)):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _cut_off(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    del content[rng.randint(0, len(content)):]


def _remove(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    start = rng.randint(0, len(content))
    del content[start:start + rng.randint(1, 64)]


def _repeat(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    start = rng.randint(0, len(content))
    content[start:start] = content[start:start + rng.randint(1, 256)] * rng.randint(1, 8)


def _splice(content: bytearray, seeds: Sequence[bytes], rng: random.Random) -> None:
    other = rng.choice(seeds)
    start = rng.randint(0, len(other))
    at = rng.randint(0, len(content))
    content[at:at + rng.randint(0, 256)] = other[start:start + rng.randint(1, 1024)]


def _write_number(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    size = rng.choice((1, 2, 4, 8))
    number = rng.choice(_NUMBERS) & (1 << 8 * size) - 1
    at = rng.randint(0, len(content))
    content[at:at + size] = number.to_bytes(size, rng.choice(('little', 'big')))


def _write_word(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randint(0, len(content))
    content[at:at + rng.choice((0, 1, 4))] = rng.choice(_WORDS)


def _change_digits(content: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    """Another number where the content is text."""
    places = [at for at, byte in enumerate(content[:2000]) if 0x30 <= byte <= 0x39]
    if places:
        at = rng.choice(places)
        content[at:at + 1] = rng.choice((b'-', b'99999999999', b'1e', b'.', b'0', b'"'))


_DAMAGES = (_flip_bits, _cut_off, _remove, _repeat, _splice, _write_number, _write_word,
            _change_digits)
