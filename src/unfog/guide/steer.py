"""From settings to a steered denoiser: which guides there are, in what order they wrap, and what they accept.

The order is always the same: guidance by the condition first, then away from the weak self, then by a loss,
and the threshold last, so that whatever guides lead to comes back within what pixels can be. A guide that is
off is not there at all: with all of them off the denoiser is handed back as it came.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.errors import SampleError
from unfog.guide import THRESHOLDS
from unfog.guide.autoguidance import Autoguidance
from unfog.guide.classifier_free import ClassifierFree, Rule, plain
from unfog.guide.loss import Loss, LossGuided
from unfog.guide.projection import Projected
from unfog.spec import Sampling, lookup

RULES: dict[str, Callable[[Sampling], Rule]] = {
    "plain": lambda settings: plain,
    "apg": lambda settings: Projected(settings.apg_eta, settings.apg_norm, settings.apg_momentum),
}

OFF = 1.0  # the scale of guidance that changes nothing
SLOPES = {"network": True, "straight": False}
"""Ways of a loss's gradient: through the denoiser, or straight from the clean estimate."""

# what each number of the guides may be: from, to, and an example
RANGES: dict[str, tuple[float, float, float]] = {
    "guidance": (0.0, math.inf, 2.0),
    "guidance_low": (0.0, math.inf, 0.3),
    "guidance_high": (0.0, math.inf, 5.0),
    "guidance_rescale": (0.0, 1.0, 0.7),
    "apg_eta": (0.0, math.inf, 0.0),
    "apg_norm": (1e-6, math.inf, 0.1),
    "apg_momentum": (-0.99, 0.99, -0.5),
    "autoguidance": (0.0, math.inf, 1.5),
    "loss_scale": (0.0, math.inf, 1.0),
}


@dataclass(frozen=True)
class Surroundings:
    """What guides need beside settings; what is not needed may be left out.

    Attributes:
        null: the condition that says nothing, one row for each example.
        weak: the weak denoiser, with the condition in its own words.
        loss: what a loss guides by.
        limits: where black and white lie in x.
    """

    null: Condition = NONE
    weak: tuple[Denoiser, Condition] | None = None
    loss: Loss | None = None
    limits: tuple[Tensor, Tensor] | None = None


def steer(denoiser: Denoiser, settings: Sampling, around: Surroundings) -> Denoiser:
    """The denoiser behind all guides that the settings switch on.

    Args:
        denoiser: unguided.
        settings: see ``Sampling``; checked by ``check_guides``.
        around: what the guides need.

    Raises:
        SampleError: if a guide is on whose needs are not met.
    """
    if settings.guidance != OFF:
        interval, rule = (
            (settings.guidance_low, settings.guidance_high),
            RULES[settings.guidance_kind](settings),
        )
        denoiser = ClassifierFree(
            denoiser, around.null, settings.guidance, interval, rule, settings.guidance_rescale
        )
    if settings.autoguidance != OFF:
        if around.weak is None:
            raise SampleError(f"Autoguidance {settings.autoguidance:g} needs a weak denoiser. Leave it out.")
        denoiser = Autoguidance(denoiser, *around.weak, settings.autoguidance)
    if around.loss is not None and settings.loss_scale != 0.0:
        through = SLOPES[settings.loss_slope]
        denoiser = LossGuided(denoiser, around.loss, settings.loss_scale, through=through)
    if settings.threshold != "none" and around.limits is not None:
        denoiser = THRESHOLDS[settings.threshold](denoiser, *around.limits)
    return denoiser


def check_guides(settings: Sampling, *, conditional: bool) -> None:
    """Refuse settings of guides that mean nothing, or that a model cannot follow.

    Args:
        settings: to be checked.
        conditional: whether the model knows conditions.

    Raises:
        SampleError: naming the setting, and what would fit.
    """
    lookup(RULES, settings.guidance_kind, "kind of guidance")
    lookup(SLOPES, settings.loss_slope, "slope of a loss")
    lookup({**THRESHOLDS, "none": None}, settings.threshold, "thresholding")
    for name, (low, high, example) in RANGES.items():
        value = getattr(settings, name)
        if type(value) not in (int, float) or not low <= value <= high or math.isinf(value):
            limits = f"of {low:g} or more" if math.isinf(high) else f"from {low:g} to {high:g}"
            raise SampleError(f"{name}={value}: give a number {limits}, e.g. {name}={example:g}.")
    if settings.guidance_low > settings.guidance_high:
        raise SampleError(
            f"Guidance between noise levels {settings.guidance_low:g} and {settings.guidance_high:g}: "
            "guidance_low must not be above guidance_high. Try 0.3 and 5."
        )
    if settings.guidance != OFF and not conditional:
        raise SampleError(
            f"Guidance {settings.guidance:g} needs a model trained with labels; this one was not. "
            "Leave it out, or try --autoguidance 1.5."
        )
