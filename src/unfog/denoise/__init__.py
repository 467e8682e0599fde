"""From noisy to clean: the posterior of x given x_t, by a network or in closed form."""

from unfog.denoise.base import Denoiser, GaussianPosterior, Posterior
from unfog.denoise.categorical import (
    CategoricalPosterior,
    MaskedDenoiser,
    TokenDenoiser,
    UniformDenoiser,
    leave_one_out,
)
from unfog.denoise.chain import ExactTokens
from unfog.denoise.exact import ExactGaussian, ExactMixture, exact_dataset
from unfog.denoise.gaussian import GaussianDenoiser
from unfog.denoise.target import Target, data, noise, score, v, velocity

TARGETS: dict[str, Target] = {"data": data, "noise": noise, "v": v, "velocity": velocity, "score": score}

__all__ = [
    "TARGETS",
    "CategoricalPosterior",
    "Denoiser",
    "ExactGaussian",
    "ExactMixture",
    "ExactTokens",
    "GaussianDenoiser",
    "GaussianPosterior",
    "MaskedDenoiser",
    "Posterior",
    "Target",
    "TokenDenoiser",
    "UniformDenoiser",
    "exact_dataset",
    "leave_one_out",
]
