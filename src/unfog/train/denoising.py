"""What a training step minimises: how wrong the clean estimate is, over all noise levels.

Two choices shape it and only their product counts: how often each noise level is visited (the law), and how
much an error there weighs (the weight). A weight is a factor on the squared error of the clean estimate; with
SNR = (alpha / sigma)^2 and what that makes of it in other words:

    data      1                     the plain error of the clean estimate
    noise     SNR                   the plain error of the noise: L_simple of DDPM (Ho et al. 2020)
    v         SNR + 1               the plain error of v, and EDM's (Salimans & Ho 2022; Karras et al. 2022)
    flow      (sqrt(SNR) + 1)^2     the plain error of the velocity of flow matching
    min-snr   min(SNR, gamma)       noise, but no more than gamma = 5 (Hang et al. 2023, arXiv 2303.09556)
    p2        SNR / (1 + SNR)^gamma noise over (1 + SNR)^gamma, gamma = 1: less for detail that nobody sees
                                    (Choi et al. 2022, arXiv 2204.00227)

A network that also learns the variance of the reverse step minimises L_hybrid = L_simple + 0.001 L_vlb
(Nichol & Dhariwal 2021, arXiv 2102.09672): the bound's terms, see ``denoise/variance.py``, teach the variance
alone, because the error of the mean goes into them without a gradient. A visited time t stands for the step
from it to t - 1/N, with the N of a chain or 1,000; a step that ends below 1/N draws nothing and has no term.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, GaussianPosterior
from unfog.denoise.variance import gain, log_extremes, step_divergence
from unfog.model import PictureModel
from unfog.process import Chain, GaussianProcess
from unfog.rng import Noise, stratified
from unfog.shapes import expand_like
from unfog.train.config import TrainConfig
from unfog.train.objective import Batch, Objective

DEFAULT_SPREAD = math.e**2  # where nobody has looked at the data; that of handwritten digits is 7.4

Weight = Callable[[Tensor], Tensor]

HYBRID = 0.001  # share of the variational bound, and
CHAIN = 1000  # steps that stand for continuous time in it


def min_snr(gamma: float = 5.0) -> Weight:
    """min(SNR, gamma)."""
    return lambda log_snr: log_snr.exp().clamp_max(gamma)


def p2(gamma: float = 1.0) -> Weight:
    """SNR / (1 + SNR)^gamma; gamma 0 is the weight "noise"."""
    return lambda log_snr: torch.exp(log_snr - gamma * softplus(log_snr))


# log of the signal-to-noise ratio -> factor on the squared error of the clean estimate
WEIGHTS: dict[str, Weight] = {
    "data": torch.ones_like,
    "noise": torch.exp,
    "v": lambda log_snr: log_snr.exp() + 1,
    "flow": lambda log_snr: ((log_snr / 2).exp() + 1) ** 2,
    "min-snr": min_snr(),
    "p2": p2(),
}
ADJUSTABLE: dict[str, Callable[[float], Weight]] = {"min-snr": min_snr, "p2": p2}


def weight_of(config: TrainConfig) -> Weight:
    """The configured weight, with the configured gamma."""
    return WEIGHTS[config.weight] if config.gamma is None else ADJUSTABLE[config.weight](config.gamma)


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
        (B,); with the bound added where the denoiser learns its variance.
    """
    process = denoiser.process
    posterior: GaussianPosterior = denoiser(process.mix(x, noise, t), t, cond)
    error = posterior.divergence(x)
    loss = error * weight(2 * process.log_ratio(t)).to(error)
    return loss if posterior.fraction is None else loss + HYBRID * bound_terms(process, posterior, x, t)


def bound_terms(process: GaussianProcess, posterior: GaussianPosterior, x: Tensor, t: Tensor) -> Tensor:
    """L_vlb as seen from one visited time each: N times the KL divergence of the step from t to t - 1/N.

    Its gradient reaches the fraction of the variance only.

    Args:
        process: of the chain.
        posterior: with a fraction.
        x: clean data, (B, *S).
        t: times, (B,).

    Returns:
        Nats per value, (B,).
    """
    assert posterior.fraction is not None
    steps = process.schedule.steps if isinstance(process.schedule, Chain) else CHAIN
    t = t.double()
    s = (t - 1 / steps).clamp_min(0)
    # below the first point of the chain nothing is drawn, and the terms would grow without bound
    drawn = s * steps > 1 - 1e-6
    extremes, gained = (
        expand_like(each.where(drawn, 0.0).to(x), x)
        for each in (log_extremes(process, t, s), gain(process, t, s))
    )
    error = (x - posterior.mean.detach()).square()
    terms = step_divergence(error, posterior.fraction.to(x), extremes, gained)
    return steps * terms.flatten(1).mean(1)


def noise_law(spread: float) -> tuple[float, float]:
    """Mean and standard deviation of log(sigma / alpha) that suit data of this spread.

    Fine detail appears below a noise of about 1/e, and what the picture shows is decided near its spread
    (``PixelStatistics.spread``): the law covers the range between them with one standard deviation to either
    side. Larger pictures take more noise to hide (Hoogeboom et al. 2023, arXiv 2301.11093).
    """
    return (math.log(spread) - 1) / 2, (math.log(spread) + 1) / 2


class DenoisingObjective(Objective):
    """The denoising loss of pictures.

    Args:
        model: whose codec, denoiser and encoder are trained.
        config: weight and noise levels.
    """

    def __init__(self, model: PictureModel, config: TrainConfig) -> None:
        super().__init__()
        self.codec, self.denoiser, self.encoder = model.codec, model.denoiser, model.encoder
        self.config, self.weight = config, weight_of(config)

    def draw(self, batch: Batch, rng: Noise, *, hide: float | None = None) -> Batch:
        """Pictures, times, noise, and what the encoder is told of each, of pictures (B, C, H, W) and that."""
        raw, *told = batch
        assert raw is not None
        noise, times = rng.normal(raw.shape), self.times(stratified(len(raw), rng))
        said = tuple(part for part in told if part is not None)
        if not said or self.encoder is None:
            return raw, times, noise, *told
        return raw, times, noise, *self.encoder.hide(said, rng.uniform((len(raw),)) < (hide or 0.0))

    def forward(self, *drawn: Tensor | None) -> Tensor:
        """See ``Objective.forward``."""
        raw, t, noise, *told = drawn
        assert raw is not None and t is not None and noise is not None
        said = [part for part in told if part is not None]
        cond = self.encoder.of(*said) if self.encoder is not None and said else NONE
        return denoising_loss(self.denoiser, self.codec.normalise(raw), t, noise, self.weight, cond)

    def times(self, uniform: Tensor) -> Tensor:
        """Times by the configured law, (B,)."""
        process = self.denoiser.process
        mean, std = noise_law(DEFAULT_SPREAD)
        mean = mean if self.config.noise_mean is None else self.config.noise_mean
        std = std if self.config.noise_std is None else self.config.noise_std
        return draw_times(process, uniform, mean, std)
