# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import os
import subprocess
import sys

import pytest

from asgf_nav_ros.benchmark import bench
from asgf_nav_ros.benchmark import bench_memory
from asgf_nav_ros.benchmark.bench_timing import Comparison


def arguments(*words):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp('bench') / 'bench.json'
    words = ['--only', 'spectrogram', 'policy', '--laps', '2', '--json', str(path)]
    assert bench.run(arguments(*words)) == 0
    return json.loads(path.read_text())


def test_every_comparison_is_written_with_both_sides(written):
    names = [row['name'] for row in written['comparisons']]
    assert names == ['spectrogram of a whole window', 'spectrogram at decision time',
                     'window to action']
    for row in written['comparisons']:
        assert row['ratio'] == pytest.approx(row['theirs_s'] / row['ours_s'])
        assert row['wanted'] >= 2
    assert written['memory'] is None


def test_a_line_says_who_was_compared_with_whom():
    comparison = Comparison(name='spectrogram', ours='numpy', theirs='librosa', ours_s=4e-4,
                            theirs_s=1.2e-3, wanted=2.0)
    shown = bench.line(comparison)
    assert '3.0x' in shown and '400 us (numpy)' in shown and '1.20 ms (librosa)' in shown
    assert 'wanted 2x' in shown


def test_unknown_parts_are_refused():
    with pytest.raises(SystemExit):
        arguments('--only', 'everything')


def run_python(code):
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          check=False)


@pytest.mark.parametrize('part', [bench.MEMORY, bench.GRAPH])
def test_what_is_measured_on_a_robot_loads_no_torch(part):
    done = run_python(f"""import sys
from asgf_nav_ros.benchmark import bench
with bench.module_of({part!r}) as module:
    print(module.measure.__module__, 'torch' in sys.modules)""")
    assert done.stdout.split() == [f'asgf_nav_ros.benchmark.bench_{part}', 'False'], done.stderr


@pytest.mark.parametrize('package, part, extra', [
    ('torch', 'policy', 'bench'), ('rosbags', 'graph', 'replay')])
def test_a_part_that_lacks_a_package_says_in_one_line_what_to_install(package, part, extra):
    done = run_python(f"""import sys
sys.modules[{package!r}] = None
from asgf_nav_ros import cli
sys.exit(cli.main(['bench', '--only', {part!r}]))""")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert package in line and f"--only {part} needs: pip install 'asgf_nav_ros[{extra}]'" in line


def test_memory_is_read_from_the_children_that_a_robot_would_run():
    sleeper = 'import time; print("awake", flush=True); time.sleep(30)'
    words = [sys.executable, '-c', sleeper, 'asgf_nav_ros.nodes.policy']
    other = [sys.executable, '-c', sleeper, 'asgf_nav_ros.nodes.simulator']
    with (subprocess.Popen(words, stdout=subprocess.PIPE) as policy,
          subprocess.Popen(other, stdout=subprocess.PIPE) as simulator):
        assert policy.stdout.readline() == simulator.stdout.readline() == b'awake\n'
        found = bench_memory._deployed(os.getpid())
        assert found == {'policy': policy.pid}
        policy.kill()
        simulator.kill()


def test_a_demo_that_fails_is_no_measurement(tmp_path):
    with pytest.raises(RuntimeError, match='the demo failed: .*there is none'):
        bench_memory.measure(tmp_path / 'missing.onnx')
