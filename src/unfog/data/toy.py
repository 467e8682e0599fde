"""Made data: a folder of coloured shapes, and points in the plane whose density is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.float64]

SHAPES = ("circle", "square", "triangle")
COLOURS = {"red": (214, 62, 50), "green": (52, 152, 82), "blue": (58, 98, 200), "yellow": (236, 190, 50)}


def draw_shape(shape: str, colour: tuple[int, int, int], size: int, rng: np.random.Generator) -> Image.Image:
    """One shape on white, at a random place and of a random size, with soft edges.

    Args:
        shape: one of ``SHAPES``.
        colour: red, green, blue in 0..255.
        size: side of the picture in pixels.
        rng: where place and size come from.
    """
    big = 4 * size
    im = Image.new("RGB", (big, big), "white")
    radius = big * rng.uniform(0.2, 0.35)
    x, y = (rng.uniform(radius, big - radius) for _ in range(2))
    pen = ImageDraw.Draw(im)
    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif shape == "square":
        pen.rectangle((x - radius, y - radius, x + radius, y + radius), fill=colour)
    else:
        pen.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], fill=colour)
    return im.resize((size, size), Image.Resampling.BOX)


def write_shapes(
    folder: Path, count: int = 60, size: int = 32, *, seed: int = 0, captions: bool = False
) -> Path:
    """Write a folder of pictures, one subfolder per shape.

    Args:
        folder: where to; made if need be.
        count: pictures in all.
        size: side in pixels.
        seed: same seed, same pictures.
        captions: also write 'a red circle' beside each picture.

    Returns:
        ``folder``.
    """
    rng = np.random.default_rng(seed)
    for index in range(count):
        shape = SHAPES[index % len(SHAPES)]
        colour = list(COLOURS)[int(rng.integers(len(COLOURS)))]
        path = folder / shape / f"{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_shape(shape, COLOURS[colour], size, rng).save(path)
        if captions:
            path.with_suffix(".txt").write_text(f"a {colour} {shape}", encoding="utf-8")
    return folder


def two_moons(count: int, *, noise: float = 0.05, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """Two half circles that reach into one another.

    Args:
        count: points in all.
        noise: standard deviation of the Gaussian around the curves.
        seed: same seed, same points.

    Returns:
        Points (count, 2), within about -1.2..2.2, and the moon 0 or 1 of each (count,).
    """
    rng = np.random.default_rng(seed)
    moon = np.arange(count) % 2
    angle = rng.uniform(0, np.pi, count)
    x = np.where(moon == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(moon == 0, np.sin(angle), 0.5 - np.sin(angle))
    points: Floats = np.stack([x, y], 1) + noise * rng.standard_normal((count, 2))
    return points, moon.astype(np.int64)


@dataclass(frozen=True)
class GaussianMixture:
    """A mixture of round Gaussians, whose density and score are known at every noise level.

    Attributes:
        means: (K, D).
        stds: (K,), all above 0.
        weights: (K,), positive, summing to 1.
    """

    means: Floats
    stds: Floats
    weights: Floats

    @classmethod
    def ring(cls, count: int = 8, radius: float = 2.0, std: float = 0.1) -> GaussianMixture:
        """Equal blobs on a circle in the plane."""
        angle = 2 * np.pi * np.arange(count) / count
        means = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
        return cls(means, np.full(count, std), np.full(count, 1 / count))

    def noised(self, alpha: float, sigma: float) -> GaussianMixture:
        """The exact distribution of alpha x + sigma e, e standard normal."""
        return GaussianMixture(alpha * self.means, np.hypot(alpha * self.stds, sigma), self.weights)

    def sample(self, count: int, *, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
        """Points (count, D) and the blob of each (count,)."""
        rng = np.random.default_rng(seed)
        blob = rng.choice(len(self.weights), count, p=self.weights)
        noise = rng.standard_normal((count, self.means.shape[1]))
        return self.means[blob] + self.stds[blob, None] * noise, blob.astype(np.int64)

    def log_density(self, x: Floats) -> Floats:
        """Natural logarithm of the density at x (N, D) -> (N,)."""
        parts = self._log_parts(x)
        top = parts.max(1)
        total: Floats = top + np.log(np.exp(parts - top[:, None]).sum(1))
        return total

    def score(self, x: Floats) -> Floats:
        """Gradient of the log density at x (N, D) -> (N, D)."""
        share = np.exp(self._log_parts(x) - self.log_density(x)[:, None])
        pull = (self.means[None] - x[:, None]) / self.stds[None, :, None] ** 2
        total: Floats = (share[..., None] * pull).sum(1)
        return total

    def _log_parts(self, x: Floats) -> Floats:
        """Log of weight times density of each blob: (N, K)."""
        square = ((x[:, None] - self.means[None]) ** 2).sum(-1)
        norm = self.means.shape[1] * np.log(self.stds * np.sqrt(2 * np.pi))
        parts: Floats = np.log(self.weights) - norm - square / (2 * self.stds**2)
        return parts
