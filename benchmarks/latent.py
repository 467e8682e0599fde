"""Latents or pixels: how long must each learn to be as good, and how long does each draw?

    python benchmarks/latent.py DATA RUN RUN ... [-n 1000] [--rounds 5] [--threads 1] [--out FILE.json]

Each RUN is the folder of a finished run of the recipe `image` on DATA, some of them with `--codec` and
some without, of several lengths, e.g.

    unfog train image --data emoji --size 64 --codec runs/codec64/model --out runs/latent --steps 1200
    unfog train image --data emoji --size 64 --out runs/pixels1 --steps 1200
    unfog train image --data emoji --size 64 --out runs/pixels3 --steps 3600

All draw the same number of pictures with their own settings, and one judge compares them with the training
pictures. How long a run learned is said by its steps and by the time of a step here, since its own clock ran
beside who knows what: steps are taken in turns, and ratios inside one round. So are drawings. That a codec
has to be learned first is not counted; it is learned once, for all that is drawn afterwards.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from machine import describe, facts, interleave, median_ratio, median_seconds, write_json

from unfog import config as configs
from unfog.model import load_pictures
from unfog.model.picture import PictureModel
from unfog.recipes.assess import evaluate_model
from unfog.recipes.listen import Silent
from unfog.recipes.train import RECIPES
from unfog.train import Training, TrainStep

DRAWN = 16  # pictures in a timed drawing
ENDLESS = 1_000_000  # steps of a run that is only measured and never finished


@dataclass
class Run:
    """A finished run, and what is measured of it.

    Attributes:
        name: of its folder.
        model: that it learned.
        steps: that it took.
        figures: of its pictures, in the most telling space.
        learn, draw: one step of training, and ``DRAWN`` pictures.
    """

    name: str
    model: PictureModel
    steps: int
    figures: dict[str, dict[str, Any]]
    learn: Callable[[], Any]
    draw: Callable[[], Any]

    @classmethod
    def of(cls, folder: Path, data: str, n: int) -> Run:
        """Load it, judge its pictures, and make its training ready to be taken up."""
        model = load_pictures(str(folder / "model"))
        trained = next(event for event in reversed(model.history) if event.get("event") == "trained")
        found = evaluate_model(model, data, n).values["figures"]["spaces"]
        recipe = RECIPES[model.spec.recipe]
        config = configs.read(recipe.config, folder / "config.toml")
        config = config.model_copy(
            update={"train": config.train.model_copy(update={"steps": ENDLESS, "minutes": None})}
        )
        prepared = recipe.prepare(config, Silent())
        config = recipe.settled(config, prepared)
        steps: Iterator[TrainStep] = Training(prepared.model, prepared.batches(config), config.train).fit()
        return cls(
            name=folder.name,
            model=model,
            steps=int(trained["steps"]),
            figures=next(iter(found.values()))["samples"],
            learn=partial(next, steps),
            draw=partial(model.draw, model.asker.choose(DRAWN), DRAWN),
        )

    @property
    def latent(self) -> bool:
        """Whether it works in latents."""
        return bool(self.model.spec.latent)

    @property
    def frechet(self) -> float:
        """The distance of its pictures from real ones."""
        return float(self.figures["frechet"]["value"])


def ratios(runs: list[Run], learned: dict[str, float]) -> list[str]:
    """Each latent run beside the shortest run on pixels that is as good.

    Args:
        runs: all of them.
        learned: how long each learned, in steps of this machine, seconds.
    """
    lines = []
    pixels = sorted((run for run in runs if not run.latent), key=lambda run: learned[run.name])
    for run in (run for run in runs if run.latent):
        good = next((one for one in pixels if one.frechet <= run.frechet), None)
        if good is not None:
            times = learned[good.name] / learned[run.name]
            lines.append(f"{run.name}: {good.name} is as good, and learned {times:.1f} times as long.")
        elif pixels:
            times = learned[pixels[-1].name] / learned[run.name]
            longest = f"{pixels[-1].name} learned {times:.1f} times as long"
            lines.append(f"{run.name}: no run on pixels is as good; {longest}.")
    return lines


def main() -> None:
    """Read the command line, judge, time, print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    parser.add_argument("--out", type=Path, help="JSON file with everything")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    machine = facts(["torch", "unfog"])
    print(describe(machine), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    runs = [Run.of(folder, options.data, options.n) for folder in options.runs]
    first = next((run for run in runs if run.latent), runs[0]).name
    steps = interleave({run.name: run.learn for run in runs}, options.rounds, warm=2)
    draws = interleave({run.name: run.draw for run in runs}, options.rounds)
    learned = {run.name: run.steps * median_seconds(steps[run.name]) for run in runs}
    print(f"\n{options.n} pictures of each; drawings are compared with {first} in the same round:\n")
    print("| run | in | steps | ms a step | minutes | Frechet distance | coverage | ms a picture | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    values = []
    for run in runs:
        step, draw = median_seconds(steps[run.name]), median_seconds(draws[run.name]) / DRAWN
        times = median_ratio(draws[run.name], draws[first])
        frechet, cover = run.figures["frechet"], run.figures["coverage"]
        space = "latents" if run.latent else "pixels"
        distance = f"{frechet['value']:.2f} ({frechet['low']:.2f} to {frechet['high']:.2f})"
        print(
            f"| {run.name} | {space} | {run.steps:,} | {1e3 * step:.0f} | {learned[run.name] / 60:.1f} "
            f"| {distance} | {cover['value']:.0%} | {1e3 * draw:.0f} | {times:.2f} |"
        )
        values.append({"run": run.name, "in": space, "steps": run.steps, "step": step, "draw": draw})
        values[-1] |= {"learned": learned[run.name], "drawn_times": times, "figures": run.figures}
    print("", *ratios(runs, learned), sep="\n")
    if options.out:
        write_json(options.out, {"machine": machine, "runs": values})


if __name__ == "__main__":
    main()
