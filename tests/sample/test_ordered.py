"""Orders of naming: the surest first, a known number a step, and the law left alone."""

from __future__ import annotations

import pytest
import torch

from unfog.denoise import CategoricalPosterior, Denoiser
from unfog.errors import SampleError
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import Confidence, Entropy, Margin, Random, Threshold, even, trajectory

SIMPLE = torch.tensor(
    [[0.6, 0.38, 0.01, 0.01], [0.58, 0.14, 0.14, 0.14], [0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
).double()


class Fixed(Denoiser[MaskedProcess, CategoricalPosterior]):
    """Says the same of each place, whatever is visible; counts its calls."""

    def __init__(self, probs: torch.Tensor) -> None:
        super().__init__()
        self.probs, self.process, self.calls = probs, MaskedProcess(5), 0

    def forward(self, x_t, t, cond=None):
        self.calls += 1
        open = x_t == 4
        return CategoricalPosterior(self.probs.expand(*x_t.shape, 4)[open].log(), x_t, open, 5)


def order_of(sampler, probs: torch.Tensor, seed: int = 0) -> list[int]:
    """The places in the order in which they are named, one a step."""
    length = len(probs)
    steps = trajectory(Fixed(probs), sampler, even(length), torch.full((1, length), 4), rng=Noise(seed))
    return [int((step.x_t != step.x_s)[0].nonzero()) for step in steps]


def test_each_order_ranks_by_its_own_measure() -> None:
    assert order_of(Confidence(), SIMPLE) == [0, 1, 2, 3]
    # entropies 0.76, 1.14, 0.69, 1.39; leads 0.22, 0.44, 0, 0, of which the first comes first
    assert order_of(Entropy(), SIMPLE) == [2, 0, 1, 3]
    assert order_of(Margin(), SIMPLE) == [1, 0, 2, 3]
    orders = {tuple(order_of(Random(), SIMPLE, seed)) for seed in range(60)}
    assert len(orders) > 15  # of 24


def test_the_order_does_not_look_at_what_is_drawn() -> None:
    """A place named first has the law that the network says, not one that prefers likely tokens."""
    probs = torch.tensor([[0.7, 0.3, 0.0, 0.0], [0.69, 0.31, 0.0, 0.0]]).double()
    count = 20_000
    first, *_ = trajectory(Fixed(probs), Confidence(), even(2), torch.full((count, 2), 4), rng=Noise(1))
    assert bool((first.x_s[:, 1] == 4).all())
    assert float((first.x_s[:, 0] == 0).double().mean()) == pytest.approx(0.7, abs=5 * 0.46 / count**0.5)


@pytest.mark.parametrize(
    "sampler", [Confidence(), Entropy(), Margin(), Random()], ids=lambda s: type(s).__name__
)
def test_all_is_named_in_as_many_calls_as_steps(sampler) -> None:
    denoiser = Fixed(SIMPLE[:1].expand(64, -1))
    x = torch.full((2, 64), 4)
    x[1, :40] = 0  # the second text has fewer left
    left = []
    for step in trajectory(denoiser, sampler, even(16), x, rng=Noise(1)):
        left.append((step.x_s == 4).sum(1).tolist())
    assert denoiser.calls == 16
    assert [a for a, _ in left] == [60 - 4 * n for n in range(16)]
    assert [b for _, b in left][-1] == 0 and left[7][1] == 12


def test_a_threshold_takes_few_calls_for_sure_texts_and_then_none() -> None:
    sure = torch.tensor([0.95, 0.03, 0.01, 0.01]).double()
    denoiser = Fixed(sure.expand(10, -1))
    list(trajectory(denoiser, Threshold(), even(10), torch.full((3, 10), 4), rng=Noise(1)))
    assert denoiser.calls == 1
    denoiser = Fixed(sure.expand(10, -1))
    list(trajectory(denoiser, Threshold(tau=0.99), even(10), torch.full((3, 10), 4), rng=Noise(1)))
    assert denoiser.calls == 10
    # fewer steps than tokens: the schedule sets the pace, and the last step is no worse than the others
    denoiser = Fixed(sure.expand(12, -1))
    steps = list(trajectory(denoiser, Threshold(tau=1.0), even(3), torch.full((1, 12), 4), rng=Noise(1)))
    assert [int((step.x_s == 4).sum()) for step in steps] == [8, 4, 0]


@pytest.mark.parametrize("tau", [-0.1, 1.1])
def test_a_threshold_is_a_probability(tau: float) -> None:
    with pytest.raises(SampleError, match="tau"):
        Threshold(tau=tau)


def test_a_vocabulary_of_one_token_has_no_runner_up() -> None:
    assert Margin().certainty(torch.zeros(3, 1), torch.zeros(3)).tolist() == [1.0, 1.0, 1.0]
