"""How wrong are models of pictures at each noise level?

    python benchmarks/levels.py DATA MODEL [MODEL ...] [-n 128] [--threads 1] [--sheet SHEET.png]

Held-out pictures of DATA, the same noise for all models. The error is that of v: a model that says nothing
has 1 at most levels. Much of it at little noise (0.05 to 0.3) is seen as speckles, much of it around 1 to 5
as shapes that do not hold together. Models that can be told what to draw are told nothing. On the sheet
each model has a row, drawn with its own settings from the same seed.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from machine import describe, facts
from PIL import Image

from unfog.model import PictureModel, load_pictures
from unfog.output.sheet import contact_sheet
from unfog.recipes.assess import data_of
from unfog.recipes.listen import Silent

LEVELS = (0.03, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 25.0)  # sigma / alpha
DRAWN = 10  # pictures of each model on the sheet


@torch.no_grad()
def errors(model: PictureModel, data: str, n: int) -> list[float]:
    """The mean squared error of v on the first n held-out pictures, at each level."""
    store, process = data_of(model, data, Silent()), model.denoiser.process
    raw = torch.from_numpy(np.array(store.images[store.held_out[:n]])).permute(0, 3, 1, 2)
    clean, found = model.codec.encode(raw), []
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for level in LEVELS:
        clock = -math.log(level)
        t = process.schedule.time(torch.tensor(clock, dtype=torch.float64)).expand(len(clean))
        error = model.denoiser(process.mix(clean, noise, t), t).divergence(clean).mean()
        found.append(float(error) * (math.exp(2 * clock) + 1))
    return found


def main() -> None:
    """Read the command line, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("-n", type=int, default=128)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(describe(facts(["unfog"])), flush=True)
    print(f"\n{options.n} held-out pictures of {options.data}; error of v by sigma / alpha\n")
    print("| model | weights | " + " | ".join(f"{level:g}" for level in LEVELS) + " |")
    print("|---|---|" + "---|" * len(LEVELS))
    drawn = []
    for folder in options.models:
        model = load_pictures(folder).eval()
        if options.sheet:
            drawn.append(model.draw(model.asker.choose(DRAWN), DRAWN))
        cells = [f"{error:.3f}" for error in errors(model, options.data, options.n)]
        print(f"| {folder} | {model.count_parameters():,} | " + " | ".join(cells) + " |", flush=True)
    if drawn:
        Image.fromarray(contact_sheet(np.concatenate(drawn), columns=DRAWN, tile=128)).save(options.sheet)


if __name__ == "__main__":
    main()
