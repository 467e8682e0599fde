"""Fine detail, held up to the eye: what the folding of pixels and the norms of a network would drown.

Where little noise is left, all that is to be said is which of the faint differences between neighbours are
noise. They are sigma times as large as the picture, so that norms over a picture's features see next to
nothing of them; and where pixels are folded into channels, noise, which has as many numbers as there are
pixels, has to pass through fewer. So these differences are cut out before the network and enlarged until the
noise in them is 1, and behind it they come back: of each of them the network says how much is noise, place by
place. That is a filter of its own for every pixel, which begins as none, like those that clear rendered and
photographed pictures of noise (Bako et al. 2017; Mildenhall et al. 2018, arXiv 1712.02327).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

EDGE = 6.0  # standard deviations of the noise: where what passes is highest, half of the difference


def detail(x: Tensor, clock: Tensor, scales: int) -> Tensor:
    """How each pixel differs from its surroundings, in units of the noise, and high edges held low.

    The first scale is the difference from the mean of 3 x 3 pixels; each further one is that of this mean
    from one of surroundings about twice as wide. A difference u passes as u / (1 + (u / EDGE)^2): noise as it
    is, nearly, and an edge the less the higher it is (Perona & Malik 1990).

    Args:
        x: noisy pictures, scaled to a variance of 1, (B, C, H, W).
        clock: log(alpha / sigma), (B,).
        scales: how many, 0 for none.

    Returns:
        (B, scales * C, H, W), float32.
    """
    sigma = torch.sigmoid(-2 * clock.float()).sqrt()[:, None, None, None]
    seen, found = x.float(), [x.new_zeros(len(x), 0, *x.shape[2:], dtype=torch.float32)]
    for scale in range(scales):
        reach = 2**scale
        blurred = F.avg_pool2d(seen, 2 * reach + 1, 1, reach, count_include_pad=False)
        u = (seen - blurred) / sigma
        found.append(u / (1 + (u / EDGE).square()))
        seen = blurred
    return torch.cat(found, 1)


def filtered(out: Tensor, fine: Tensor, channels: int) -> Tensor:
    """What a network says of the target, with its share of the detail added.

    Args:
        out: the target (C channels), whatever else is learned, and at the end a share for each channel of
            ``fine``, (B, C + ... + scales * C, H, W).
        fine: as ``detail`` gives it, (B, scales * C, H, W).
        channels: C.

    Returns:
        (B, C + ..., H, W); ``out`` itself where there is no detail.
    """
    count = fine.shape[1]
    if not count:
        return out
    said, shares = out[:, :-count].float(), out[:, -count:]
    noise = torch.stack((shares * fine).tensor_split(count // channels, 1)).sum(0)
    return torch.cat([said[:, :channels] + noise, said[:, channels:]], 1)
