"""The network for text: a transformer that sees both sides, one side, or one block after another.

Tokens in, one row of logits for each place out (Vaswani et al. 2017, arXiv 1706.03762). For masked diffusion
every place sees every other, and the network needs no clock: how much is masked can be counted (Sahoo et al.
2024, arXiv 2406.07524). Rotary codes tell how far two tokens are apart (Su et al. 2021, arXiv 2104.09864);
queries and keys are normalised; the matrix that reads tokens is also the one that names them.

With ``block`` = n, the places are cut into blocks of n, and a place sees its own block and those before,
never a later one (Arriola et al. 2025, arXiv 2503.09573). What a finished block looks like to later ones then
never changes, so its keys and values are computed once and kept in a ``Cache``. A causal network is the case
of blocks of one token.

With ``whole`` it learns both: a place sees every other, except while blocks are written behind a cache.

With ``gap``, a text of two parts, source GAP target, is read as by an encoder and a decoder (Vaswani et al.
2017): the source sees only itself, the target sees both. So a source is read once, however often its target
is looked at: while it is written, through a ``Cache``, and while it is learned, where several noisy targets
stand behind one source.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError, SampleError
from unfog.nets.layers import Linear, check_settings, gated, linear, look_up, zeroed

BASE = 10_000.0  # of the wavelengths of the rotary codes, in tokens: from 2 pi up to about this

Turn = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class TextTransformerConfig:
    """Shape of the network.

    Attributes:
        vocabulary: K, how many tokens there are, special ones included.
        width: of a token inside the network; a multiple of ``head``.
        depth: layers.
        head: width of an attention head, an even number.
        vector: length of the condition vector that it accepts.
        dropout: share of activations dropped at the end of each branch while training.
        causal: whether a token sees only itself and those before it; the same as ``block`` = 1.
        block: tokens in a block, for block-causal attention; 0 lets every token see every other.
        whole: whether a network with blocks also reads texts whole: without a cache, every token sees every
            other.
        gap: the token that closes a source, which does not see what stands behind it; None for no such token.
    """

    vocabulary: int
    width: int = 256
    depth: int = 6
    head: int = 64
    vector: int = 128
    dropout: float = 0.0
    causal: bool = False
    block: int = 0
    whole: bool = False
    gap: int | None = None

    def __post_init__(self) -> None:
        check_settings(self, "vocabulary", "width", "depth", "head", "vector")
        if self.width % self.head or self.head % 2:
            raise ConfigError(
                f"network.width = {self.width}: give a multiple of network.head = {self.head}, "
                "which is an even number."
            )
        if not isinstance(self.causal, bool):
            raise ConfigError(f"network.causal = {self.causal!r}: give true or false.")
        if not isinstance(self.block, int) or self.block < 0 or (self.causal and self.block > 1):
            raise ConfigError(
                f"network.block = {self.block!r}: give the tokens of a block, or 0 for none; "
                "a causal network has none."
            )
        if not isinstance(self.whole, bool) or (self.whole and not self.block):
            raise ConfigError(
                f"network.whole = {self.whole!r}: give true or false; true only with network.block."
            )
        if self.gap is not None and (self.span or not 0 <= self.gap < self.vocabulary):
            raise ConfigError(
                f"network.gap = {self.gap!r}: give a token, 0 to {self.vocabulary - 1}, and no blocks."
            )

    @property
    def span(self) -> int:
        """Tokens of a block: 0 without blocks, 1 for a causal network."""
        return 1 if self.causal else self.block


def rotary(positions: Tensor, head: int, dtype: torch.dtype = torch.float32) -> Turn:
    """Cosines and sines that turn queries and keys, each (..., L, 1, head), for positions (..., L)."""
    frequency = BASE ** (-torch.arange(0, head, 2, device=positions.device, dtype=dtype) / head)
    angle = positions[..., None, None] * frequency
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)


def turned(x: Tensor, turn: Turn) -> Tensor:
    """Turn pairs of features (i, i + head / 2) of (..., L, heads, head) by ``rotary``."""
    cos, sin = turn
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)


def sees(rows: Tensor, columns: Tensor, block: int) -> Tensor:
    """Whether the token at place ``rows[i]`` sees that at ``columns[j]``, bool (rows, columns)."""
    return rows[:, None] // block >= columns // block


def sees_beside(length: int, block: int, device: torch.device) -> Tensor:
    """Who sees whom when a noisy text is followed by its clean self, bool (2 length, 2 length).

    A noisy block sees itself and the clean blocks before it; a clean block itself and the clean ones before.
    """
    of = torch.arange(length, device=device) // block
    same, later = of[:, None] == of, of[:, None] > of
    return torch.cat([torch.cat([same, later], 1), torch.cat([torch.zeros_like(same), same | later], 1)])


def sees_beneath(tokens: Tensor, gap: int) -> Tensor | None:
    """Who sees whom where sources see no targets, bool (B, 1, L, L); None where there is no target.

    Args:
        tokens: (B, L), in which ``gap`` closes a source, or does not occur.
        gap: that token.
    """
    closed = (tokens == gap).int().cumsum(1)
    target = closed - (tokens == gap).int() > 0
    return (target[:, None, :, None] | ~target[:, None, None, :]) if bool(target.any()) else None


def sees_copies(source: int, room: int, copies: int, device: torch.device) -> Tensor:
    """Who sees whom where several versions of a target stand behind one source, bool (L, L).

    Each sees the source and itself; L is ``source`` + ``room`` * ``copies``.
    """
    of = torch.arange(copies, device=device).repeat_interleave(room)
    of = torch.cat([of.new_full((source,), -1), of])
    return (of[:, None] == of) | (of == -1)


class Cache:
    """Keys and values of the tokens so far, for one batch of texts that grow block by block.

    Attributes:
        filled: tokens so far.
        length: tokens it has room for.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        """Empty, with room of (layers, B, heads, length, head) each."""
        self._keys, self._values = keys, values
        self.filled, self.length = 0, keys.shape[3]

    def join(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a layer with new ones (B, heads, n, head) at the end.

        They stay only if ``filled`` is moved behind them; else the next ones take their place.
        """
        end = self.filled + key.shape[2]
        keys, values = self._keys[layer, :, :, :end], self._values[layer, :, :, :end]
        keys[:, :, self.filled :], values[:, :, self.filled :] = key, value
        return keys, values


class TextBlock(nn.Module):
    """Attention, then a gated feed-forward part (SwiGLU; Shazeer 2020, arXiv 2002.05202).

    No biases: the few products are as wide as they can be, which is what processors like.
    """

    def __init__(self, width: int, head: int, dropout: float) -> None:
        super().__init__()
        self.split = (width // head, head)
        inner = -(-8 * width // (3 * 64)) * 64  # as many weights as an ungated part of four times the width
        self.qkv = Linear(width, 3 * width, bias=False)
        self.sharpness = nn.Parameter(torch.ones(head))
        self.out = zeroed(Linear(width, width, bias=False))
        self.wide = Linear(width, 2 * inner, bias=False)
        self.narrow = zeroed(Linear(inner, width, bias=False))
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(
        self, x: Tensor, turn: Turn, mask: Tensor | None, cached: tuple[Cache, int] | None = None
    ) -> Tensor:
        """Tokens (B, L, D) to tokens.

        Args:
            x: the tokens.
            turn: see ``rotary``.
            mask: who sees whom, bool (L, columns), or (B, 1, L, columns) where texts differ in it; None where
                everyone sees everyone.
            cached: the cache with the tokens before these, and the number of this layer in it.
        """
        x = x + self.dropout(self._attend(F.layer_norm(x, x.shape[-1:]), turn, mask, cached))
        out: Tensor = x + self.dropout(self.narrow(gated(self.wide(F.layer_norm(x, x.shape[-1:])))))
        return out

    def _attend(self, x: Tensor, turn: Turn, mask: Tensor | None, cached: tuple[Cache, int] | None) -> Tensor:
        query, key, value = self.qkv(x).view(*x.shape[:2], 3, *self.split).unbind(2)
        # normalised queries and keys keep attention from saturating at high learning rates
        query = turned(F.rms_norm(query, query.shape[-1:], self.sharpness.to(query.dtype)), turn).transpose(
            1, 2
        )
        key = turned(F.rms_norm(key, key.shape[-1:]), turn).transpose(1, 2)
        value = value.transpose(1, 2)
        if cached:
            key, value = cached[0].join(cached[1], key, value)
        mixed = look_up(query, key, value, mask)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(x.shape))
        return out


class TextTransformer(nn.Module):
    """Logits for every place of a text."""

    def __init__(self, config: TextTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Embedding(config.vocabulary, config.width)
        nn.init.normal_(self.stem.weight, std=0.02)  # it names tokens, too: logits start near 0
        self.condition = zeroed(nn.Linear(config.vector, config.width, bias=False))
        self.blocks = nn.ModuleList(
            TextBlock(config.width, config.head, config.dropout) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width, bias=False)

    def forward(
        self,
        tokens: Tensor,
        clock: Tensor | None = None,
        vector: Tensor | None = None,
        positions: Tensor | None = None,
        cache: Cache | None = None,
        keep: int = 0,
    ) -> Tensor:
        """Logits (B, L, K); arguments as for ``hidden``, and a ``clock`` that is not looked at."""
        return self.logits_of(self.hidden(tokens, vector, positions, cache, keep))

    def hidden(
        self,
        tokens: Tensor,
        vector: Tensor | None = None,
        positions: Tensor | None = None,
        cache: Cache | None = None,
        keep: int = 0,
    ) -> Tensor:
        """What the network makes of a text, before it names tokens.

        Args:
            tokens: (B, L), int64, 0..K-1.
            vector: condition, (B, vector), the same for all tokens.
            positions: (L,) or (B, L); by default 0, 1, 2, ..., going on behind a cache.
            cache: holds the tokens before these, which see them but are not computed again.
            keep: how many of these, the first ones, join the cache: whole blocks, or all. A block that is
                still being written must not.

        Returns:
            (B, L, width).

        Raises:
            SampleError: if a cache does not fit.
        """
        length, start = tokens.shape[1], 0
        if cache is not None:
            self._check(cache, length)
            start = cache.filled
        places = torch.arange(start, start + length, device=tokens.device)
        mask, span = None, 0 if self.config.whole and cache is None else self.config.span
        if span and start // span != (start + length - 1) // span:  # else all are in the last block
            mask = sees(places, torch.arange(start + length, device=tokens.device), span)
        elif self.config.gap is not None and cache is None:
            mask = sees_beneath(tokens, self.config.gap)
        found = self._run(tokens, vector, places if positions is None else positions, mask, cache)
        if cache is not None:
            cache.filled += keep
        return found

    def logits_of(self, hidden: Tensor) -> Tensor:
        """(..., width) to logits (..., K); for training, of the chosen places only, as this is dear."""
        return linear(hidden, self.stem.weight)

    def hidden_beside(self, noisy: Tensor, clean: Tensor, vector: Tensor | None = None) -> Tensor:
        """``hidden`` of all blocks of a noisy text at once, each with the clean blocks before it.

        This is how block diffusion trains (Arriola et al. 2025, section 4): one pass over [noisy ; clean].

        Args:
            noisy: (B, L), int64.
            clean: (B, L), int64.
            vector: condition, (B, vector).

        Returns:
            (B, L, width), for the noisy text.
        """
        length = noisy.shape[1]
        places = torch.arange(length, device=noisy.device)
        mask = sees_beside(length, self.config.span or length, noisy.device)
        both = self._run(torch.cat([noisy, clean], 1), vector, places.repeat(2), mask, None)
        return both[:, :length]

    def hidden_copies(self, tokens: Tensor, room: int, copies: int, vector: Tensor | None = None) -> Tensor:
        """``hidden`` of several versions of a target, each behind the same source, which is read once.

        Args:
            tokens: source and all versions one after another, (B, L), int64.
            room: tokens of each version.
            copies: how many there are.
            vector: condition, (B, vector).

        Returns:
            (B, L, width).
        """
        source = tokens.shape[1] - room * copies
        places = torch.arange(source + room, device=tokens.device)
        positions = torch.cat([places[:source], places[source:].repeat(copies)])
        mask = sees_copies(source, room, copies, tokens.device) if copies else None
        return self._run(tokens, vector, positions, mask, None)

    def read(self, source: Tensor, room: int, vector: Tensor | None = None) -> Cache:
        """A cache that holds a source (B, S), and has room for a target of ``room`` tokens behind it.

        Raises:
            SampleError: if the sources of this network see their targets.
        """
        if self.config.gap is None:
            raise SampleError("This network reads a source anew whenever its target changes: it has no gap.")
        cache = self._empty(len(source), source.shape[1] + room)
        self.hidden(source, vector, cache=cache, keep=source.shape[1])
        return cache

    def cache(self, batch: int, length: int) -> Cache:
        """An empty cache for texts of at most ``length`` tokens that grow block by block.

        Raises:
            SampleError: if the network has no blocks: a token that sees both sides is never finished.
        """
        if not self.config.span:
            raise SampleError(
                "A cache needs a causal or block-causal network. Train with network.block = 16, for example."
            )
        return self._empty(batch, length)

    def _empty(self, batch: int, length: int) -> Cache:
        config = self.config
        shape = (config.depth, batch, config.width // config.head, length, config.head)
        return Cache(self.stem.weight.new_empty(shape), self.stem.weight.new_empty(shape))

    def _check(self, cache: Cache, length: int) -> None:
        if cache.filled + length > cache.length:
            raise SampleError(
                f"The cache has room for {cache.length} tokens; {cache.filled + length} are too many. "
                "Ask for a shorter text."
            )
        if self.config.span and cache.filled % self.config.span:
            raise SampleError(
                f"The cache ends inside a block ({cache.filled} tokens, blocks of {self.config.span}). "
                "Keep whole blocks only."
            )

    def _run(
        self,
        tokens: Tensor,
        vector: Tensor | None,
        positions: Tensor,
        mask: Tensor | None,
        cache: Cache | None,
    ) -> Tensor:
        weight = self.stem.weight
        x = F.layer_norm(self.stem(tokens), weight.shape[1:])
        if vector is not None:
            x = x + self.condition(vector)[:, None]
        turn = rotary(positions, self.config.head, weight.dtype)
        for number, block in enumerate(self.blocks):
            x = block(x, turn, mask, None if cache is None else (cache, number))
        found: Tensor = self.norm(x)
        return found
