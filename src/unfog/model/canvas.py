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
TRIED = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # lengths of a blank that are tried where none is asked for


@dataclass(frozen=True)
class Canvas:
    """One row to write on.

    Attributes:
        tokens: (L,), int64; MASK where it is open.
        start: where the text that is asked for begins: 0, or behind the source of a summary.
    """

    tokens: Tensor
    start: int = 0

    def given(self, mask: int) -> Tensor:
        """Which tokens are not to be touched, (L,), bool."""
        return self.tokens != mask


def beginning(codec: TokenCodec, prompt: str, length: int) -> Canvas:
    """A canvas that begins with a prompt.

    Raises:
        SampleError: if the prompt leaves no room, or has characters that the model never saw.
    """
    tokens = encoded(codec, prompt)
    if len(tokens) >= length:
        raise SampleError(
            f"The prompt has {len(tokens)} tokens and the canvas {length}, so nothing could be added. "
            "Give a shorter prompt."
        )
    return Canvas(torch.tensor([*tokens, *[codec.mask] * (length - len(tokens))]))


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


def between(
    codec: TokenCodec, pieces: Sequence[str], blanks: Sequence[int], length: int, *, filled: bool
) -> Canvas:
    """A canvas with blanks of known lengths between pieces of text, closed by END.

    Args:
        codec: of the model.
        pieces: text, one more than blanks.
        blanks: tokens in each.
        length: L, at most.
        filled: whether END fills the canvas up, as in training on whole documents.

    Raises:
        SampleError: if it does not fit, or has characters that the model never saw.
    """
    tokens = encoded(codec, pieces[0])
    for piece, count in zip(pieces[1:], blanks, strict=True):
        tokens += [codec.mask] * count + encoded(codec, piece)
    tokens.append(codec.end)
    if len(tokens) > length:
        raise SampleError(
            f"With its blanks the text has {len(tokens)} tokens, this model sees {length} at once. "
            "Give a shorter text, or shorter blanks."
        )
    return Canvas(torch.tensor(tokens + [codec.end] * (length - len(tokens)) * filled))


def beneath(codec: TokenCodec, source: str, length: int, *, known: bool = True) -> Canvas:
    """A canvas with a source, and room for what it has to say in short.

    Args:
        codec: of the model.
        source: the text.
        length: L.
        known: whether to refuse characters that the model never saw; else they go in as they are.

    Raises:
        SampleError: if the source leaves no room, or has characters that the model never saw.
    """
    tokens = [*(encoded(codec, source) if known else codec.encode_text(source)), codec.gap]
    if len(tokens) > length - 8:
        raise SampleError(
            f"The text has {len(tokens) - 1} tokens; this model summarises texts of up to {length - 9}. "
            "Give a shorter one, or its first part."
        )
    return Canvas(torch.tensor([*tokens, *[codec.mask] * (length - len(tokens))]), len(tokens))


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


def guesses(count: int, room: int) -> list[list[int]]:
    """Lengths to try for each of ``count`` blanks where none is asked for; all blanks grow together.

    Args:
        count: of blanks.
        room: tokens that are free for all of them.
    """
    return [[size] * count for size in TRIED if size * count <= max(room, count)]
