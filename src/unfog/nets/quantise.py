"""Latents from a finite alphabet: the nearest of learned vectors, or a few fixed values for each number.

Rounding has no slope, so the gradient is handed straight through it, as if nothing had been rounded.

Vector quantisation (van den Oord et al. 2017, arXiv 1711.00937) learns its codes by the gradient: each code
is drawn towards the vectors that chose it, and a little the other way round (``commitment``). A code that
nobody in a batch chose is drawn towards the vector nearest to it, until it is chosen again; so no code stays
dead, and nothing has to be remembered between steps. The other way, running averages of the chosen vectors,
would be a state beside the weights, which checkpoints and averages of weights would have to know.

Finite scalar quantisation (Mentzer et al. 2023, arXiv 2309.15505) squeezes each number between -1 and 1 and
rounds it to one of a few even places. Its codes are all combinations; there is nothing to learn or to die.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Quantiser(nn.Module, ABC):
    """Latents (B, c, h, w) to latents of a finite alphabet.

    Attributes:
        codes: letters of the alphabet.
    """

    codes: int

    def prepare(self, z: Tensor) -> Tensor:
        """What the encoder says, (B, c, h, w), brought near the alphabet; the same where it is not needed."""
        return z

    @abstractmethod
    def indices(self, z: Tensor) -> Tensor:
        """The letter of each place, int64 (B, h, w), for prepared latents (B, c, h, w)."""

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """The same latents, quantised; the gradient is that of the latents themselves."""

    def loss(self, z: Tensor, commitment: float) -> Tensor:
        """What has to be paid so that latents and alphabet come together, (B,); nothing by default."""
        return z.new_zeros(len(z))


class VectorQuantiser(Quantiser):
    """The nearest of some learned vectors.

    Args:
        codes: how many.
        width: their length, the channels of the latents.
    """

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.codes = codes
        self.codebook = nn.Parameter(torch.randn(codes, width) * 0.3)

    def distances(self, z: Tensor) -> Tensor:
        """Squared distances (B h w, codes) of latents (B, c, h, w) to all codes."""
        rows = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])
        return rows.square().sum(1, keepdim=True) - 2 * rows @ self.codebook.T + self.codebook.square().sum(1)

    def indices(self, z: Tensor) -> Tensor:
        """See ``Quantiser.indices``."""
        return self.distances(z).argmin(1).view(len(z), *z.shape[2:])

    def forward(self, z: Tensor) -> Tensor:
        """See ``Quantiser.forward``."""
        return z + (self._look_up(self.indices(z)) - z).detach()

    def loss(self, z: Tensor, commitment: float) -> Tensor:
        """Squared distance of latents and codes; by ``commitment`` where it moves the latents, (B,)."""
        distances = self.distances(z)
        chosen = distances.argmin(1)
        code = self._look_up(chosen.view(len(z), *z.shape[2:]))
        apart = (code - z.detach()).square() + commitment * (code.detach() - z).square()
        return apart.flatten(1).mean(1) + self._revival(z, distances, chosen) / len(z)

    def _revival(self, z: Tensor, distances: Tensor, chosen: Tensor) -> Tensor:
        """Squared distance of each code that nobody chose to the vector nearest to it, added up, ()."""
        dead = torch.ones(self.codes, dtype=torch.bool, device=z.device)
        dead[chosen] = False
        rows = z.detach().permute(0, 2, 3, 1).reshape(-1, z.shape[1])
        nearest = rows[distances.argmin(0)]
        return torch.where(dead[:, None], self.codebook - nearest, 0.0).square().mean(1).sum() / self.codes

    def _look_up(self, indices: Tensor) -> Tensor:
        return self.codebook[indices].permute(0, 3, 1, 2)


class FiniteQuantiser(Quantiser):
    """A few even places for each channel.

    Args:
        levels: how many places, one number for each channel, 3 or more.
    """

    room: Tensor
    offset: Tensor
    shift: Tensor
    unit: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.levels, self.codes = tuple(levels), math.prod(levels)
        count = torch.tensor(levels, dtype=torch.float32)[:, None, None]
        # an even number of places has none in the middle
        offset, room = torch.where(count % 2 == 1, 0.0, 0.5), (count - 1) * (1 - 1e-3) / 2
        unit = (count / 2).floor()
        for name, value in {
            "room": room,
            "offset": offset,
            "shift": torch.atanh(offset / room),
            "unit": unit,
            "low": -unit,
            "high": count - 1 - unit,
        }.items():
            self.register_buffer(name, value, persistent=False)

    def prepare(self, z: Tensor) -> Tensor:
        """Each number squeezed to where its places are, about -1 to 1."""
        return (torch.tanh(z + self.shift) * self.room - self.offset) / self.unit

    def places(self, z: Tensor) -> Tensor:
        """The place of each number, counted from 0, (B, c, h, w), as whole numbers in float32."""
        return (z * self.unit).round().clamp(self.low, self.high) - self.low

    def indices(self, z: Tensor) -> Tensor:
        """See ``Quantiser.indices``."""
        steps = [math.prod(self.levels[:place]) for place in range(len(self.levels))]
        return (self.places(z).long() * torch.tensor(steps, device=z.device)[:, None, None]).sum(1)

    def forward(self, z: Tensor) -> Tensor:
        """See ``Quantiser.forward``."""
        return z + ((self.places(z) + self.low) / self.unit - z).detach()


def perplexity(indices: Tensor, codes: int) -> tuple[float, float]:
    """How much of an alphabet is in use.

    Args:
        indices: letters, int64, of any shape.
        codes: letters of the alphabet.

    Returns:
        The perplexity (as many letters, used equally often, would be as varied), and the share of letters
        that occur at all.
    """
    counts = torch.bincount(indices.flatten(), minlength=codes).double()
    share = counts / counts.sum()
    entropy = -(share * share.clamp_min(1e-300).log()).sum()
    return float(entropy.exp()), float((counts > 0).double().mean())
