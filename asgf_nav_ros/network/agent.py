# SPDX-License-Identifier: Apache-2.0
"""The recurrent actor-critic: ASGF-Nav, its ablations, the baselines, and what goes beyond."""

from __future__ import annotations

import dataclasses
from typing import Iterable
from typing import Iterator
from typing import NamedTuple

import torch
from torch import nn

from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.belief_map import BELIEF_WIDTH
from asgf_nav_ros.network.belief_map import BeliefMap
from asgf_nav_ros.network.belief_map import PLACES
from asgf_nav_ros.network.compass import COMPASS_SIZE
from asgf_nav_ros.network.compass import seen_from_robot
from asgf_nav_ros.network.compass import steady_direction
from asgf_nav_ros.network.compass import Steering
from asgf_nav_ros.network.deep_spatial_state import DeepSpatialStateEncoder
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.descriptor import DESCRIPTOR_SIZE
from asgf_nav_ros.network.descriptor import SoundDescriptor
from asgf_nav_ros.network.encoders import AudioEncoder
from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import kaiming_
from asgf_nav_ros.network.encoders import VisualEncoder
from asgf_nav_ros.network.fusion import ConcatenatedFusion
from asgf_nav_ros.network.fusion import Fusion
from asgf_nav_ros.network.fusion import GuidedFusion
from asgf_nav_ros.network.fusion import SelfAttentionFusion
from asgf_nav_ros.network.goal_sound import GoalSound
from asgf_nav_ros.network.goal_sound import MATCH_SIZE
from asgf_nav_ros.network.memory import EpisodeMemory
from asgf_nav_ros.network.spatial_state import embedding_frames
from asgf_nav_ros.network.spatial_state import SpatialStateEncoder

SYSTEMS = ('asgf', 'asgf_without_ase', 'asgf_without_asgf', 'av_nav', 'agsa_style', 'asgf_plus',
           'av_nav_plus')
_HEARS_FRAMES = ('asgf', 'asgf_without_asgf', 'asgf_plus')  # systems with the ASE
_GUIDED = ('asgf', 'asgf_without_ase', 'asgf_plus')  # systems with the ASGF
_DESCRIBES = ('asgf_plus', 'av_nav_plus')  # systems that decide on a sound descriptor too
_SKIPS = ('asgf_plus',)  # systems that remember sight and sound beside their fusion
_HEARS_DEEPLY = ('asgf_plus',)  # systems whose ASE makes a_t as well
_MOTION_WIDTH = 64
_SKIP_WIDTH = 384
_ACTOR_GAIN = 0.01


class AgentOutput(NamedTuple):
    """One decision a row, all float32.

    logits : (N, actions), in the order of ``contract.actions``.
    value : (N,).
    hidden : (N, hidden_size), to be given back at the next decision.
    gate : (N, 1), alpha_t; constant 1 for systems without the ASGF.
    attention : (N, 2), on sight and on sound; constant 0.5 for systems without the ASGF.
    frame_weights : (N, frames'), w_t, sum 1; constant 1 / frames' for systems without the ASE.
    audio_state : (N, 512), e_t, or a_t for systems without the ASE.
    sound_direction : (N, 3): cosine and sine of the azimuth at which the sound arrives (left
        positive) and log1p of the path length in metres, as the auxiliary head believes.
    """

    logits: torch.Tensor
    value: torch.Tensor
    hidden: torch.Tensor
    gate: torch.Tensor
    attention: torch.Tensor
    frame_weights: torch.Tensor
    audio_state: torch.Tensor
    sound_direction: torch.Tensor


class SequenceOutput(NamedTuple):
    """A stretch of T decisions in N environments, all float32.

    logits : (T, N, actions).
    values : (T, N).
    audio_state : (T, N, 512).
    sound_direction : (T, N, 3), as in ``AgentOutput``.
    hidden : (N, hidden_size), after the last decision.
    descriptor : (T, N, DESCRIPTOR_SIZE), logits; None for systems without one.
    goal : (T, N, 3), where the memory believes the goal to be: ahead and left in units of 10 m,
        log1p of the way there in metres; None for systems without a descriptor.
    """

    logits: torch.Tensor
    values: torch.Tensor
    audio_state: torch.Tensor
    sound_direction: torch.Tensor
    hidden: torch.Tensor
    descriptor: torch.Tensor | None = None
    goal: torch.Tensor | None = None


