"""How much a reverse step leaves open: the two variances of DDPM, and all that lie between them.

From x_t to x_s, with the clean data known, the reverse step is Gaussian with the variance

    small = sigma_s^2 (1 - exp(2 (l_t - l_s)))            the posterior's, beta-tilde of the paper

It is right if the data is a single point. If the data is standard normal instead, x_s given x_t has the
variance of the forward step, brought from the scale of x_t to that of x_s,

    large = sigma_t^2 (1 - exp(2 (l_t - l_s))) (alpha_s^2 + sigma_s^2) / (alpha_t^2 + sigma_t^2)

which is beta of the paper for a step of its chain, and the same thing on any schedule and for any stride
(Ho et al. 2020, arXiv 2006.11239, section 3.2). Their ratio depends on the clock alone,

    log(large / small) = softplus(2 l_s) - softplus(2 l_t)

Real data lies in between, so a network can learn where: it outputs a ``fraction`` f for each value, and the
variance is large^f small^(1 - f) (Nichol & Dhariwal 2021, arXiv 2102.09672, section 3.1). What teaches it is
the term of the variational bound for this step, the divergence of the model's step from the true one,

    KL = 1/2 (f R + (1 + (SNR_s - SNR_t) (x - mean)^2) exp(-f R) - 1),    R = log(large / small)

whose minimum is at variance / small = 1 + (SNR_s - SNR_t) Var(x | x_t): the error of the clean estimate is
what a step cannot know. A step to s = 0 draws nothing where no noise is left: it has no variance to learn.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from unfog.process.gaussian import GaussianProcess


def log_extremes(process: GaussianProcess, t: Tensor, s: Tensor) -> Tensor:
    """R, the logarithm of the large over the small variance of the step from t to s, float64, shape of t.

    0 where no noise is left at s: there is nothing to draw, whatever the fraction.
    """
    l_t, l_s = process.log_ratio(t), process.log_ratio(s)
    return torch.where(torch.isinf(l_s), 0.0, softplus(2 * l_s) - softplus(2 * l_t))


def gain(process: GaussianProcess, t: Tensor, s: Tensor) -> Tensor:
    """SNR_s - SNR_t, what the step tells about the data, float64, shape of t; infinite to no noise."""
    return torch.exp(2 * process.log_ratio(s)) - torch.exp(2 * process.log_ratio(t))


def step_divergence(error: Tensor, fraction: Tensor | float, extremes: Tensor, gained: Tensor) -> Tensor:
    """The KL divergence of the model's reverse step from the true one, for each value, in nats.

    Args:
        error: squared error of the clean estimate, (B, *S).
        fraction: f, where the log variance lies, (B, *S); 0 is the small variance, 1 the large one.
        extremes: R of ``log_extremes``, broadcastable.
        gained: SNR_s - SNR_t of ``gain``, finite, broadcastable.

    Returns:
        (B, *S).
    """
    grown = fraction * extremes
    return 0.5 * (grown + (1 + gained * error) * torch.exp(-grown) - 1)


def best_fraction(error: Tensor | float, extremes: Tensor, gained: Tensor) -> Tensor:
    """The fraction that minimises ``step_divergence`` for an expected squared error, as ``extremes``."""
    return torch.log1p(gained * error) / extremes
