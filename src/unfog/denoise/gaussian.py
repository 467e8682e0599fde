"""A network behind its preconditioning: any network, any schedule, any target, one formula."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior
from unfog.denoise.target import Target, v
from unfog.errors import SampleError
from unfog.process.base import check_floating
from unfog.process.gaussian import GaussianProcess, is_one_time

CLOCK_LIMIT = 10.0  # of |l|: beyond it noise or signal drown in float32; l is infinite at t = 0 and 1


class GaussianDenoiser(Denoiser):
    """Turns any network into E[x | x_t], whatever quantity the network predicts.

    The network sees an input of unit variance (when the data has it) and the clock l = log(alpha / sigma),
    never t: so it does not know which schedule it is used with, and can be moved to another.

    Args:
        network: called as ``network(x, clock, **slots)`` with x (B, *S) and clock (B,); returns (B, *S), or
            (B, 2 C, ...) where it learns the variance, which is in the second half.
        process: how data is corrupted.
        target: what the network's output means.
        variance: whether the network also says the variance of the reverse step, see ``denoise/variance.py``.
    """

    def __init__(
        self, network: nn.Module, process: GaussianProcess, target: Target = v, *, variance: bool = False
    ) -> None:
        super().__init__()
        self.network, self.process, self.target, self.variance = network, process, target, variance

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``; half precision is combined in float32.

        Raises:
            SampleError: if the target says nothing about the data at t, as noise does without signal.
            DataError: if x_t is not floating point.
        """
        check_floating(x_t)
        # the square of a sigma of 300 is beyond float16
        like = x_t.float() if x_t.dtype in (torch.float16, torch.bfloat16) else x_t
        if is_one_time(t):
            found = _coefficients_once(self.process, self.target, float(t), like.dtype, like.device)
        else:
            found = _coefficients(self.process, self.target, t, like)
        alpha, sigma, b, share, scale, clock = found
        output = self.network((scale * like).to(x_t), clock.to(x_t).expand(x_t.shape[0]), **cond.slots())
        fraction = None
        if self.variance:
            output, said = output.tensor_split(2, 1)
            fraction = (said.to(x_t) + 1) / 2
        mean = (b * like - sigma * output) / share
        return GaussianPosterior(mean.to(x_t), x_t, alpha.to(x_t), sigma.to(x_t), fraction)


def _coefficients(process: GaussianProcess, target: Target, t: Tensor, like: Tensor) -> tuple[Tensor, ...]:
    """alpha, sigma, the target's b, its share of the data, the scale of the input, and the clock."""
    alpha, sigma = process.scales(t, like=like)
    a, b = target(process, t, like)
    share = alpha * b - sigma * a  # of the data in what the target says; 0 is nothing at all
    if not bool(((share != 0) & share.isfinite()).all()):
        name = getattr(target, "__name__", str(target))
        raise SampleError(
            f"The target {name!r} says nothing about the data at log(alpha / sigma) = "
            f"{float(process.log_ratio(t).min()):g}. Stay off the ends of time (--set start=80), "
            "or train with --set target=v."
        )
    clock = process.log_ratio(t).clamp(-CLOCK_LIMIT, CLOCK_LIMIT)
    return alpha, sigma, b, share, torch.rsqrt(alpha**2 + sigma**2), clock


@lru_cache(maxsize=4096)
def _coefficients_once(
    process: GaussianProcess, target: Target, t: float, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, ...]:
    with torch.inference_mode(False):  # kept, so that they may meet a gradient later
        like = torch.zeros((), dtype=dtype, device=device)
        return _coefficients(process, target, torch.tensor(t, dtype=torch.float64), like)
