# SPDX-License-Identifier: Apache-2.0
"""The grid world as SoundSpaces plays it: sounds begin at a place's first second, nothing loops.

Every step one second of the source is convolved with the response of the place; the sound of
the seconds before carries over as reverberation, and wraps only after the last whole second.
"""

from __future__ import annotations

from collections import OrderedDict
import dataclasses
from typing import Protocol
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.disturbance import UNDISTURBED
from sim_bridge.grid_world import Batch
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement
from sim_bridge.soundspaces.convolution import WindowConvolver

KEPT_SPECTROGRAMS = 8192  # 100 MB at 65 x 26 x 2


class SceneLike(Protocol):
    """What is seen and heard, of a baked house as of a scene of SoundSpaces."""

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour (H, W, 3) uint8 and depth (H, W) float32, metres."""

    def response(self, source: int, node: int, heading: int) -> np.ndarray:
        """Impulse response (2, L) float32."""


@dataclasses.dataclass(frozen=True, eq=False)
class Hearing:
    """What sounds in an episode.

    sound : (n,) float32, of which the whole seconds are played over and over.
    duration : the last step at which it is heard.
    distractor : (m,) float32, of which the first second is heard at every step, from the source
        ``distractor_source`` of the house.
    """

    sound: np.ndarray
    duration: float = np.inf
    distractor: np.ndarray | None = None
    distractor_source: int = 0


_Key = tuple[int, ...]


class SoundSpacesWorld(GridWorld):
    """Agents in scenes of SoundSpaces, or in baked houses that are played in its way.

    The last ``kept`` different spectrograms are not computed again.
    """

    def __init__(self, houses: Sequence[SceneLike], contract: PolicyContract, *, count: int,
                 kept: int = KEPT_SPECTROGRAMS, device: torch.device | str = 'cpu') -> None:
        super().__init__(houses, contract, count=count, device=device)
        self._kept, self._convolver = kept, WindowConvolver(contract.window_samples)
        nothing = Hearing(np.zeros(contract.window_samples, np.float32), duration=-1)
        self._hearing = [nothing] * count
        self._known: OrderedDict[_Key, tuple[Hearing, np.ndarray]] = OrderedDict()

    def begin(self, slot: int, placement: Placement, hearing: Hearing) -> None:
        """Start a new episode in ``slot``; the dry sound of ``placement`` is not used.

        Raises:
            ValueError: see ``place``.
        """
        self.place(slot, dataclasses.replace(placement, dry=hearing.sound))
        self._hearing[slot] = hearing

    def place(self, slot: int, placement: Placement) -> None:
        """Start a new episode in ``slot``, in which the dry sound goes on for ever.

        Raises:
            ValueError: the sound is shorter than one window, or something is to be disturbed.
        """
        samples = self.contract.window_samples
        if len(placement.dry) < samples:
            raise ValueError(f'a sound must last {samples} samples, got {len(placement.dry)}')
        if placement.disturbance is not UNDISTURBED or placement.noise_rms:
            raise ValueError('scenes of SoundSpaces are not disturbed')
        super().place(slot, dataclasses.replace(placement, dry=placement.dry[:samples]))
        self._hearing[slot] = Hearing(placement.dry)

    def observe(self, slots: Sequence[int] | np.ndarray | None = None) -> Batch:
        """See and hear from where the agents in ``slots`` (all by default) stand."""
        chosen = np.arange(self.count) if slots is None else np.asarray(slots)
        rgb, depth = self.views(self.house[chosen], self.node[chosen], self.heading[chosen])
        keys = [self._key(slot) for slot in chosen]
        new = [row for row, key in enumerate(keys) if key not in self._known]
        if new:
            # A lone row is transformed in another order than several.
            rows = new if len(new) > 1 else new * 2
            computed = self._spectrogram(self.hear(chosen[rows])).cpu().numpy()
            for row, spectrogram in zip(rows, computed):
                self._known[keys[row]] = self._hearing[chosen[row]], spectrogram
        heard = np.stack([self._known[key][1] for key in keys])
        for key in keys:
            self._known.move_to_end(key)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return Batch(rgb, depth, torch.from_numpy(heard).to(self._device),
                     np.zeros(len(chosen), bool))

    def views(self, house: np.ndarray, node: np.ndarray,
              heading: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Gather colour (N, H, W, 3) uint8 and depth (N, H, W) float32 metres."""
        seen = [self.houses[index].view(int(place), int(facing))
                for index, place, facing in zip(house, node, heading)]
        return (torch.from_numpy(np.stack([color for color, _ in seen])).to(self._device),
                torch.from_numpy(np.stack([depth for _, depth in seen])).to(self._device))

    def hear(self, slots: np.ndarray) -> torch.Tensor:
        """Render one listening window (N, 2, window_samples) float32 for each of ``slots``."""
        audio = np.stack([self._audio(slot) for slot in slots])
        return torch.from_numpy(audio).to(self._device)

    def _key(self, slot: int) -> _Key:
        """Whatever decides what is heard; the sound stays alive beside its spectrogram."""
        hearing = self._hearing[slot]
        silent = self.steps[slot] > hearing.duration
        return (id(hearing.sound), -1 if silent else self._second(slot),
                id(hearing.distractor), hearing.distractor_source, int(self.house[slot]),
                int(self.source[slot]), int(self.node[slot]), int(self.heading[slot]))

    def _second(self, slot: int) -> int:
        whole = len(self._hearing[slot].sound) // self.contract.window_samples
        return int(self.steps[slot]) % whole

    def _audio(self, slot: int) -> np.ndarray:
        hearing, samples = self._hearing[slot], self.contract.window_samples
        if self.steps[slot] > hearing.duration:
            return np.zeros((2, samples), np.float32)
        heard = self._convolver.window_of(
            hearing.sound, self._response(slot, self.source[slot]), second=self._second(slot))
        if hearing.distractor is not None:
            heard = heard + self._convolver.window_of(
                hearing.distractor, self._response(slot, hearing.distractor_source), second=0)
        return heard

    def _response(self, slot: int, source: int) -> np.ndarray:
        return self.houses[self.house[slot]].response(
            int(source), int(self.node[slot]), int(self.heading[slot]))
