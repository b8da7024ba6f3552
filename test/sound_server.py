# SPDX-License-Identifier: Apache-2.0
"""A private PulseAudio with one null sink: whatever is played there, PortAudio records."""

from pathlib import Path
import shutil
import subprocess
import tempfile
import time

SINK = 'ears'
PATIENCE_S = 30
PLAYER = {'PULSE_LATENCY_MSEC': '1500'}  # ahead of the server, which else plays silence for it


class SoundServer:
    """Start is plugging the microphones in, stop is pulling them out."""

    def __init__(self, *, rate_hz=48000, channels=2):
        self.rate_hz, self._channels = rate_hz, channels
        self._folder = Path(tempfile.mkdtemp(prefix='ears'))  # sockets want short paths
        self._server = None
        self._players = []

    @property
    def environment(self):
        """What makes clients of this process find this server and no other."""
        folder = str(self._folder)
        return {'PULSE_SERVER': f'unix:{folder}/native', 'PULSE_RUNTIME_PATH': folder,
                'PULSE_STATE_PATH': folder, 'PULSE_COOKIE': f'{folder}/cookie',
                'PULSE_SOURCE': f'{SINK}.monitor', 'PULSE_SINK': SINK,
                # Else a null sink works in bursts of up to 2 s, as no sound card does.
                'PULSE_LATENCY_MSEC': '20'}

    def start(self):
        """Run until it answers."""
        log = (self._folder / 'log').open('a')
        self._server = subprocess.Popen(
            ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no',
             '--disable-shm=yes', '--realtime=no', '--high-priority=no',
             '-L', f'module-native-protocol-unix socket={self._folder}/native auth-anonymous=1',
             '-L', f'module-null-sink sink_name={SINK} format=s16le rate={self.rate_hz} '
                   f'channels={self._channels}'],
            env=self.environment | {'PATH': '/usr/bin:/bin', 'HOME': str(self._folder)},
            stdout=log, stderr=log)
        deadline_s = time.monotonic() + PATIENCE_S
        while self._ask('info').returncode:
            assert self._server.poll() is None, (self._folder / 'log').read_text()
            assert time.monotonic() < deadline_s, 'pulseaudio does not answer'
            time.sleep(0.1)

    def _ask(self, *words):
        return subprocess.run(['pactl', *words], env=self.environment | {'PATH': '/usr/bin:/bin'},
                              capture_output=True, check=False, timeout=PATIENCE_S)

    def play(self, samples):
        """Play (n, channels) int16 once; returns when the server has begun to take it."""
        path = self._folder / f'{len(self._players)}.raw'
        path.write_bytes(samples.astype('<i2').tobytes())
        with path.open('rb') as source:
            player = subprocess.Popen(
                ['pacat', '--playback', '--raw', '--format=s16le', f'--rate={self.rate_hz}',
                 f'--channels={samples.shape[1]}', f'--device={SINK}'],
                env=self.environment | {'PATH': '/usr/bin:/bin', **PLAYER}, stdin=source,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._players.append(player)
        deadline_s = time.monotonic() + PATIENCE_S
        while player.poll() is None and not self._ask('list', 'short', 'sink-inputs').stdout:
            assert time.monotonic() < deadline_s, 'pulseaudio does not play'
            time.sleep(0.05)

    def stop(self):
        """Gone without a word, as a cable is."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        for player in self._players:
            player.kill()
            player.wait()
        self._server, self._players = None, []

    def close(self):
        """Leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
