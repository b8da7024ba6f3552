# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

import pytest

from asgf_nav_ros.ros_processes import process_usage

MEGABYTES = 64


def a_process(code):
    return subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def said(process):
    assert process.stdout.readline() == 'done\n'
    return process.pid


def test_memory_that_a_process_fills_is_counted_as_its_own():
    code = (f'print("done", flush=True); input(); kept = bytearray({MEGABYTES} * 10 ** 6); '
            'print("done", flush=True); input()')
    with a_process(code) as process:
        before = process_usage.memory_use(said(process))
        print(file=process.stdin, flush=True)
        after = process_usage.memory_use(said(process))
        print(file=process.stdin, flush=True)
    for field in ('resident_mb', 'proportional_mb', 'private_mb'):
        grown_mb = getattr(after, field) - getattr(before, field)
        assert grown_mb == pytest.approx(MEGABYTES, abs=2)
    assert after.private_mb <= after.proportional_mb <= after.resident_mb


def test_a_file_is_nobodys_own_memory_when_the_others_who_map_it_end(tmp_path):
    path = tmp_path / 'library'
    path.write_bytes(bytes(range(256)) * (MEGABYTES * 10 ** 6 // 256))
    os.sync()  # pages that are still to be written count as dirty
    code = (f'import mmap; file = open("{path}", "rb"); '
            'pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ); sum(pages[::4096]); '
            'print("done", flush=True); input()')
    with a_process(code) as process, a_process(code) as other:
        said(other)
        together = process_usage.memory_use(said(process))
        print(file=other.stdin, flush=True)
        other.wait()
        alone = process_usage.memory_use(process.pid)
        print(file=process.stdin, flush=True)
    assert alone.proportional_mb - together.proportional_mb > MEGABYTES / 3
    assert alone.private_mb - together.private_mb == pytest.approx(0, abs=2)


def test_the_peak_of_the_memory_is_in_the_status():
    fields = process_usage.memory_fields_kib(os.getpid(), 'status')
    assert fields['VmHWM'] >= fields['VmRSS'] > 0


def test_processor_time_is_that_of_the_process():
    code = ('import time\nprint("done", flush=True)\n'
            'while time.process_time() < 0.5: pass\n'
            'print("done", flush=True)\ninput()')
    with a_process(code) as process:
        before_s = process_usage.cpu_s(said(process))
        after_s = process_usage.cpu_s(said(process))
        print(file=process.stdin, flush=True)
    assert before_s <= 0.5 and 0.45 <= after_s < 1.0


def test_a_process_that_is_gone_is_an_error():
    with a_process('print("done")') as process:
        said(process)
    with pytest.raises(OSError):
        process_usage.cpu_s(process.pid)
