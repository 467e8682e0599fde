"""What a model itself thinks of a finished text: how probable each token is, given all the others.

Tokens that were named in one step do not see each other, so they may not fit together. Afterwards they all
can be seen: hide one, ask, put it back, and so on. This pseudo-likelihood (Besag 1975) tells texts that fall
apart from those that hold together, however weak an outside reader is. It says nothing about variety, and
no model is a fair judge of another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from unfog.model import TextModel

AT_ONCE = 4096  # tokens that are looked at together, which bounds memory


@torch.inference_mode()
def second_look(
    model: TextModel, tokens: Tensor, places: Tensor, labels: Sequence[int] | None = None
) -> Tensor:
    """-log2 p(token | all others) at some places of some texts; block by block, given all that is seen.

    Args:
        model: of text.
        tokens: finished texts, (B, L).
        places: where to look, (B, P), int64.
        labels: a class number for each text, or None.

    Returns:
        Bits, (B, P), float64.
    """
    count, length = tokens.shape
    rows = tokens.repeat_interleave(places.shape[1], 0)
    asked = torch.zeros_like(rows, dtype=torch.bool).scatter(1, places.reshape(-1, 1), value=True)
    found, size = [], max(1, AT_ONCE // length)
    number = torch.arange(count).repeat_interleave(places.shape[1])
    for x, where, whose in zip(*(torch.split(part, size) for part in (rows, asked, number)), strict=True):
        some = None if labels is None else [labels[i] for i in whose.tolist()]
        posterior = model.without(x, where, some)
        said = posterior.rows[where.to(posterior.open)[posterior.open]]
        found.append(said.gather(1, x[where].to(said.device)[:, None])[:, 0].double().cpu())
    return (-torch.cat(found) / math.log(2)).reshape(count, -1)


def written_places(canvas: Tensor, text: Tensor, mask: int, end: int) -> Tensor:
    """The places of a text that were open on its canvas, up to the first END that was written there.

    Args:
        canvas: before, (L,); MASK where it is open.
        text: after, (L,).
        mask, end: those tokens.
    """
    places = (canvas == mask).nonzero()[:, 0]
    ends = (text[places] == end).nonzero()[:, 0]
    return places[: int(ends[0]) + 1] if len(ends) else places


def unread(canvas: Tensor, text: Tensor, mask: int, end: int) -> Tensor:
    """Texts with what stands behind their first END hidden again, (B, L); arguments as above, (B, L)."""
    open = canvas == mask
    ended = ((text == end) & open).long()
    return text.masked_fill(open & (ended.cumsum(1) > ended), mask)
