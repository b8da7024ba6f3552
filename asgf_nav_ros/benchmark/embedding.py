# SPDX-License-Identifier: Apache-2.0
"""The audio state that an exported policy forms of what is heard at many places."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Mapping
from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.colors import Normalize
import numpy as np
import onnx
import onnxruntime
from sklearn.manifold import TSNE

from asgf_nav_ros.benchmark import plot_style
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_metadata import contract_of_metadata
from sim_bridge.bake import BakedHouse
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

AUDIO_STATE, DIRECTION = 'audio_state', 'sound_direction'
DIRECTION_WEIGHT = 'direction_head.weight'  # averaged with its mirror image before the output
BATCH = 64
PERPLEXITY = 40
PANEL_INCHES = 3.0
# Behind, right, ahead, left, behind: cyclic, and told apart by colour-blind readers too.
AZIMUTH_COLORS = LinearSegmentedColormap.from_list(
    'azimuth', ('#1a1a1a', '#D55E00', '#EBC500', '#0072B2', '#1a1a1a'))


@dataclasses.dataclass(frozen=True, eq=False)
class Heard:
    """What is heard at N random places, and where it comes from.

    spectrograms : (N, bins, frames, channels) float32.
    azimuth_rad : (N,) at which the sound arrives, left positive.
    distance_m : (N,) length of the shortest way that the sound takes.
    house : (N,) int64, index of the house.
    """

    spectrograms: np.ndarray
    azimuth_rad: np.ndarray
    distance_m: np.ndarray
    house: np.ndarray

    @property
    def fold(self) -> np.ndarray:
        """(N,) 0 or 1; neither a house nor a sound is in both."""
        return self.house % 2


@dataclasses.dataclass(frozen=True, eq=False)
class StatePanel:
    """One system's points for the figure: xy (N, 2), with a line about it."""

    system: str
    xy: np.ndarray
    caption: str


class AudioStateEncoder:
    """The part of an exported policy that turns a spectrogram into its audio state.

    A policy with a memory of the goal's sound hears each window as the first one of an episode;
    of a mirrored policy it is the state without the mirror.
    """

    def __init__(self, model: str | os.PathLike[str]) -> None:
        """Cut the part out of the file, which need not name it: the direction head reads it.

        Raises:
            ValueError: the file has no such state, or the state depends on more than sound.
        """
        graph = onnx.load(model)
        self.contract: PolicyContract = contract_of_metadata(
            {entry.key: entry.value for entry in graph.metadata_props})
        self._inputs = ['spectrogram'] + ['hidden'] * (self.contract.goal_windows > 0)
        name = _audio_state_name(graph, model)
        graph.graph.value_info.append(onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, ['batch', 'features']))
        try:
            part = onnx.utils.Extractor(graph).extract_model(self._inputs, [name])
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                part.SerializeToString(), options, providers=['CPUExecutionProvider'])
        except Exception as error:  # the errors of onnx and onnxruntime share no other base
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f'the audio state of {model} cannot be cut out: '
                             f'{first_line}') from error
        self._name = name

    def states(self, spectrograms: np.ndarray) -> np.ndarray:
        """(N, bins, frames, channels) float32 to (N, 512) float32."""
        return np.concatenate([self._batch_states(spectrograms[start:start + BATCH])
                               for start in range(0, len(spectrograms), BATCH)])

    def _batch_states(self, spectrograms: np.ndarray) -> np.ndarray:
        hidden = np.zeros((len(spectrograms), self.contract.hidden_size), np.float32)
        values = {'spectrogram': spectrograms, 'hidden': hidden}
        states, = self._session.run([self._name], {name: values[name] for name in self._inputs})
        return states[:len(spectrograms)]  # behind them, those in the mirror


