# SPDX-License-Identifier: Apache-2.0
"""An exported policy that hears, sees and decides, with its memory; ONNX Runtime, no torch."""

from __future__ import annotations

import dataclasses
import math
import os
import time

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.exploration import Exploration
from asgf_nav_ros.inference.model_file import contract_of
from asgf_nav_ros.inference.model_file import input_shapes
from asgf_nav_ros.inference.model_file import output_shapes
from asgf_nav_ros.inference.model_file import PolicyModelError
from asgf_nav_ros.inference.model_file import provenance_of
from asgf_nav_ros.inference.model_file import read_model
from asgf_nav_ros.inference.model_file import require_same_contract
from asgf_nav_ros.inference.model_file import require_signature
from asgf_nav_ros.inference.providers import open_session
from asgf_nav_ros.inference.providers import ProviderUnavailable

_SUM_TOLERANCE = 1e-3  # of probabilities; half precision on a GPU leaves about 1e-4


class PolicyOutputError(RuntimeError):
    """The policy computed something that is not a decision."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
    """One action and what led to it.

    probabilities : (actions,) float32, in the order of ``contract.actions``.
    value : the critic's expected return.
    gate : alpha in [0, 1], the part of the guided fusion (paper: ASGF).
    attention : (2,) float32, on sight and on sound.
    frame_weights : (frames,) float32, which moments of the window counted (paper: ASE).
    sound_azimuth_rad : believed direction of arrival, left positive.
    sound_distance_m : believed length of the path that the sound took.
    exploring : whether the robot got nowhere and is led to floor that it has not seen.
    """

    action: Action
    probabilities: np.ndarray
    value: float
    gate: float
    attention: np.ndarray
    frame_weights: np.ndarray
    sound_azimuth_rad: float
    sound_distance_m: float
    inference_ms: float
    exploring: bool = False


class OnnxPolicy:
    """A model that passed every check, and the recurrent state of one episode."""

    def __init__(
            self, path: str | os.PathLike[str], *, provider: str = 'cpu',
            expected_sha256: str | None = None, contract: PolicyContract | None = None,
            threads: int = 1) -> None:
        """Load, check and warm up.

        Args:
            path: ONNX file written by ``asgf-nav export``.
            provider: 'cpu', 'cuda', 'tensorrt' or 'auto', see ``providers.open_session``.
            expected_sha256: hex digest that the file must have.
            contract: what the model must see and do; None takes what the model says.
            threads: of ONNX Runtime on the CPU.

        Raises:
            PolicyModelError: unreadable, too large, another hash, or not an ONNX model.
            ContractMismatch: no contract, another one, or a graph that does not fit it.
            ProviderUnavailable: the named provider does not run here.
            PolicyOutputError: the warm-up on an empty observation gave no decision.
        """
        model, self.sha256 = read_model(path, expected_sha256)
        try:
            self._session, choice = open_session(model, provider, threads=threads)
        except (ProviderUnavailable, ValueError):
            raise
        except Exception as error:  # the errors of onnxruntime share no other base
            raise PolicyModelError(
                f'model {path} is not a usable ONNX file: {_first_line(error)}') from error
        self.provider = choice.name
        self.provider_reason = choice.reason
        self.contract = contract_of(self._session)
        self.provenance = provenance_of(self._session)
        if contract is not None:
            require_same_contract(self.contract, contract)
        require_signature(self._session, self.contract)
        self._actions = tuple(Action[name] for name in self.contract.actions)
        self._outputs = tuple(output_shapes(self.contract))
        self._exploration = Exploration(self.contract)
        self.reset()
        self.decide(_empty_observation(self.contract))
        self.reset()

    def reset(self) -> None:
        """Forget the episode."""
        self._hidden = np.zeros((1, self.contract.hidden_size), np.float32)
        self._exploration.begin()

    def decide(self, observation: Observation, *, temperature: float = 0.0,
               rng: np.random.Generator | None = None) -> Decision:
        """Take one decision and remember it.

        Args:
            observation: what was heard and seen, checked against the contract.
            temperature: 0 takes the most probable action, 1 draws from the probabilities; over
                0, ``Exploration`` leads a robot on that gets nowhere.
            rng: needed when temperature is over 0.

        Raises:
            ContractMismatch: the observation does not fit; the memory stays as it was.
            PolicyOutputError: NaN, or probabilities that are none; the same holds.
            ValueError: a negative temperature, or one without rng.
        """
        observation.check(self.contract)
        start = time.perf_counter()
        out = self.decide_batch(observation.rgb[np.newaxis], observation.depth[np.newaxis],
                                observation.spectrogram[np.newaxis], self._hidden,
                                self._motion_of(observation))
        inference_ms = 1e3 * (time.perf_counter() - start)
        chosen = self._exploration.choose(
            out['action_probabilities'][0], observation.motion, observation.depth,
            out['sound_direction'][0], temperature=temperature, rng=rng,
            memory=out['hidden_out'][0], spectrogram=observation.spectrogram)
        self._hidden = out['hidden_out']
        return self._decision(self._actions[chosen], out, inference_ms)

    def _motion_of(self, observation: Observation) -> np.ndarray | None:
        return observation.motion[np.newaxis] if self.contract.odometry else None

    def _decision(self, action: Action, out: dict[str, np.ndarray],
                  inference_ms: float) -> Decision:
        cosine, sine, log_distance = (float(value) for value in out['sound_direction'][0])
        return Decision(
            action=action,
            probabilities=out['action_probabilities'][0],
            value=float(out['value'][0]),
            gate=float(out['gate'][0, 0]),
            attention=out['attention'][0],
            frame_weights=out['frame_weights'][0],
            sound_azimuth_rad=math.atan2(sine, cosine),
            sound_distance_m=float(np.expm1(np.clip(log_distance, 0, 20))),
            inference_ms=inference_ms,
            exploring=self._exploration.exploring)

    def decide_batch(self, rgb: np.ndarray, depth: np.ndarray, spectrogram: np.ndarray,
                     hidden: np.ndarray,
                     motion: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Run N agents at once; their memory goes in and out.

        Args:
            rgb: (N, H, W, 3) uint8.
            depth: (N, H, W) float32, metres.
            spectrogram: (N, bins, frames, channels) float32.
            hidden: (N, hidden_size) float32, zeros at the start of an episode.
            motion: (N, MOTION_FEATURES) float32, for contracts with odometry only.

        Returns:
            action_probabilities (N, actions), value (N,), hidden_out (N, hidden_size), gate
            (N, 1), attention (N, 2), frame_weights (N, frames), sound_direction (N, 3: cosine
            and sine of the azimuth, log1p of the distance in metres); float32.

        Raises:
            ContractMismatch: a shape or type that does not fit the contract.
            PolicyOutputError: an output that is not finite, has another shape, or
                probabilities that do not sum to 1; or the provider failed.
        """
        feeds = {'rgb': rgb, 'depth': depth, 'spectrogram': spectrogram, 'hidden': hidden}
        if self.contract.odometry:
            if motion is None:
                raise ContractMismatch('the policy wants motion features, got none')
            feeds['motion'] = motion
        _check_feeds(feeds, self.contract)
        try:
            values = self._session.run(self._outputs, feeds)
        except Exception as error:  # the errors of onnxruntime share no other base
            raise PolicyOutputError(f'inference failed: {_first_line(error)}') from error
        outputs = dict(zip(self._outputs, values, strict=True))
        _check_outputs(outputs, self.contract, batch=len(rgb))
        return outputs


