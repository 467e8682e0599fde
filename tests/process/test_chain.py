"""The discrete chains against the published numbers, with and without data left at their end."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unfog.config import override
from unfog.errors import ConfigError
from unfog.process import DDPM, SCHEDULES, VP, Chain, DDPMCosine

FINE = torch.linspace(0, 1, 2001, dtype=torch.float64)
CHAINS = [name for name, kind in SCHEDULES.items() if issubclass(kind, Chain)]
ONE = torch.ones((), dtype=torch.float64)


def points(chain: Chain) -> np.ndarray:
    """alpha-bar after 1, 2, ..., N steps."""
    alpha: np.ndarray = chain.alpha(
        torch.arange(1, chain.steps + 1, dtype=torch.float64) / chain.steps
    ).numpy()
    return alpha**2


def rescaled(bars: np.ndarray) -> np.ndarray:
    """Lin et al. 2023, algorithm 1, line by line; alpha-bar in and out."""
    root = np.sqrt(bars)
    first, last = root[0].copy(), root[-1].copy()
    root -= last
    root *= first / (first - last)
    return np.asarray(root**2)


def test_the_table_has_them() -> None:
    assert CHAINS == ["ddpm", "ddpm-cosine"]


def test_linear_betas_are_the_published_chain() -> None:
    """Ho et al. 2020, section 4: betas from 1e-4 to 0.02 in 1,000 steps."""
    published = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    ours = points(DDPM())
    np.testing.assert_allclose(ours, published, rtol=1e-11)
    assert ours[-1] == pytest.approx(4.0358e-5, rel=1e-4)


def test_cosine_betas_are_the_published_chain() -> None:
    """Nichol & Dhariwal 2021, section 3.2: offset 0.008, betas cut at 0.999, as the authors' loop has it."""

    def bar(place: float) -> float:
        return math.cos((place + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = np.array([min(1 - bar((n + 1) / 1000) / bar(n / 1000), 0.999) for n in range(1000)])
    np.testing.assert_allclose(DDPMCosine().betas().numpy(), betas, rtol=1e-9)
    np.testing.assert_allclose(points(DDPMCosine()), np.cumprod(1 - betas), rtol=1e-9)
    assert betas[-1] == 0.999 and betas[-2] < 0.999, "the cut changes the last step only"
    assert points(DDPMCosine())[:-1] == pytest.approx([bar(n / 1000) / bar(0) for n in range(1, 1000)])


def test_without_the_cut_of_betas_the_chain_would_end_without_data() -> None:
    assert points(DDPMCosine(largest=0.5))[-1] > points(DDPMCosine(largest=0.999))[-1] > 0


@pytest.mark.parametrize("chain", CHAINS)
def test_without_terminal_signal_it_is_the_published_algorithm(chain: str) -> None:
    plain, zero = SCHEDULES[chain](), SCHEDULES[chain](zero_terminal=True)
    assert isinstance(plain, Chain) and isinstance(zero, Chain)
    np.testing.assert_allclose(points(zero), rescaled(points(plain)), rtol=1e-9, atol=1e-20)
    assert points(zero)[0] == pytest.approx(points(plain)[0], rel=1e-12)
    assert float(zero.alpha(ONE)) == 0.0 and float(zero.sigma(ONE)) == 1.0
    assert float(zero.log_ratio(ONE)) == -math.inf


@pytest.mark.parametrize("chain", CHAINS)
def test_the_last_step_without_signal_is_linear_and_time_finds_it(chain: str) -> None:
    zero = SCHEDULES[chain](zero_terminal=True)
    t = torch.linspace(0.999, 1, 9, dtype=torch.float64)
    alpha = zero.alpha(t)
    torch.testing.assert_close(
        alpha, alpha[0] * torch.linspace(1, 0, 9, dtype=torch.float64), rtol=1e-9, atol=0
    )
    torch.testing.assert_close(zero.alpha_rate(t), (-1000 * alpha[0]).expand(9), rtol=1e-9, atol=0)
    torch.testing.assert_close(zero.time(zero.log_ratio(t)), t, rtol=0, atol=1e-12)
    assert float(zero.sigma_rate(ONE)) == 0.0
    assert (
        float(zero.time(torch.tensor(-math.inf))) == 1.0 and float(zero.time(torch.tensor(math.inf))) == 0.0
    )


@pytest.mark.parametrize("chain", CHAINS)
def test_between_points_the_logarithm_of_alpha_is_linear(chain: str) -> None:
    schedule = SCHEDULES[chain](steps=10)
    ends = schedule.alpha(torch.tensor([0.3, 0.4], dtype=torch.float64)).log()
    third = schedule.alpha(torch.tensor(0.3 + 0.1 / 3, dtype=torch.float64)).log()
    assert float(third) == pytest.approx(float(ends[0] * 2 / 3 + ends[1] / 3), rel=1e-9)


def test_vp_is_the_limit_of_ddpm() -> None:
    """With betas of 0.1/1000 and 20/1000; they differ by the squares of the betas that the limit drops."""
    gap = (DDPM().alpha(FINE[1:]).log() - VP().alpha(FINE[1:]).log()).abs()
    assert 0.01 < float(gap.max()) < 0.04


def test_options_move_the_ends() -> None:
    assert float(DDPM(steps=10).alpha(ONE)) > float(DDPM(steps=100).alpha(ONE))
    early = torch.tensor(0.001, dtype=torch.float64)
    assert float(DDPMCosine(offset=0.1).sigma(early)) > float(DDPMCosine().sigma(early))


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        (DDPM, {"steps": 1}, "steps = 1: give a whole number from 2"),
        (DDPM, {"steps": 10.0}, "steps = 10.0"),
        (DDPM, {"steps": True}, "steps = True"),
        (DDPM, {"beta_first": 0.0}, "beta_first = 0.0: a beta lies between 0 and 1"),
        (DDPM, {"beta_last": 1.0}, "beta_last = 1.0"),
        (DDPM, {"beta_last": -0.1}, "beta_last = -0.1"),
        (DDPM, {"beta_last": math.nan}, "beta_last = nan"),
        (DDPM, {"zero_terminal": "yes"}, "zero_terminal = 'yes': give true or false"),
        (DDPMCosine, {"steps": 0}, "steps = 0"),
        (DDPMCosine, {"offset": -0.1}, "offset = -0.1"),
        (DDPMCosine, {"largest": 1.0}, "largest = 1.0"),
        (DDPMCosine, {"zero_terminal": 1}, "zero_terminal = 1"),
    ],
)
def test_options_that_make_no_chain_are_named(
    kind: type[Chain], options: dict[str, object], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        kind(**options)


def test_the_command_line_reaches_the_option() -> None:
    values = override({}, ["schedule.kind=ddpm", "schedule.zero_terminal=true"])["schedule"]
    assert SCHEDULES[values.pop("kind")](**values) == DDPM(zero_terminal=True)