def listen(houses: Sequence[BakedHouse], sounds: Mapping[str, np.ndarray],
           contract: PolicyContract, *, count: int, seed: int) -> Heard:
    """Stand at random places with random headings, and listen to random sources.

    Every second house goes with every second sound, so that the two folds share neither.

    Args:
        houses: at least two.
        sounds: at least two, one window each, (window_samples,) float32.
        contract: of the spectrograms.
        count: places.
        seed: decides everything.

    Raises:
        ValueError: there are too few houses or sounds for two folds.
    """
    if len(houses) < 2 or len(sounds) < 2:
        raise ValueError('a split by house and sound needs two of each, '
                         f'got {len(houses)} houses and {len(sounds)} sounds')
    rng = np.random.default_rng(seed)
    world = GridWorld(houses, contract, count=BATCH)
    parts = []
    for start in range(0, count, BATCH):
        slots = np.arange(min(BATCH, count - start))
        for slot in slots:
            world.place(int(slot), _random_placement(houses, list(sounds.values()), rng))
        heard = world.observe(slots).spectrogram.numpy()
        parts.append((heard, world.sound_direction()[slots], world.house[slots].copy()))
    spectrograms, directions, house = (np.concatenate(part) for part in zip(*parts))
    return Heard(spectrograms, np.arctan2(directions[:, 1], directions[:, 0]),
                 np.expm1(directions[:, 2]), house)


def project(states: np.ndarray, *, seed: int) -> np.ndarray:
    """t-SNE of standardised states, (N, 2)."""
    scaled = (states - states.mean(axis=0)) / (states.std(axis=0) + 1e-6)
    perplexity = min(PERPLEXITY, (len(states) - 1) / 3)
    return TSNE(perplexity=perplexity, init='pca', random_state=seed).fit_transform(scaled)


def write_embedding(path: Path, panels: Sequence[StatePanel], *, azimuth_rad: np.ndarray,
                    distance_m: np.ndarray) -> None:
    """Draw the points of every system twice: coloured by distance, and by azimuth."""
    figure = plot_style.new_figure(width_inches=PANEL_INCHES * len(panels) + 0.8,
                                   height_inches=2 * PANEL_INCHES + 0.4)
    grid = figure.subplots(2, len(panels), squeeze=False)
    farthest_m = float(np.quantile(distance_m, 0.98))
    colors = ((distance_m, Normalize(0, farthest_m), 'viridis', 'distance of the sound (m)'),
              (np.degrees(azimuth_rad), Normalize(-180, 180), AZIMUTH_COLORS,
               'azimuth of the sound (°, left positive)'))
    for line, (values, scale, palette, label) in zip(grid, colors):
        for axes, panel in zip(line, panels):
            axes.scatter(*panel.xy.T, c=values, cmap=palette, norm=scale, s=5, linewidths=0)
            _frame(axes)
        bar = figure.colorbar(ScalarMappable(scale, palette), ax=line.tolist(), fraction=0.05,
                              pad=0.01)
        bar.set_label(label, fontsize=plot_style.FONT_SIZE)
        bar.ax.tick_params(labelsize=plot_style.FONT_SIZE - 1)
        bar.outline.set_visible(False)
    bar.set_ticks([-180, -90, 0, 90, 180])
    for axes, panel in zip(grid[0], panels):
        axes.set_title(f'{panel.system}\n{panel.caption}', fontsize=plot_style.FONT_SIZE)
    plot_style.save(figure, path)


def _audio_state_name(model: onnx.ModelProto, path: str | os.PathLike[str]) -> str:
    if AUDIO_STATE in {output.name for output in model.graph.output}:
        return AUDIO_STATE
    heads = [node for node in model.graph.node if node.op_type == 'Gemm' and (
        DIRECTION in node.output or node.input[1].endswith(DIRECTION_WEIGHT))]
    if not heads:
        raise ValueError(f'{path} must have an output {AUDIO_STATE}, or a direction as a linear '
                         'function of it')
    return heads[0].input[0]


def _random_placement(houses: Sequence[BakedHouse], sounds: Sequence[np.ndarray],
                      rng: np.random.Generator) -> Placement:
    house = int(rng.integers(len(houses)))
    baked = houses[house]
    source = int(rng.integers(len(baked.source_nodes)))
    away = np.flatnonzero(np.arange(len(baked.nodes)) != baked.source_nodes[source])
    fitting = sounds[house % 2::2]
    return Placement(house=house, source=source, node=int(rng.choice(away)),
                     heading=int(rng.integers(4)), rng=rng,
                     dry=fitting[rng.integers(len(fitting))])


def _frame(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color('#cccccc')
