"""Muon: steps of equal length in every direction; and who gets which optimiser."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.given import small_drawer, small_model
from unfog.train import DenoisingObjective, TrainConfig
from unfog.train.optimise import Muon, is_hidden, optimisers, orthogonalise


@pytest.mark.parametrize("shape", [(16, 16), (8, 40), (40, 8), (1, 9)])
def test_orthogonalising_evens_out_the_singular_values(shape: tuple[int, int]) -> None:
    """Between about 0.7 and 1.2 (Jordan et al. 2024), with the same singular vectors."""
    matrix = torch.randn(3, *shape)
    found = orthogonalise(matrix)
    values = torch.linalg.svdvals(found)
    assert float(values.min()) > 0.5 and float(values.max()) < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    inner = u.mT @ found @ v.mT
    off = inner - torch.diag_embed(inner.diagonal(dim1=1, dim2=2))
    assert float(off.abs().max()) < 1e-3, "other directions have crept in"


def test_scale_does_not_matter_and_nothing_stays_nothing() -> None:
    matrix = torch.randn(2, 5, 7)
    torch.testing.assert_close(orthogonalise(1000 * matrix), orthogonalise(matrix), rtol=1e-3, atol=1e-4)
    zero = orthogonalise(torch.zeros(1, 4, 4))
    assert bool(zero.isfinite().all()) and not bool(zero.any())


def test_matrices_of_a_batch_do_not_see_each_other() -> None:
    many = torch.randn(4, 6, 9)
    torch.testing.assert_close(orthogonalise(many)[2:3], orthogonalise(many[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(32, 32), (16, 8, 3, 3), (64, 16)])
def test_a_step_has_the_length_of_an_adamw_step(shape: tuple[int, ...]) -> None:
    """Root mean square 0.2 times the learning rate, roughly, whatever the gradient's size."""
    for size in (1e-3, 1e3):
        weight = nn.Parameter(torch.zeros(shape))
        weight.grad = size * torch.randn(shape)
        Muon([weight], lr=0.01, weight_decay=0.0).step()
        assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.002, rel=0.3)


def test_steps_go_downhill_and_decay_pulls_to_0() -> None:
    torch.manual_seed(0)
    goal, weight = torch.randn(12, 12), nn.Parameter(torch.zeros(12, 12))
    optimiser = Muon([weight], lr=0.1)
    start = float((weight - goal).norm())
    for _ in range(60):
        optimiser.zero_grad()
        (weight - goal).square().sum().backward()
        optimiser.step()
    assert float((weight - goal).norm()) < 0.35 * start
    still = nn.Parameter(torch.ones(4, 4))
    still.grad = torch.zeros(4, 4)
    Muon([still], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(still.detach(), torch.full((4, 4), 0.95))


def test_memory_layout_and_absent_gradients() -> None:
    gradient = torch.randn(8, 4, 3, 3)
    plain, last = (nn.Parameter(torch.zeros(8, 4, 3, 3)) for _ in range(2))
    last.data = last.data.contiguous(memory_format=torch.channels_last)
    idle = nn.Parameter(torch.ones(3, 3))
    plain.grad = gradient.clone()
    last.grad = gradient.contiguous(memory_format=torch.channels_last)
    Muon([plain, last, idle], lr=0.1).step()
    torch.testing.assert_close(plain.detach(), last.detach())
    assert torch.equal(idle.detach(), torch.ones(3, 3))


def named(**changes: object) -> dict[str, nn.Parameter]:
    model = small_model(**changes)
    return dict(DenoisingObjective(model, TrainConfig()).named_parameters())


@pytest.mark.parametrize(
    "network",
    [
        {"kind": "unet", "widths": [16], "depth": 1},
        {"kind": "transformer", "width": 16, "head": 8},
        {"kind": "joint", "width": 16, "head": 8},
    ],
)
@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
def test_every_weight_has_exactly_one_optimiser(optimiser: str, network: dict[str, object]) -> None:
    parameters = named(network={**network, "vector": 16})
    chosen = optimisers(parameters, TrainConfig(optimiser=optimiser))
    ours = [id(p) for each in chosen for group in each.param_groups for p in group["params"]]
    assert sorted(ours) == sorted(id(p) for p in parameters.values())
    assert [type(each).__name__ for each in chosen] == ["AdamW", "Muon"][: 2 if optimiser == "muon" else 1]


def test_muon_takes_the_inner_matrices_only() -> None:
    hidden = {name for name, p in named().items() if is_hidden(name, p)}
    assert hidden
    for name, parameter in named().items():
        outer = parameter.ndim < 2 or any(
            part in name for part in (".stem.", ".head.", ".clock.", "encoder.")
        )
        assert (name not in hidden) is outer, name


def test_muon_takes_the_layers_of_an_encoder_that_learns_to_read() -> None:
    """By AdamW it takes half as long again to read more than a bag of words (`benchmarks/reading.py`)."""
    parameters = dict(DenoisingObjective(small_drawer(), TrainConfig()).named_parameters())
    matrices = {name for name, p in parameters.items() if name.startswith("encoder.") and p.ndim >= 2}
    layers = {name for name in matrices if ".blocks." in name or ".near." in name}
    assert len(layers) == 5 and {name for name in matrices if is_hidden(name, parameters[name])} == layers
