"""What does strong guidance cost, and what does dynamic thresholding save?

    python benchmarks/guidance.py MODEL DATA [-n 96] [--scales 1,2,4,8,15] [--plot FILE.png] [--out FILE.json]

MODEL reads words, DATA is what it learned from. The same prompts and seeds are drawn with every scale of
guidance and every kind of thresholding. Printed are the share of values at black or white, beyond that of
real pictures; the mean contrast (standard deviation of a picture) as a ratio to theirs; and, for the
procedural world, how often everything is as asked.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe, facts, write_json

from unfog.data.world_judge import judge
from unfog.evaluate.adherence import Question
from unfog.evaluate.saturation import saturation, value_range
from unfog.model import load_pictures
from unfog.recipes.assess import data_of
from unfog.recipes.assess_words import asked_of
from unfog.recipes.listen import Silent

KINDS = ("none", "static", "dynamic")


def ends(pictures: np.ndarray, limits: tuple[int, int]) -> float:
    """Share of values at either end of the range."""
    return sum(figure.value or 0.0 for figure in saturation(pictures, *limits).values())


def contrast(pictures: np.ndarray) -> float:
    """Mean standard deviation of a picture, in grey levels."""
    return float(pictures.astype(np.float32).std((1, 2, 3)).mean())


def right(asked: list[Question], pictures: np.ndarray) -> float | None:
    """Share of pictures in which everything is as asked; None where nobody can tell."""
    if not asked:
        return None
    return float(np.mean([judge(q.scene, p).right["all"] for q, p in zip(asked, pictures, strict=True)]))


def plot(path: Path, rows: list[dict[str, Any]], real: float) -> None:
    """Saturation against guidance, one line for each kind of thresholding."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for kind in KINDS:
        mine = [row for row in rows if row["threshold"] == kind]
        axes.plot([row["guidance"] for row in mine], [100 * row["ends"] for row in mine], "o-", label=kind)
    axes.axhline(100 * real, color="grey", linestyle=":", label="real pictures")
    axes.set(xlabel="guidance", ylabel="values at black or white, %", xscale="log")
    axes.set_xticks(
        sorted({row["guidance"] for row in rows}), labels=sorted({row["guidance"] for row in rows})
    )
    axes.minorticks_off()
    axes.legend(title="threshold")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Read the command line, draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("-n", type=int, default=96, help="pictures for each setting")
    parser.add_argument("--scales", default="1,2,4,8,15")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path, help="JSON file with everything")
    options = parser.parse_args()
    print(describe(facts(["unfog"])), flush=True)
    model = load_pictures(options.model)
    store = data_of(model, options.data, Silent())
    real = store.images[store.held_out[: max(200, options.n)]]
    limits, rows = value_range(store.images[store.train[:2000]]), []
    asked, questions = asked_of(model, store, options.data, options.n, 0)
    print("\n| guidance | threshold | at black or white | contrast / real | all as asked |")
    print("|---|---|---|---|---|")
    for scale in map(float, options.scales.split(",")):
        for kind in KINDS:
            sampling = model.settings(guidance=scale, threshold=kind)
            pictures = model.draw(asked, options.n, seed=0, sampling=sampling)
            row = {"guidance": scale, "threshold": kind, "ends": ends(pictures, limits)}
            row |= {"contrast": contrast(pictures) / contrast(real), "right": right(questions, pictures)}
            rows.append(row)
            told = "" if row["right"] is None else f"{row['right']:.1%}"
            print(f"| {scale:g} | {kind} | {row['ends']:.1%} | {row['contrast']:.2f} | {told} |", flush=True)
    print(f"| real, held out | | {ends(real, limits):.1%} | 1 | |")
    if options.plot:
        plot(options.plot, rows, ends(real, limits))
    if options.out:
        write_json(options.out, {"machine": facts(["unfog"]), "rows": rows, "real": ends(real, limits)})


if __name__ == "__main__":
    main()
