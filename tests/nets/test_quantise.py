"""Latents from a finite alphabet, against brute force."""

from __future__ import annotations

import itertools

import pytest
import torch

from unfog.nets.quantise import FiniteQuantiser, VectorQuantiser, perplexity


def test_the_nearest_code_by_brute_force() -> None:
    quantiser, z = VectorQuantiser(7, 3), torch.randn(2, 3, 4, 5)
    found = quantiser.indices(z)
    for b, i, j in itertools.product(range(2), range(4), range(5)):
        apart = [(z[b, :, i, j] - code).square().sum() for code in quantiser.codebook]
        assert int(found[b, i, j]) == min(range(7), key=lambda k: float(apart[k]))
        torch.testing.assert_close(quantiser(z)[b, :, i, j], quantiser.codebook[found[b, i, j]])


def test_the_gradient_goes_straight_through() -> None:
    for quantiser in (VectorQuantiser(7, 3), FiniteQuantiser((5, 4, 3))):
        z = torch.randn(2, 3, 4, 4, requires_grad=True)
        weight = torch.randn(2, 3, 4, 4)
        (quantiser(z) * weight).sum().backward()
        torch.testing.assert_close(z.grad, weight)


def test_codes_and_latents_are_drawn_to_each_other() -> None:
    quantiser = VectorQuantiser(2, 1)
    quantiser.codebook.data = torch.tensor([[0.0], [10.0]])
    z = torch.tensor([1.0, 9.0]).view(1, 1, 1, 2).requires_grad_()
    loss = quantiser.loss(z, commitment=0.25)
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([1.25])  # both are 1 apart
    assert quantiser.codebook.grad is not None and z.grad is not None
    assert quantiser.codebook.grad.flatten().tolist() == pytest.approx([-1.0, 1.0])  # 2 (code - z) / 2
    assert z.grad.flatten().tolist() == pytest.approx([0.25, -0.25])


def test_dead_codes_come_back() -> None:
    """All codes but one are far away, where nobody chooses them; all are in use in the end."""
    torch.manual_seed(0)
    quantiser = VectorQuantiser(16, 2)
    quantiser.codebook.data += 3
    quantiser.codebook.data[0] = 0.5
    optimiser = torch.optim.Adam(quantiser.parameters(), lr=0.02)
    z = torch.rand(4, 2, 16, 16)
    before = perplexity(quantiser.indices(z), 16)
    for _ in range(600):
        optimiser.zero_grad()
        quantiser.loss(z, 0.25).mean().backward()
        optimiser.step()
    after = perplexity(quantiser.indices(z), 16)
    assert before == (1.0, 1 / 16) and after[0] > 12 and after[1] == 1.0


@pytest.mark.parametrize("levels", [(5, 4, 3, 9), (8, 6, 5, 5)])
def test_finite_places_are_all_reached_and_no_others(levels: tuple[int, ...]) -> None:
    quantiser = FiniteQuantiser(levels)
    line = torch.linspace(-6, 6, 4001)
    z = quantiser.prepare(line.repeat(len(levels), 1)[None, :, :, None])
    places = quantiser.places(z)
    for channel, level in enumerate(levels):
        assert places[0, channel].unique().tolist() == list(range(level))
        values = quantiser(z)[0, channel].unique()
        torch.testing.assert_close(values.diff(), torch.full((level - 1,), 1 / (level // 2)))
        assert values.abs().max() <= 1 + 1e-6
    assert quantiser.codes == torch.tensor(levels).prod()


def test_every_combination_has_a_number_of_its_own() -> None:
    levels = (3, 3, 4)
    quantiser = FiniteQuantiser(levels)
    grid = torch.tensor(list(itertools.product(*map(range, levels))), dtype=torch.float32)
    z = ((grid.T[None, :, :, None] + quantiser.low) / quantiser.unit).contiguous()
    assert sorted(quantiser.indices(z).flatten().tolist()) == list(range(36))
    torch.testing.assert_close(quantiser(z), z)
    assert quantiser.loss(z, 1.0).tolist() == [0.0]


def test_perplexity_of_known_use() -> None:
    assert perplexity(torch.tensor([[0, 1], [2, 3]]), 4) == pytest.approx((4.0, 1.0))
    assert perplexity(torch.zeros(9, dtype=torch.long), 4) == pytest.approx((1.0, 0.25))
