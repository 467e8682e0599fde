"""What does a model of visual words draw in the likeness of pictures that it never saw? One sheet.

    python benchmarks/variations.py MODEL DATA SHEET.png [-n 8] [--judge PAIRS] [--seed 8]

The pictures are the first n of the held-out ones, in an order that hangs on the seed alone, each with a name
of its own. Each row of the sheet: the picture itself, four variations drawn anew from its visual words, and
two each that begin from it under noise (``--strength`` 0.7 and 0.4). For more held-out pictures (``--asked``)
it is counted at which place the picture itself stands among all held-out ones, when those are ordered by
how like the variation they are, by the pair model of ``--judge``, or by the model's own, which flatters.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from held_out import chosen
from machine import describe, facts
from numpy.typing import NDArray
from PIL import Image

from unfog.evaluate.retrieval import Found, ranks
from unfog.model import PairModel, PictureModel, load_pairs, load_pictures
from unfog.model.asked import Wish
from unfog.output.sheet import contact_sheet
from unfog.recipes.assess import data_of
from unfog.recipes.draw import Request, base_of
from unfog.recipes.listen import Silent

Pictures = NDArray[np.uint8]
WAYS = ((1.0, 4), (0.7, 2), (0.4, 2))  # strengths, and how many variations of each


def variations(model: PictureModel, picture: Pictures, n: int, strength: float, seed: int = 0) -> Pictures:
    """Pictures (n, H, W, C) in the likeness of one (H, W, C)."""
    sampling, wish = model.settings(), Wish(like=(picture,))
    asked = model.asker.settled(model.asker.choose(n, wish), seed)
    base = base_of(model, wish, strength, sampling)
    request = Request(model, asked, seed, sampling, base=base, strength=strength)
    *_, last = request.walk(range(n))
    return model.to_pictures(last.x_s)


def places_of_sources(
    model: PictureModel, judge: PairModel, held: Pictures, asked: list[int], strength: float
) -> Found:
    """Where each of the pictures asked for stands among all held-out ones, by likeness to a variation."""
    drawn = np.concatenate([variations(model, held[i], 1, strength, seed=i) for i in asked])
    likeness = (judge.embed_pictures(drawn) @ judge.embed_pictures(held).T).numpy()
    right = np.arange(len(held)) == np.array(asked)[:, None]
    same = (held[None] == held[asked][:, None]).reshape(len(asked), len(held), -1).all(2)
    return Found.of(ranks(likeness, right | same), len(held), f"strength {strength:g}")


def main() -> None:
    """Read the command line, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("sheet", type=Path)
    parser.add_argument("-n", type=int, default=8)
    parser.add_argument("--asked", type=int, default=48)
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--seed", type=int, default=8, help="of the choice")
    options = parser.parse_args()
    print(describe(facts(["unfog"])), flush=True)
    model = load_pictures(options.model)
    assert model.pairs is not None, "this model draws from words alone"
    judge = load_pairs(options.judge) if options.judge else model.pairs
    store, started = data_of(model, options.data, Silent()), time.perf_counter()
    tiles = []
    for place in chosen(store, options.n, options.seed):
        picture = store.images[place]
        tiles.append(picture[None])
        tiles += [variations(model, picture, count, strength) for strength, count in WAYS]
        assert store.captions is not None
        print("-", " / ".join(store.captions[place]))
    Image.fromarray(contact_sheet(np.concatenate(tiles), columns=9, tile=96)).save(options.sheet)
    print(f"{options.n} rows in {time.perf_counter() - started:.1f} s\n")
    held = store.images[store.held_out]
    asked = np.random.default_rng(options.seed).permutation(len(held))[: options.asked].tolist()
    print("| variations | median place | first | among the first 5 | of |\n|---|---|---|---|---|")
    for strength, _ in WAYS:
        found = places_of_sources(model, judge, held, asked, strength)
        cells = f"{found.median} | {found.recall[1].value:.0%} | {found.recall[5].value:.0%}"
        print(f"| {found.title()} | {cells} | {found.candidates} |", flush=True)


if __name__ == "__main__":
    main()
