"""The one loop: it walks the grid, hands state along, and stops at nonsense."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.given import Saying, process_of
from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianDenoiser
from unfog.denoise.base import Posterior
from unfog.errors import SampleError, WrongPosterior
from unfog.rng import Noise
from unfog.sample import DDIM, Heun, Sampler, trajectory
from unfog.sample.base import check_grid, last_step

GRID = torch.tensor([0.9, 0.6, 0.2, 0.0], dtype=torch.float64)


@dataclass(frozen=True)
class Counting(Sampler[int]):
    """Adds one at each step, and hands on how often."""

    order = 1

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: int | None,
    ) -> tuple[Tensor, int]:
        count = 0 if state is None else state
        assert float(s) < float(t) and t.shape == s.shape == ()
        denoiser(x_t, t, cond)
        denoiser(x_t + 100, t, cond)  # a second look, which is not what a preview shows
        return x_t + 1, count + 1


def test_steps_are_chained_and_numbered() -> None:
    exact = ExactGaussian(process_of("flow"), 0.3, 0.7)
    steps = list(trajectory(exact, Counting(), GRID, torch.zeros(2, 3), rng=Noise(0)))
    assert [s.index for s in steps] == [0, 1, 2]
    assert [(s.t, s.s) for s in steps] == [(0.9, 0.6), (0.6, 0.2), (0.2, 0.0)]
    for before, after in pairwise(steps):
        assert after.x_t is before.x_s
    torch.testing.assert_close(steps[-1].x_s, torch.full((2, 3), 3.0))


def test_each_step_shows_its_first_clean_estimate() -> None:
    exact = ExactGaussian(process_of("flow"), 0.3, 0.7)
    for step in trajectory(exact, Counting(), GRID, torch.randn(2, 3), rng=Noise(0)):
        expected = exact(step.x_t, torch.tensor(step.t, dtype=torch.float64)).mean
        torch.testing.assert_close(step.clean, expected)


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    network = Saying(torch.zeros(1, 1))
    denoiser = GaussianDenoiser(network, process_of("flow"))
    steps = trajectory(denoiser, Heun(), GRID, torch.ones(1, 1), rng=Noise(0))
    assert not network.asked
    next(steps)
    assert len(network.asked) == Heun.calls
    list(steps)
    # the last step ends without noise, where a corrector has nothing to do
    assert len(network.asked) == 2 * Heun.calls + 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nonsense_from_the_network_is_named_by_its_step(bad: float) -> None:
    denoiser = GaussianDenoiser(Saying(torch.full((1, 1), bad)), process_of("flow"))
    with pytest.raises(SampleError, match=r"Step 1 of 3 .*NaN"):
        list(trajectory(denoiser, Heun(), GRID, torch.ones(1, 1), rng=Noise(0)))


def test_an_empty_batch_is_refused() -> None:
    exact = ExactGaussian(process_of("flow"), 0.3, 0.7)
    with pytest.raises(SampleError, match="at least one"):
        list(trajectory(exact, Heun(), GRID, torch.zeros(0, 3), rng=Noise(0)))


@pytest.mark.parametrize(
    "times",
    [[0.5], [], [0.5, 0.5, 0.0], [0.0, 0.5, 1.0], [1.1, 0.5, 0.0], [0.5, -0.1], [0.9, float("nan"), 0.0]],
)
def test_grids_that_do_not_fall_are_refused(times: list[float]) -> None:
    with pytest.raises(SampleError):
        check_grid(torch.tensor(times, dtype=torch.float64))
    exact = ExactGaussian(process_of("flow"), 0.3, 0.7)
    with pytest.raises(SampleError):
        next(trajectory(exact, Heun(), torch.tensor(times), torch.zeros(1, 1), rng=Noise(0)))


def test_a_matrix_is_no_grid() -> None:
    with pytest.raises(SampleError):
        check_grid(torch.zeros(2, 3))


def test_the_last_step_is_the_one_to_the_data() -> None:
    assert last_step(torch.tensor(0.0)) is True
    assert last_step(torch.tensor(0.1)) is False


class Words(Posterior):
    """Another kind of knowledge."""

    def divergence(self, x: Tensor) -> Tensor:
        return x.flatten(1).sum(1)

    def extrapolate(self, other: Words, scale: float) -> Words:
        return self

    @property
    def guess(self) -> Tensor:
        return torch.zeros(1)

    def halves(self) -> tuple[Words, Words]:
        return self, self

    def where(self, chosen: Tensor, other: Words) -> Words:
        return self


class Speaks(Denoiser):
    """Answers with another kind of posterior than pictures have."""

    def __init__(self) -> None:
        super().__init__()
        self.process = process_of("cosine")

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> Words:
        return Words()


def test_a_posterior_of_another_kind_is_refused() -> None:
    grid = torch.tensor([0.5, 0.0], dtype=torch.float64)
    with pytest.raises(WrongPosterior, match=r"DDIM steps on a GaussianPosterior, .* gives a Words"):
        list(trajectory(Speaks(), DDIM(), grid, torch.zeros(1, 2), rng=Noise(0)))
