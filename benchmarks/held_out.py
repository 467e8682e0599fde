"""What does a model draw for captions that it never learned? One sheet: real, from English, from Chinese.

    python benchmarks/held_out.py MODEL DATA SHEET.png [-n 24] [--seed 24]

The pictures are the first n of the held-out ones in an order that hangs on the seed alone, one of each
caption without its skin tone; nothing is drawn twice, and nothing is left out. The real picture stands on the
left of each pair of drawn ones, and the captions are printed.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from machine import describe, facts
from PIL import Image

from unfog.data import PictureStore
from unfog.model import load_pictures
from unfog.model.asked import Wish
from unfog.output.sheet import contact_sheet
from unfog.recipes.assess import data_of
from unfog.recipes.listen import Silent

ROWS = 4  # triples side by side
HAN = re.compile("[\u4e00-\u9fff]")
TONE = ":"  # behind it stands the skin tone, or whose hands they are


def chosen(store: PictureStore, n: int, seed: int) -> list[int]:
    """Places of n held-out pictures with a caption of their own."""
    assert store.captions is not None
    held, seen, found = store.held_out.tolist(), set[str](), list[int]()
    for i in np.random.default_rng(seed).permutation(len(held)).tolist():
        place = held[i]
        name = store.captions[place][0].split(TONE)[0]
        if name not in seen and len(store.captions[place]) > 1:
            seen.add(name)
            found.append(place)
        if len(found) == n:
            break
    return found


def in_script(captions: Sequence[str], han: bool) -> str:
    """The first caption with Chinese characters, or without; the first of all where there is none."""
    return next((text for text in captions if bool(HAN.search(text)) is han), captions[0])


def main() -> None:
    """Read the command line, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("sheet", type=Path)
    parser.add_argument("-n", type=int, default=24)
    parser.add_argument("--seed", type=int, default=24, help="of the choice")
    parser.add_argument("--guidance", type=float)
    options = parser.parse_args()
    print(describe(facts(["unfog"])), flush=True)
    model = load_pictures(options.model)
    store = data_of(model, options.data, Silent())
    places = chosen(store, options.n, options.seed)
    assert store.captions is not None
    sampling = model.settings(guidance=options.guidance)
    columns, started = [store.images[places]], time.perf_counter()
    told = [[in_script(store.captions[i], han) for i in places] for han in (False, True)]
    for texts in told:
        asked = model.asker.choose(len(texts), Wish(prompt=texts))
        columns.append(model.draw(asked, len(texts), seed=0, sampling=sampling))
    print(f"{2 * len(places)} pictures in {time.perf_counter() - started:.1f} s\n")
    print("| | English | Chinese |\n|---|---|---|")
    for number, (english, chinese) in enumerate(zip(*told, strict=True), 1):
        print(f"| {number} | {english} | {chinese} |")
    pictures = np.stack(columns, 1).reshape(-1, *columns[0].shape[1:])
    Image.fromarray(contact_sheet(pictures, columns=3 * ROWS, tile=96)).save(options.sheet)


if __name__ == "__main__":
    main()
