"""What a training step minimises: how wrong the clean estimate is, over all noise levels.

Two choices shape it and only their product counts: how often each noise level is visited (the law), and how
much an error there weighs (the weight). Squared error of the clean estimate times ``weight``; in the usual
words, ``noise`` is DDPM's L_simple, ``v`` is EDM's and v-prediction's, ``flow`` that of flow matching.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from unfog.condition import NONE, Condition, Encoder
from unfog.denoise import Denoiser
from unfog.process import GaussianProcess
from unfog.train.config import TrainConfig

DEFAULT_SPREAD = math.e**2  # where nobody has looked at the data; that of handwritten digits is 7.4

Weight = Callable[[Tensor], Tensor]

# log of the signal-to-noise ratio -> factor on the squared error of the clean estimate
WEIGHTS: dict[str, Weight] = {
    "data": torch.ones_like,
    "noise": torch.exp,
    "v": lambda log_snr: log_snr.exp() + 1,
    "flow": lambda log_snr: ((log_snr / 2).exp() + 1) ** 2,
    "min-snr": lambda log_snr: log_snr.exp().clamp_max(5.0),
}


def draw_times(process: GaussianProcess, uniform: Tensor, mean: float, std: float) -> Tensor:
    """Times whose log noise-to-signal ratio, log(sigma / alpha), is normal (Karras et al. 2022, table 1).

    Args:
        process: gives the time of each ratio.
        uniform: numbers in [0, 1), best stratified, (B,).
        mean, std: of log(sigma / alpha).

    Returns:
        Times (B,), float64.
    """
    # the very ends would be infinite
    quantile = uniform.double().clamp(1e-6, 1 - 1e-6)
    return process.schedule.time(-(mean + std * math.sqrt(2) * torch.erfinv(2 * quantile - 1)))


def denoising_loss(
    denoiser: Denoiser, x: Tensor, t: Tensor, noise: Tensor, weight: Weight, cond: Condition = NONE
) -> Tensor:
    """The weighted squared error of the clean estimate, one number per example.

    Args:
        denoiser: what is trained.
        x: clean data, (B, *S).
        t: times, (B,).
        noise: standard normal, (B, *S).
        weight: factor by log signal-to-noise ratio.
        cond: what steers it.

    Returns:
        (B,).
    """
    process = denoiser.process
    error: Tensor = denoiser(process.mix(x, noise, t), t, cond).divergence(x)
    return error * weight(2 * process.log_ratio(t)).to(error)


def noise_law(spread: float) -> tuple[float, float]:
    """Mean and standard deviation of log(sigma / alpha) that suit data of this spread.

    Fine detail appears below a noise of about 1/e, and what the picture shows is decided near its spread
    (``PixelStatistics.spread``): the law covers the range between them with one standard deviation to either
    side. Larger pictures take more noise to hide (Hoogeboom et al. 2023, arXiv 2301.11093).
    """
    return (math.log(spread) - 1) / 2, (math.log(spread) + 1) / 2


class Objective(nn.Module):
    """Denoiser and encoder with their loss as one module: what an accelerator wraps and synchronises.

    Args:
        denoiser: what is trained.
        encoder: of the condition, trained with it; None without one.
        config: weight and noise levels.
    """

    def __init__(self, denoiser: Denoiser, encoder: Encoder | None, config: TrainConfig) -> None:
        super().__init__()
        self.denoiser, self.encoder, self.config = denoiser, encoder, config

    def forward(self, x: Tensor, t: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """The loss of clean data x (B, *S) with this noise at times t, one number per example, (B,)."""
        cond = NONE if self.encoder is None or labels is None else self.encoder(labels)
        return denoising_loss(self.denoiser, x, t, noise, WEIGHTS[self.config.weight], cond)

    def times(self, uniform: Tensor) -> Tensor:
        """Times by the configured law, (B,)."""
        process = self.denoiser.process
        mean, std = noise_law(DEFAULT_SPREAD)
        mean = mean if self.config.noise_mean is None else self.config.noise_mean
        std = std if self.config.noise_std is None else self.config.noise_std
        return draw_times(process, uniform, mean, std)
