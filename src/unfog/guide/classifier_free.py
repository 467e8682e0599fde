"""Classifier-free guidance: away from what any picture looks like, towards what this one was asked to be."""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeVar

from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior, Posterior
from unfog.errors import SampleError
from unfog.guide.rescale import rescaled
from unfog.process.gaussian import GaussianProcess

AnyPosterior = TypeVar("AnyPosterior", bound=Posterior)


class Rule(Protocol):
    """What is made of the difference between two posteriors."""

    def __call__(
        self, asked: GaussianPosterior, other: GaussianPosterior, scale: float, t: Tensor, active: Tensor
    ) -> GaussianPosterior:
        """Go on from ``other`` through ``asked``.

        Args:
            asked: given the condition.
            other: given nothing.
            scale: 1 stays at ``asked``.
            t: times, () or (B,).
            active: of which examples the result is used, shape of t.
        """


def plain(asked: AnyPosterior, other: AnyPosterior, scale: float, t: Tensor, active: Tensor) -> AnyPosterior:
    """A straight line through both, Ho & Salimans' rule: of means, or of log-probabilities of tokens."""
    return asked.extrapolate(other, scale)


class ClassifierFree(Denoiser[Any, Any]):
    """The estimate without condition, plus ``scale`` times the difference that the condition makes.

    Ho & Salimans 2021 (arXiv 2207.12598), with the interval of Kynkaanniemi et al. 2024 (arXiv 2404.07724):
    guidance at high noise costs variety and at low noise does nothing, so it can be switched on in between
    only.

    Args:
        denoiser: trained with condition dropout.
        null: the condition that says nothing, one row for each example.
        scale: 1 is off, above 1 exaggerates.
        interval: noise levels sigma / alpha (lost / kept), (low, high), between which guidance acts.
        rule: what is made of the difference: ``plain``, or a ``Projected``.
        rescale: how far the contrast of the asked estimate is kept, 0 (not) to 1; see ``rescaled``. Tokens
            have none.
    """

    def __init__(
        self,
        denoiser: Denoiser[Any, Any],
        null: Condition,
        scale: float,
        interval: tuple[float, float] = (0.0, float("inf")),
        rule: Rule = plain,
        rescale: float = 0.0,
    ) -> None:
        super().__init__()
        if not null.slots():
            raise SampleError(
                f"Guidance {scale:g} needs a model trained with labels or prompts; this one was not. "
                "Leave --guidance out, or try --autoguidance 1.5."
            )
        if rescale and not isinstance(denoiser.process, GaussianProcess):
            raise SampleError(f"Rescale {rescale:g}: tokens have no contrast to keep. Leave it out.")
        self.inner, self.process = denoiser, denoiser.process
        self.null, self.scale, self.interval = null, scale, interval
        self.rule, self.rescale = rule, rescale

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> Any:
        """See ``Denoiser.forward``; two network calls in one batch where guidance acts, else one."""
        active = self._active(t)
        if self.scale == 1.0 or not bool(active.any()):
            return self.inner(x_t, t, cond)
        both = self.inner(
            x_t.repeat(2, *[1] * (x_t.ndim - 1)), t.repeat(2) if t.ndim else t, cond.cat(self.null)
        )
        # all but the clean estimate stays that of the condition, such as a learned variance
        asked, other = both.halves()
        guided = self.rule(asked, other, self.scale, t, active)
        if self.rescale:
            guided = guided.with_mean(rescaled(guided.mean, asked.mean, self.rescale))
        return guided.where(active, asked)

    def _active(self, t: Tensor) -> Tensor:
        """Whether t lies in the interval, shape of t."""
        scales: tuple[Tensor, Tensor] = self.process.scales(t)
        alpha, sigma = scales
        low, high = self.interval
        # sigma / alpha, without dividing by an alpha of 0
        below = (sigma <= high * alpha) | math.isinf(high)
        return (sigma >= low * alpha) & below
