"""How well a model of text predicts: the variational bound of -log p(x), in nats, by which language models
compare.

Divided by the number of tokens and by log 2 it is bits per token; its exponential for each token is the
perplexity. In continuous time the bound is an integral over the share of tokens that is lost, 1 - alpha:
how fast a schedule loses them drops out, and with exact conditionals the bound is the entropy.

Masked (Sahoo et al. 2024, arXiv 2406.07524; Shi et al. 2024, arXiv 2406.04329), with cross-entropy over
hidden i:

    integral over 1 - alpha of  E[ sum over i of -log p(x_i | x_t) ] / (1 - alpha)

At small shares this is hard to estimate: hardly ever is a token hidden, and then it counts a lot. Draw
instead how many of n tokens are hidden, k from 1 to n with equal probability, and which; the integral is
then the mean of n / k times the cross-entropy, which varies little. The k-th smallest of n uniform numbers
is the share lost that goes with k, so a network that looks at the time sees the right one.

Uniform (Sahoo et al. 2025, arXiv 2506.10892), with z the token of x_t, K a one-hot x + 1 - a for a token or
for its leave-one-out law, a = alpha, and r, q what that gives for the true token and for the law, divided
by its value at z:

    integral over 1 - alpha of  E[ sum over i, j of  r_j log(r_j / q_j) - r_j + q_j ] / (K alpha)

Here shares are drawn as squares of evenly spread numbers, since small ones vary most.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from unfog.condition import NONE, Condition
from unfog.denoise import CategoricalPosterior, MaskedDenoiser, TokenDenoiser, leave_one_out
from unfog.errors import SampleError
from unfog.process import DiscreteProcess, MaskedProcess, UniformProcess
from unfog.rng import Noise

DOUBLE = torch.empty(0, dtype=torch.float64)


@torch.no_grad()
def token_bound(
    denoiser: TokenDenoiser,
    x: Tensor,
    levels: int,
    rng: Noise,
    fixed: Tensor | None = None,
    cond: Condition = NONE,
) -> Tensor:
    """An upper bound of -log p(x) in nats, one unbiased estimate for each example.

    Args:
        denoiser: the model; of uniform noise, one that gives p(x_i | x_t), see ``leave_one_out``.
        x: clean tokens, (B, L), int64.
        levels: how often each example is looked at, at evenly spread noise levels; 64 is plenty for one text,
            1 for the mean of many.
        rng: of noise and levels.
        fixed: tokens that are given and not predicted, (B, L), bool; then it bounds -log p(x | these).
        cond: what steers it.

    Returns:
        Nats, (B,), float64.

    Raises:
        SampleError: if there is no level, or the process is neither masked nor uniform.
    """
    if levels < 1:
        raise SampleError(f"{levels} levels: look at each text at least once, better 64 times.")
    process, total = denoiser.process, torch.zeros(len(x), dtype=torch.float64)
    free = torch.ones_like(x, dtype=torch.bool) if fixed is None else ~fixed
    for level in range(levels):
        place = (level + rng.uniform((len(x),), like=DOUBLE)) / levels
        if isinstance(process, MaskedProcess):
            x_t, t, weight = _hide(process, x, free, place, rng)
            cost = denoiser(x_t, t, cond).divergence(x).double().cpu()
        elif isinstance(process, UniformProcess):
            lost = place**2
            t, weight = process.keep.time(1 - lost), 2 * place
            x_t = torch.where(free, process.corrupt(x, t, rng), x)
            cost = bound_density(denoiser(x_t, t, cond), process, x, t, fixed)
        else:
            raise SampleError(
                f"No bound is known for {type(process).__name__}: give a masked or uniform process."
            )
        total += weight * cost
    return total / levels


@torch.no_grad()
def block_bound(
    denoiser: MaskedDenoiser,
    x: Tensor,
    block: int,
    levels: int,
    rng: Noise,
    fixed: Tensor | None = None,
    cond: Condition = NONE,
) -> Tensor:
    """``token_bound`` of a text that is written block by block: of each block given those before it.

    All blocks are looked at together, each with a share of its own hidden (Arriola et al. 2025,
    arXiv 2503.09573).

    Args:
        denoiser: shows each block the true ones before it, and none behind.
        block: tokens in a block.
        x, levels, rng, fixed, cond: as for ``token_bound``.

    Returns:
        Nats, (B,), float64.
    """
    batch, length = x.shape
    process, total = denoiser.process, torch.zeros(batch, dtype=torch.float64)
    free, width = torch.ones_like(x, dtype=torch.bool) if fixed is None else ~fixed, -(-length // block)
    parts, open = (functional.pad(part, (0, width * block - length)).view(-1, block) for part in (x, free))
    for level in range(levels):
        place = (level + rng.uniform((len(parts),), like=DOUBLE)) / levels
        hidden, _, weight = _hide(process, parts, open, place, rng)
        x_t, weights = hidden.view(batch, -1)[:, :length], weight.repeat_interleave(block).view(batch, -1)
        posterior = denoiser(x_t, torch.ones((), dtype=torch.float64), cond)
        cost = -posterior.rows.gather(1, x[posterior.open][:, None])[:, 0].double().cpu()
        here = posterior.open.cpu().nonzero().unbind(1)
        total = total.index_add(0, here[0], cost * weights[here])
    return total / levels


def bound_density(
    posterior: CategoricalPosterior,
    process: DiscreteProcess,
    x: Tensor,
    t: Tensor,
    fixed: Tensor | None = None,
) -> Tensor:
    """What the bound grows by at x_t for each unit of the share lost; in time, -alpha' times as fast.

    Args:
        posterior: p(x_i | x_t).
        process: how tokens are lost.
        x: clean tokens, (B, L).
        t: times strictly between 0 and 1, () or (B,).
        fixed: tokens that are not predicted, (B, L), bool.

    Returns:
        Nats, (B,), float64; its mean over x_t and integral over 1 - alpha is the bound.
    """
    if isinstance(process, UniformProcess):
        each = _exchanged(posterior, leave_one_out(posterior, process, t).double(), process, x, t)
        counted = posterior.open if fixed is None else posterior.open & ~fixed
        found = each.new_zeros(x.shape).masked_scatter(posterior.open, each)
        return torch.where(counted, found, 0.0).sum(1).cpu()
    return posterior.divergence(x).double().cpu() / process.scales(t)[1]


def _hide(
    process: MaskedProcess, x: Tensor, free: Tensor, place: Tensor, rng: Noise
) -> tuple[Tensor, Tensor, Tensor]:
    """x_t with k of the free tokens hidden, the time that goes with it, and the weight n / k.

    Args:
        process: how tokens are hidden.
        x: clean tokens, (B, L).
        free: which may be hidden, (B, L).
        place: where k lies among 1 to n, in [0, 1), (B,).
        rng: of which are hidden.
    """
    count = free.sum(1).cpu()
    lots = rng.uniform(x.shape, like=DOUBLE).masked_fill(~free.cpu(), 1.0)
    k = ((place * count).long() + 1).minimum(count).clamp_min(1)
    lost = lots.sort(1).values.gather(1, k[:, None] - 1)
    hidden = (lots <= lost).to(x.device) & free
    return x.masked_fill(hidden, process.mask), process.keep.time(1 - lost[:, 0]), count / k


def _exchanged(
    posterior: CategoricalPosterior, others: Tensor, process: UniformProcess, x: Tensor, t: Tensor
) -> Tensor:
    """The density of the bound of uniform diffusion for each open position, (M,), float64.

    Args:
        posterior: says which positions are open.
        others: the leave-one-out law as log-probabilities, (M, K), float64.
        process: how tokens are exchanged.
        x: clean tokens, (B, L).
        t: times, () or (B,).
    """
    alpha = process.share(t).to(others.device).expand(len(x))[posterior.examples][:, None]
    seen, true = (part[posterior.open][:, None] for part in (posterior.x_t, x))
    said = process.vocabulary * alpha * others.exp() + 1 - alpha
    fact = (1 - alpha).expand_as(said).scatter_add(1, true, process.vocabulary * alpha)
    r, q = fact / fact.gather(1, seen), said / said.gather(1, seen)
    return (torch.xlogy(r, r / q) - r + q).sum(1) / (process.vocabulary * alpha[:, 0])
