# SPDX-License-Identifier: Apache-2.0
"""The server's manners towards strangers, broken clients and other environments."""

import ast
import contextlib
from pathlib import Path
import socket
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest

from sim_bridge.habitat import connection as connection_module
from sim_bridge.habitat.connection import Connection
from sim_bridge.habitat.connection import Refused
from sim_bridge.habitat.protocol import ProtocolError
from sim_bridge.habitat.protocol import receive_message
from sim_bridge.habitat.protocol import send_message

ROOT = Path(__file__).parents[3]
# What habitat's environment runs: an old Python with numpy, msgpack and habitat_sim.
SERVER_MODULES = ('backend', 'guards', 'habitat_backend', 'habitat_configuration', 'protocol',
                  'server', 'service')


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """Address of a server with the embedded world on a loopback port, and its process."""
    errors = (tmp_path_factory.mktemp('server') / 'stderr').open('w+')
    process = subprocess.Popen(
        [sys.executable, '-m', 'sim_bridge.habitat.server', '--port', '0', '--backend',
         'embedded'], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    line = process.stdout.readline()
    host, port = line.rpartition(' ')[2].strip().split(':')
    yield (host, int(port)), process, errors
    process.terminate()
    assert process.wait(timeout=30) == 0
    errors.close()


def stranger(server):
    return socket.create_connection(server[0], timeout=30)


def assert_serves(server):
    connection = Connection(server[0])
    with pytest.raises(Refused, match='call open first'):
        connection.call('begin', timeout_s=30, position=[0, 0, 0], yaw_rad=0, goal=[0, 0, 0],
                        seed=0)
    connection.close()
    assert server[1].poll() is None


def test_listens_on_loopback_only(server):
    assert server[0][0] == '127.0.0.1'


def test_says_who_it_is(server):
    connection = Connection(server[0])
    assert connection.description['backend'] == {'name': 'embedded', 'version': ''}
    assert connection.description['pid'] == server[1].pid
    assert connection.description['numpy'] == np.__version__
    connection.close()


@pytest.mark.parametrize('content', [
    b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', struct.pack('>I', 2 ** 31), b'\x00\x00\x00',
    struct.pack('>I', 5) + b'\xc1\xc1\xc1\xc1\xc1', struct.pack('>I', 100) + b'\x81',
    struct.pack('>I', 1) + b'\x80'], ids=['http', 'huge', 'cut', 'no msgpack', 'short', 'empty'])
def test_strangers_are_dropped_and_the_next_client_is_served(server, content):
    with stranger(server) as other:
        other.sendall(content)
        # A server that has already dropped what it did not read resets the connection.
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)
            assert receive_message(other)['error']['kind'] == 'ProtocolError'
    assert_serves(server)


def test_other_version_is_told_both_numbers(server):
    with stranger(server) as other:
        send_message(other, {'protocol': 'asgf_nav_habitat', 'version': 99})
        assert 'version 1, the client' in receive_message(other)['error']['message']
    assert_serves(server)


def test_client_refuses_another_version(server, monkeypatch):
    monkeypatch.setattr(connection_module, 'VERSION', 2)
    with pytest.raises(ProtocolError, match="version 1, the client 'asgf_nav_habitat' version 2"):
        Connection(server[0])


def test_client_refuses_what_is_no_habitat_server():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        address = listener.getsockname()
        def greet():
            with listener.accept()[0] as other:
                send_message(other, {'protocol': 'something'})

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(ProtocolError, match="the server 'something' version None"):
            Connection(address)
        thread.join()


def test_hostile_message_after_the_handshake_ends_that_client_alone(server):
    with stranger(server) as other:
        send_message(other, {'protocol': 'asgf_nav_habitat', 'version': 1})
        receive_message(other)
        other.sendall(struct.pack('>I', 2 ** 30))
        assert 'were announced' in receive_message(other)['error']['message']
    assert_serves(server)


@pytest.mark.parametrize('call, arguments, message', [
    ('explode', {}, "call must be one of .*got 'explode'"),
    ('__class__', {}, 'call must be one of'),
    ('open', {}, 'open does not take'),
    ('open', {'scene': 'x', 'robot': 3}, 'robot must be a mapping'),
    ('open', {'scene': '', 'robot': {}}, 'scene must be a name or path'),
    ('look', {'extra': 1}, r"look does not take \['extra'\]"),
    ('look', {}, 'call begin first'),
])
def test_bad_calls_are_refused_by_name(server, call, arguments, message):
    connection = Connection(server[0])
    with pytest.raises(Refused, match=message) as error:
        connection.call(call, timeout_s=30, **arguments)
    assert '\n' not in str(error.value)
    connection.close()
    assert_serves(server)


@pytest.mark.parametrize('message', [
    {}, {'id': 1}, {'id': 1, 'call': 3}, {'id': 1, 'call': 'look', 'arguments': [1]},
    {'call': ['look']}])
def test_malformed_requests_are_answered(server, message):
    with stranger(server) as other:
        send_message(other, {'protocol': 'asgf_nav_habitat', 'version': 1})
        receive_message(other)
        send_message(other, message)
        reply = receive_message(other)
        assert reply['error']['kind'] == 'WorldError'
        assert reply['id'] == message.get('id')


def test_socket_is_for_its_owner_alone_and_removed(tmp_path):
    address = tmp_path / 'socket'
    with subprocess.Popen(
            [sys.executable, '-m', 'sim_bridge.habitat.server', '--socket', str(address),
             '--backend', 'embedded', '--once'], cwd=ROOT, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert address.stat().st_mode & 0o777 == 0o600
        Connection(address).close()
        assert process.wait(timeout=30) == 0
    assert not address.exists()


def test_server_loads_nothing_but_numpy_and_msgpack():
    wall = (
        'import sys\n'
        f'sys.path.insert(0, {str(ROOT)!r})\n'
        'allowed = set(sys.stdlib_module_names) | {"numpy", "msgpack", "sim_bridge"}\n'
        'class Wall:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        '        if name.partition(".")[0] not in allowed:\n'
        '            raise ImportError(name)\n'
        'sys.meta_path.insert(0, Wall())\n'
        'from sim_bridge.habitat import habitat_backend, server\n'
        'sys.exit(server.main(["--port", "0"]))\n')
    done = subprocess.run([sys.executable, '-c', wall], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip() == 'habitat server: error: habitat_sim'


@pytest.mark.parametrize('name', SERVER_MODULES)
def test_server_modules_are_good_for_python_3_8(name):
    source = (ROOT / 'sim_bridge' / 'habitat' / f'{name}.py').read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {module for module in imports if module.startswith(('sim_bridge', 'asgf_nav_ros'))}
    known = {f'sim_bridge.habitat.{module}' for module in SERVER_MODULES}
    assert ours <= known | {'sim_bridge.habitat', 'sim_bridge.habitat.embedded_backend'}
