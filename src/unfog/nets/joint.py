"""The transformer that draws from words: one attention over patches of a picture and tokens of a text.

Joint attention (Esser et al. 2024, arXiv 2403.03206): picture and text look at each other and at themselves
at once, so that what a word means may depend on what is drawn already. In the first blocks each of the two
has weights of its own, since patches and words are different things ("double" blocks); in the later ones they
share them ("single" blocks), which halves the weights. Words have no place: only the patches are turned by
rotary codes.

The noise level and a condition vector scale, shift and gate every branch (adaLN-zero; Peebles & Xie 2023,
arXiv 2212.09748). In a small network six widths for every block are a large share of all weights, so by
default one layer says it for all blocks, and each adds an offset of its own (adaLN-single; Chen et al. 2023,
PixArt-alpha, arXiv 2310.00426).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError
from unfog.nets.attention import (
    PictureKeys,
    Prompt,
    check_heads,
    check_prompts,
    rotary_2d,
    spin,
)
from unfog.nets.detail import detail, filtered
from unfog.nets.layers import ClockEmbedding, Linear, check_settings, gated, look_up, zeroed
from unfog.nets.patches import cut
from unfog.nets.position import Position

MODULATIONS = ("shared", "block")


@dataclass(frozen=True, kw_only=True)
class JointTransformerConfig:
    """Shape of the network.

    Attributes:
        channels: of the picture in and out.
        extra: further input channels (the ``concat`` slot).
        patch: side of a patch, in pixels or places of a latent.
        width: of a token inside the network; a multiple of ``head``.
        depth: blocks.
        double: how many of them, the first ones, have weights of their own for the text; never the last.
        head: width of an attention head, a multiple of 4.
        vector: length of the condition vector that it accepts.
        context: width of the text tokens that it accepts, 0 for none.
        picture: width of the tokens of a picture given as a prompt, 0 for none.
        modulation: "shared" by all blocks, or each "block" its own.
        position: whether patches know where in the picture they are, and not only how far apart.
        dropout: share of activations dropped at the end of each branch while training.
        variance: a second output for each channel, for a learned variance (``denoise/variance.py``).
        detail: from how many sizes of surroundings differences are held up (``nets/detail.py``), 0 for none.
    """

    channels: int = 3
    extra: int = 0
    patch: int = 2
    width: int = 256
    depth: int = 6
    double: int = 2
    head: int = 64
    vector: int = 128
    context: int = 0
    picture: int = 0
    modulation: str = "shared"
    position: bool = False
    dropout: float = 0.0
    variance: bool = False
    detail: int = 0

    def __post_init__(self) -> None:
        check_settings(self, "channels", "patch", "width", "depth", "head", "vector")
        check_heads(self)
        check_prompts(self)
        if not isinstance(self.double, int) or self.double < 0:
            raise ConfigError(f"network.double = {self.double!r}: give a whole number of blocks, or 0.")
        if self.modulation not in MODULATIONS:
            raise ConfigError(f"network.modulation = {self.modulation!r}: give {' or '.join(MODULATIONS)}.")


@dataclass(frozen=True)
class View:
    """What all blocks need to know of one call.

    Attributes:
        patches: how many tokens are patches; they come first.
        turn: rotary codes of all tokens, complex, (N, 1, 1, head / 2).
        seen: which tokens may be looked at, bool (B, 1, 1, N); None where all may.
        picture: tokens of a picture given as a prompt, (B, M, P), or None.
    """

    patches: int
    turn: Tensor
    seen: Tensor | None
    picture: Tensor | None


class Offset(nn.Module):
    """What a block adds to the modulation that all blocks share."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width), same shape out."""
        return x + self.offset


class Stream(nn.Module):
    """The weights of one block for one kind of token: what goes into attention, and what follows it.

    The feed-forward part is gated (SwiGLU; Shazeer 2020, arXiv 2002.05202), as processors compute its
    exponential several times faster than the tanh of a GELU.
    """

    def __init__(self, config: JointTransformerConfig) -> None:
        super().__init__()
        width = config.width
        inner = -(-8 * width // (3 * 64)) * 64  # as many weights as an ungated part of four times the width
        shared = config.modulation == "shared"
        self.modulate = Offset(6 * width) if shared else zeroed(Linear(config.vector, 6 * width))
        self.qkv = Linear(width, 3 * width, bias=False)
        self.out = Linear(width, width, bias=False)
        self.wide = Linear(width, 2 * inner, bias=False)
        self.narrow = Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def modulation(self, emb: Tensor) -> tuple[Tensor, ...]:
        """Shift, scale and gate of attention, then of the feed-forward part, each (B, 1, D)."""
        return self.modulate(emb)[:, None].chunk(6, 2)  # type: ignore[no-any-return]

    def ask(self, x: Tensor, modulation: tuple[Tensor, ...]) -> Tensor:
        """Tokens (B, N, D) to queries, keys and values, (B, N, 3 D)."""
        shift, scale = modulation[:2]
        asked: Tensor = self.qkv(torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale))
        return asked

    def finish(self, x: Tensor, mixed: Tensor, modulation: tuple[Tensor, ...]) -> Tensor:
        """Tokens and what attention found for them, (B, N, D) each, to tokens."""
        _, _, gate_a, shift, scale, gate_f = modulation
        x = torch.addcmul(x, gate_a, self.dropout(self.out(mixed)))
        thought = gated(self.wide(torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale)))
        return torch.addcmul(x, gate_f, self.dropout(self.narrow(thought)))


