"""Features in which two pictures are compared while an autoencoder learns: where edges are, not which pixel.

A plain error of pixels is content with blur: where it is unsure, the middle between all that might be meant
is cheapest. Features of a network notice that edges are missing (Johnson et al. 2016, arXiv 1603.08155;
Zhang et al. 2018, arXiv 1801.03924). Trained networks have to be fetched from somewhere; here the weights are
random and fixed, which keeps most of the effect (He et al. 2016, arXiv 1606.04801): small random filters are
edge detectors of all directions, and on a pyramid of scales they see structure of all sizes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

SEED = 20_161_101


class RandomPyramid(nn.Module):
    """How different two pictures look through random filters, at some scales.

    Args:
        channels: of the pictures.
        width: filters of the first layer; the second has twice as many.
        scales: sizes at which they look, each half the one before.
    """

    first: Tensor
    second: Tensor

    def __init__(self, channels: int, width: int = 24, scales: int = 3) -> None:
        super().__init__()
        self.scales = scales
        rng = np.random.default_rng(SEED)
        self.register_buffer("first", _filters(rng, width, channels, 5), persistent=False)
        self.register_buffer("second", _filters(rng, 2 * width, width, 3), persistent=False)

    def features(self, x: Tensor) -> list[Tensor]:
        """Two layers of features at each scale, of pictures (B, C, H, W)."""
        found = []
        for scale in range(self.scales):
            if scale:
                x = F.avg_pool2d(x, 2)
            if min(x.shape[2:]) < 8:
                break
            fine = F.relu(F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), self.first, stride=2))
            found += [fine, F.relu(F.conv2d(fine, self.second, padding=1))]
        return found

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean difference of the features of pictures (B, C, H, W), in units of those of ``y``, (B,)."""
        total = x.new_zeros(len(x))
        with torch.no_grad():
            wanted = self.features(y)
        seen = self.features(x)
        for ours, theirs in zip(seen, wanted, strict=True):
            # one unit for the whole batch: in units of its own, a flat picture would count most
            unit = theirs.abs().mean() + 1e-3
            total = total + (ours - theirs).abs().flatten(1).mean(1) / unit
        return total / len(seen)


def _filters(rng: np.random.Generator, outputs: int, inputs: int, side: int) -> Tensor:
    """Random filters of mean 0, so that flat colour says nothing, and of length 1; float32."""
    raw = rng.standard_normal((outputs, inputs * side * side))
    raw -= raw.mean(1, keepdims=True)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    weights = torch.from_numpy(raw.astype(np.float32)).view(outputs, inputs, side, side)
    return weights.contiguous(memory_format=torch.channels_last)
