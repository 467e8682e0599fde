"""Pictures to rows of tokens and back: one patch, one token (Dosovitskiy et al. 2021, arXiv 2010.11929)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from unfog.nets.layers import padding_to


@dataclass(frozen=True)
class Cut:
    """How a picture was cut.

    Attributes:
        size: height and width of the picture.
        patch: side of a patch in pixels.
        rows, columns: patches from top to bottom and from left to right.
    """

    size: tuple[int, int]
    patch: int
    rows: int
    columns: int

    def join(self, tokens: Tensor) -> Tensor:
        """Tokens (B, rows * columns, C * patch^2) as a picture (B, C, H, W) of the old size."""
        height, width = self.size
        left, _, top, _ = padding_to(self.size, self.patch)
        folded = tokens.transpose(1, 2).reshape(len(tokens), -1, self.rows, self.columns)
        return F.pixel_shuffle(folded, self.patch)[:, :, top : top + height, left : left + width]


def cut(x: Tensor, patch: int) -> tuple[Tensor, Cut]:
    """Pictures (B, C, H, W), padded to whole patches, as tokens (B, rows * columns, C * patch^2)."""
    size = (x.shape[2], x.shape[3])
    folded = F.pixel_unshuffle(F.pad(x, padding_to(size, patch)), patch)
    return folded.flatten(2).transpose(1, 2), Cut(size, patch, folded.shape[2], folded.shape[3])
