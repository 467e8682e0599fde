"""How well pictures come back from a codec: what is kept, what is lost, and whether anybody would notice.

PSNR says how large the error is: 10 log10(255^2 / mean squared error), in decibels. SSIM compares means,
contrasts and structures in small windows (Wang et al. 2004, doi 10.1109/TIP.2003.819861). Both compare each
picture with itself. The Frechet distance compares the set of reconstructions with the training pictures, as
it will be done with samples: no model that draws in these latents can be expected to be nearer.

By bands: the power of the error beside the power of the picture, octave by octave of the frequency. A codec
that keeps everything loses 0 everywhere; one that only knows the mean of a band loses 1 of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from unfog.evaluate.figure import Figure, average
from unfog.evaluate.pictures import Pictures

Floats = NDArray[np.float64]

MOST_DECIBELS = 100.0  # of a picture that came back without any error
WINDOW, SIGMA = 11, 1.5  # of SSIM, in pixels
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
BANDS = ((1 / 4, 1.0), (1 / 8, 1 / 4), (1 / 16, 1 / 8), (0.0, 1 / 16))  # cycles for each pixel
AT_ONCE = 64


def psnr(pictures: Pictures, again: Pictures) -> Floats:
    """Peak signal-to-noise ratio of each picture, decibels, (N,); 100 where nothing differs.

    Args:
        pictures, again: uint8 (N, H, W, C).
    """
    error = np.array(
        [np.mean((a.astype(np.float64) - b) ** 2) for a, b in zip(pictures, again, strict=True)], np.float64
    )
    floor = 255**2 / 10 ** (MOST_DECIBELS / 10)
    return np.asarray(10 * np.log10(255**2 / np.maximum(error, floor)), np.float64)


def ssim(pictures: Pictures, again: Pictures) -> Floats:
    """Structural similarity of each picture, (N,); 1 where nothing differs.

    Args:
        pictures, again: uint8 (N, H, W, C); channels are compared one by one. A picture smaller than the
            window of 11 x 11 is compared through one of its own size.
    """
    found = []
    for start in range(0, len(pictures), AT_ONCE):
        x, y = (
            torch.from_numpy(np.array(part[start : start + AT_ONCE])).permute(0, 3, 1, 2).double()
            for part in (pictures, again)
        )
        found.append(_similarity(x, y).flatten(1).mean(1).numpy())
    return np.concatenate(found) if found else np.empty(0)


def _similarity(x: Tensor, y: Tensor) -> Tensor:
    """The index in each window that fits inside, (B, C, h, w)."""
    rows, columns = (_gauss(min(WINDOW, length)) for length in x.shape[2:])
    window = (rows[:, None] * columns)[None, None]

    def mean(z: Tensor) -> Tensor:
        smooth = F.conv2d(z.flatten(0, 1)[:, None], window)
        return smooth.reshape(*z.shape[:2], *smooth.shape[2:])

    mx, my = mean(x), mean(y)
    xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    found: Tensor = (2 * mx * my + C1) * (2 * xy + C2) / ((mx * mx + my * my + C1) * (xx + yy + C2))
    return found


def _gauss(size: int) -> Tensor:
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weight = torch.exp(-(place**2) / (2 * SIGMA**2))
    return weight / weight.sum()


def lost_by_band(pictures: Pictures, again: Pictures) -> list[float | None]:
    """Power of the error for each unit of power of the pictures, finest octave first; see ``BANDS``.

    Brightness only. None where the pictures are so small or flat that they have nothing there.
    """
    height, width = pictures.shape[1:3]
    across = np.fft.rfftfreq(width)
    radius = np.hypot(np.fft.fftfreq(height)[:, None], across)
    # what is left out of a half spectrum mirrors what is in it
    twice = np.where((across == 0) | (across == 0.5), 1.0, 2.0)
    signal, error = np.zeros(radius.shape), np.zeros(radius.shape)
    for start in range(0, len(pictures), AT_ONCE):
        x, y = (part[start : start + AT_ONCE].mean(3, dtype=np.float64) for part in (pictures, again))
        signal += (np.abs(np.fft.rfft2(x)) ** 2).sum(0) * twice
        error += (np.abs(np.fft.rfft2(y - x)) ** 2).sum(0) * twice
    found: list[float | None] = []
    for low, high in BANDS:
        inside = (radius > low) & (radius <= high)
        power = float(signal[inside].sum())
        found.append(float(error[inside].sum()) / power if power > 1e-6 * signal.sum() else None)
    return found


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What a codec keeps of some pictures it never saw.

    Attributes:
        psnr, ssim: their means over the pictures.
        each: PSNR of each picture, (N,).
        quick: PSNR of the small decoder; None without one.
        lost: see ``lost_by_band``.
    """

    psnr: Figure
    ssim: Figure
    each: Floats
    quick: Figure | None
    lost: list[float | None]

    def worst(self, count: int) -> NDArray[np.int64]:
        """The pictures with the largest errors, the worst first."""
        return np.argsort(self.each, kind="stable")[:count]


def reconstruction(
    pictures: Pictures, again: Callable[[Pictures], Pictures], quick: Callable[[Pictures], Pictures] | None
) -> tuple[Reconstruction, Pictures]:
    """Send pictures there and back, and compare.

    Args:
        pictures: uint8 (N, H, W, C), that the codec did not learn from.
        again: through the codec.
        quick: through its small decoder, or None.

    Returns:
        The figures, and the reconstructions.
    """
    back = again(pictures)
    each = psnr(pictures, back)
    found = Reconstruction(
        psnr=average(each),
        ssim=average(ssim(pictures, back)),
        each=each,
        quick=None if quick is None else average(psnr(pictures, quick(pictures))),
        lost=lost_by_band(pictures, back),
    )
    return found, back
