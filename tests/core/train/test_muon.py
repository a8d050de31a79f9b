from __future__ import annotations

import pytest
import torch
from torch import nn

from core.train.muon import Muon, orthogonal

SHAPES = [(48, 16), (16, 16), (16, 64), (64, 16), (16, 64), (1, 8)]


def matrices() -> list[nn.Parameter]:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(shape) * 0.1) for shape in SHAPES]


def test_it_steps_as_torch_does():
    """Torch's rounds to bfloat16 on the way, so the two are near and not equal."""
    ours, theirs, started = matrices(), matrices(), matrices()
    mine = Muon(ours, lr=0.02, weight_decay=0.1)
    peer = torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=0.1)
    torch.manual_seed(1)
    for _ in range(5):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        mine.step()
        peer.step()
    for one, other, start in zip(ours, theirs, started, strict=True):
        assert (one - other).norm() < 0.02 * (other - start).norm()


@pytest.mark.parametrize("columns", [8, 32])
def test_what_is_orthogonal_stays_so_and_the_rest_becomes_it(columns):
    torch.manual_seed(0)
    for turned in orthogonal(torch.randn(3, 8, columns)):
        values = torch.linalg.svdvals(turned)
        assert values.min() > 0.3
        assert values.max() < 1.3


def test_each_matrix_is_turned_by_itself():
    torch.manual_seed(0)
    made = [torch.randn(8, columns) for columns in (32, 8, 16)]
    for together, matrix in zip(orthogonal(made), made, strict=True):
        assert torch.allclose(together, orthogonal([matrix])[0], atol=1e-5)


def test_a_gradient_of_zeros_moves_nothing_and_one_that_is_missing_is_passed_by():
    moved, missing = nn.Parameter(torch.ones(4, 8)), nn.Parameter(torch.ones(4, 8))
    moved.grad = torch.zeros(4, 8)
    Muon([moved, missing], lr=0.1).step()
    assert torch.equal(moved, torch.ones(4, 8))
    assert torch.equal(missing, torch.ones(4, 8))
