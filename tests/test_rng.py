"""Randomness: named, repeatable, one stream per example, and evenly spread where asked."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unfog.rng import Noise, derive_seed, stratified


def test_seeds_depend_on_every_part_and_their_order() -> None:
    seeds = [
        derive_seed(7, "noise", 3),
        derive_seed(7, "noise", 4),
        derive_seed(8, "noise", 3),
        derive_seed(7, 3, "noise"),
        derive_seed(7, "noise"),
        derive_seed("noise", 3),
    ]
    assert len(set(seeds)) == len(seeds)
    assert derive_seed(7, "noise", 3) == seeds[0]


def test_seeds_are_the_same_for_ever() -> None:
    """Pictures are named by their seed: changing this would change all of them."""
    assert derive_seed(0, "example", 0) == 4455962405822313066
    assert derive_seed("é", -1) != derive_seed("e", -1)


@given(part=st.integers(-(10**20), 10**20))
def test_seeds_fit_a_generator(part: int) -> None:
    seed = derive_seed(part)
    assert 0 <= seed < 2**63
    torch.Generator().manual_seed(seed)


@given(
    indices=st.lists(st.integers(0, 1000), min_size=1, max_size=6, unique=True),
    draws=st.integers(1, 3),
)
def test_a_picture_has_the_same_noise_in_any_batch(indices: list[int], draws: int) -> None:
    together = Noise.for_pictures(7, indices)
    alone = [Noise.for_pictures(7, [index]) for index in indices]
    for _ in range(draws):
        batch = together.normal((len(indices), 2, 3))
        for row, noise in zip(batch, alone, strict=True):
            assert torch.equal(row, noise.normal((1, 2, 3))[0])


def test_pictures_and_requests_differ() -> None:
    both = Noise.for_pictures(7, [0, 1]).normal((2, 100))
    assert not torch.equal(both[0], both[1])
    assert not torch.equal(both, Noise.for_pictures(8, [0, 1]).normal((2, 100)))


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_a_stream_is_repeatable_goes_on_and_leaves_the_global_one_alone(kind: str) -> None:
    before = torch.random.get_rng_state()
    one, again = Noise(3), Noise(3)
    first, second = getattr(one, kind)((4, 5)), getattr(one, kind)((4, 5))
    assert torch.equal(first, getattr(again, kind)((4, 5))) and not torch.equal(first, second)
    assert torch.equal(second, getattr(again, kind)((4, 5)))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("per_example", [False, True])
def test_normal_and_uniform_are_what_they_say(per_example: bool) -> None:
    """100,000 values, five standard errors."""
    noise = Noise.per_example(range(10)) if per_example else Noise(0)
    normal, uniform = noise.normal((10, 10_000)), noise.uniform((10, 10_000))
    error = 5 / 100_000**0.5
    assert float(normal.mean()) == pytest.approx(0, abs=error)
    assert float(normal.std()) == pytest.approx(1, abs=error)
    assert float(uniform.mean()) == pytest.approx(0.5, abs=error)
    assert float(uniform.min()) >= 0 and float(uniform.max()) < 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_noise_has_the_type_that_it_is_for(dtype: torch.dtype) -> None:
    like = torch.zeros(1, dtype=dtype)
    assert Noise(0).normal((2, 3), like=like).dtype == dtype
    assert Noise(0).normal((2, 3)).dtype == torch.float32


def test_float64_gets_all_its_digits() -> None:
    noise = Noise(0).normal((100,), like=torch.zeros(1, dtype=torch.float64))
    assert not torch.equal(noise, noise.float().double())


def test_as_many_seeds_as_examples() -> None:
    with pytest.raises(ValueError, match="2 seeds for a batch of 3"):
        Noise.per_example([1, 2]).normal((3, 4))


@given(count=st.integers(1, 300), seed=st.integers(0, 1000))
def test_stratified_numbers_cover_every_part(count: int, seed: int) -> None:
    numbers = stratified(count, Noise(seed))
    assert numbers.shape == (count,)
    assert float(numbers.min()) >= 0 and float(numbers.max()) < 1
    parts = (numbers.double() * count).floor().long()
    # a number may lie on the edge of its part by rounding
    assert float((numbers.sort().values * count - torch.arange(count)).max()) <= 1 + 1e-4
    assert len(parts.unique()) >= count - 1


def test_stratified_numbers_come_in_random_order_and_place() -> None:
    first, second = stratified(64, Noise(0)), stratified(64, Noise(1))
    assert not torch.equal(first, second)
    assert not bool((first.diff() > 0).all())
    many = torch.cat([stratified(8, Noise(seed)) for seed in range(500)])
    assert float((many * 8 % 1).mean()) == pytest.approx(0.5, abs=0.03)


def test_stratified_numbers_stay_below_1_even_at_the_edge() -> None:
    class Edge(Noise):
        def uniform(self, shape, like=None):
            return torch.full(tuple(shape), 1 - 2**-24)

    for count in (1, 2, 3, 64, 1000):
        assert float(stratified(count, Edge(0)).max()) < 1


def test_stratified_means_have_less_spread() -> None:
    """The point of it: the mean over a batch of 16 varies 16 times less than with independent numbers."""
    means = torch.stack([stratified(16, Noise(seed)).mean() for seed in range(400)])
    assert float(means.std()) < 1.5 * math.sqrt(1 / 12 / 16) / 16
