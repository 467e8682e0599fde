"""Writing block by block: each block by diffusion, behind the finished ones, whose keys and values are kept.

This is autoregression over blocks (Arriola et al. 2025, arXiv 2503.09573): the text may be longer than what
the model sees at once, and ends by itself. What is kept of finished blocks is exact, as no block sees a later
one; a finished block is read by the call that begins the next, so none is spent on it alone. Only where the
text outgrows the context is the memory made anew, from its second half. A source that does not see its target
is remembered in the same way.

Rows that were cut out of a long line have one length, and how much of it is hidden tells a network without a
clock how much it knows. A shorter canvas would look as if more were known, and what is seen would count for
more than it should: "a simple text editor editor editor". So a short canvas is seen as a row of which nothing
further is known (``Amid``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from unfog.condition import Condition
from unfog.denoise.categorical import MaskedDenoiser, TokenDenoiser, UniformDenoiser
from unfog.guide import Given
from unfog.nets.text import Cache, TextTransformer
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import Sampler, Step, Unrepeated, trajectory

Bar = Callable[[TokenDenoiser, slice], TokenDenoiser]
"""Takes from a denoiser of some of the places what must not be written there."""


class Behind(nn.Module):
    """A network that sees the finished blocks through a cache; for ``MaskedDenoiser``.

    Args:
        network: with blocks, or a gap.
        cache: the blocks that it remembers.
        finished: tokens behind these that it does not remember yet, (B, n): the next call reads them first.
    """

    def __init__(self, network: TextTransformer, cache: Cache, finished: Tensor | None = None) -> None:
        super().__init__()
        self.network, self.cache, self.finished = network, cache, finished

    def hidden(self, tokens: Tensor, vector: Tensor | None = None) -> Tensor:
        """See ``TextTransformer.hidden``; these tokens do not join the cache."""
        if self.finished is None or not self.finished.shape[1]:
            return self.network.hidden(tokens, vector, cache=self.cache)
        new, both = self.finished.shape[1], torch.cat([self.finished, tokens], 1)
        self.finished = None
        return self.network.hidden(both, vector, cache=self.cache, keep=new)[:, new:]

    def logits_of(self, hidden: Tensor) -> Tensor:
        """See ``TextTransformer.logits_of``."""
        return self.network.logits_of(hidden)


class Blockwise(nn.Module):
    """A network that sees all blocks of a text at once, each behind the true ones before it.

    Args:
        network: with blocks.
        clean: the true text, (B, L).
    """

    def __init__(self, network: TextTransformer, clean: Tensor) -> None:
        super().__init__()
        self.network, self.clean = network, clean

    def hidden(self, tokens: Tensor, vector: Tensor | None = None) -> Tensor:
        """See ``TextTransformer.hidden_beside``."""
        return self.network.hidden_beside(tokens, self.clean, vector)

    def logits_of(self, hidden: Tensor) -> Tensor:
        """See ``TextTransformer.logits_of``."""
        return self.network.logits_of(hidden)


class Amid(nn.Module):
    """A network that sees its tokens at the beginning of a row, all else of which is hidden.

    Args:
        network: what sees it.
        length: tokens of a row.
        mask: what a hidden token is.
    """

    def __init__(self, network: TextTransformer, length: int, mask: int) -> None:
        super().__init__()
        self.network, self.length, self.mask = network, length, mask

    def hidden(self, tokens: Tensor, vector: Tensor | None = None) -> Tensor:
        """See ``TextTransformer.hidden``; of the tokens that are there, (B, L, D)."""
        count = tokens.shape[1]
        row = nn.functional.pad(tokens, (0, self.length - count), value=self.mask)
        return self.network.hidden(row, vector)[:, :count]

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
    bar: Bar,
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
        bar: what must not be written.
        rng: one stream for each text.
    """
    x, block = canvas.clone(), network.config.span
    size, index, last = canvas.shape[1], 0, len(grid) - 1
    memory, read = network.cache(len(x), context), 0
    for first in range(0, size, block):
        part = slice(first, min(first + block, size))
        known = canvas[:, part] != process.mask
        if not bool(known.all()):
            if memory.filled + part.stop - read > context:
                memory, read = network.cache(len(x), context), first - _kept(first, block, context)
            behind = Behind(network, memory, x[:, read:first])
            read = first
            denoiser: Any = bar(MaskedDenoiser(behind, process), part)
            denoiser = Given(denoiser, canvas[:, part], known) if bool(known.any()) else denoiser
            if isinstance(sampler, Unrepeated):
                sampler = replace(sampler, before=x[:, max(0, part.stop - context) : first])
            for step in trajectory(denoiser, sampler, grid, x[:, part], cond, rng=rng):
                before = x
                x = x.clone()
                x[:, part] = step.x_s
                yield Step(index, step.t, step.s, before, x, x)
                index += 1
        if bool(((x == end) & (canvas == process.mask))[:, : part.stop].any(1).all()):
            yield Step(index, float(grid[last]), 0.0, x, x.masked_fill(x == process.mask, end), x)
            return


def walk_beneath(
    denoiser: MaskedDenoiser | UniformDenoiser,
    sampler: Sampler[Any, Any],
    grid: Tensor,
    canvas: Tensor,
    source: int,
    cond: Condition,
    *,
    bar: Bar,
    rng: Noise,
) -> Iterator[Step]:
    """The way of what stands behind a source that is read once; x_t and x_s are the whole canvas.

    Args:
        denoiser: of a network with a ``gap``.
        sampler: how to step.
        grid: times.
        canvas: tokens, open behind the source, (B, L).
        source: tokens of the source, its GAP included.
        cond: what steers the network.
        bar: what must not be written.
        rng: one stream for each text.
    """
    network, front = denoiser.network, canvas[:, :source]
    assert isinstance(network, TextTransformer)
    memory = network.read(front, canvas.shape[1] - source, cond.vector)
    behind = bar(denoiser.onto(Behind(network, memory)), slice(source, None))
    for step in trajectory(behind, sampler, grid, canvas[:, source:], cond, rng=rng):
        x_t, x_s, clean = (torch.cat([front, part], 1) for part in (step.x_t, step.x_s, step.clean))
        yield Step(step.index, step.t, step.s, x_t, x_s, clean)


def _kept(count: int, block: int, context: int) -> int:
    """How many of ``count`` tokens a new memory begins with: half of the context, if blocks allow."""
    most = (context - block) // block * block
    return min(count, most, max(block, context // 2 // block * block))
