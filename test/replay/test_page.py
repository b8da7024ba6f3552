# SPDX-License-Identifier: Apache-2.0
"""The page as a document; ``node`` runs its script where there is no browser."""

import json
import re
import shutil
import subprocess

import pytest

from asgf_nav_ros import cli

# Just enough of a browser for the script to run from its first line to its last.
BROWSER = """
const made = () => new Proxy(function () {}, {
  get: (target, name) => name === Symbol.toPrimitive ? () => 1
    : name in target ? target[name] : ['width', 'height', 'clientWidth', 'scrollLeft', 'left']
      .includes(name) ? 1000 : (target[name] = made()),
  set: (target, name, value) => { target[name] = value; return true; },
  apply: () => made()});
globalThis.document = made(); globalThis.window = {devicePixelRatio: 1};
globalThis.getComputedStyle = () => ({getPropertyValue: () => '#000000'});
globalThis.ImageData = class { constructor(w, h) { this.data = new Uint8Array(4 * w * h); } };
"""


@pytest.fixture(scope='module')
def page(run, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp('page')
    assert cli.main(['replay', str(run[0]), '--model', str(model), '--json',
                     str(folder / 'replay.json'), '--html', str(folder / 'replay.html')]) == 0
    return (folder / 'replay.html').read_text(encoding='utf-8')


def data_of(page):
    return json.loads(re.search(r'^const data = (\{.*\});$', page, re.M)[1])


def test_it_holds_every_decision_with_what_it_was_made_on(page, run):
    data = data_of(page)
    assert [episode['name'] for episode in data['episodes']] == ['run-0', 'run-1']
    decisions = [each for episode in data['episodes'] for each in episode['decisions']]
    assert [each['recorded'] for each in decisions] == run[1]
    for each in decisions:
        assert each['replayed'] == each['recorded']
        assert each['now'] == each['then'] and sum(each['now']) == pytest.approx(1, abs=1e-3)
        assert len(each['weights']) > 1 and each['color'].startswith('data:image/jpeg;base64,')
        assert each['pose'] is not None
    ways = [[x for x, _ in episode['map']['path']] for episode in data['episodes']]
    assert max(ways[0]) == pytest.approx(0.7) and min(ways[1]) == pytest.approx(0.8)


def test_it_needs_nothing_from_outside(page):
    markup = page.replace(re.search(r'^const data = .*$', page, re.M)[0], '')
    assert not re.findall(r'https?:|//cdn|<link|<script src|@import|url\(', markup)


def test_names_of_a_recording_cannot_become_markup(page):
    script = page[page.index('const data'):]
    assert '<' not in re.search(r'^const data = (.*)$', script, re.M)[1]
    assert 'innerHTML' not in page


@pytest.mark.skipif(shutil.which('node') is None, reason='needs node')
def test_its_script_runs_to_the_end(page, tmp_path):
    script = re.search(r'<script>(.*)</script>', page, re.S)[1]
    file = tmp_path / 'page.js'
    file.write_text(BROWSER + script + '\nconsole.log("drawn", selected);')
    done = subprocess.run(['node', str(file)], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.stdout == 'drawn 0\n', done.stderr[-2000:]
