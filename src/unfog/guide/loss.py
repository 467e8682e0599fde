"""Guidance by a loss: classifier guidance, and any other wish that can be differentiated.

Bayes' rule for scores: grad log p(x_t | y) = grad log p(x_t) + grad log p(y | x_t). So a denoiser that knows
nothing of y is steered by the gradient of a loss, -log p(y | x_t): of a classifier (Dhariwal & Nichol 2021,
arXiv 2105.05233), or of anything that can be said of the clean estimate, as in diffusion posterior sampling
(Chung et al. 2022, arXiv 2209.14687) and universal guidance (Bansal et al. 2023, arXiv 2302.07121). With the
score goes the clean estimate, which is all that samplers look at: by Tweedie's formula it moves by
sigma^2 / alpha times the gradient.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior
from unfog.errors import SampleError

Loss = Callable[[GaussianPosterior], Tensor]
"""How wrong each example is, (B,), from the posterior: its clean estimate ``mean``, x_t, alpha and sigma."""


class LossGuided(Denoiser):
    """The score, less ``scale`` times the gradient of a loss: given y, where the loss is -log p(y | x_t).

    A loss of the clean estimate alone takes it for the truth, which it is not at high noise: then the result
    is an approximation, better the less noise there is.

    Args:
        denoiser: to be steered.
        loss: differentiable, (B,); see ``Loss``.
        scale: 0 is off, 1 is Bayes' rule, above 1 exaggerates.
        through: whether to differentiate through the denoiser, which costs a backward pass. Else the clean
            estimate is differentiated alone, and the denoiser's derivative is taken to be that of
            white data of variance 1, alpha / (alpha^2 + sigma^2), as Song et al. 2023 (PiGDM) do.
    """

    def __init__(self, denoiser: Denoiser, loss: Loss, scale: float = 1.0, *, through: bool = True) -> None:
        super().__init__()
        self.inner, self.process = denoiser, denoiser.process
        self.loss, self.scale, self.through = loss, scale, through

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``.

        Raises:
            SampleError: if the loss is not one number for each example, or cannot be differentiated.
        """
        if self.scale == 0.0:
            posterior: GaussianPosterior = self.inner(x_t, t, cond)
            return posterior
        # sampling runs in inference mode, whose tensors no gradient can pass: outside of it, on copies
        with torch.inference_mode(False), torch.enable_grad():
            x, t, cond = x_t.detach().clone(), t.clone(), cond.map(torch.clone)
            if self.through:
                x.requires_grad_()
                posterior = self.inner(x, t, cond)
                (slope,) = torch.autograd.grad(self._value(posterior), x)
            else:
                with torch.no_grad():
                    posterior = self.inner(x, t, cond)
                posterior = posterior.with_mean(posterior.mean.clone().requires_grad_())
                (slope,) = torch.autograd.grad(self._value(posterior), posterior.mean)
        alpha, sigma = self.process.scales(t, like=x)
        # without signal a gradient through the denoiser is 0, and a time that has none asks for nothing
        gain = torch.where(alpha > 0, sigma**2 / alpha.clamp_min(1e-30), 0)
        gain = gain if self.through else sigma**2 / (alpha**2 + sigma**2)
        mean = posterior.mean.detach() - self.scale * gain * slope
        # the variance is the one without the loss: only the mean is steered
        fraction = None if posterior.fraction is None else posterior.fraction.detach()
        return GaussianPosterior(mean, x_t, alpha, sigma, fraction)

    def _value(self, posterior: GaussianPosterior) -> Tensor:
        """The loss of the whole batch; examples do not mix, so its gradient is that of each."""
        value = self.loss(posterior)
        batch = len(posterior.mean)
        if not isinstance(value, Tensor) or value.shape != (batch,) or not value.requires_grad:
            found = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise SampleError(
                f"A loss must be one differentiable number for each of {batch} examples, shape ({batch},); "
                f"this one gave {found}. Try: lambda pictures: pictures.square().flatten(1).mean(1)"
            )
        return value.sum()
