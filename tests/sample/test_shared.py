"""What every sampler of the table has to do; a new one is covered by its line in the table."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.given import Bending, enliven, process_of
from unfog.denoise import ExactGaussian, ExactMixture, GaussianDenoiser, exact_dataset
from unfog.nets import UNet, UNetConfig
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.sample import GRIDS, SAMPLERS, log_snr
from unfog.verify.check import MEAN, STD, marginal, schedules, slope
from unfog.verify.samplers import ROUNDING, chain_moments

from .conftest import DETERMINISTIC, STOCHASTIC, go


def without_end(process: GaussianProcess, steps: int, kind: str = "log-snr") -> Tensor:
    """A grid of ``steps`` steps between noise levels 20 and 0.05, without the last one to t = 0."""
    return GRIDS[kind](process, steps + 1, 20.0, 0.05)[:-1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_it_says_what_it_is(name: str) -> None:
    kind = SAMPLERS[name]
    assert kind.order >= 0 and kind.calls >= 1 and isinstance(kind.stochastic, bool)
    assert kind() == kind(), "samplers are plain values, without state"
    with pytest.raises(AttributeError):
        kind().order = 3


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("grid", ["log-snr", "karras"])
@pytest.mark.parametrize("name", DETERMINISTIC)
def test_the_error_falls_with_the_declared_order(name: str, grid: str, schedule: str) -> None:
    """Against the exact flow of Gaussian data: halve the steps' length, fit the slope."""
    process = process_of(schedule)
    exact, counts, errors = ExactGaussian(process, MEAN, STD), [24, 48, 96], []
    for count in counts:
        times = without_end(process, count, grid)
        mean, variance = marginal(process, times[0])
        x = mean + math.sqrt(variance) * torch.tensor([[-2.0], [-0.5], [0.4], [1.7]], dtype=torch.float64)
        expected = exact.flow_map(x, float(times[0]), float(times[-1]))
        errors.append(float((go(exact, SAMPLERS[name](), times, x) - expected).abs().max()))
    if SAMPLERS[name].order and errors[-1] > ROUNDING:
        assert slope(errors, counts) > SAMPLERS[name].order - 0.3
    assert errors[-1] < 0.05


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", STOCHASTIC)
def test_mean_and_variance_converge_with_the_declared_order(name: str, schedule: str) -> None:
    """No Monte-Carlo: the moments of the chain are followed step by step."""
    process, counts, errors = process_of(schedule), [25, 50, 100], []
    for count in counts:
        grid = without_end(process, count)
        mean, variance = chain_moments(process, SAMPLERS[name](), grid)
        expected_mean, expected_variance = marginal(process, grid[-1])
        errors.append(abs(variance / expected_variance - 1) + abs(mean - expected_mean))
    assert slope(errors, counts) > SAMPLERS[name].order - 0.3
    assert errors[-1] < 0.1


@pytest.mark.parametrize("schedule", ["cosine", "ve"])
@pytest.mark.parametrize("name", STOCHASTIC)
def test_gaussian_data_comes_back_with_its_mean_and_variance(name: str, schedule: str) -> None:
    """Monte-Carlo with 4,000 examples: five standard errors, and 2 % for the 600 steps."""
    process, count = process_of(schedule), 4_000
    exact = ExactGaussian(process, MEAN, STD)
    grid = log_snr(process, 600, 80.0, 0.02)
    x = process.prior((count, 1), Noise(1), grid[0])
    x = go(exact, SAMPLERS[name](), grid, x, Noise(2))
    assert float(x.mean()) == pytest.approx(MEAN, abs=5 * STD / count**0.5 + 0.01)
    assert float(x.var()) == pytest.approx(STD**2, rel=5 * (2 / count) ** 0.5 + 0.02)


@pytest.mark.parametrize("name", SAMPLERS)
def test_modes_come_back_with_their_weights(name: str) -> None:
    """Two modes, 30 and 70 per cent, 4,000 examples: five standard errors; and the modes keep their width."""
    count, process = 4000, process_of("cosine")
    mixture = ExactMixture(process, torch.tensor([[-1.0], [1.0]]), 0.25, torch.tensor([0.3, 0.7]))
    grid = log_snr(process, 200, 80.0, 0.02)
    x = go(mixture, SAMPLERS[name](), grid, process.prior((count, 1), Noise(3), grid[0]), Noise(4))
    right = x[:, 0] > 0
    assert float(right.float().mean()) == pytest.approx(0.7, abs=5 * (0.21 / count) ** 0.5)
    assert float(x[right].std()) == pytest.approx(0.25, rel=0.12)
    assert float(x[~right].mean()) == pytest.approx(-1.0, abs=0.05)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", SAMPLERS)
def test_pure_memory_lands_on_the_training_points(name: str, schedule: str) -> None:
    process = process_of(schedule)
    points = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(3))
    grid = log_snr(process, 30, 80.0, 0.02)
    x = process.prior((64, 1, 2, 2), Noise(5), grid[0])
    x = go(exact_dataset(process, points), SAMPLERS[name](), grid, x, Noise(6))
    distance, which = torch.cdist(x.flatten(1), points.flatten(1)).min(1)
    assert float(distance.max()) < 0.02
    assert len(which.unique()) >= 4, "and not all on the same one"


