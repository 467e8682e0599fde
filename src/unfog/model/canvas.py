"""The canvas that text is written on: tokens that are given, and MASK wherever something is to be written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.codec.tokens import TokenCodec
from unfog.errors import SampleError

BLANK = re.compile("_{3,}")  # three underscores or more: something is missing here
GRAIN = 16  # the canvases of pairs have multiples of so many tokens


@dataclass(frozen=True)
class Canvas:
    """One row to write on.

    Attributes:
        tokens: (L,), int64; MASK where it is open.
        start: where the text that is asked for begins: behind the END, or behind the source of a summary.
        spaced: open places whose token must bring the space before it.
    """

    tokens: Tensor
    start: int = 0
    spaced: tuple[int, ...] = ()

    def given(self, mask: int) -> Tensor:
        """Which tokens are not to be touched, (L,), bool."""
        return self.tokens != mask


@dataclass(frozen=True)
class Layout:
    """How text lies on a canvas: as it lay on the rows that the model learned from.

    It begins behind an END, the one thing that can always be seen: the network knows only how far two places
    are apart, so where all is open, a place is told from another by how far it is from there.

    Attributes:
        codec: of the model.
        context: tokens that the model sees at once.
        packed: whether documents lay end to end, so that another one may follow.
        room: tokens kept for what a source has to say in short; 0 if the model learned no pairs.
    """

    codec: TokenCodec
    context: int
    packed: bool = False
    room: int = 0

    def beginning(self, prompt: str = "", length: int | None = None) -> Canvas:
        """A canvas that begins with a prompt; of ``length`` tokens, or what the model sees at once.

        Raises:
            SampleError: if the prompt leaves no room, or has characters that the model never saw.
        """
        length = length or self.context
        before = before_blank(self.codec, prompt)
        tokens = [self.codec.end, *encoded(self.codec, before)]
        if len(tokens) >= length:
            raise SampleError(
                f"The prompt has {len(tokens) - 1} tokens and the canvas {length - 1}, "
                "so nothing could be added. Give a shorter prompt."
            )
        spaced = (len(tokens),) if before != prompt else ()
        return Canvas(torch.tensor([*tokens, *[self.codec.mask] * (length - len(tokens))]), 1, spaced)

    def between(self, pieces: Sequence[str], blanks: Sequence[int] = ()) -> Canvas:
        """A canvas with blanks of known lengths between pieces of text, closed by END.

        Args:
            pieces: text, one more than blanks.
            blanks: tokens in each.

        Raises:
            SampleError: if it does not fit, or has characters that the model never saw.
        """
        tokens, spaced = [self.codec.end], list[int]()
        for piece, count in zip(pieces, [*blanks, 0], strict=True):
            before = before_blank(self.codec, piece) if count else piece
            tokens += encoded(self.codec, before)
            spaced += [len(tokens)] if before != piece else []
            tokens += [self.codec.mask] * count
        tokens.append(self.codec.end)
        if len(tokens) > self.context:
            raise SampleError(
                f"With its blanks the text has {len(tokens)} tokens, this model sees {self.context} at once. "
                "Give a shorter text, or shorter blanks."
            )
        if not self.packed:  # where each row held one document, END filled it up
            tokens += [self.codec.end] * (self.context - len(tokens))
        return Canvas(torch.tensor(tokens), 1, tuple(spaced))

    def beneath(self, source: str, *, known: bool = True) -> Canvas:
        """A canvas with a source, and room for what it has to say in short.

        Args:
            source: the text.
            known: whether to refuse characters that the model never saw; else they go in as they are.

        Raises:
            SampleError: if the source leaves no room, or has characters that the model never saw.
        """
        tokens = encoded(self.codec, source) if known else self.codec.encode_text(source)
        if len(tokens) > self.longest:
            raise SampleError(
                f"The text has {len(tokens)} tokens; this model summarises texts of up to {self.longest}. "
                "Give a shorter one, or its first part."
            )
        row = [*tokens, self.codec.gap, *[self.codec.mask] * self.room]
        row = [self.codec.end] * (rounded(len(row), self.context) - len(row)) + row
        return Canvas(torch.tensor(row), len(row) - self.room)

    @property
    def longest(self) -> int:
        """Tokens that a source may have."""
        return self.context - 1 - self.room


def rounded(length: int, context: int) -> int:
    """Tokens of the canvas of a pair: rounded up, so that pairs of many lengths can be written together."""
    return min(context, -(-length // GRAIN) * GRAIN)


def pieces_of(template: str) -> list[str]:
    """The text between the blanks, one piece more than there are blanks.

    Raises:
        SampleError: if there is no blank.
    """
    pieces = BLANK.split(template)
    if len(pieces) < 2:
        raise SampleError(
            'There is no blank in the text to fill. Mark each by three underscores: "The ___ of the package".'
        )
    return pieces


def before_blank(codec: TokenCodec, text: str) -> str:
    """What stands in front of something to be written, without the space that belongs to it.

    Pairs of bytes are joined to words that hold the space before them: " library" is one token. A space by
    itself stands in training only before what is no word, and only such things would be written behind it.
    """
    alone = codec.kind == "bpe" and text.endswith(" ") and not text[:-1].endswith((" ", "\n"))
    return text[:-1] if alone else text


def encoded(codec: TokenCodec, text: str) -> list[int]:
    """A text as tokens.

    Raises:
        SampleError: naming the characters that the training text never had.
    """
    if unseen := codec.unseen(text):
        shown = " ".join(unseen[:10]) + (" ..." if len(unseen) > 10 else "")
        raise SampleError(
            f"The model never saw these characters in its training: {shown}\n"
            "Leave them out, or write them as its training text does."
        )
    return codec.encode_text(text)
