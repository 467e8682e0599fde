"""Texts that are over: what is read is the same with and without closing, and costs fewer calls."""

from __future__ import annotations

import pytest
import torch

from unfog.denoise import CategoricalPosterior, Denoiser
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import Ancestral, Closing, Confidence, Random, Reading, even, trajectory

END, MASK, LENGTH = 2, 4, 12


class Coins(Denoiser[MaskedProcess, CategoricalPosterior]):
    """Any of four tokens at each place, one of them END; counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.process, self.calls = MaskedProcess(5), 0

    def forward(self, x_t, t, cond=None):
        self.calls += 1
        open = x_t == MASK
        law = torch.tensor([0.3, 0.3, 0.25, 0.15]).double().log()
        return CategoricalPosterior(law.expand(*x_t.shape, 4)[open], x_t, open, 5)


def text(row: torch.Tensor, start: int) -> list[int]:
    row = row[start:].tolist()
    return row[: row.index(END)] if END in row else row


@pytest.mark.parametrize("inner", [Reading(), Random(), Confidence(), Ancestral(), Reading(temperature=0.5)])
def test_what_is_read_is_the_same(inner) -> None:
    x = torch.full((40, LENGTH), MASK)
    x[:, 0], x[:, 1] = END, 1  # given, as the END of the text before is
    last = {}
    for sampler in (inner, Closing(inner, END)):
        steps = trajectory(Coins(), sampler, even(LENGTH), x, rng=Noise.per_example(range(40)))
        last[sampler] = list(steps)[-1].x_s
    plain, closed = last.values()
    assert [text(row, 1) for row in plain] == [text(row, 1) for row in closed]
    for row in closed:
        assert row[0] == END and row[1] == 1 and (row[1 + len(text(row, 1)) :] == END).all()
    assert not torch.equal(plain, closed), "some texts are over early"


def test_nothing_is_asked_once_all_are_over() -> None:
    calls = []
    for sampler in (Reading(), Closing(Reading(), END)):
        denoiser, x = Coins(), torch.full((3, 64), MASK)
        list(trajectory(denoiser, sampler, even(64), x, rng=Noise.per_example(range(3))))
        calls.append(denoiser.calls)
    assert calls[0] == 64 and calls[1] < 40


def test_an_end_with_something_open_before_it_closes_nothing() -> None:
    class Backwards(Reading):
        def certainty(self, rows, lots):
            return torch.arange(len(lots)).to(lots)

    x = torch.full((1, LENGTH), MASK)
    steps = list(trajectory(Coins(), Closing(Backwards(), END), even(LENGTH), x, rng=Noise.per_example([3])))
    for count, step in enumerate(steps[:-1], 1):
        assert int((step.x_s == MASK).sum()) == LENGTH - count
    last = steps[-1].x_s[0].tolist()
    first = last.index(END)
    assert END in steps[-2].x_s[0].tolist() and set(last[first:]) == {END}
