"""Gaussian diffusion as a jump, and as an SDE whose moments have to arrive at the same place."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.given import process_of
from unfog.errors import DataError, TimeOutOfRange
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise


def moments_by_sde(process: GaussianProcess, start: float, end: float, steps: int) -> tuple[Tensor, Tensor]:
    """Mean (of data 1) and variance after the forward SDE dx = f x dt + g dw from one time to a later one.

    Each small step is solved exactly with f and g at its middle, so the only error is of second order in it.
    """
    alpha, sigma = process.scales(start)
    mean, variance = alpha, sigma**2
    width = (end - start) / steps
    for k in range(steps):
        drift, diffusion = process.drift_and_diffusion(start + (k + 0.5) * width)
        growth = torch.expm1(2 * drift * width)
        spread = growth / (2 * drift) if float(drift) else torch.tensor(width, dtype=torch.float64)
        mean = mean * torch.exp(drift * width)
        variance = variance * (1 + growth) + diffusion**2 * spread
    return mean, variance


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("start", "end"), [(0.05, 0.5), (0.5, 0.95)])
def test_the_sde_has_the_marginals_of_the_jump(schedule: str, start: float, end: float) -> None:
    """Integrating the moments gives alpha and sigma^2: drift and diffusion are right (Song et al. 2021)."""
    process = process_of(schedule)
    mean, variance = moments_by_sde(process, start, end, 450)
    alpha, sigma = process.scales(end)
    assert float(mean / alpha) == pytest.approx(1, rel=1e-4)
    assert float(variance / sigma**2) == pytest.approx(1, rel=2e-4)


def test_drift_and_diffusion_of_sub_vp_are_the_published_ones() -> None:
    """Song et al. 2021, eq. 29: -beta/2 and sqrt(beta (1 - exp(-2 integral of beta)))."""
    t = torch.linspace(0.05, 1, 20, dtype=torch.float64)
    drift, diffusion = process_of("sub-vp").drift_and_diffusion(t)
    beta = 0.1 + 19.9 * t
    torch.testing.assert_close(drift, -beta / 2)
    fading = torch.exp(-2 * (0.1 * t + 19.9 * t**2 / 2))
    torch.testing.assert_close(diffusion, (beta * (1 - fading)).sqrt())


def test_drift_and_diffusion_of_vp_are_the_published_ones() -> None:
    """f = -beta/2 and g = sqrt(beta)."""
    t = torch.linspace(0.1, 1, 10, dtype=torch.float64)
    drift, diffusion = process_of("vp").drift_and_diffusion(t)
    beta = 0.1 + t * 19.9
    torch.testing.assert_close(drift, -beta / 2)
    torch.testing.assert_close(diffusion, beta.sqrt())


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("t", [0.1, 0.5, 1.0])
def test_corruption_has_the_right_mean_and_spread(schedule: str, t: float) -> None:
    """Monte-Carlo over 20,000 values: five standard errors."""
    process, count = process_of(schedule), 20_000
    alpha, sigma = (float(s) for s in process.scales(t))
    x_t = process.corrupt(torch.full((count, 1), 1.7), torch.tensor(t), Noise(0))
    assert float(x_t.mean()) == pytest.approx(alpha * 1.7, abs=5 * sigma / count**0.5)
    assert float(x_t.std()) == pytest.approx(sigma, rel=5 / (2 * count) ** 0.5)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_at_time_0_the_data_is_untouched(schedule: str) -> None:
    x = torch.randn(4, 1, 3, 3)
    torch.testing.assert_close(
        process_of(schedule).corrupt(x, torch.zeros(4), Noise(0)), x, rtol=0, atol=0.002 * 5
    )


def test_times_may_be_one_for_all_one_each_or_one_per_frame() -> None:
    process, x = process_of("flow"), torch.ones(2, 3, 1, 4, 4)
    e = torch.zeros_like(x)
    torch.testing.assert_close(process.mix(x, e, torch.tensor(0.25)), 0.75 * x)
    each = process.mix(x, e, torch.tensor([0.0, 1.0]))
    assert float(each[0].min()) == 1 and float(each[1].abs().max()) == 0
    frames = torch.tensor([[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]])
    torch.testing.assert_close(process.mix(x, e, frames)[:, :, 0, 0, 0], 1 - frames)


def test_corruption_refuses_times_that_do_not_exist() -> None:
    for t in ([0.5, 1.5], [-0.1, 0.5], [float("nan"), 0.5]):
        with pytest.raises(TimeOutOfRange, match="must lie in"):
            process_of("cosine").corrupt(torch.zeros(2, 1), torch.tensor(t), Noise(0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_half_precision_is_corrupted_as_float64_is(schedule: str, dtype: torch.dtype) -> None:
    process, t = process_of(schedule), torch.tensor([0.001, 0.4, 0.999])
    x = torch.randn(3, 1, 4, 4).to(dtype)
    e = torch.randn(3, 1, 4, 4).to(dtype)
    found, truth = process.mix(x, e, t), process.mix(x.double(), e.double(), t)
    assert process.corrupt(x, t, Noise(0)).dtype == found.dtype == dtype
    scale = 1 + process.scales(t)[1].view(3, 1, 1, 1)
    assert float(((found.double() - truth) / scale).abs().max()) < 8 * torch.finfo(dtype).eps


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"torch.uint8: encode pictures"):
        process_of("cosine").corrupt(torch.zeros(1, 2, dtype=torch.uint8), torch.tensor(0.5), Noise(0))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_prior_is_the_noise_that_is_there_at_that_time(schedule: str) -> None:
    process = process_of(schedule)
    for t in (1.0, 0.7):
        x = process.prior((5000, 2), Noise(1), t)
        assert float(x.std()) == pytest.approx(float(process.scales(t)[1]), rel=0.05)
        assert float(x.mean()) == pytest.approx(0, abs=0.05 * float(x.std()))


def test_scales_are_computed_in_float64_whatever_comes_in() -> None:
    """In float32 the cosine's alpha close to 1 would lose its noise: 1 - alpha^2 there is 2e-9."""
    process = process_of("cosine")
    alpha, sigma = process.scales(torch.tensor(0.999, dtype=torch.float32))
    assert alpha.dtype == sigma.dtype == torch.float64
    x = torch.zeros(3, 1, 2, 2, dtype=torch.float16)
    alpha, sigma = process.scales(torch.tensor([0.1, 0.2, 0.3]), like=x)
    assert alpha.dtype == torch.float16 and alpha.shape == (3, 1, 1, 1)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rates_follow_scales(schedule: str) -> None:
    process, t, step = process_of(schedule), 0.5005, 1e-6
    for which in (0, 1):
        slope = (process.scales(t + step)[which] - process.scales(t - step)[which]) / (2 * step)
        assert float(process.rates(t)[which]) == pytest.approx(float(slope), rel=1e-6, abs=1e-8)
