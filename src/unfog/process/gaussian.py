"""Gaussian diffusion, x_t = alpha(t) x + sigma(t) e: read as a chain (DDPM), as scores (SGM), as an SDE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from unfog.process.base import Process, check_floating, check_times
from unfog.process.schedule import Cosine, Schedule
from unfog.rng import Noise
from unfog.shapes import expand_like


@dataclass(frozen=True)
class GaussianProcess(Process):
    """Scale the data down by alpha and add sigma times standard normal noise (Kingma et al. 2021, eq. 1)."""

    schedule: Schedule = field(default_factory=Cosine)

    def scales(self, t: float | Tensor, like: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """alpha(t) and sigma(t), computed in float64.

        Args:
            t: times in [0, 1], a number, () or (B,).
            like: if given, the result has its type and device, and broadcasts against it.
        """
        if is_one_time(t):
            kind = (torch.float64, torch.device("cpu")) if like is None else (like.dtype, like.device)
            return _scales_once(self.schedule, float(t), *kind)
        t = torch.as_tensor(t, dtype=torch.float64)
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        if like is None:
            return alpha, sigma
        return expand_like(alpha.to(like), like), expand_like(sigma.to(like), like)

    def numbers(self, t: float | Tensor) -> tuple[float, float]:
        """alpha and sigma at one time, as plain numbers: arithmetic on them costs next to nothing."""
        return _numbers_once(self.schedule, float(t))

    def rates(self, t: float | Tensor, like: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """d alpha/dt and d sigma/dt, as ``scales``."""
        t = torch.as_tensor(t, dtype=torch.float64)
        alpha_rate, sigma_rate = self.schedule.alpha_rate(t), self.schedule.sigma_rate(t)
        if like is None:
            return alpha_rate, sigma_rate
        return expand_like(alpha_rate.to(like), like), expand_like(sigma_rate.to(like), like)

    def log_ratio(self, t: float | Tensor) -> Tensor:
        """The clock l = log(alpha / sigma) at t, float64."""
        if is_one_time(t):
            return _log_ratio_once(self.schedule, float(t))
        return self.schedule.log_ratio(torch.as_tensor(t, dtype=torch.float64))

    def corrupt(self, x: Tensor, t: Tensor, rng: Noise) -> Tensor:
        """Draw x_t given clean data; see ``Process.corrupt``. At t = 0 the data is untouched (VE: almost)."""
        check_times(t)
        check_floating(x)
        return self.mix(x, rng.normal(x.shape, like=x), t)

    def mix(self, x: Tensor, noise: Tensor, t: float | Tensor) -> Tensor:
        """alpha x + sigma noise, for noise that is already drawn."""
        alpha, sigma = self.scales(t, like=x)
        return alpha * x + sigma * noise

    def diffuse(self, x_s: Tensor, s: float | Tensor, t: float | Tensor, rng: Noise) -> Tensor:
        """Draw x_t given x_s at an earlier time s <= t: the chain's step of any length, q(x_t | x_s).

        x_t = a x_s + sqrt(sigma_t^2 - a^2 sigma_s^2) e with a = alpha_t / alpha_s; alpha_s must not be 0.
        """
        (alpha_s, sigma_s), (alpha_t, sigma_t) = self.scales(s, like=x_s), self.scales(t, like=x_s)
        keep = alpha_t / alpha_s
        fresh = (sigma_t**2 - (keep * sigma_s) ** 2).clamp_min(0).sqrt()
        return keep * x_s + fresh * rng.normal(x_s.shape, like=x_s)

    def prior(self, shape: Sequence[int], rng: Noise, t: float | Tensor = 1.0) -> Tensor:
        """sigma(t) times standard normal noise: what x_t is when alpha(t) x no longer counts, (B, *S)."""
        return rng.normal(shape) * self.scales(t)[1].float()

    def drift_and_diffusion(self, t: float | Tensor) -> tuple[Tensor, Tensor]:
        """f and g of the forward SDE dx = f x dt + g dw with these marginals (Song et al. 2021, section 3).

        f = alpha'/alpha and g^2 = 2 sigma (sigma' - f sigma); float64, shape of t.
        """
        (alpha, sigma), (alpha_rate, sigma_rate) = self.scales(t), self.rates(t)
        drift = alpha_rate / alpha
        return drift, (2 * sigma * (sigma_rate - drift * sigma)).clamp_min(0).sqrt()


def is_one_time(t: float | Tensor) -> bool:
    """Whether t is a plain number, as in sampling, where every step asks for the same few times again."""
    return not isinstance(t, Tensor) or (t.ndim == 0 and t.device.type == "cpu" and not t.requires_grad)


@lru_cache(maxsize=4096)
def _scales_once(
    schedule: Schedule, t: float, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(False):  # kept, so that they may meet a gradient later
        time = torch.tensor(t, dtype=torch.float64)
        return schedule.alpha(time).to(device, dtype), schedule.sigma(time).to(device, dtype)


@lru_cache(maxsize=4096)
def _numbers_once(schedule: Schedule, t: float) -> tuple[float, float]:
    alpha, sigma = _scales_once(schedule, t, torch.float64, torch.device("cpu"))
    return float(alpha), float(sigma)


@lru_cache(maxsize=4096)
def _log_ratio_once(schedule: Schedule, t: float) -> Tensor:
    with torch.inference_mode(False):
        return schedule.log_ratio(torch.tensor(t, dtype=torch.float64))
