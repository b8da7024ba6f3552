# SPDX-License-Identifier: Apache-2.0
"""The same files read independently, with the libraries and the formulas that SoundSpaces uses."""

import dataclasses
import gzip
import json
import pickle

import librosa
import networkx
import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import fftconvolve
from skimage.measure import block_reduce

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.soundspaces_runner import LARGEST_SUCCESS_M
from asgf_nav_ros.benchmark.soundspaces_runner import SoundSpacesRunner
from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.published_contracts import published_contract
from sim_bridge.grid_world import Placement
from sim_bridge.soundspaces.episode_files import read_episodes
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.recordings import read_recording
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene import Scene
from sim_bridge.soundspaces.world import Hearing
from sim_bridge.soundspaces.world import SoundSpacesWorld
from sim_bridge.soundspaces.writer import write_sound

SPLIT = 'test_multiple_unheard'
RATE_HZ = 16000
WALK = 40
MOST_ACTIONS = 30


class Reference:
    """One episode, by the book: soundspaces/simulator.py and tasks/nav.py of the repository."""

    def __init__(self, dataset, fields, sound, *, duration=500, distractor=None):
        self.layout, self.scene, self.duration = dataset.layout, dataset.scene, duration
        layout, scene = self.layout, self.scene
        self.rate_hz, self.grid_m = dataset.contract.sample_rate_hz, {
            'replica': 0.5, 'mp3d': 1.0}[layout.name]
        with layout.graph(scene).open('rb') as stream:
            self.graph = pickle.load(stream)
        with layout.observations(scene).open('rb') as stream:
            self.frames = pickle.load(stream)
        index = {'{:.2f}_{:.2f}_{:.2f}'.format(*self.graph.nodes[node]['point']): node
                 for node in self.graph.nodes}
        self.receiver, self.source = (
            index['{:.2f}_{:.2f}_{:.2f}'.format(*position)] for position in
            (fields['start_position'], fields['goals'][0]['position']))
        rotation = np.array(fields['start_rotation'])
        angle = 2 * np.arctan2(np.linalg.norm(rotation[:3]), rotation[3])
        self.rotation = int(np.around(np.rad2deg(angle))) % 360
        self.fields, self.sound, self.distractor = fields, self.load(sound), distractor
        self.start = self.point()
        self.start_m = self.geodesic_m()
        self.steps = self.index = 0
        self.travelled_m, self.collided = 0.0, False

    def load(self, name):
        path = self.layout.root / 'sounds' / '1s_all' / f'{name}.wav'
        return librosa.load(path, sr=self.rate_hz)[0]

    def point(self):
        return np.array(self.graph.nodes[self.receiver]['point'])

    def rir(self, source):
        path = (self.layout.root / 'binaural_rirs' / self.layout.name / self.scene
                / str(-self.rotation % 360) / f'{self.receiver}_{source}.wav')
        return wavfile.read(path)[1]

    def audio(self):
        if self.steps > self.duration:
            return np.zeros((2, self.rate_hz))
        rir = self.rir(self.source)
        if len(self.sound) == self.rate_hz:
            heard = np.array([fftconvolve(self.sound, rir[:, ear]) for ear in range(2)])
            heard = heard[:, :self.rate_hz]
        else:
            index = self.index
            self.index = (index + 1) % (len(self.sound) // self.rate_hz)
            end = (index + 1) * self.rate_hz
            if index * self.rate_hz - len(rir) < 0:
                heard = np.array([fftconvolve(self.sound[:end], rir[:, ear]) for ear in range(2)])
                heard = heard[:, index * self.rate_hz:end]
            else:
                part = self.sound[index * self.rate_hz - len(rir) + 1:end]
                heard = np.array([fftconvolve(part, rir[:, ear], mode='valid')
                                  for ear in range(2)])
        if self.distractor is not None:
            other = self.rir(self.distractor[1])
            heard = heard + np.array([fftconvolve(self.load(self.distractor[0]), other[:, ear])
                                      for ear in range(2)])[:, :self.rate_hz]
        return heard

    def depth(self):
        depth = np.expand_dims(np.clip(self.frames[self.receiver, self.rotation]['depth'], 0, 10),
                               axis=2)
        return depth / 10

    def rgb(self):
        return self.frames[self.receiver, self.rotation]['rgb'][:, :, :3]

    def step(self, action):
        before = self.point()
        self.collided = False
        if action == Action.MOVE_FORWARD:
            self.collided = True
            for neighbor in self.graph[self.receiver]:
                way = np.array(self.graph.nodes[neighbor]['point']) - before
                direction = int(np.around(np.rad2deg(np.arctan2(way[2], way[0])))) % 360
                if direction == (270 - self.rotation) % 360:
                    self.receiver, self.collided = neighbor, False
                    break
        elif action == Action.TURN_LEFT:
            self.rotation = (self.rotation + 90) % 360
        elif action == Action.TURN_RIGHT:
            self.rotation = (self.rotation - 90) % 360
        self.steps += 1
        self.travelled_m += np.linalg.norm(self.point() - before)

    def geodesic_m(self):
        return networkx.shortest_path_length(self.graph, self.receiver, self.source) * self.grid_m

    def metrics(self, *, stopped, success_m=1.0):
        success = float(stopped and self.geodesic_m() < success_m)
        soft = max(0, 1 - self.geodesic_m() / self.start_m)
        efficiency = self.start_m / max(self.start_m, self.travelled_m)
        oracle = self.fields['info']['num_action']
        return {'success_rate': success, 'spl': success * efficiency,
                'soft_spl': soft * efficiency,
                'sna': success * oracle / max(oracle, self.steps),
                'distance_to_goal_m': self.geodesic_m()}


def spectrogram(audio):
    ears = []
    for ear in audio:
        stft = np.abs(librosa.stft(ear, n_fft=512, hop_length=160, win_length=400))
        ears.append(np.log1p(block_reduce(stft, block_size=(4, 4), func=np.mean)))
    return np.stack(ears, axis=-1)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Files of one scene, and the contract of policies that suit them."""

    layout: Layout
    scene: str
    contract: PolicyContract

    def episodes(self):
        with gzip.open(self.layout.content(SPLIT) / f'{self.scene}.json.gz', 'rt') as stream:
            return json.load(stream)['episodes']

    def goal(self, index):
        """The node where an episode sounds."""
        stored = list(read_episodes(self.layout, SPLIT, self.scene))[index]
        return self.place(stored).goal_node

    def place(self, stored):
        graph = open_graph(self.layout, self.scene)
        return place_episode(stored, graph, seed=0, folder=self.layout.root)


@pytest.fixture(scope='module', params=['16 kHz', 'replica', 'matterport3d'])
def dataset(request, scene_name, write_published):
    """One of 16 kHz and 0.5 m, then the two published ones; Matterport3D with long responses."""
    if request.param == '16 kHz':
        contract = PolicyContract(image_height=64, image_width=64)
        return Dataset(request.getfixturevalue('written'), scene_name, contract)
    contract = dataclasses.replace(published_contract(request.param), image_height=64,
                                   image_width=64)
    name, response_s = {'replica': ('replica', 0.2), 'matterport3d': ('mp3d', 1.3)}[request.param]
    return Dataset(write_published(name, contract, response_s=response_s), scene_name, contract)


@pytest.fixture
def pair(dataset):
    """Make an episode's reference and our world in the same state."""
    def pair(index, sound, *, duration=500, distractor=None):
        layout, scene, contract = dataset.layout, dataset.scene, dataset.contract
        reference = Reference(dataset, dataset.episodes()[index], sound, duration=duration,
                              distractor=distractor)
        episode = dataset.place(list(read_episodes(layout, SPLIT, scene))[index])
        sources = [episode.goal_node] + ([distractor[1]] if distractor else [])
        world = SoundSpacesWorld([Scene(layout, scene, contract, sources)], contract, count=1)
        clip, other = (
            name and read_recording(layout.sound('1s_all', f'{name}.wav'),
                                    sample_rate_hz=contract.sample_rate_hz)
            for name in (sound, distractor and distractor[0]))
        world.begin(0, Placement(house=0, source=0, node=episode.start_node,
                                 heading=episode.start_heading,
                                 dry=clip[:contract.window_samples],
                                 rng=np.random.default_rng(0)),
                    Hearing(clip, duration, other, distractor_source=1))
        return reference, world, episode
    return pair


def assert_same_observation(reference, world):
    audio = reference.audio()
    np.testing.assert_allclose(world.hear(np.array([0]))[0].numpy(), audio, atol=1e-4)
    batch = world.observe()
    np.testing.assert_array_equal(batch.rgb[0].numpy(), reference.rgb())
    np.testing.assert_allclose(batch.depth[0].numpy() / 10, reference.depth()[..., 0], atol=1e-4)
    np.testing.assert_allclose(batch.spectrogram[0].numpy(), spectrogram(audio), atol=1e-4)
    assert abs(world.geodesic_m()[0] - reference.geodesic_m()) < 1e-4
    scene = world.houses[0]
    np.testing.assert_allclose(scene.graph.points[world.node[0]], reference.point(), atol=1e-4)
    assert world.heading[0] * 90 == reference.rotation
    assert world.moved[0] != reference.collided


@pytest.mark.parametrize('sound, options', [
    ('hiss', {}), ('long', {}), ('long', {'duration': 7}),
    ('rain_soft', {'distractor': ('hiss', None)})],
    ids=['one second', 'long', 'ends', 'distractor'])
def test_a_walk_is_seen_heard_and_measured_alike(pair, dataset, sound, options):
    if options.get('distractor'):
        options = {'distractor': ('hiss', dataset.goal(1))}
    rng = np.random.default_rng(len(sound))
    for index in range(2):
        reference, world, episode = pair(index, sound, **options)
        assert_same_observation(reference, world)
        for _ in range(WALK):
            action = rng.choice([Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT],
                                p=[0.6, 0.2, 0.2])
            reference.step(action)
            world.act(np.array([action]))
            assert_same_observation(reference, world)


def test_the_oracle_is_measured_alike(pair, dataset):
    for index in range(len(dataset.episodes())):
        reference, world, episode = pair(index, 'hiss')
        path_m, steps, action = 0.0, 0, None
        while action != Action.STOP and steps < 200:
            steps += 1
            action = int(world.optimal()[0].argmax())
            before = world.node[0]
            reference.step(action)
            world.act(np.array([action]))
            path_m += world.houses[0].way_m(before, world.node[0])
        ours = metrics.episode_metrics(metrics.EpisodeOutcome(
            stopped=True, geodesic_start_m=episode.geodesic_m,
            geodesic_end_m=float(world.geodesic_m()[0]), path_m=path_m, actions=steps,
            oracle_actions=episode.oracle_actions), radius_m=LARGEST_SUCCESS_M)
        assert ours == pytest.approx(reference.metrics(stopped=True), abs=1e-4)
        assert [ours[name] for name in ('success_rate', 'spl', 'sna')] == pytest.approx([1, 1, 1])


class Detours:
    """Goes to the goal with detours, and sometimes stops early or not at all."""

    model_sha256 = None

    def __init__(self, contract, graph, goals):
        self.contract, self._graph, self._goals = contract, graph, list(goals)

    def begin(self, slots, rngs):
        assert slots.tolist() == [0]
        self._rng, (goal, self._node, self._heading) = rngs[0], self._goals.pop(0)
        self._optimal = self._graph.optimal_actions(goal)
        self._gives_up = self._rng.random() < 0.3

    def decide(self, slots, views):
        action = int(self._optimal[self._node, self._heading].argmax())
        if self._gives_up and self._rng.random() < 0.1:
            action = Action.STOP
        elif self._rng.random() < 0.4:
            action = int(self._rng.integers(1, 4))
        ahead = int(self._graph.neighbors[self._node, self._heading])
        if action == Action.MOVE_FORWARD and ahead >= 0:
            self._node = ahead
        turn = {Action.TURN_LEFT: 1, Action.TURN_RIGHT: -1}.get(action, 0)
        self._heading = (self._heading + turn) % 4
        return np.array([int(action)])


def test_detours_and_failures_are_measured_alike(dataset):
    stored = list(read_episodes(dataset.layout, SPLIT, dataset.scene))
    episodes = [dataclasses.replace(dataset.place(each), seed=seed)
                for seed, each in enumerate(stored)]
    scene = Scene(dataset.layout, dataset.scene, dataset.contract,
                  sorted({each.goal_node for each in episodes}))
    clip = np.zeros(dataset.contract.window_samples, np.float32)
    detours = Detours(dataset.contract, scene.graph, [
        (each.goal_node, each.start_node, each.start_heading) for each in episodes])
    runs = SoundSpacesRunner([scene], detours, batch=1, max_actions=MOST_ACTIONS, hearing={
        each.episode_id: Hearing(clip) for each in episodes}).run(episodes)
    spl = []
    for run, fields in zip(runs, dataset.episodes(), strict=True):
        reference = Reference(dataset, fields, 'hiss')
        for action in run.decisions:
            reference.step(action)
        stopped = run.decisions[-1] == Action.STOP
        for success_m, radius_m in ((1.0, LARGEST_SUCCESS_M), (0.2, metrics.STRICT_RADIUS_M)):
            ours = metrics.episode_metrics(run.outcome, radius_m=radius_m)
            assert ours == pytest.approx(
                reference.metrics(stopped=stopped, success_m=success_m), abs=1e-4)
        spl.append(ours['spl'])
    assert min(spl) == 0 and any(0 < each < 0.99 for each in spl)


@pytest.mark.parametrize('rate_hz', [44100, 22050, 48000])
def test_sounds_of_another_rate_are_resampled_as_librosa_does(written, tmp_path, rate_hz):
    other = Layout(tmp_path, written.name)
    write_sound(other, 'tone', np.sin(np.arange(rate_hz) * 0.2).astype(np.float32),
                sample_rate_hz=rate_hz)
    path = other.sound('1s_all', 'tone.wav')
    np.testing.assert_allclose(read_recording(path, sample_rate_hz=RATE_HZ),
                               librosa.load(path, sr=RATE_HZ)[0], atol=1e-5)
