"""The length first: from the marginals of END, in one step, and what is known is left alone."""

from __future__ import annotations

import pytest
import torch

from unfog.denoise import CategoricalPosterior, Denoiser
from unfog.errors import SampleError
from unfog.process import MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import Ancestral, Confidence, LengthFirst, even, trajectory

END, MASK = 3, 4


class Ends(Denoiser[MaskedProcess, CategoricalPosterior]):
    """Says at each place how likely a text is over there, and else names token 0; counts its calls."""

    def __init__(self, over: list[float]) -> None:
        super().__init__()
        self.over, self.process, self.calls = torch.tensor(over).double(), MaskedProcess(5), 0

    def forward(self, x_t, t, cond=None):
        self.calls += 1
        rows = torch.stack([1 - self.over, 0 * self.over, 0 * self.over, self.over], 1)
        open = x_t == MASK
        return CategoricalPosterior(rows.expand(*x_t.shape, 4)[open].log(), x_t, open, 5)


OVER = [0.0, 0.1, 0.4, 0.45, 0.7, 0.9]


def written(denoiser, sampler, count: int, steps: int = 7, x: torch.Tensor | None = None):
    x = torch.full((count, len(denoiser.over)), MASK) if x is None else x
    return list(trajectory(denoiser, sampler, even(steps), x, rng=Noise(0)))


def test_the_surest_token_first_ends_too_early_and_the_median_does_not() -> None:
    """Four in ten say that it is over at place 2; the tokens of the others are many, here as even odds."""

    class Blunt(Ends):
        def forward(self, x_t, t, cond=None):
            posterior = super().forward(x_t, t, cond)
            rows = posterior.rows.exp()
            words = rows[:, :1] * torch.tensor([0.34, 0.33, 0.33]).double()
            return posterior.with_rows(torch.cat([words, rows[:, 3:]], 1).log())

    early = written(Blunt(OVER), Confidence(temperature=0.0), 1)[-1].x_s[0]
    median = written(Blunt(OVER), LengthFirst(Confidence(temperature=0.0), END), 1)[-1].x_s[0]
    assert early.tolist() == [0, 0, END, END, END, END]
    assert median.tolist() == [0, 0, 0, 0, END, END]


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_lengths_have_the_law_of_the_marginals(temperature: float) -> None:
    count = 20_000
    first = written(Ends(OVER), LengthFirst(Confidence(temperature=temperature), END), count, 2)[0].x_s
    lengths = (first != END).sum(1)
    # of a temperature below 1 the middle of the law is left: quantiles from 0.25 to 0.75
    low, high = 0.5 - temperature / 2, 0.5 + temperature / 2
    for place, over in enumerate(OVER):
        expected = (min(max(over, low), high) - low) / (high - low)
        assert float((lengths <= place).double().mean()) == pytest.approx(expected, abs=0.018)


def test_where_the_end_is_less_likely_further_on_it_stays_over() -> None:
    falling = written(Ends([0.0, 0.8, 0.2, 0.9]), LengthFirst(Confidence(temperature=0.0), END), 1)[0].x_s[0]
    assert falling.tolist() == [MASK, END, END, END]


def test_what_is_known_is_not_over() -> None:
    x = torch.full((1, 6), MASK)
    x[0, 3] = 1
    steps = written(Ends([0.9] * 6), LengthFirst(Ancestral(temperature=0.0), END), 1, x=x)
    assert steps[0].x_s[0].tolist() == [MASK, MASK, MASK, 1, END, END]
    assert steps[-1].x_s[0].tolist() == [0, 0, 0, 1, END, END], "END is written nowhere else"


def test_a_tail_of_ends_costs_one_call() -> None:
    denoiser = Ends([0.0, 0.0, 0.0, *[1.0] * 61])
    written(denoiser, LengthFirst(Confidence(), END), 1, 64)
    assert denoiser.calls == 4, "the length, and each of three tokens by itself"
    unsure = Ends([0.0, 0.0, 0.6, *[1.0] * 61])
    written(unsure, LengthFirst(Confidence(temperature=0.0), END), 1, 64)
    assert unsure.calls == 3, "the length, the last token and one more"


@pytest.mark.parametrize(("over", "calls"), [([0.0, 0.0, 1.0], 1), ([0.0, 0.1, 0.8], 3)])
def test_a_single_step_does_all_of_it(over: list[float], calls: int) -> None:
    denoiser = Ends(over)
    sampler = LengthFirst(Confidence(temperature=0.0), END)
    assert written(denoiser, sampler, 1, 1)[-1].x_s[0].tolist() == [0, 0, END]
    assert denoiser.calls == calls


def test_a_text_does_not_depend_on_the_certainty_of_others() -> None:
    """One row whose length is certain, beside others and alone."""

    class Mixed(Ends):
        def forward(self, x_t, t, cond=None):
            posterior = super().forward(x_t, t, cond)
            row = torch.tensor([0.4, 0.3, 0.3, 0.0]).double().log().expand_as(posterior.rows)
            tail = torch.arange(x_t.shape[1]).expand_as(x_t)[posterior.open] >= 4
            end = torch.tensor([0.0, 0.0, 0.0, 1.0]).double().log()
            certain = torch.where(tail[:, None], end, row)
            first = posterior.open.nonzero()[:, 0] == 0
            return posterior.with_rows(torch.where(first[:, None], certain, posterior.rows))

    sampler = LengthFirst(Confidence(), END)
    for steps in (1, 2, 3, 9):
        alone, beside = (
            list(trajectory(Mixed(OVER), sampler, even(steps), torch.full((n, 6), MASK), rng=noise))[-1].x_s
            for n, noise in ((1, Noise.for_pictures(5, [0])), (4, Noise.for_pictures(5, range(4))))
        )
        assert torch.equal(alone[0], beside[0])
        assert alone[0].tolist()[4:] == [END, END] and not bool((beside == MASK).any())


def test_only_hidden_tokens_have_a_length() -> None:
    with pytest.raises(SampleError, match="hides none"):
        LengthFirst(Confidence(), END).check(UniformProcess(5), 4)
