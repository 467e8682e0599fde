"""Where in the picture a place is.

A convolution treats every place alike, and rotary codes tell only how far two places are apart. 'A star left
of a ring' wants more where all is still noise: the left half has to expect the star before there is anything
to compare it with. The edges of a picture give that away only faintly (Islam et al. 2020, arXiv 2001.08248),
so it is said outright, as in CoordConv (Liu et al. 2018, arXiv 1807.03247).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from unfog.nets.layers import zeroed

OCTAVES = 3  # the longest wave is twice the picture: its sine tells left from right everywhere


def coordinates(height: int, width: int, device: torch.device) -> Tensor:
    """Sines and cosines of row and column, (4 * OCTAVES, height, width), whatever the size in pixels.

    A picture reaches from -1 to 1 along each side; places are known by their middles.
    """
    waves = math.pi / 2 * 2.0 ** torch.arange(OCTAVES, device=device)
    found = []
    for axis, count in enumerate((height, width)):
        middles = (2 * torch.arange(count, device=device) + 1) / count - 1
        angle = waves[:, None] * middles
        line = torch.cat([angle.sin(), angle.cos()])
        line = line[:, :, None] if axis == 0 else line[:, None]
        found.append(line.expand(-1, height, width))
    return torch.cat(found)


class Position(nn.Module):
    """Adds to every place what it is good for to know where it stands; nothing, to begin with.

    Args:
        width: channels of the picture.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = zeroed(nn.Linear(4 * OCTAVES, width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape out."""
        height, width = x.shape[2:]
        return x + self.of(height, width, x.device).T.view(-1, height, width)

    def of(self, rows: int, columns: int, device: torch.device) -> Tensor:
        """What is added, place by place, (rows * columns, C)."""
        told: Tensor = self.mix(coordinates(rows, columns, device).flatten(1).T)
        return told
