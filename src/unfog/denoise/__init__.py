"""From noisy to clean: the posterior of x given x_t, by a network or in closed form."""

from unfog.denoise.base import Denoiser, GaussianPosterior, Posterior
from unfog.denoise.exact import ExactGaussian, ExactMixture, exact_dataset
from unfog.denoise.gaussian import GaussianDenoiser
from unfog.denoise.target import Target, data, noise, score, v, velocity

TARGETS: dict[str, Target] = {"data": data, "noise": noise, "v": v, "velocity": velocity, "score": score}

__all__ = [
    "TARGETS",
    "Denoiser",
    "ExactGaussian",
    "ExactMixture",
    "GaussianDenoiser",
    "GaussianPosterior",
    "Posterior",
    "Target",
    "exact_dataset",
]
