# SPDX-License-Identifier: Apache-2.0
"""The script that tries a million inputs, with a few of them."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]  # however pytest imports the tests

from mutation import MAX_BYTES  # noqa: E402
from mutation import mutated  # noqa: E402
from targets import TARGETS  # noqa: E402

FEW = 40


@pytest.mark.parametrize('name', TARGETS)
def test_a_reader_takes_valid_inputs_and_refuses_damaged_ones_by_name(name, tmp_path):
    target = TARGETS[name]
    seeds = target.seeds(tmp_path)
    taken = 0
    for content in [*seeds, *(mutated(seeds, key=f'9/{name}/{index}') for index in range(FEW))]:
        try:
            target.read(content, tmp_path)
            taken += 1
        except target.named as error:
            assert '\n' not in str(error) or 'bag' in name
    assert 0 < taken < len(seeds) + FEW


def test_the_same_key_damages_alike_and_others_otherwise():
    seeds = [bytes(range(200)), b'{"a": 12345}']
    found = [mutated(seeds, key=f'0/x/{index}') for index in range(300)]
    assert found == [mutated(seeds, key=f'0/x/{index}') for index in range(300)]
    assert len(set(found)) > 250 and set(seeds) & set(found)
    assert max(map(len, found)) <= MAX_BYTES


def fuzz(*arguments):
    return subprocess.run(
        [sys.executable, 'tools/fuzz.py', *arguments], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=300)


def test_the_script_tells_figures_of_each_reader():
    done = fuzz('--inputs', '300', '--target', 'pcm', '--target', 'decision')
    assert done.returncode == 0, done.stderr
    pcm, decision, total = map(json.loads, done.stdout.splitlines())
    assert (pcm['target'], decision['target'], total['target']) == ('pcm', 'decision', 'all')
    for figures in (pcm, decision, total):
        assert figures['crashes'] == 0 and figures['accepted'] > 0 and figures['named_errors'] > 0
        assert figures['inputs'] == figures['accepted'] + figures['named_errors']
    assert total['inputs'] == pcm['inputs'] + decision['inputs'] >= 300


BAD_READERS = """
import os, sys, time
sys.path[:0] = ['tools', 'test/fuzz']
import fuzz, targets

def read(content, folder):
    if content != b'valid' and sum(content) % {every} == 0:
        {harm}

targets.TARGETS['bad'] = targets.Target('bad', lambda folder: [b'valid'], read)
if __name__ == '__main__':
    print(fuzz.json.dumps(fuzz.fuzz('bad', 40, seed=0, patience_s=20.0)))
"""


@pytest.mark.parametrize('harm, every, told', [
    ('os.kill(os.getpid(), 9)', 9, 'exit code -9'), ('raise KeyError("x")', 2, 'KeyError'),
    ('time.sleep(600)', 60, 'does not end within 20 s')])
def test_a_reader_that_fails_or_dies_or_hangs_is_counted_and_gone_past(
        tmp_path, harm, every, told):
    script = tmp_path / 'bad.py'
    script.write_text(BAD_READERS.format(harm=harm, every=every))
    done = subprocess.run([sys.executable, '-B', str(script)], cwd=ROOT, capture_output=True,
                          text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures['inputs'] == 40 and figures['crashes'] > 0 and told in done.stderr