def _check_feeds(feeds: dict[str, np.ndarray], contract: PolicyContract) -> None:
    kinds = {'tensor(uint8)': np.uint8, 'tensor(float)': np.float32}
    batch = len(feeds['rgb'])
    for name, (kind, shape) in input_shapes(contract).items():
        array, wanted = feeds[name], (batch, *shape)
        if array.shape != wanted or array.dtype != kinds[kind]:
            raise ContractMismatch(f'{name} must be {wanted} {np.dtype(kinds[kind]).name}, '
                                   f'got {array.shape} {array.dtype.name}')


def _check_outputs(
        outputs: dict[str, np.ndarray], contract: PolicyContract, *, batch: int) -> None:
    for name, (_, shape) in output_shapes(contract).items():
        array, wanted = outputs[name], (batch, *shape)
        if array.ndim != len(wanted) or any(
                want not in (None, size) for size, want in zip(array.shape, wanted)):
            raise PolicyOutputError(f'{name} must be {wanted}, got {array.shape}')
        if not np.isfinite(array).all():
            raise PolicyOutputError(f'{name} must be finite, the model computed NaN or infinity')
    probabilities = outputs['action_probabilities']
    if (probabilities < 0).any() or (abs(probabilities.sum(axis=1) - 1) > _SUM_TOLERANCE).any():
        raise PolicyOutputError(
            f'action_probabilities must be positive with sum 1, got {probabilities[0].tolist()}')


def _empty_observation(contract: PolicyContract) -> Observation:
    image = (contract.image_height, contract.image_width)
    return Observation(rgb=np.zeros((*image, 3), np.uint8), depth=np.zeros(image, np.float32),
                       spectrogram=np.zeros(contract.spectrogram_shape, np.float32),
                       motion=np.zeros(MOTION_FEATURES, np.float32))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
