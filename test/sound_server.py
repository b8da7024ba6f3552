# SPDX-License-Identifier: Apache-2.0
"""A sound card of software on which tests play what PortAudio then records."""

import contextlib
import threading
import time

from asgf_nav_ros.faults.sound_card import SoundCard

PATIENCE_S = 30


class SoundServer(SoundCard):
    """Start is plugging the microphones in, stop is pulling them out."""

    def play(self, samples):
        """Play (n, 2) int16 once; returns when the server has begun to take it."""
        player = self.player()
        threading.Thread(target=write, args=(player, samples.astype('<i2').tobytes()),
                         daemon=True).start()
        deadline_s = time.monotonic() + PATIENCE_S
        while player.poll() is None and not self.ask('list', 'short', 'sink-inputs').stdout:
            assert time.monotonic() < deadline_s, 'pulseaudio does not play'
            time.sleep(0.05)

    def close(self):
        """Leave nothing behind."""
        self.end()


def write(player, content):
    """Hand a player all that it shall play."""
    with contextlib.suppress(OSError, ValueError):  # it may be stopped before
        player.communicate(content)
