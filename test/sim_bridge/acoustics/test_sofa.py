# SPDX-License-Identifier: Apache-2.0
import h5py
import numpy as np
import pytest

from sim_bridge.acoustics import sofa
from sim_bridge.acoustics.hrtf import Hrtf


def test_a_missing_head_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(sofa, 'KEMAR_PATH', str(tmp_path / 'none.sofa'))
    with pytest.raises(FileNotFoundError, match='libmysofa1'):
        Hrtf.load(tmp_path / 'none.sofa')


def test_a_file_that_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / 'text.sofa').write_text('no head')
    with pytest.raises(ValueError, match='must be a SOFA file of a head'):
        Hrtf.load(tmp_path / 'text.sofa')


@pytest.mark.parametrize('responses, message', [
    (np.zeros((3, 1, 8)), r'must be \(m, 2, n\)'),
    (np.full((3, 2, 8), np.nan), 'finite')])
def test_bad_responses_are_refused(tmp_path, responses, message):
    with h5py.File(tmp_path / 'bad.sofa', 'w') as file:
        file['Data.IR'] = responses
        file['Data.SamplingRate'] = [44100.0]
        file['SourcePosition'] = np.zeros((3, 3))
    with pytest.raises(ValueError, match=message):
        Hrtf.load(tmp_path / 'bad.sofa')


def test_a_hdf5_file_without_responses_is_refused(tmp_path):
    with h5py.File(tmp_path / 'empty.sofa', 'w') as file:
        file['other'] = [1.0]
    with pytest.raises(ValueError, match='must be a SOFA file of a head'):
        Hrtf.load(tmp_path / 'empty.sofa')


def test_a_coarse_head_is_interpolated(tmp_path):
    with h5py.File(tmp_path / 'four.sofa', 'w') as file:
        responses = np.zeros((4, 2, 64))
        for row, (left, right) in enumerate([(20, 20), (10, 40), (20, 20), (40, 10)]):
            responses[row, 0, left] = responses[row, 1, right] = 1.0
        file['Data.IR'] = responses
        file['Data.SamplingRate'] = [48000.0]
        file['SourcePosition'] = [[0, 0, 1], [90, 0, 1], [180, 0, 1], [270, 0, 1]]
    _, delay_s = Hrtf.load(tmp_path / 'four.sofa').spectra([np.pi / 2, np.pi / 4], [0, 0], 256)
    np.testing.assert_allclose((delay_s[:, 1] - delay_s[:, 0]) * 48000, [30, 15], atol=0.5)