class JointBlock(nn.Module):
    """One attention over all tokens, then a feed-forward part for each.

    Args:
        config: of the network.
        double: whether the text has weights of its own.
        last: whether nobody looks at the text afterwards, so that it need not be finished.
    """

    def __init__(self, config: JointTransformerConfig, *, double: bool, last: bool) -> None:
        super().__init__()
        self.split, self.last = (config.width // config.head, config.head), last
        self.stream = Stream(config)
        self.text = Stream(config) if double else None
        self.picture = PictureKeys(config.picture, config.width) if config.picture else None

    def forward(self, parts: list[Tensor], emb: Tensor, view: View) -> list[Tensor]:
        """Patches and words, each (B, N, D), or all of them in one, to the same."""
        streams = [self.stream] if self.text is None or len(parts) == 1 else [self.stream, self.text]
        says = [stream.modulation(emb) for stream in streams]
        asked = [stream.ask(part, said) for stream, part, said in zip(streams, parts, says, strict=True)]
        mixed = self._attend(asked[0] if len(asked) == 1 else torch.cat(asked, 1), view)
        if self.last:
            parts = [parts[0][:, : view.patches]]
        found = torch.split(mixed, [part.shape[1] for part in parts], 1)
        return [
            stream.finish(part, what, said)
            for stream, part, what, said in zip(streams, parts, found, says, strict=True)
        ]

    def _attend(self, asked: Tensor, view: View) -> Tensor:
        query_key, value = torch.split(asked.view(*asked.shape[:2], 3, *self.split), [2, 1], 2)
        # normalised queries and keys keep attention from saturating at high learning rates
        query_key = spin(F.layer_norm(query_key, query_key.shape[-1:]), view.turn)
        query, key = query_key.transpose(1, 3).unbind(2)
        if self.last:
            query = query[:, :, : view.patches]
        value = value.squeeze(2).transpose(1, 2)
        mixed = look_up(query, key, value, view.seen)
        mixed = mixed.transpose(1, 2).flatten(2)
        if self.picture is not None and view.picture is not None:
            shown = self.picture(query[:, :, : view.patches], view.picture)
            mixed = mixed + F.pad(shown, (0, 0, 0, mixed.shape[1] - view.patches))
        return mixed


class JointTransformer(nn.Module):
    """Patches and words in, patches out; any height and width, and any number of words, also none."""

    def __init__(self, config: JointTransformerConfig) -> None:
        super().__init__()
        self.config = config
        pixels, width = config.patch**2, config.width
        outputs = config.channels * (1 + config.variance + config.detail)
        self.clock = ClockEmbedding(config.vector)
        self.stem = Linear((config.channels * (1 + config.detail) + config.extra) * pixels, width)
        self.position = Position(width) if config.position else None
        self.condition = Linear(config.context, width) if config.context else None
        double = min(config.double, config.depth - 1) if config.context else 0
        self.blocks = nn.ModuleList(
            JointBlock(config, double=i < double, last=i == config.depth - 1) for i in range(config.depth)
        )
        shared = config.modulation == "shared"
        self.shared = zeroed(Linear(config.vector, 6 * width)) if shared else nn.Identity()
        self.modulate = zeroed(Linear(config.vector, 2 * width))
        self.head = zeroed(Linear(width, outputs * pixels))

    def forward(
        self,
        x: Tensor,
        clock: Tensor,
        vector: Tensor | None = None,
        concat: Tensor | None = None,
        tokens: Tensor | None = None,
        mask: Tensor | None = None,
        picture: Tensor | None = None,
    ) -> Tensor:
        """Predict the target.

        Args:
            x: scaled noisy pictures or latents, (B, C, H, W).
            clock: log(alpha / sigma), (B,).
            vector: what steers it as a whole, (B, V), added to the embedding of the clock.
            concat: further channels, (B, extra, H, W).
            tokens: of a text, (B, N, context).
            mask: which of them are real, (B, N), bool; all are without it.
            picture: tokens of a picture given as a prompt, (B, M, picture); their length is its strength.

        Returns:
            (B, C, H, W), or (B, 2 C, H, W) with ``variance``.

        Raises:
            ConfigError: if the network was not built for such tokens.
        """
        prompt = Prompt.of(self.config, tokens, mask, picture)
        emb = F.silu(self.clock(clock) if vector is None else self.clock(clock) + vector)
        fine = detail(x, clock, self.config.detail)
        x = torch.cat([x, fine.to(x), *([] if concat is None else [concat])], 1)
        patches, frame = cut(x, self.config.patch)
        parts = [self.stem(patches)]
        if self.position is not None:
            parts = [parts[0] + self.position.of(frame.rows, frame.columns, x.device)]
        if self.condition is not None and prompt.tokens is not None:
            parts.append(self.condition(prompt.tokens))
        turn = torch.complex(*rotary_2d(frame.rows, frame.columns, self.config.head, x.device))
        view, shared = _view(turn, parts, prompt), self.shared(emb)
        for block in self.blocks:
            if block.text is None and len(parts) == 2:
                parts = [torch.cat(parts, 1)]
            parts = block(parts, shared, view)
        shift, scale = self.modulate(emb)[:, None].chunk(2, 2)
        h = torch.addcmul(shift, F.layer_norm(parts[0], parts[0].shape[-1:]), 1 + scale)
        return filtered(frame.join(self.head(h)), fine, self.config.channels)


def _view(turn: Tensor, parts: list[Tensor], prompt: Prompt) -> View:
    """Patches first, then words, which stay as they are: times 1."""
    patches, words = parts[0].shape[1], sum(part.shape[1] for part in parts[1:])
    turn = F.pad(turn, (0, 0, 0, words), value=1.0)[:, None, None]
    seen = None if prompt.mask is None else F.pad(prompt.mask, (patches, 0), value=True)[:, None, None]
    return View(patches, turn, seen, prompt.picture)
