"""What is barred has no probability; the rest keeps its proportions."""

from __future__ import annotations

import torch

from unfog.denoise import ExactTokens
from unfog.guide import Barred, Given
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import TOKEN_SAMPLERS, even, trajectory
from unfog.verify.tokens import FIRST, THEN

PROCESS = MaskedProcess(4)
EXACT = ExactTokens(PROCESS, FIRST, THEN, 3)
HIDDEN = torch.full((64, 3), PROCESS.mask)


def test_others_share_the_probability_of_what_is_barred() -> None:
    t = torch.tensor(0.5, dtype=torch.float64)
    before, after = (denoiser(HIDDEN, t).rows.exp() for denoiser in (EXACT, Barred(EXACT, [1])))
    assert (after[:, 1] == 0).all()
    left = before[:, [0, 2]]
    torch.testing.assert_close(after[:, [0, 2]], left / left.sum(1, keepdim=True))


def test_some_places_are_barred_more_than_others() -> None:
    t = torch.tensor(0.5, dtype=torch.float64)
    where = torch.zeros_like(HIDDEN, dtype=torch.bool)
    where[5:, 1] = True
    before, after = (denoiser(HIDDEN, t).rows.exp() for denoiser in (EXACT, Barred(EXACT, [0, 1], where)))
    here = where[PROCESS.mask == HIDDEN]
    assert torch.equal(after[~here], before[~here])
    torch.testing.assert_close(after[here], torch.tensor([0.0, 0.0, 1.0], dtype=after.dtype).expand(59, 3))


def test_no_sampler_writes_what_is_barred_but_what_is_given_stays() -> None:
    for name, kind in TOKEN_SAMPLERS.items():
        if name == "uniform":
            continue
        tokens, known = torch.ones_like(HIDDEN), torch.zeros_like(HIDDEN, dtype=torch.bool)
        known[:, 2] = True
        denoiser = Given(Barred(EXACT, [1]), tokens, known)
        start = torch.where(known, tokens, HIDDEN)
        last = start
        for step in trajectory(denoiser, kind(), even(6), start, rng=Noise(0)):
            last = step.x_s
        assert (last[:, 2] == 1).all(), name
        assert not (last[:, :2] == 1).any(), name
