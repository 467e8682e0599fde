"""DDPM ancestral sampling, for any schedule and any strides (Ho et al. 2020, arXiv 2006.11239)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.condition.base import Condition
from unfog.config import nearest
from unfog.denoise.base import Denoiser, GaussianPosterior
from unfog.denoise.variance import log_extremes
from unfog.errors import SampleError
from unfog.process.base import Process
from unfog.process.chain import Chain
from unfog.process.gaussian import GaussianProcess
from unfog.rng import Noise
from unfog.sample.base import Sampler

VARIANCES = ("auto", "posterior", "forward", "learned")


@dataclass(frozen=True)
class DDPM(Sampler[None]):
    """Draws x_s from q(x_s | x_t, x) at the estimated x.

    The posterior's variance is tau^2 = sigma_s^2 (1 - exp(2 (l_t - l_s))); what is left of the noise's
    variance, sigma_s^2 - tau^2, is filled with the estimated noise. What is drawn may have another variance,
    see ``denoise/variance.py``: the mean of the step stays, as published. A walk from t = 1 in as many equal
    steps of time as a chain has is the published one; fewer are its strided form.

    Attributes:
        eta: 1 is the published chain, 0 is DDIM, in between is in between.
        variance: "posterior" is tau^2 (beta-tilde), "forward" is that of the forward step (beta), "learned"
            is what the network says, "auto" is learned where the network learned it, else the posterior's.
    """

    eta: float = 1.0
    variance: str = "auto"

    order = 1
    stochastic = True

    def __post_init__(self) -> None:
        if self.variance not in VARIANCES:
            raise SampleError(f"There is no variance {self.variance!r}. {nearest(self.variance, VARIANCES)}")

    def check(self, process: Process, steps: int) -> None:
        """See ``Sampler.check``: a chain has no more steps than it was made with."""
        schedule = process.schedule if isinstance(process, GaussianProcess) else None
        if isinstance(schedule, Chain) and steps > schedule.steps:
            raise SampleError(
                f"{steps} steps of ddpm: the chain of this model has {schedule.steps}, so give --steps "
                f"{schedule.steps} or fewer. Samplers in continuous time take more, e.g. --sampler ddim."
            )

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: None,
    ) -> tuple[Tensor, None]:
        """See ``Sampler.step``."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.process.numbers(t), denoiser.process.numbers(s)
        posterior = denoiser(x_t, t, cond)
        # exp(l_t - l_s), written so that it is 0 and not NaN where sigma_s or alpha_t is 0
        shrink = (alpha_t * sigma_s) / (sigma_t * alpha_s)
        fresh = self.eta * sigma_s * math.sqrt(max(0.0, 1 - shrink**2))
        keep = math.sqrt(max(0.0, sigma_s**2 - fresh**2)) / sigma_t
        noise = rng.normal(x_t.shape, like=x_t)
        mean = keep * x_t + (alpha_s - keep * alpha_t) * posterior.mean
        fraction = self._fraction(posterior)
        if fraction is not None:
            noise = noise * torch.exp(0.5 * fraction * log_extremes(denoiser.process, t, s).to(x_t))
        return mean + fresh * noise, None

    def _fraction(self, posterior: GaussianPosterior) -> Tensor | None:
        """Where the log variance lies between the posterior's and the forward step's; None for the former."""
        if self.variance == "posterior" or (self.variance == "auto" and posterior.fraction is None):
            return None
        if self.variance == "forward":
            return torch.ones_like(posterior.mean)
        if posterior.fraction is None:
            raise SampleError(
                "This model did not learn the variance of its steps: leave --set variance=learned out, or "
                "train with --set network.variance=true."
            )
        return posterior.fraction
