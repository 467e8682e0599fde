"""The variance of the reverse step against the published chain, and its divergence against torch's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from tests.given import process_of, small_model, time_at
from unfog.denoise.variance import best_fraction, gain, log_extremes, step_divergence
from unfog.errors import SampleError
from unfog.model import PictureModel, load
from unfog.nets import NETWORKS
from unfog.process import SCHEDULES

CLOCKS = [(-3.5, -3.0), (-1.0, 1.0), (0.5, 2.5), (3.0, 3.9)]


def steps(schedule: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    process = process_of(schedule)
    return [(time_at(process, l_t), time_at(process, l_s)) for l_t, l_s in CLOCKS]


@pytest.mark.parametrize("chain", ["ddpm", "ddpm-cosine"])
@pytest.mark.parametrize("stride", [1, 10, 100])
def test_the_extremes_are_beta_and_beta_tilde_of_the_chain(chain: str, stride: int) -> None:
    """Ho et al. 2020, section 3.2; of strided chains Nichol & Dhariwal 2021, section 4."""
    process = process_of(chain)
    bars = process.scales(torch.arange(1001).double() / 1000)[0].numpy() ** 2
    for n in (2 * stride, 5 * stride, 9 * stride, 1000 - stride, 1000):
        bar, before = bars[n], bars[n - stride]
        beta = 1 - bar / before
        tilde = (1 - before) / (1 - bar) * beta
        t, s = (torch.tensor(k / 1000, dtype=torch.float64) for k in (n, n - stride))
        assert float(log_extremes(process, t, s)) == pytest.approx(np.log(beta / tilde), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_extremes_depend_on_the_clock_alone(schedule: str) -> None:
    for (t, s), (other_t, other_s) in zip(steps(schedule), steps("cosine"), strict=True):
        here = log_extremes(process_of(schedule), t, s)
        assert float(here) == pytest.approx(float(log_extremes(process_of("cosine"), other_t, other_s)))
        assert float(here) > 0


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_the_divergence_is_that_of_two_normal_laws(schedule: str, fraction: float) -> None:
    process, (x, guess) = process_of(schedule), torch.tensor([[0.3, -1.1], [0.1, 1.4]]).double()
    for t, s in steps(schedule):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = process.scales(t), process.scales(s)
        small = sigma_s**2 * (1 - (alpha_t * sigma_s / (alpha_s * sigma_t)) ** 2)
        large = small * (alpha_s**2 + sigma_s**2) / (alpha_t**2 + sigma_t**2) * sigma_t**2 / sigma_s**2
        coefficient = alpha_s * small / sigma_s**2
        said = large**fraction * small ** (1 - fraction)
        true, model = Normal(coefficient * x, small.sqrt()), Normal(coefficient * guess, said.sqrt())
        expected = kl_divergence(true, model)
        extremes, gained = log_extremes(process, t, s), gain(process, t, s)
        found = step_divergence((x - guess).square(), fraction, extremes, gained)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("error", [1e-4, 0.02, 0.3])
def test_the_best_fraction_is_where_the_divergence_is_least(error: float) -> None:
    process, (t, s) = process_of("cosine"), steps("cosine")[2]
    extremes, gained = log_extremes(process, t, s), gain(process, t, s)
    best = best_fraction(error, extremes, gained).requires_grad_()
    step_divergence(torch.tensor(error, dtype=torch.float64), best, extremes, gained).backward()
    assert best.grad is not None and float(best.grad) == pytest.approx(0, abs=1e-9)


def test_a_step_to_no_noise_has_nothing_to_learn() -> None:
    process = process_of("cosine")
    t, s = torch.tensor([0.1, 1.0]).double(), torch.zeros(2).double()
    assert log_extremes(process, t, s).tolist() == [0.0, 0.0]
    from_the_end = log_extremes(process, torch.ones(()).double(), torch.tensor(0.9).double())
    assert bool(from_the_end.isfinite())


# ---- in a model -----------------------------------------------------------------------------------

NETS: dict[str, dict[str, Any]] = {
    "unet": {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16},
    "transformer": {"kind": "transformer", "width": 16, "depth": 1, "vector": 16, "head": 8},
    "joint": {"kind": "joint", "width": 16, "depth": 2, "vector": 16, "head": 8, "patch": 4},
}


def drawn(model: PictureModel, n: int, **options: Any) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in model.generate(n, **options)])


@pytest.mark.parametrize("network", NETWORKS)
def test_a_learned_variance_is_saved_and_drawn_with(tmp_path: Path, network: str) -> None:
    model = small_model(network={**NETS[network], "variance": True})
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.denoiser.variance and again.fingerprint() == model.fingerprint()
    pictures = {
        v: drawn(again, 2, sampler="ddpm", steps=6, variance=v) for v in ("auto", "learned", "posterior")
    }
    assert np.array_equal(pictures["auto"], pictures["learned"])
    assert not np.array_equal(pictures["auto"], pictures["posterior"])
    assert drawn(again, 2, guidance=2.0, sampler="ddpm", steps=3).shape == (2, 8, 8)
    assert drawn(again, 2, sampler="heun", steps=3).shape == (2, 8, 8)


def test_a_fixed_variance_may_be_either_and_never_learned() -> None:
    model = small_model()
    assert not model.denoiser.variance and "variance" not in model.spec.network
    small, large = (drawn(model, 2, sampler="ddpm", steps=6, variance=v) for v in ("posterior", "forward"))
    assert np.array_equal(small, drawn(model, 2, sampler="ddpm", steps=6)) and not np.array_equal(
        small, large
    )
    with pytest.raises(SampleError, match="did not learn the variance"):
        model.generate(1, sampler="ddpm", variance="learned")
    with pytest.raises(SampleError, match="no variance 'large'"):
        model.settings(sampler="ddpm", variance="large")
