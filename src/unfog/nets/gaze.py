"""Looking at a picture and saying what is in it, in a few vectors: its visual words.

The encoder of an autoencoder goes down to a small grid of places; then each visual word is a question of its
own that is put to all places (attention with learned queries, as in the attention pooling of CLIP; Radford et
al. 2021, arXiv 2103.00020). The words of a picture in a row, brought to length 1, are its embedding. So an
embedding can be cut into words again: whatever makes one (a text, two pictures mixed) gives the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError
from unfog.nets.autoencoder import AutoencoderConfig, Encoder
from unfog.nets.layers import Linear, attend, check_settings, padding_to


@dataclass(frozen=True, kw_only=True)
class GazeConfig:
    """Shape of the picture encoder.

    Attributes:
        channels: of the pictures.
        patch: side of the pixel blocks folded into channels at the door.
        widths: channels at each level, finest first; each level halves the side. The last is a multiple of
            ``head``.
        depth: residual blocks at each level.
        words: M, visual words of a picture.
        word: P, numbers in one of them.
        head: width of an attention head.
        dropout: share of what is seen that is dropped while training.
    """

    channels: int = 3
    patch: int = 2
    widths: tuple[int, ...] = (32, 64, 128)
    depth: int = 1
    words: int = 8
    word: int = 32
    head: int = 32
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.widths, tuple) or not self.widths:
            raise ConfigError(
                f"gaze.widths = {self.widths!r}: give one number for each level, e.g. [32, 64]."
            )
        names = ("channels", "patch", "widths", "depth", "words", "word", "head")
        check_settings(self, *names, place="gaze")
        if self.widths[-1] % self.head:
            raise ConfigError(
                f"gaze.widths = {self.widths!r}: let the last be a multiple of gaze.head = {self.head}."
            )

    @property
    def embedding(self) -> int:
        """E, numbers in an embedding."""
        return self.words * self.word


class Gaze(nn.Module):
    """Pictures of any size in, embeddings of length 1 out."""

    def __init__(self, config: GazeConfig) -> None:
        super().__init__()
        self.config = config
        width = config.widths[-1]
        self.multiple = config.patch * 2 ** (len(config.widths) - 1)
        self.places = Encoder(
            AutoencoderConfig(
                channels=config.channels,
                latent=width,
                kind="vq",  # one number for each channel, and no variance
                patch=config.patch,
                widths=config.widths,
                depth=config.depth,
            )
        )
        self.condition = nn.Parameter(torch.randn(config.words, width))  # the questions
        self.key, self.value = Linear(width, width, bias=False), Linear(width, width, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.head = Linear(width, config.word)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W), black -1 and white 1, to embeddings (B, E)."""
        x = F.pad(x, padding_to((x.shape[2], x.shape[3]), self.multiple), mode="replicate")
        places = self.places(x).flatten(2).transpose(1, 2)
        places = F.layer_norm(places, places.shape[-1:])
        asked = F.layer_norm(self.condition, self.condition.shape[-1:]).expand(len(x), -1, -1)
        found = attend(asked, self.key(places), self.value(places), self.config.head)
        found = found + places.mean(1, keepdim=True)
        words = self.head(self.dropout(F.layer_norm(found, found.shape[-1:])))
        return F.normalize(words.flatten(1), dim=1)


def words_of(embeddings: Tensor, words: int) -> Tensor:
    """Embeddings (B, E) as visual words (B, M, P), each number of variance about 1."""
    count, size = embeddings.shape
    found: Tensor = embeddings.view(count, words, size // words) * size**0.5
    return found
