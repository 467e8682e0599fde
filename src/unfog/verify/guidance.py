"""Guides against closed forms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, ExactMixture, GaussianPosterior
from unfog.guide import THRESHOLDS, Autoguidance, ClassifierFree, Loss, LossGuided, Projected
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.verify.check import Result, error, process_of


class _TwoMeans(Denoiser):
    """Gaussian data whose mean is the condition: the vector slot holds it, one number for each example.

    With ``bend`` its coordinates have different widths, which depend on the condition too.
    """

    def __init__(self, process: GaussianProcess, std: float, bend: float = 0.0) -> None:
        super().__init__()
        self.process, self.std, self.bend = process, std, bend

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        assert cond.vector is not None
        place = torch.linspace(0, 1, x_t.shape[1], dtype=x_t.dtype)
        std = self.std * (1 + self.bend * place * cond.vector)
        exact: GaussianPosterior = ExactGaussian(self.process, cond.vector, std)(x_t, t)
        return exact


def free_guidance_of_gaussians() -> Iterator[Result]:
    """Two Gaussians of one width, guided by w, are a Gaussian with its mean at m0 + w (m1 - m0)."""
    x, asked, nothing = Noise(1).normal((5, 2)).double(), 1.4, -0.3
    for schedule in SCHEDULES:
        process, t = process_of(schedule), torch.tensor(0.6, dtype=torch.float64)
        conditions = [Condition(vector=torch.full((5, 1), m, dtype=x.dtype)) for m in (asked, nothing)]
        for w in (0.0, 1.0, 1.7, 4.0):
            guided = ClassifierFree(_TwoMeans(process, 0.6), conditions[1], w)
            truth = ExactGaussian(process, nothing + w * (asked - nothing), 0.6)
            yield error(f"{schedule}, w = {w:g}", guided(x, t, conditions[0]).mean, truth(x, t).mean, 1e-9)
            times = t.expand(5)  # one time for each example
            yield error(
                f"{schedule}, w = {w:g}, times", guided(x, times, conditions[0]).mean, truth(x, t).mean, 1e-9
            )
        guided = ClassifierFree(_TwoMeans(process, 0.6), conditions[1], 3.0, interval=(1e8, 1e9))
        plain, found = ExactGaussian(process, asked, 0.6)(x, t).mean, guided(x, t, conditions[0]).mean
        yield error(f"{schedule}, outside the interval", found, plain, 1e-9)


def rescale_keeps_the_contrast() -> Iterator[Result]:
    """Rescaled wholly, a guided estimate has the standard deviation of the asked one; in between, a mix."""
    x, asked = 2 * Noise(4).normal((5, 40)).double(), 1.4
    for schedule in SCHEDULES:
        process, t = process_of(schedule), torch.tensor(0.5, dtype=torch.float64)
        cond, null = (Condition(vector=torch.full((5, 1), m, dtype=x.dtype)) for m in (asked, -0.3))
        steep = _TwoMeans(process, 0.6, bend=0.5)
        free = ClassifierFree(steep, null, 5.0)(x, t, cond).mean
        wanted = steep(x, t, cond).mean.std(1, correction=0)
        for share in (0.4, 1.0):
            found = ClassifierFree(steep, null, 5.0, rescale=share)(x, t, cond).mean
            mixed = share * wanted + (1 - share) * free.std(1, correction=0)
            yield error(f"{schedule}, share {share:g}", found.std(1, correction=0), mixed, 1e-9)


def projected_guidance_is_orthogonal() -> Iterator[Result]:
    """Keeping all of the difference is plain guidance; without its parallel part the rest is orthogonal."""
    x, asked = Noise(5).normal((5, 7)).double(), 1.4
    for schedule in SCHEDULES:
        process, t = process_of(schedule), torch.tensor(0.5, dtype=torch.float64)
        cond, null = (Condition(vector=torch.full((5, 1), m, dtype=x.dtype)) for m in (asked, -0.3))
        inner = _TwoMeans(process, 0.6, bend=0.5)
        plain = ClassifierFree(inner, null, 4.0)(x, t, cond).mean
        whole = ClassifierFree(inner, null, 4.0, rule=Projected(parallel=1.0))(x, t, cond).mean
        yield error(f"{schedule}, all kept", whole, plain, 1e-9)
        start = inner(x, t, cond).mean
        moved = ClassifierFree(inner, null, 4.0, rule=Projected(0.0))(x, t, cond).mean - start
        yield error(f"{schedule}, orthogonal", (moved * start).sum(1), torch.zeros(5), 1e-9)
        short = ClassifierFree(inner, null, 4.0, rule=Projected(1.0, limit=0.01))(x, t, cond).mean - start
        length = short.square().mean(1).sqrt()
        yield error(f"{schedule}, limit", length, torch.full_like(length, 3 * 0.01), 1e-9)
        earlier = torch.tensor(0.6, dtype=torch.float64)
        carrying = ClassifierFree(inner, null, 4.0, rule=Projected(1.0, momentum=-0.5))
        carried = carrying(x, earlier, cond).mean - inner(x, earlier, cond).mean
        found = carrying(x, t, cond).mean
        yield error(f"{schedule}, momentum", found, plain - 0.5 * carried, 1e-9)


def autoguidance_of_gaussians() -> Iterator[Result]:
    """The scores of two Gaussians are extrapolated; of one width, their means are."""
    x = Noise(6).normal((5, 2)).double()
    for schedule in SCHEDULES:
        process, t = process_of(schedule), torch.tensor(0.6, dtype=torch.float64)
        for w in (1.0, 1.5, 3.0):
            good, weak = ExactGaussian(process, 0.5, 0.6), ExactGaussian(process, 0.1, 0.6)
            found = Autoguidance(good, weak, NONE, w)(x, t).mean
            truth = ExactGaussian(process, 0.1 + w * 0.4, 0.6)(x, t).mean
            yield error(f"{schedule}, one width, w = {w:g}", found, truth, 1e-9)
            weak = ExactGaussian(process, 0.1, 0.9)
            scores = [_slope(each, x, t) for each in (weak, good)]
            score = Autoguidance(good, weak, NONE, w)(x, t).score
            yield error(f"{schedule}, two, w = {w:g}", score, scores[0] + w * (scores[1] - scores[0]), 1e-8)


def _slope(exact: ExactGaussian, x: Tensor, t: Tensor) -> Tensor:
    """The gradient of the log density, by differentiation."""
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(exact.log_density(x, t).sum(), x)
    return slope


def loss_guidance_is_bayes() -> Iterator[Result]:
    """With a loss of -log p(y | x_t), the denoiser is that of the data given y.

    Gaussian data seen through Gaussian noise stays Gaussian, with precisions that add up. A class of a
    mixture is its component.
    """
    x, mean, std, seen, blur = Noise(7).normal((5, 1)).double(), 0.3, 0.7, 1.5, 0.4
    precision = 1 / std**2 + 1 / blur**2
    given = ((mean / std**2 + seen / blur**2) / precision, precision**-0.5)
    centres, weights = (torch.tensor(v, dtype=torch.float64) for v in ([[-1.0], [1.5]], [0.3, 0.7]))

    def unlikely(posterior: GaussianPosterior) -> Tensor:
        alpha, sigma = posterior.alpha, posterior.sigma
        left = sigma**2 * std**2 / (alpha**2 * std**2 + sigma**2)  # variance of x given x_t
        return ((posterior.mean - seen) ** 2 / (2 * (blur**2 + left))).sum(1)

    for schedule in SCHEDULES:
        process, t = process_of(schedule), torch.tensor(0.5, dtype=torch.float64)
        guided = LossGuided(ExactGaussian(process, mean, std), unlikely)(x, t)
        truth = ExactGaussian(process, *given)(x, t)
        yield error(f"{schedule}, seen through noise", guided.mean, truth.mean, 1e-9)
        yield error(f"{schedule}, and its noise", guided.noise, truth.noise, 1e-9)
        mixture, part = ExactMixture(process, centres, 0.5, weights), ExactGaussian(process, centres[0], 0.5)
        found = LossGuided(mixture, _foreign(mixture, part, t))(x, t).mean
        yield error(f"{schedule}, class of a mixture", found, part(x, t).mean, 1e-9)
    for through in (True, False):
        process, end = process_of("cosine"), torch.tensor(1.0, dtype=torch.float64)
        found = LossGuided(_Halves(process), lambda p: p.mean.sum(1), through=through)(x, end).mean
        # without signal there is nothing to differentiate through; straight, white data moves by sigma^2
        yield error(f"pure noise, through {through}", found, x / 2 - (0 if through else 1), 1e-9)
    process, t = process_of("flow"), torch.tensor(0.25, dtype=torch.float64)
    found = LossGuided(_Halves(process), lambda p: p.mean.sum(1), through=False)(x, t).mean
    yield error("straight slope", found, x / 2 - 0.25**2 / (0.25**2 + 0.75**2), 1e-9)


def _foreign(mixture: ExactMixture, part: ExactGaussian, t: Tensor) -> Loss:
    """-log p(part | x_t), but for a constant."""
    return lambda posterior: mixture.log_density(posterior.x_t, t) - part.log_density(posterior.x_t, t)


def interval_has_edges() -> Iterator[Result]:
    """Guidance acts from the lower noise level to the upper one, and nowhere else."""
    x, ratio = Noise(1).normal((5, 2)).double(), 0.8
    asked, nothing = (Condition(vector=torch.full((5, 1), m, dtype=x.dtype)) for m in (1.4, -0.3))
    for schedule in ("cosine", "ve", "flow"):
        process = process_of(schedule)
        t = process.schedule.time(torch.tensor(-math.log(ratio), dtype=torch.float64))
        model = _TwoMeans(process, 0.6)
        plain, full = model(x, t, asked).mean, ClassifierFree(model, nothing, 3.0)(x, t, asked).mean
        for low, high, acts in ((0.9, 1.1, True), (1.1, 9.0, False), (0.1, 0.9, False), (0.0, 9.0, True)):
            guide = ClassifierFree(model, nothing, 3.0, interval=(low * ratio, high * ratio))
            truth = full if acts else plain
            yield error(f"{schedule}, {low:g} to {high:g}", guide(x, t, asked).mean, truth, 1e-9)


class _Halves(Denoiser):
    """Takes half of what it is shown for the clean data, even where there is none."""

    def __init__(self, process: GaussianProcess) -> None:
        super().__init__()
        self.process = process

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        return GaussianPosterior(x_t / 2, x_t, *self.process.scales(t, like=x_t))


class _Says(Denoiser):
    """Gives one clean estimate, whatever it is shown."""

    def __init__(self, process: GaussianProcess, mean: Tensor) -> None:
        super().__init__()
        self.process, self.mean = process, mean

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        return GaussianPosterior(self.mean, x_t, *self.process.scales(t, like=x_t))


def thresholds_keep_their_range() -> Iterator[Result]:
    """Estimates beyond black and white are cut, or shrunk until they fit; those within are left alone."""
    low, high = torch.tensor(-1.0), torch.tensor(2.0)
    process, t = process_of("cosine"), torch.tensor(0.5, dtype=torch.float64)
    # around the middle, in units of half the range: one example fits, the others reach beyond it
    unit = torch.tensor([0.6, 1.2, 2.5])[:, None] * torch.linspace(-0.8, 1.0, 8)
    x = process.prior(unit.shape, Noise(2))
    for name, build in THRESHOLDS.items():
        found = build(_Says(process, 0.5 + 1.5 * unit), low, high)(x, t).mean
        reach = torch.ones(3, 1)
        if name == "dynamic":
            reach = torch.quantile(unit.abs(), 0.995, dim=1, keepdim=True).clamp_min(1)
        truth = 0.5 + 1.5 * torch.minimum(torch.maximum(unit, -reach), reach) / reach
        for row, top in enumerate((0.6, 1.2, 2.5)):
            yield error(f"{name}, up to {top:g}", found[row], truth[row], 1e-6)
