"""What does a model of the world hear of its captions? The loss that wrong words cost, by noise.

    python benchmarks/heard.py MODEL [-n 96] [--seed 5] [--threads 1]

MODEL draws the procedural world from words. Scenes of two things of different shape and colour are noised,
and guessed back with the right caption and with wrong ones. Other shapes cost what shapes are worth; shapes
exchanged between the two things cost as much where the model knows which thing is which, and nothing where
it hears a bag of words. Drawing and judging (`unfog evaluate`) mixes hearing with drawing; this does not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from machine import describe, facts
from torch import Tensor

from unfog.data.world import OPPOSITE, SHAPES, Scene, Thing, random_scene
from unfog.data.world_draw import draw
from unfog.data.world_words import tell
from unfog.model import PictureModel, load_pictures
from unfog.model.asked import Prompts

LEVELS = (0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 25.0)  # sigma / alpha
HALVINGS = 50  # of [0, 1], to find the time of a level


def exchanged(scene: Scene, name: str) -> Scene:
    """The scene with the shapes, or the colours, of its two things exchanged."""
    first, second = scene.first, scene.second
    assert second is not None
    one, other = {name: getattr(second, name)}, {name: getattr(first, name)}
    return replace(scene, first=replace(first, **one), second=replace(second, **other))


def elsewhere(scene: Scene) -> Scene:
    """The scene with two shapes that it does not have."""
    assert scene.second is not None
    free = [shape for shape in SHAPES if shape not in (scene.first.shape, scene.second.shape)]
    first, second = Thing(free[0], scene.first.colour), Thing(free[1], scene.second.colour)
    return replace(scene, first=first, second=second)


TOLD: dict[str, Callable[[Scene], str]] = {
    "as it is": lambda scene: tell(scene, "en")[0],
    "other shapes": lambda scene: tell(elsewhere(scene), "en")[0],
    "shapes exchanged": lambda scene: tell(exchanged(scene, "shape"), "en")[0],
    "colours exchanged": lambda scene: tell(exchanged(scene, "colour"), "en")[0],
    "relation turned": lambda scene: tell(replace(scene, relation=OPPOSITE[scene.relation]), "en")[0],
    "nothing": lambda scene: "",
}


def scenes(n: int, seed: int) -> tuple[list[Scene], np.ndarray]:
    """Scenes of two unlike things as training shows them, and their pictures, (n, H, W, 3)."""
    rng, found = np.random.default_rng(seed), list[Scene]()
    while len(found) < n:
        scene = random_scene(rng, "seen", "pair").without(size=True, ground=True)
        assert scene.second is not None
        if scene.first.shape != scene.second.shape and scene.first.colour != scene.second.colour:
            found.append(scene)
    return found, np.stack([draw(scene, rng) for scene in found])


def time_of(model: PictureModel, level: float) -> Tensor:
    """The time at which sigma / alpha has a value, (), float64."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = torch.tensor((low + high) / 2, dtype=torch.float64)
        alpha, sigma = model.denoiser.process.numbers(middle)
        low, high = (float(middle), high) if sigma < level * alpha else (low, float(middle))
    return torch.tensor(low, dtype=torch.float64)


@torch.no_grad()
def losses(model: PictureModel, clean: Tensor, texts: list[str]) -> list[float]:
    """The mean squared error of the estimate at each level, with these captions."""
    assert isinstance(model.asker, Prompts) and model.encoder is not None
    cond, found = model.encoder(model.asker.language().read(texts)), []
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for level in LEVELS:
        t = time_of(model, level)
        alpha, sigma = model.denoiser.process.numbers(t)
        mean = model.denoiser(alpha * clean + sigma * noise, t, cond).mean
        found.append(float((mean - clean).square().mean()))
    return found


def main() -> None:
    """Read the command line, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("-n", type=int, default=96)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(describe(facts(["unfog"])), flush=True)
    model = load_pictures(options.model).eval()
    told, pictures = scenes(options.n, options.seed)
    clean = model.codec.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    print(f"\n{options.n} scenes of two things; loss beyond that of the right caption, by sigma / alpha\n")
    print("| caption | " + " | ".join(f"{level:g}" for level in LEVELS) + " |")
    print("|---|" + "---|" * len(LEVELS))
    right: list[float] = []
    for name, tell_it in TOLD.items():
        found = losses(model, clean, [tell_it(scene) for scene in told])
        right = right or found
        cells = [f"{100 * (a / b - 1):+.1f} %" for a, b in zip(found, right, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
