# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from asgf_nav_ros.learning.learning_rate import set_learning_rate


def rate(progress, **settings):
    optimizer = torch.optim.SGD([{'params': [torch.zeros(1)]}, {'params': [torch.zeros(2)]}], lr=9)
    set_learning_rate(optimizer, 2.0, progress, **settings)
    first, second = (group['lr'] for group in optimizer.param_groups)
    assert first == second
    return first


@pytest.mark.parametrize(('progress', 'wanted'), [(0.0, 2.0), (0.5, 1.1), (1.0, 0.2), (1.7, 0.2)])
def test_the_rate_falls_along_a_cosine_to_its_floor(progress, wanted):
    assert rate(progress, floor=0.1) == pytest.approx(wanted)


@pytest.mark.parametrize(('progress', 'wanted'),
                         [(0.05, 1.0), (0.1, 2.0), (0.55, 1.0), (1.0, 0.0)])
def test_it_rises_first_where_that_is_asked_for(progress, wanted):
    assert rate(progress, warm_up=0.1) == pytest.approx(wanted)
