"""What the samplers of text share: an even grid of times, and drawing a token from its probabilities.

Temperature and top-p change the law on purpose: below 1 the likely becomes likelier, at 0 the most likely
token is taken, and top-p leaves out the unlikely ones that together have no more than 1 - p.

A token is drawn by inverting its cumulative distribution at one uniform number, in float64. This has the
same law as adding Gumbel noise to every log-probability and taking the largest, with one random number for
each position instead of one for each entry of the vocabulary. The precision is not for show: uniform
numbers in float32 come in steps of 6e-8, which cuts off rare tokens and so lowers the temperature without
saying so (Zheng et al. 2024, arXiv 2409.02908).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import SampleError
from unfog.process.base import Process
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise

OWN = 1.0  # the temperature of the model's own law
ALL = 1.0  # the top-p that leaves nothing out

Unmasker = Denoiser[MaskedProcess, CategoricalPosterior]
"""A denoiser of masked diffusion."""


def even(steps: int, start: float = 1.0) -> Tensor:
    """Equal steps of t from ``start``, 1 for nothing but noise, down to 0, (steps + 1,), float64.

    Raises:
        SampleError: if there is no step.
    """
    if steps < 1:
        raise SampleError(f"{steps} steps: sampling needs at least one. Try --steps 32.")
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64) * start


def places(shape: Sequence[int], rng: Noise) -> Tensor:
    """Uniform numbers in [0, 1) of ``shape`` (B, *S), float64: where to invert cumulative distributions."""
    return rng.uniform(shape, like=torch.empty(0, dtype=torch.float64))


def tempered(rows: Tensor, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """Probabilities by log-probabilities, not normalised.

    Args:
        rows: log-probabilities (M, V).
        temperature: 1 keeps the law, 0 is certain of the most likely token.
        top_p: share of the probability that is kept, the most likely tokens first; 1 keeps all.

    Returns:
        (M, V), float64.
    """
    if temperature == 0.0:
        return torch.zeros_like(rows, dtype=torch.float64).scatter(1, rows.argmax(1, keepdim=True), 1.0)
    scaled = rows.double() if temperature == OWN else (rows.double() / temperature).log_softmax(1)
    probs = scaled.exp()
    if top_p < ALL:
        ordered, which = probs.sort(dim=1, descending=True, stable=True)
        # the token with which the sum reaches top_p is the last one kept
        ordered = ordered.where(ordered.cumsum(1) - ordered < top_p, 0.0)
        probs = torch.zeros_like(probs).scatter(1, which, ordered)
    return probs


def drawn(probs: Tensor, place: Tensor) -> Tensor:
    """One token for each row, (M,), int64.

    Args:
        probs: float64, (M, V), of any sum above 0.
        place: uniform numbers in [0, 1), (M,), float64.

    Raises:
        SampleError: if the network gave NaN.
    """
    cumulative = probs.cumsum(1)
    total = cumulative[:, -1:]
    if not bool((total.isfinite() & (total > 0)).all()):
        raise SampleError(
            "The network gave NaN for the probabilities of a token. The model may be damaged or was trained "
            "to divergence; try an earlier checkpoint."
        )
    # strictly below the total, so that rounding never picks a token behind the last possible one
    reach = torch.minimum(place[:, None].to(total) * total, total.nextafter(torch.zeros_like(total)))
    return torch.searchsorted(cumulative, reach, right=True)[:, 0]


def filled(
    posterior: CategoricalPosterior, chosen: Tensor, place: Tensor, temperature: float, top_p: float
) -> Tensor:
    """x_t with tokens drawn at the chosen positions, (B, L).

    Args:
        posterior: what is known.
        chosen: which positions to fill, (B, L), bool; only open ones are.
        place: uniform numbers, (B, L), float64.
        temperature, top_p: see ``tempered``.
    """
    chosen = chosen & posterior.open
    probs = tempered(posterior.rows[chosen[posterior.open]], temperature, top_p)
    return posterior.x_t.masked_scatter(chosen, drawn(probs, place.to(chosen.device)[chosen]))


def check_options(temperature: float, top_p: float) -> None:
    """Refuse temperatures and shares that mean nothing.

    Raises:
        SampleError: naming the option.
    """
    if not 0 <= temperature < float("inf"):
        raise SampleError(f"temperature={temperature}: give 0 (the most likely token) or more; 1 is the law.")
    if not 0 < top_p <= 1:
        raise SampleError(f"top_p={top_p}: give a share above 0 and up to 1, such as 0.95; 1 is off.")


def check_masked(process: Process, name: str) -> None:
    """Refuse a process that does not hide tokens.

    Raises:
        SampleError: saying what fits.
    """
    if not isinstance(process, MaskedProcess):
        raise SampleError(
            f"The sampler {name!r} names hidden tokens, and {type(process).__name__} hides none. "
            "For a model of uniform noise, take --sampler uniform."
        )