class _Percept(NamedTuple):
    fused: torch.Tensor  # (B, width)
    fusion: Fusion
    descriptor: torch.Tensor | None
    frame_weights: torch.Tensor  # (B, frames')
    audio_state: torch.Tensor  # (B, 512)
    direction: torch.Tensor  # (B, 3)
    match: torch.Tensor | None  # (B, MATCH_SIZE), with a goal's sound


class _Remembered(NamedTuple):
    hidden: torch.Tensor  # (N, the GRU's)
    goal_sound: torch.Tensor  # (N, 0 without)
    belief: torch.Tensor  # (N, 0 without)


class NavigationAgent(nn.Module):
    """Sees, hears, fuses, remembers, decides.

    ============================ ============ =================== ========================
    system                       query, gate  fused               paper
    ============================ ============ =================== ========================
    ``asgf``                     e_t          ASGF(d, a, e)       ASGF-Nav
    ``asgf_without_ase``         learned      ASGF(d, a, learned) Table II, "w/o ASE"
    ``asgf_without_asgf``                     [e, d, a]           Table II, "w/o ASGF"
    ``av_nav``                                [d, a]              SoundSpaces
    ``agsa_style``                            attention(d, a)     after AGSA
    ``asgf_plus``                e_t          ASGF(d, a, e)       beyond it
    ``av_nav_plus``                           [d, a]              beyond it
    ============================ ============ =================== ========================

    The last two also sort the sound's azimuth and path length into bins (``SoundDescriptor``)
    and remember that beside the fused vector; ``asgf_plus`` also remembers a projection of
    [d, a], which its fusion adds up and would otherwise blur. Contracts with ``odometry`` add
    the robot's own motion there, for any system. With it, those two remember directions, and
    believe the goal to be somewhere, in the frame where the episode began (``compass``), and
    steer by where that is from the robot. Contracts with ``goal_windows`` let any system hear
    every window beside what the first ones sounded like, and how alike the two are
    (``goal_sound``), and those with
    ``belief_cells`` let those two add up where the goal may be (``belief_map``).

    Wrap calls in ``torch.autocast`` for bfloat16: intensities, softmax, gate, attention and
    the hidden state stay in float32, and so do all outputs.
    """

    def __init__(self, contract: PolicyContract, *, system: str | None = None,
                 sight: str = 'rgbd') -> None:
        """Build an agent with fresh weights from torch's global generator.

        Args:
            contract: fixes the shapes of all inputs, the actions and the hidden size.
            system: one of ``SYSTEMS``; the contract's own by default. ``self.contract`` says
                what was built.
            sight: 'rgbd', or 'rgb' or 'depth' alone.

        Raises:
            ValueError: an unknown system or sight.
        """
        super().__init__()
        system = contract.system if system is None else system
        if system not in SYSTEMS:
            raise ValueError(f'system must be one of {list(SYSTEMS)}, got {system!r}')
        self.contract = dataclasses.replace(contract, system=system)
        self.system = system
        self.sight = sight
        self._goal_sound = GoalSound(contract)
        self._has_belief = contract.belief_cells > 0
        _require_buildable(contract, system)
        remembers = contract.recurrent_size
        self.visual = VisualEncoder((contract.image_height, contract.image_width),
                                    depth_max_m=contract.depth_max_m, sight=sight)
        bins, frames, channels = contract.spectrogram_shape
        heard = (bins, frames, channels + bool(contract.goal_windows))
        if system in _HEARS_DEEPLY:
            self.spatial_state = DeepSpatialStateEncoder(heard, input_gain=contract.input_gain)
        else:
            self.audio = AudioEncoder(heard)
            self._build_frame_hearing(heard, contract.input_gain)
        if system == 'asgf_without_ase':
            self.query = nn.Parameter(torch.randn(FEATURES))
        self.fusion = _fusion(system)
        width = self.fusion.width
        if system in _DESCRIBES:
            self.descriptor = SoundDescriptor(FEATURES)
            self.goal_head = _head(remembers, 3, gain=1.0)
            width += DESCRIPTOR_SIZE
        if contract.odometry:
            self.motion = nn.Linear(MOTION_FEATURES, _MOTION_WIDTH)
            width += _MOTION_WIDTH
        self._has_compass = contract.odometry and system in _DESCRIBES
        if self._has_compass:
            self.steering = Steering(remembers, len(contract.actions))
            width += COMPASS_SIZE
        if self._has_belief:
            self.belief = BeliefMap(self.contract)
            self.place_head = nn.Linear(FEATURES, PLACES)
            nn.init.zeros_(self.place_head.weight)  # nothing is known at first
            nn.init.zeros_(self.place_head.bias)
        if system in _SKIPS:
            self.skip = nn.Linear(2 * FEATURES, _SKIP_WIDTH)
            kaiming_(self.skip)
            width += _SKIP_WIDTH
        if self._goal_sound.size:
            width += MATCH_SIZE
        if self._has_belief:
            width += BELIEF_WIDTH
        self.memory = EpisodeMemory(width, hidden_size=remembers)
        self.actor = _head(remembers, len(contract.actions), gain=_ACTOR_GAIN)
        self.critic = _head(remembers, 1, gain=1.0)
        self.direction_head = _head(FEATURES, 3, gain=1.0)

    def _build_frame_hearing(self, heard: tuple[int, int, int], input_gain: float) -> None:
        if self.system in _HEARS_FRAMES:
            self.spatial_state = SpatialStateEncoder(heard, input_gain=input_gain)
        else:
            frames = embedding_frames(heard[1])
            self.register_buffer('even_weights', torch.full((frames,), 1 / frames),
                                 persistent=False)

    @property
    def policy_parameters(self) -> int:
        """How many numbers decide: all parameters but those of auxiliary heads."""
        asked_only = self.system in _DESCRIBES and not self._has_compass
        heads = [self.direction_head, *([self.goal_head] if asked_only else [])]
        auxiliary = sum(parameter.numel() for head in heads for parameter in head.parameters())
        return sum(parameter.numel() for parameter in self.parameters()) - auxiliary

    @property
    def believes(self) -> bool:
        """Whether places are added up in a map."""
        return self._has_belief

    @property
    def describes_sounds(self) -> bool:
        """Whether the audio state is sorted into bins of azimuth and path length."""
        return self.system in _DESCRIBES

    def hearing_parameters(self) -> Iterator[nn.Parameter]:
        """What leads from spectrograms to sound directions."""
        for part in ('audio', 'spatial_state', 'descriptor', 'direction_head', 'place_head'):
            if hasattr(self, part):
                yield from (parameter for name, parameter in getattr(self, part).named_parameters()
                            if not name.startswith('to_audio.'))  # a_t is for acting

    def learn_statistics(self, learns: bool) -> None:
        """Let the ears' normalisation learn its statistics; see ``DeepSpatialStateEncoder``."""
        if self.system in _HEARS_DEEPLY:
            self.spatial_state.learn_statistics(learns)

    def restate_norms(
            self, windows: Iterable[tuple[torch.Tensor, torch.Tensor | None]]) -> None:
        """Let the ears' normalisation say the same by the statistics of ``windows``.

        Files have norms merged into what follows them: learning on in whole batches would then
        change what is heard. Pairs as ``hear`` takes them; see ``DeepSpatialStateEncoder``.
        """
        if self.system in _HEARS_DEEPLY:
            with self.spatial_state.norms_restated():
                for spectrogram, goal_sound in windows:
                    self.hear(spectrogram, goal_sound)

    def initial_hidden(self, environments: int) -> torch.Tensor:
        """(environments, hidden_size) float32 of zeros, the memory at the start of episodes."""
        return self.actor.weight.new_zeros(environments, self.contract.hidden_size)

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                hidden: torch.Tensor, motion: torch.Tensor | None = None) -> AgentOutput:
        """Decide once in each of N environments.

        Args:
            rgb: (N, H, W, 3) uint8.
            depth: (N, H, W) float32, metres.
            spectrogram: (N, bins, frames, channels) float32.
            hidden: (N, hidden_size) float32, zeros at the start of an episode.
            motion: (N, MOTION_FEATURES) float32, for contracts with odometry.
        """
        before = self._parted(hidden)
        goal_sound, belief = before.goal_sound, before.belief
        if self._goal_sound.size:
            goal_sound = self._goal_sound.remember(self._goal_sound.spectrum(spectrogram),
                                                   goal_sound)
        percept = self._perceive(rgb, depth, spectrogram, goal_sound, motion)
        fused = percept.fused
        if self._has_belief:
            belief = self.belief.remember(self._evidence(percept, motion), belief)
            fused = torch.cat([fused, self._look(belief, motion)], -1)
        hidden = self.memory(fused, before.hidden)
        logits, value, _ = self._decide(hidden, motion)
        return AgentOutput(logits, value, _joined(hidden, goal_sound, belief),
                           percept.fusion.gate, percept.fusion.attention,
                           percept.frame_weights, percept.audio_state,
                           percept.direction)

    def _parted(self, hidden: torch.Tensor) -> _Remembered:
        """What the GRU carries on, what is remembered of the goal's sound, and the belief."""
        contract = self.contract
        if contract.recurrent_size == contract.hidden_size:
            return _Remembered(hidden, hidden[:, :0], hidden[:, :0])
        return _Remembered(*hidden.split((
            contract.recurrent_size, contract.goal_sound_size, contract.belief_size), -1))

    def _evidence(self, percept: _Percept, motion: torch.Tensor) -> torch.Tensor:
        with torch.autocast(motion.device.type, enabled=False):
            return self.belief.evidence(self.place(percept.audio_state), motion, percept.match)

    def _look(self, belief: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        with torch.autocast(motion.device.type, enabled=False):
            return self.belief.look(belief, motion)

    def sequence(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                 hidden: torch.Tensor, starts: torch.Tensor,
                 motion: torch.Tensor | None = None) -> SequenceOutput:
        """Decide along T steps of N environments, for learning.

        Args:
            rgb: (T, N, H, W, 3) uint8.
            depth: (T, N, H, W) float32, metres.
            spectrogram: (T, N, bins, frames, channels) float32.
            hidden: (N, hidden_size) float32, before the first step.
            starts: (T, N) bool, true where an episode begins.
            motion: (T, N, MOTION_FEATURES) float32, for contracts with odometry.
        """
        steps = starts.shape  # (T, N)
        before = self._parted(hidden)
        goal_sounds = before.goal_sound.expand(*steps, before.goal_sound.shape[-1])
        if self._goal_sound.size:
            goal_sounds = self._goal_sound.unroll(self._goal_sound.spectrum(spectrogram),
                                                  before.goal_sound, starts)
        flat_motion = None if motion is None else motion.flatten(0, 1)
        percept = self._perceive(rgb.flatten(0, 1), depth.flatten(0, 1),
                                 spectrogram.flatten(0, 1), goal_sounds.flatten(0, 1),
                                 flat_motion)
        fused, belief = percept.fused, before.belief
        if self._has_belief:
            evidence = self._evidence(percept, flat_motion).unflatten(0, steps)
            beliefs = self.belief.unroll(evidence, belief, starts)
            fused = torch.cat([fused, self._look(beliefs.flatten(0, 1), flat_motion)], -1)
            belief = beliefs[-1]
        states = self.memory.unroll(fused.unflatten(0, steps), before.hidden, starts)
        logits, values, goal = self._decide(states, motion)
        descriptor = percept.descriptor
        return SequenceOutput(logits, values, percept.audio_state.unflatten(0, steps),
                              percept.direction.unflatten(0, steps),
                              _joined(states[-1], goal_sounds[-1], belief),
                              None if descriptor is None else descriptor.unflatten(0, steps),
                              goal)

    def goal_sound_of(self, spectrograms: torch.Tensor) -> torch.Tensor:
        """What is remembered of the first windows (K, B, bins, frames, channels), (B, size)."""
        state = spectrograms.new_zeros(spectrograms.shape[1], self._goal_sound.size)
        if self._goal_sound.size:
            for spectrogram in spectrograms:
                state = self._goal_sound.remember(self._goal_sound.spectrum(spectrogram), state)
        return state

    def hear(self, spectrogram: torch.Tensor, goal_sound: torch.Tensor | None = None
             ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """a_t and the audio state, (B, 512), and the frame weights (B, N), of one window a row.

        ``goal_sound`` is what is remembered of the goal (B, size), see ``goal_sound_of``; for
        contracts with ``goal_windows``.
        """
        if self._goal_sound.size:
            spectrogram = self._goal_sound.beside(spectrogram, goal_sound)
        if self.system in _HEARS_DEEPLY:
            return self.spatial_state(spectrogram)
        audio = self.audio(spectrogram)
        if self.system in _HEARS_FRAMES:
            return audio, *self.spatial_state(spectrogram)
        state = audio.float()
        return audio, state, torch.ones_like(state[:, :1]) * self.even_weights

    def locate(self, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Sound direction (B, 3) and descriptor logits, if there are any, of an audio state."""
        descriptor = self.descriptor(state) if self.system in _DESCRIBES else None
        with torch.autocast(state.device.type, enabled=False):
            return self.direction_head(state), descriptor

    def place(self, state: torch.Tensor) -> torch.Tensor:
        """How much likelier an audio state (B, 512) makes each bin of places, (B, PLACES) nats."""
        with torch.autocast(state.device.type, enabled=False):
            return self.place_head(state.float())

    def _perceive(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                  goal_sound: torch.Tensor, motion: torch.Tensor | None) -> _Percept:
        visual = self.visual(rgb, depth)
        audio, state, weights = self.hear(spectrogram, goal_sound)
        guide = self.query.expand_as(state) if self.system == 'asgf_without_ase' else state
        fusion = self.fusion(visual, audio, guide)
        direction, descriptor = self.locate(state)
        remembered = [fusion.fused]
        if descriptor is not None:
            probabilities = self.descriptor.probabilities(descriptor)
            remembered.append(probabilities)
        if self.contract.odometry:
            if motion is None:
                raise ValueError('a contract with odometry needs motion features, got none')
            remembered.append(torch.relu(self.motion(motion)))
        if self._has_compass:
            with torch.autocast(state.device.type, enabled=False):
                remembered.append(steady_direction(probabilities[:, :AZIMUTH_BINS], motion))
        if self.system in _SKIPS:
            remembered.append(torch.relu(self.skip(torch.cat([visual, audio], -1))))
        match = None
        if self._goal_sound.size:
            match = self._goal_sound.match(spectrogram, goal_sound)
            remembered.append(match)
        fused = torch.cat(remembered, -1) if len(remembered) > 1 else fusion.fused
        return _Percept(fused, fusion, descriptor, weights, state, direction, match)

    def _decide(self, hidden: torch.Tensor, motion: torch.Tensor | None
                ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Logits (..., actions), value (...) and the believed goal (..., 3) or None."""
        with torch.autocast(hidden.device.type, enabled=False):
            logits, value = self.actor(hidden), self.critic(hidden).squeeze(-1)
            if self.system not in _DESCRIBES:
                return logits, value, None
            goal = self.goal_head(hidden)
            if self._has_compass:
                goal = torch.cat([seen_from_robot(goal[..., :2], motion), goal[..., 2:]], -1)
                logits = logits + self.steering(hidden, goal)
            return logits, value, goal


def _joined(*parts: torch.Tensor) -> torch.Tensor:
    """Join what is carried on; an exporter would lose the size if empty parts were joined too."""
    filled = [part for part in parts if part.shape[-1]]
    return torch.cat(filled, -1) if len(filled) > 1 else filled[0]


def _require_buildable(contract: PolicyContract, system: str) -> None:
    """Refuse a mirror, which is around an agent, and a belief that nothing feeds."""
    if contract.mirrored:
        raise ValueError('an agent is not mirrored, its export is: see network.mirror')
    if contract.belief_cells and (system not in _DESCRIBES or not contract.odometry):
        raise ValueError(f'belief_cells need odometry and one of {list(_DESCRIBES)}, '
                         f'got {system} with odometry={contract.odometry}')


def _fusion(system: str) -> nn.Module:
    if system in _GUIDED:
        return GuidedFusion()
    if system == 'agsa_style':
        return SelfAttentionFusion()
    return ConcatenatedFusion(with_state=system in _HEARS_FRAMES)


def _head(width: int, outputs: int, *, gain: float) -> nn.Linear:
    head = nn.Linear(width, outputs)
    nn.init.orthogonal_(head.weight, gain=gain)
    nn.init.zeros_(head.bias)
    return head
