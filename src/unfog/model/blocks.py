"""Writing block by block: each block by diffusion, behind the finished ones, whose keys and values are kept.

This is autoregression over blocks (Arriola et al. 2025, arXiv 2503.09573): the text may be longer than what
the model sees at once, and ends by itself. What is kept of finished blocks is exact, as no block sees a later
one; only where the text outgrows the context is the memory made anew, from its second half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from unfog.condition import Condition
from unfog.denoise.categorical import MaskedDenoiser
from unfog.guide import Barred, Given
from unfog.nets.text import Cache, TextTransformer
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import Sampler, Step, trajectory


class Behind(nn.Module):
    """A network that sees the finished blocks through a cache; for ``MaskedDenoiser``."""

    def __init__(self, network: TextTransformer, cache: Cache) -> None:
        super().__init__()
        self.network, self.cache = network, cache

    def hidden(self, tokens: Tensor, vector: Tensor | None = None) -> Tensor:
        """See ``TextTransformer.hidden``; the cache stays as it is."""
        return self.network.hidden(tokens, vector, cache=self.cache)

    def logits_of(self, hidden: Tensor) -> Tensor:
        """See ``TextTransformer.logits_of``."""
        return self.network.logits_of(hidden)


def walk_blocks(
    network: TextTransformer,
    process: MaskedProcess,
    sampler: Sampler[Any, Any],
    grid: Tensor,
    canvas: Tensor,
    cond: Condition,
    *,
    context: int,
    end: int,
    barred: Sequence[int] = (),
    rng: Noise,
) -> Iterator[Step]:
    """The way from a canvas to text, one step of one block at a time; x_t and x_s are the whole canvas.

    Args:
        network: with blocks.
        process: how tokens are hidden.
        sampler: how to step.
        grid: times of one block.
        canvas: tokens, MASK where it is open, (B, L).
        cond: what steers the network.
        context: tokens that the network sees at once.
        end: the token END; once all texts have written it, what follows is END.
        barred: tokens that are not to be written.
        rng: one stream for each text.
    """
    x, block = canvas.clone(), network.config.span
    size, index, last = canvas.shape[1], 0, len(grid) - 1
    memory = network.cache(len(x), context)
    for first in range(0, size, block):
        part = slice(first, min(first + block, size))
        if memory.filled + block > context:
            memory = _renewed(network, x[:, :first], context, cond)
        known = canvas[:, part] != process.mask
        if not bool(known.all()):
            denoiser: Any = Barred(MaskedDenoiser(Behind(network, memory), process), barred)
            denoiser = Given(denoiser, canvas[:, part], known) if bool(known.any()) else denoiser
            for step in trajectory(denoiser, sampler, grid, x[:, part], cond, rng=rng):
                before = x
                x = x.clone()
                x[:, part] = step.x_s
                yield Step(index, step.t, step.s, before, x, x)
                index += 1
        if bool(((x == end) & (canvas == process.mask))[:, : part.stop].any(1).all()):
            yield Step(index, float(grid[last]), 0.0, x, x.masked_fill(x == process.mask, end), x)
            return
        network.hidden(x[:, part], cond.vector, cache=memory, keep=True)


def _renewed(network: TextTransformer, text: Tensor, context: int, cond: Condition) -> Cache:
    """A memory of the last half of what can be seen, in whole blocks."""
    block = network.config.span
    kept = max(block, context // 2 // block * block)
    memory = network.cache(len(text), context)
    network.hidden(text[:, -kept:], cond.vector, cache=memory, keep=True)
    return memory
