"""Samplers against data whose way back is known: one Gaussian, and a handful of examples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from unfog.denoise import ExactGaussian, ExactMixture, exact_dataset
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.sample import (
    DDIM,
    SAMPLERS,
    Adaptive,
    Euler,
    Heun,
    Langevin,
    Learned,
    PredictorCorrector,
    Restart,
    Sampler,
    UniPC,
    log_snr,
)
from unfog.sample.churn import churned
from unfog.verify.check import (
    MEAN,
    STD,
    Impulses,
    Result,
    end_of,
    error,
    inner_grid,
    marginal,
    process_of,
    slope,
)

ROUNDING = 1e-11
SLACK = 0.3  # by which a measured order may fall short of the declared one


def deterministic_order() -> Iterator[Result]:
    """Against the exact flow of Gaussian data: the error falls with the number of steps as declared."""
    for name, kind in SAMPLERS.items():
        if kind.stochastic:
            continue
        for schedule in SCHEDULES:
            process, counts, errors = process_of(schedule), (24, 48, 96), []
            exact = ExactGaussian(process, MEAN, STD)
            for count in counts:
                grid = inner_grid(process, count)
                mean, variance = marginal(process, grid[0])
                x = mean + math.sqrt(variance) * torch.tensor([[-2.0], [-0.5], [0.4], [1.7]]).double()
                truth = exact.flow_map(x, float(grid[0]), float(grid[-1]))
                errors.append(float((end_of(exact, kind(), grid, x) - truth).abs().max()))
            if kind.order:
                yield _order(f"{name}, {schedule}", errors, counts, kind.order)
            limit = 0.05 if kind.order else 0.002  # a tolerance promises more than a number of steps
            yield Result(f"{name}, {schedule}", errors[-1], 0.0, limit, "error after 96 steps")


def _order(entry: str, errors: Sequence[float], counts: Sequence[int], declared: int) -> Result:
    """How fast errors fall, against what is declared; at rounding error nothing falls any more."""
    found = slope(errors, counts) if errors[-1] > ROUNDING else float(declared)
    return Result(entry, found, declared - SLACK, 9.0, f"order, declared {declared}")


def chain_moments(process: GaussianProcess, sampler: Sampler[object], grid: Tensor) -> tuple[float, float]:
    """Mean and variance at the end of a stochastic chain, exactly: for Gaussian data it is affine.

    One example starts at 0 without noise, one at 1, and one for each draw gets a noise of 1 there only.
    """
    mean, variance = marginal(process, grid[0])
    exact, draws = ExactGaussian(process, MEAN, STD), Impulses(first=None)
    end_of(exact, sampler, grid, torch.zeros(1, 1, dtype=torch.float64), draws)
    x = torch.zeros(draws.count + 2, 1, dtype=torch.float64)
    x[1] = 1.0
    ends = end_of(exact, sampler, grid, x, Impulses(first=2))[:, 0]
    start, *steps = (ends[1:] - ends[0]).tolist()
    return start * mean + float(ends[0]), start**2 * variance + sum(step**2 for step in steps)


def stochastic_moments() -> Iterator[Result]:
    """Mean and variance of Gaussian data come back, with the declared order; nothing is drawn."""
    for name, kind in SAMPLERS.items():
        if not kind.stochastic:
            continue
        for schedule in SCHEDULES:
            process, counts, errors = process_of(schedule), (25, 50, 100), []
            for count in counts:
                grid = inner_grid(process, count)
                mean, variance = chain_moments(process, kind(), grid)
                true_mean, true_variance = marginal(process, grid[-1])
                errors.append(abs(variance / true_variance - 1) + abs(mean - true_mean))
            yield _order(f"{name}, {schedule}", errors, counts, kind.order)
            yield Result(f"{name}, {schedule}", errors[-1], 0.0, 0.1, "error after 100 steps")


def pure_noise_will_do() -> Iterator[Result]:
    """From t = 1, where nothing of the data is left, Gaussian data comes back, by equal steps of time."""
    grid = torch.linspace(1, 0, 201, dtype=torch.float64)
    quantiles = torch.tensor([[-1.5], [0.0], [1.0]], dtype=torch.float64)
    for name, kind in SAMPLERS.items():
        for schedule in ("cosine", "ddpm to zero"):
            process = process_of(schedule)
            if kind.stochastic:
                mean, variance = chain_moments(process, kind(), grid)
                found = mean + math.sqrt(variance) * quantiles
            else:
                found = end_of(ExactGaussian(process, MEAN, STD), kind(), grid, quantiles)
            yield error(f"{name}, {schedule}", found, MEAN + STD * quantiles, 0.08)


def first_step_is_known() -> Iterator[Result]:
    """A step from t = 1, where x_t is noise alone, ends at N(alpha_s m, sigma_s^2) for data of mean m."""
    steps = torch.tensor([1.0, 0.7], dtype=torch.float64)
    for name, kind in SAMPLERS.items():
        if kind in (Langevin, PredictorCorrector):
            continue  # their corrections go on from there
        for schedule in ("cosine", "flow"):
            process = process_of(schedule)
            exact, draws = ExactGaussian(process, MEAN, STD), Impulses(first=1)
            x = torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)
            middle, noisy, moved = end_of(exact, kind(), steps, x, draws)[:, 0]
            (_, sigma_t), (alpha_s, sigma_s) = process.scales(steps[0]), process.scales(steps[1])
            spread = (noisy - middle) ** 2 + ((moved - middle) * sigma_t) ** 2
            yield error(f"{name}, {schedule}, mean", middle, alpha_s * MEAN, 1e-9)
            yield error(f"{name}, {schedule}, variance", spread, sigma_s**2, 1e-9)
            # a seed is a picture: noise is added, never taken away
            yield Result(f"{name}, {schedule}", float(noisy - middle), -1e-12, math.inf, "sign of the noise")
            later = end_of(exact, kind(), steps - 0.3, x, Impulses(first=1))[:, 0]
            yield Result(
                f"{name}, {schedule}, later", float(later[1] - later[0]), -1e-12, math.inf, "its sign"
            )


def corrections_have_their_size() -> Iterator[Result]:
    """What one Langevin step keeps and draws: exp(-size) of the noise around data that is known."""
    process, steps = process_of("vp"), torch.tensor([0.6, 0.4], dtype=torch.float64)
    sigma = float(process.scales(steps[1])[1])
    known = ExactGaussian(process, MEAN, 0.0)  # a single point
    x = torch.zeros(3, 1, dtype=torch.float64)
    for name, sampler, size, last in (
        ("langevin", Langevin(corrections=1), 0.1, 1),
        ("pc", PredictorCorrector(), 2 * 0.16**2, 2),
    ):
        ends = end_of(known, sampler, steps, x, Impulses(first=1))[:, 0]
        drawn = ends[last] - ends[0]
        yield error(f"{name}, fresh noise", drawn, sigma * torch.tensor(1 - math.exp(-2 * size)).sqrt(), 1e-6)


def churn_has_its_size() -> Iterator[Result]:
    """Churn raises the ratio of noise to signal by its share."""
    t, x = torch.tensor(0.5, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    for schedule in ("cosine", "ve"):
        process = process_of(schedule)
        _, later = churned(process, x, t, 0.3, Noise(1))
        yield error(
            schedule, process.log_ratio(t) - process.log_ratio(later), torch.tensor(math.log(1.3)), 1e-6
        )


def what_was_learned_is_added() -> Iterator[Result]:
    """A learned step is that of DPM-Solver++(3M) plus alpha_s times the weighted estimates."""
    process, steps = process_of("cosine"), torch.tensor([0.6, 0.4, 0.2], dtype=torch.float64)
    known, x = ExactGaussian(process, MEAN, 0.0), torch.ones(1, 1, dtype=torch.float64)
    plain = end_of(known, SAMPLERS["dpm++3m"](), steps, x)
    found = end_of(known, Learned(corrections=((), (0.25, 0.125))), steps, x)
    yield error("learned", found - plain, process.scales(steps[-1])[0] * 0.375 * MEAN, 1e-9)


def tolerance_is_kept() -> Iterator[Result]:
    """Steps that choose their own length are as exact as asked, and no shorter than that takes."""
    process, grid = process_of("cosine"), torch.tensor([0.98, 0.02], dtype=torch.float64)
    exact, calls = ExactGaussian(process, MEAN, STD), [0]
    exact.register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    (mean, variance), (true_mean, true_variance) = (marginal(process, t) for t in grid)
    x = mean + torch.tensor([[-1.0], [2.0]], dtype=torch.float64)
    truth = true_mean + (x - mean) * math.sqrt(true_variance / variance)
    for tolerance, usual in ((1e-3, 63), (1e-6, 168)):
        calls[0] = 0
        found = end_of(exact, Adaptive(tolerance=tolerance), grid, x)
        yield error(f"adaptive, {tolerance:g}", found, truth, 10 * tolerance)
        yield Result(f"adaptive, {tolerance:g}", calls[0], usual - 3, usual + 3, "calls")


def restart_walks_as_finely() -> Iterator[Result]:
    """Back down from a restart leads in steps as long as those of the walk; two calls for each."""
    process = process_of("cosine")
    exact, calls = ExactGaussian(process, 0.3, 0.8), [0]
    exact.register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    x = torch.zeros(2, 1, dtype=torch.float64)
    for count, low, needed in ((3, 0.9, 12), (12, 1.1, 54)):  # three restarts go down by 1 and by 5 steps
        calls[0] = 0
        grid = process.schedule.time(torch.linspace(-3, 3, count + 1, dtype=torch.float64))
        end_of(exact, Restart(low=math.exp(-low), high=math.e, repeats=3), grid, x, Noise(1))
        yield Result(f"restart, {count} steps", calls[0], needed, needed, "calls of walk and three restarts")


OPTIONS: dict[str, Sampler[Any]] = {
    "ddim, eta 0.5": DDIM(eta=0.5),
    "ddim, eta 1": DDIM(eta=1.0),
    "euler, churn 0.02": Euler(churn=0.02),
    "heun, churn 0.1": Heun(churn=0.1),
    "unipc, reach 3": UniPC(reach=3),
    "langevin, 25 corrections": Langevin(corrections=25),
    "pc, snr 0.1": PredictorCorrector(snr=0.1),
    "restart, 5 repeats": Restart(repeats=5),
}


def options_keep_the_law() -> Iterator[Result]:
    """Samplers with other than their usual options still lead Gaussian data back, in 150 steps."""
    for entry, sampler in OPTIONS.items():
        for schedule in ("cosine", "ve"):
            process = process_of(schedule)
            grid = inner_grid(process, 150)
            mean, variance = chain_moments(process, sampler, grid)
            true_mean, true_variance = marginal(process, grid[-1])
            wrong = abs(variance / true_variance - 1) + abs(mean - true_mean)
            yield Result(f"{entry}, {schedule}", wrong, 0.0, 0.05, "error after 150 steps")


def mixture_comes_back() -> Iterator[Result]:
    """Weights, mean and covariance of a mixture in the plane, for samplers that draw noise.

    Monte-Carlo with 2,000 examples and 80 steps: five standard errors, and 3 % for the steps.
    """
    process, count = process_of("cosine"), 2000
    centres, std = torch.tensor([[-1.0, 0.6], [1.0, -0.2]]), 0.25
    mixture = ExactMixture(process, centres, std, torch.tensor([0.3, 0.7]))
    mean = 0.3 * centres[0] + 0.7 * centres[1]
    apart = centres[1] - centres[0]
    covariance = 0.21 * torch.outer(apart, apart) + std**2 * torch.eye(2)
    slack = 5 / count**0.5
    for name, kind in SAMPLERS.items():
        if not kind.stochastic:
            continue
        grid = log_snr(process, 80, 60.0, 0.02)
        x = end_of(mixture, kind(), grid, process.prior((count, 2), Noise(3), grid[0]), Noise(4))
        right = float((x[:, 0] > 0).float().mean())
        yield Result(
            f"{name}, weight", right, 0.7 - slack * 0.46, 0.7 + slack * 0.46, "share of a mode of 0.7"
        )
        yield error(f"{name}, mean", x.mean(0), mean, slack * 0.95 + 0.03)
        yield error(f"{name}, covariance", torch.cov(x.T), covariance, slack * 1.3 + 0.03)


def memory_is_found() -> Iterator[Result]:
    """The denoiser of six examples leads every noise to one of them, and not always to the same."""
    points = Noise(3).normal((6, 4))
    for name, kind in SAMPLERS.items():
        process = process_of("cosine")
        grid = log_snr(process, 30, 80.0, 0.02)
        x = process.prior((64, 4), Noise(5), grid[0])
        x = end_of(exact_dataset(process, points), kind(), grid, x, Noise(6))
        distance, which = torch.cdist(x, points).min(1)
        yield Result(name, float(distance.max()), 0.0, 0.02, "distance to the nearest")
        yield Result(name, float(len(set(which.tolist()))), 4, 6, "examples found")
