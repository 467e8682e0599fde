"""Nothing twice: no run of n tokens is written again, and what is given or does not count is left alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.denoise import CategoricalPosterior, Denoiser
from unfog.errors import SampleError
from unfog.guide import Given
from unfog.process import MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import Ancestral, Confidence, LengthFirst, Random, Remask, Unrepeated, even, trajectory

TOKENS = 40
END, MASK = TOKENS - 1, TOKENS


class Stammering(Denoiser[MaskedProcess, CategoricalPosterior]):
    """Sure of one and the same token everywhere, less so of each next one."""

    def __init__(self) -> None:
        super().__init__()
        self.process, self.calls = MaskedProcess(TOKENS + 1), 0

    def forward(self, x_t, t, cond=None):
        self.calls += 1
        open = x_t == MASK
        rows = torch.arange(TOKENS).mul(-1.0).double().log_softmax(0).expand(int(open.sum()), TOKENS)
        return CategoricalPosterior(rows, x_t, open, TOKENS + 1)


def written(sampler, x: torch.Tensor, steps: int = 4, denoiser=None) -> torch.Tensor:
    denoiser = denoiser or Stammering()
    return list(trajectory(denoiser, sampler, even(steps), x, rng=Noise(0)))[-1].x_s


def runs(row: torch.Tensor, n: int, free: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    found = [tuple(run.tolist()) for run in row.unfold(0, n, 1)]
    return [run for run in found if not set(run) & set(free)]


@pytest.mark.parametrize("inner", [Ancestral, Confidence, Random, Remask])
@settings(max_examples=10, deadline=None)
@given(n=st.integers(2, 4), steps=st.integers(1, 9), temperature=st.sampled_from([0.0, 0.5, 1.0]))
def test_no_run_stands_twice_in_any_order(inner, n: int, steps: int, temperature: float) -> None:
    x = torch.full((3, 20), MASK)
    out = written(Unrepeated(inner(temperature=temperature), n), x, steps)
    assert bool((out != MASK).all())
    for row in out:
        assert len(set(runs(row, n))) == 20 - n + 1


def test_without_it_the_text_stammers() -> None:
    assert written(Confidence(temperature=0.0), torch.full((1, 6), MASK)).tolist() == [[0] * 6]
    fresh = written(Unrepeated(Confidence(temperature=0.0), 1), torch.full((1, 6), MASK))
    assert fresh.sort(1).values.tolist() == [[0, 1, 2, 3, 4, 5]]


def test_what_is_given_stays_and_is_not_repeated() -> None:
    x = torch.tensor([[0, 0, 0, MASK, MASK, MASK]])
    known = x != MASK
    out = written(Unrepeated(Confidence(temperature=0.0), 2), x, 3, Given(Stammering(), x, known))
    assert out[0, :3].tolist() == [0, 0, 0]
    assert (0, 0) not in runs(out[0, 2:], 2)


def test_what_stands_before_is_not_repeated() -> None:
    before = torch.tensor([[0, 1, 0]])
    out = written(Unrepeated(Confidence(temperature=0.0), 2, before=before), torch.full((1, 4), MASK), 2)
    whole = torch.cat([before, out], 1)[0]
    assert len(set(runs(whole, 2))) == len(whole) - 1


def test_tokens_that_do_not_count_may_stand_again() -> None:
    x = torch.full((1, 9), MASK)
    out = written(Unrepeated(Confidence(temperature=0.0), 2, free=(0,)), x)
    assert out.tolist() == [[0] * 9]


def test_a_text_without_another_token_left_is_written_all_the_same() -> None:
    out = written(Unrepeated(Confidence(temperature=0.0), 1), torch.full((1, TOKENS + 3), MASK))
    assert set(out[0].tolist()) == set(range(TOKENS))


def test_where_nothing_repeats_it_changes_nothing_and_asks_nothing_more() -> None:
    class Sure(Stammering):
        def forward(self, x_t, t, cond=None):
            posterior = super().forward(x_t, t, cond)
            rows = torch.full((len(x_t), 6, TOKENS), -20.0).double()
            rows[:, torch.arange(6), torch.arange(6)] = 0.0
            return posterior.with_rows(rows[posterior.open].log_softmax(1))

    x, plain, kept = torch.full((2, 6), MASK), Sure(), Sure()
    first = written(Confidence(temperature=0.5), x, 3, plain)
    assert torch.equal(first, written(Unrepeated(Confidence(temperature=0.5), 2), x, 3, kept))
    assert plain.calls == kept.calls


def test_the_length_first_and_then_nothing_twice() -> None:
    out = written(
        Unrepeated(LengthFirst(Confidence(temperature=0.0), END), 1, free=(END,)), torch.full((2, 6), MASK)
    )
    for row in out:
        words = [token for token in row.tolist() if token != END]
        assert len(set(words)) == len(words) > 0


def test_what_is_refused() -> None:
    with pytest.raises(SampleError, match="Runs of 0 tokens"):
        Unrepeated(Ancestral(), 0)
    with pytest.raises(SampleError, match="exchanges tokens"):
        Unrepeated(Ancestral(), 2).check(UniformProcess(4), 3)
