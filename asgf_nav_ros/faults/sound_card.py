# SPDX-License-Identifier: Apache-2.0
"""A sound card of software: a private PulseAudio with a null sink, whose sound is recorded."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import numpy as np

PROGRAMS = ('pulseaudio', 'pactl', 'pacat')
DEVICE, RATE_HZ = 'pulse', 48000  # as PortAudio finds it through ALSA
SINK = 'ears'
PATIENCE_S, POLL_S = 30.0, 0.05
PLAYED_AHEAD_MS = '1500'  # of the server, which else plays silence for it on a busy machine
BLOCK = 4800  # samples
# A third of the power of white noise at 48 kHz is in the band of a policy of 16 kHz.
LEVEL, LAG_SAMPLES, FAR_EAR = 0.087, 9, 0.9


def missing_programs() -> list[str]:
    """What has to be installed first."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class SoundCard:
    """Two channels, handled like a ``NodeProcess``: to kill it is to pull the microphones out."""

    def __init__(self, *, log: Path | None = None) -> None:
        """Log to a file of its own unless ``log`` is given."""
        self._folder = Path(tempfile.mkdtemp(prefix='ears'))  # sockets want short paths
        self.log = log or self._folder / 'log'
        self._server: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """What makes clients find this server and no other."""
        folder = str(self._folder)
        return {'PULSE_SERVER': f'unix:{folder}/native', 'PULSE_RUNTIME_PATH': folder,
                'PULSE_STATE_PATH': folder, 'PULSE_COOKIE': f'{folder}/cookie',
                'PULSE_SOURCE': f'{SINK}.monitor', 'PULSE_SINK': SINK,
                # Else a null sink works in bursts of up to 2 s, as no sound card does.
                'PULSE_LATENCY_MSEC': '20'}

    @property
    def pid(self) -> int:
        """Of the newest server."""
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether it runs (or is stopped by a signal)."""
        return self._server is not None and self._server.poll() is None

    def start(self) -> None:
        """Plug it in: run until it answers.

        Raises:
            RuntimeError: it does not answer.
        """
        self._silence()
        with self.log.open('a', encoding='utf-8') as stream:
            self._server = subprocess.Popen(
                ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1',
                 '--use-pid-file=no', '--disable-shm=yes', '--realtime=no', '--high-priority=no',
                 '-L', f'module-native-protocol-unix socket={self._folder}/native '
                       'auth-anonymous=1',
                 '-L', f'module-null-sink sink_name={SINK} format=s16le rate={RATE_HZ} '
                       'channels=2'],
                env=self._own_environment(), stdout=stream, stderr=stream)
        deadline_s = time.monotonic() + PATIENCE_S
        while self.ask('info').returncode:
            if not self.alive or time.monotonic() > deadline_s:
                raise RuntimeError(f'pulseaudio does not answer; see {self.log}')
            time.sleep(POLL_S)

    def ask(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run ``pactl``."""
        return subprocess.run(['pactl', *words], env=self._own_environment(), check=False,
                              capture_output=True, timeout=PATIENCE_S)

    def player(self) -> subprocess.Popen[bytes]:
        """Play (n, 2) int16 that is written to the stdin of this process."""
        self._players.append(subprocess.Popen(
            ['pacat', '--playback', '--raw', '--format=s16le', f'--rate={RATE_HZ}',
             '--channels=2', f'--device={SINK}'], stdin=subprocess.PIPE,
            env={**self._own_environment(), 'PULSE_LATENCY_MSEC': PLAYED_AHEAD_MS},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self._players[-1]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server, if it is there."""
        if self.alive:
            self._server.send_signal(number)

    def wait(self) -> bool:
        """Give the server time to end; whether it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._server.wait(PATIENCE_S)
        return not self.alive

    def stop(self) -> None:
        """Gone without a word, as a cable is."""
        self.send(signal.SIGKILL)
        if self._server is not None:
            self.wait()
        self._silence()

    def end(self) -> None:
        """Leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _own_environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, 'HOME': str(self._folder)}

    def _silence(self) -> None:
        for player in self._players:
            player.kill()
            player.wait()
            with contextlib.suppress(OSError):
                player.stdin.close()
        self._players = []


class NoisyCard(SoundCard):
    """Plays noise from ahead, a little to the left, for as long as it is plugged in."""

    def __init__(self, *, log: Path, seed: int) -> None:
        """Draw the noise from ``seed``."""
        super().__init__(log=log)
        self._rng = np.random.default_rng(seed)

    def start(self) -> None:
        """Plug it in, and play."""
        super().start()
        threading.Thread(target=self._feed, args=(self.player(),), daemon=True).start()

    def _feed(self, player: subprocess.Popen[bytes]) -> None:
        """Write for as long as somebody plays it."""
        tail = np.zeros(LAG_SAMPLES)
        with contextlib.suppress(OSError, ValueError):  # the pipe breaks, or is closed already
            while player.poll() is None:
                noise = np.concatenate([tail, self._rng.standard_normal(BLOCK) * LEVEL])
                tail = noise[-LAG_SAMPLES:]
                ears = np.stack([noise[LAG_SAMPLES:], FAR_EAR * noise[:-LAG_SAMPLES]], axis=1)
                player.stdin.write(np.rint(np.clip(ears, -1, 1) * 32767).astype('<i2').tobytes())
                player.stdin.flush()