@pytest.mark.parametrize("schedule", schedules())
@pytest.mark.parametrize("name", SAMPLERS)
def test_few_and_odd_steps_give_numbers_on_every_grid(name: str, schedule: str) -> None:
    """The loop raises at NaN and infinity; a random network is a harder case than a trained one."""
    torch.manual_seed(0)
    network = UNet(UNetConfig(channels=1, patch=2, widths=(16,), depth=1, vector=16, head=16))
    enliven(network)
    process = process_of(schedule)
    denoiser = GaussianDenoiser(network.eval(), process)
    with torch.inference_mode():
        for grid in GRIDS.values():
            for steps in (1, 2, 3, 5, 9):
                times = grid(process, steps, 80.0, 0.02)
                x = process.prior((2, 1, 4, 4), Noise(7), times[0])
                assert go(denoiser, SAMPLERS[name](), times, x).shape == x.shape


@pytest.mark.parametrize("schedule", schedules())
@pytest.mark.parametrize("name", SAMPLERS)
def test_both_ends_of_time_may_be_walked_to_the_very_end(name: str, schedule: str) -> None:
    """From t = 1, where some schedules have no signal at all, to t = 0, where some have no noise."""
    process = process_of(schedule)
    exact = ExactGaussian(process, MEAN, STD)
    for steps in (1, 2, 3, 7):
        grid = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
        x = process.prior((2, 3), Noise(8), 1.0)
        assert bool(go(exact, SAMPLERS[name](), grid, x).isfinite().all())


@pytest.mark.parametrize("schedule", ["cosine", "vp", "ddpm", "flow"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_one_step_to_the_data_gives_the_clean_estimate(name: str, schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.tensor([[-1.0], [1.0]]).double(), 0.25)
    grid = log_snr(process, 1, 5.0, 0.02)
    x = process.prior((5, 1), Noise(9), grid[0]).double()
    expected = exact(x, grid[0]).mean
    torch.testing.assert_close(go(exact, SAMPLERS[name](), grid, x), expected, rtol=1e-6, atol=1e-6)


def results_along(name: str, kind: str, data: str) -> list[Tensor]:
    """The end of the same walk in the clock, on each schedule, in units of the signal."""
    ends = []
    for schedule in SCHEDULES:
        process = process_of(schedule)
        times = without_end(process, 15, kind)
        (_, sigma_t), (alpha_s, _) = process.scales(times[0]), process.scales(times[-1])
        x = sigma_t * Noise(10).normal((4, 3)).double()
        means = torch.tensor([[-1.0, 0.5, 0.0], [0.7, 0.1, -1.2]], dtype=torch.float64)
        denoiser = (
            ExactMixture(process, means, 0.3) if data == "mixture" else GaussianDenoiser(Bending(3), process)
        )
        ends.append(go(denoiser, SAMPLERS[name](), times, x, Noise(11)) / alpha_s)
    return ends


@pytest.mark.parametrize("data", ["mixture", "network"])
@pytest.mark.parametrize("kind", ["log-snr", "karras"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_all_schedules_give_the_same_pictures(name: str, kind: str, data: str) -> None:
    """Samplers know only the clean estimate and the clock: the schedule drops out, also with noise."""
    first, *others = results_along(name, kind, data)
    for schedule, other in zip(list(SCHEDULES)[1:], others, strict=True):
        difference = float((first - other).abs().max())
        assert difference < 1e-5, f"{schedule}: {difference:.1e}"


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_gives_the_same_picture_whatever_its_neighbours(name: str) -> None:
    process = process_of("cosine")
    mixture = ExactMixture(process, torch.randn(5, 4), 0.3)
    grid = log_snr(process, 12, 80.0, 0.02)

    def pictures(indices: list[int]) -> Tensor:
        rng = Noise.for_pictures(7, indices)
        return go(mixture, SAMPLERS[name](), grid, process.prior((len(indices), 4), rng, grid[0]), rng)

    many = pictures([0, 1, 2, 3, 4])
    torch.testing.assert_close(pictures([3]), many[3:4], rtol=0, atol=1e-5)
    torch.testing.assert_close(pictures([4, 1]), many[[4, 1]], rtol=0, atol=1e-5)
    assert float((many[0] - many[1]).abs().max()) > 1e-3
    assert torch.equal(many, pictures([0, 1, 2, 3, 4]))


@pytest.mark.parametrize("name", SAMPLERS)
def test_only_samplers_that_say_so_use_noise(name: str) -> None:
    process = process_of("cosine")
    exact = ExactGaussian(process, MEAN, STD)
    grid = without_end(process, 6)
    x = process.prior((4, 2), Noise(12), grid[0])
    ends = [go(exact, SAMPLERS[name](), grid, x, Noise(seed)) for seed in (1, 2)]
    assert torch.equal(*ends) == (not SAMPLERS[name].stochastic)
