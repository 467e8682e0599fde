"""A judge of small patches: which are from real pictures, and which an autoencoder has painted?

It is the adversary of an autoencoder that shall be sharp where features and pixels are content with blur
(Isola et al. 2017, arXiv 1611.07004; Esser et al. 2021, arXiv 2012.09841). It sees patches and not pictures,
so it judges texture and leaves what is shown to the other losses.
"""

from __future__ import annotations

from torch import Tensor, nn

from unfog.nets.layers import group_norm


class PatchDiscriminator(nn.Module):
    """A score for each patch, high for real ones.

    Args:
        channels: of the pictures.
        width: channels of the first layer.
        depth: times that the side is halved.
    """

    def __init__(self, channels: int, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.stem = nn.Conv2d(channels, width, 4, stride=2, padding=1)
        for level in range(1, depth):
            wide = width * 2**level
            layers += [
                nn.LeakyReLU(0.2),
                nn.Conv2d(wide // 2, wide, 4, stride=2, padding=1),
                group_norm(wide),
            ]
        wide = width * 2 ** (depth - 1)
        layers += [
            nn.LeakyReLU(0.2),
            nn.Conv2d(wide, wide, 3, padding=1),
            group_norm(wide),
            nn.LeakyReLU(0.2),
        ]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(wide, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W), at least 8 x 8, to scores (B, 1, H', W')."""
        scores: Tensor = self.head(self.body(self.stem(x)))
        return scores
