"""A second witness: every sampler beside the same method in diffusers, on the same grid, network and noise.

    python benchmarks/parity.py [--model RUN] [--steps 1 2 3 ...] [--markdown]

Two people who wrote the same formula down independently seldom make the same mistake. The network is a smooth
random one (or a trained model); the grid is the scheduler's own, read from it; the random numbers are the
same. The largest absolute difference of the results (data has a standard deviation of about 1) is printed in
float64, where only rounding at 1e-14 remains if the two are the same method, and in float32, where the
rounding of diffusers' own tables shows. Where they are not the same, the reason is printed, and who is nearer
to the exact answer on Gaussian data. `parity_pairs.py` holds the table, `docs/parity.md` the result.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from machine import describe, facts
from parity_pairs import PAIRS, UNPAIRED, Pair
from parity_peer import walk
from torch import Tensor, nn

from unfog.condition.base import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianDenoiser, GaussianPosterior
from unfog.model import load
from unfog.process import GaussianProcess
from unfog.rng import Noise
from unfog.sample import SAMPLERS
from unfog.verify.check import MEAN, STD, Impulses, end_of, marginal

STEPS = (1, 2, 3, 4, 5, 7, 10, 11, 17, 20, 29, 50)
SHAPE = (3, 2, 4, 4)  # of what the toy network draws
ROUNDING = 1e-9  # differences up to here are, in float64
PLACES = (-2.0, -0.5, 0.4, 1.7)  # where on the Gaussian the exact flow is asked, in standard deviations

Making = Callable[[GaussianProcess], Denoiser]


class Toy(nn.Module):
    """A smooth random network of its input and the clock; predicts v."""

    def __init__(self, shape: Sequence[int] = SHAPE, seed: int = 0) -> None:
        super().__init__()
        rng, size = torch.Generator().manual_seed(seed), math.prod(shape[1:])
        self.inner, self.outer = (
            torch.randn(size, size, generator=rng, dtype=torch.float64) / size**0.5 for _ in range(2)
        )

    def forward(self, x: Tensor, clock: Tensor) -> Tensor:
        hidden = torch.tanh(x.flatten(1) @ self.inner.to(x) + torch.sin(clock)[:, None])
        return (hidden @ self.outer.to(x)).view_as(x)


class Steered(Denoiser):
    """A denoiser whose condition is settled."""

    def __init__(self, inner: Denoiser, cond: Condition) -> None:
        super().__init__()
        self.inner, self.process, self.cond = inner, inner.process, cond

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        posterior: GaussianPosterior = self.inner(x_t, t, self.cond)
        return posterior


def trained(path: str, dtype: torch.dtype) -> tuple[Making, tuple[int, ...]]:
    """The denoiser of a trained model for any process, and the shape that it draws."""
    model = load(path).to(dtype)
    shape = (SHAPE[0], *model.shape)
    cond = NONE if model.encoder is None else model.encoder(torch.zeros(SHAPE[0], dtype=torch.long))

    def make(process: GaussianProcess) -> Denoiser:
        return Steered(GaussianDenoiser(model.denoiser.network, process, model.denoiser.target), cond)

    return make, shape


@dataclass(frozen=True)
class Row:
    """What was found for a pair, one number for each number of steps.

    Attributes:
        differences: the largest, in float64, in float32, and in float64 with the pair's changes.
        errors: of unfog and of the scheduler against Gaussian data, float64.
    """

    pair: Pair
    differences: dict[str, list[float]]
    errors: dict[str, list[float]]


def both(
    pair: Pair,
    steps: int,
    make: Making,
    begin: Callable[[Tensor], Tensor],
    rng: Callable[[], Noise],
    **how: object,
) -> tuple[Tensor, Tensor, Tensor]:
    """Where unfog and the scheduler end, (B, *S) each, and the grid that both walked.

    Raises:
        ArithmeticError: if either of them ends at NaN or infinity.
    """
    process = GaussianProcess(pair.schedule)
    theirs, grid = walk(
        pair.scheduler,
        pair.options,
        pair.lay,
        steps,
        make,
        process,
        begin,
        rng(),
        stepping=pair.stepping,
        **how,
    )
    sampler = SAMPLERS[pair.sampler](**pair.own)
    ours = end_of(make(process), sampler, grid, begin(grid), rng())
    for side, end in (("unfog", ours), ("diffusers", theirs)):
        if not bool(end.isfinite().all()):
            raise ArithmeticError(f"{pair.title}, {steps} steps: {side} ends at NaN or infinity.")
    return ours, theirs, grid


def difference(
    pair: Pair, steps: int, make: Making, shape: Sequence[int], dtype: torch.dtype, changed: bool = False
) -> float:
    """The largest absolute difference after the same walk."""
    process = GaussianProcess(pair.schedule)

    def begin(grid: Tensor) -> Tensor:
        return (process.scales(grid[0])[1] * Noise(1).normal(shape).double()).to(dtype)

    changes = pair.changes if changed else ()
    double = dtype == torch.float64
    ours, theirs, _ = both(pair, steps, make, begin, lambda: Noise(2), double=double, changes=changes)
    return float((ours.double() - theirs.double()).abs().max())


def closed_form(pair: Pair, steps: int) -> tuple[float, float]:
    """Errors of unfog and of the scheduler on Gaussian data, where the answer is known.

    Without noise on the way: of four points against the exact flow. With noise: of mean and standard
    deviation, followed through the chain, which is affine, by one impulse at each step; nothing is drawn.
    """
    process = GaussianProcess(pair.schedule)
    exact, stochastic = ExactGaussian(process, MEAN, STD), pair.stochastic

    def begin(grid: Tensor) -> Tensor:
        if stochastic:
            x = torch.zeros(steps + 2, 1, 1, 1, dtype=torch.float64)
            x[1] = 1.0
            return x
        mean, variance = marginal(process, grid[0])
        return mean + math.sqrt(variance) * torch.tensor(PLACES, dtype=torch.float64).view(-1, 1, 1, 1)

    def rng() -> Noise:
        return Impulses(first=2) if stochastic else Noise(0)

    ours, theirs, grid = both(pair, steps, lambda _: exact, begin, rng, double=True)
    if not stochastic:
        truth = exact.flow_map(begin(grid), float(grid[0]), float(grid[-1]))
        return tuple(float((end - truth).abs().max()) for end in (ours, theirs))
    (mean, variance), (true_mean, true_variance) = (marginal(process, grid[i]) for i in (0, -1))
    errors = []
    for end in (ours.flatten(), theirs.flatten()):
        start, *impulses = (end[1:] - end[0]).tolist()
        spread = math.sqrt(start**2 * variance + sum(impulse**2 for impulse in impulses))
        errors.append(abs(start * mean + float(end[0]) - true_mean) + abs(spread - math.sqrt(true_variance)))
    return errors[0], errors[1]


def examine(pair: Pair, model: str | None, counts: Sequence[int] = STEPS) -> Row:
    """All figures of one pair."""
    differences: dict[str, list[float]] = {}
    with torch.inference_mode():
        for dtype in (torch.float64, torch.float32):
            make, shape = (
                (lambda p: GaussianDenoiser(Toy(), p), SHAPE) if model is None else trained(model, dtype)
            )
            name = str(dtype).removeprefix("torch.")
            differences[name] = [difference(pair, n, make, shape, dtype) for n in counts]
            if pair.changes and dtype == torch.float64:
                differences["changed"] = [difference(pair, n, make, shape, dtype, True) for n in counts]
        found = [closed_form(pair, n) for n in counts]
    return Row(pair, differences, {"unfog": [a for a, _ in found], "diffusers": [b for _, b in found]})


def short(value: float, digits: int = 0) -> str:
    """A number in as few characters as a table needs."""
    return "0" if value == 0 else f"{value:.{digits}e}".replace("e-0", "e-").replace("e+00", "")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns line up."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [line(head), line(["-" * width for width in widths]), *map(line, rows)]


def summary(rows: Sequence[Row], reasons: Sequence[str]) -> list[str]:
    """One line a pair: the largest difference over all numbers of steps, and what it comes from."""

    def verdict(row: Row) -> str:
        if not row.pair.why:
            return "same"
        note = f"[{reasons.index(row.pair.why) + 1}]"
        return f"same once changed {note}" if row.pair.changes else f"differs {note}"

    lines = [
        [
            row.pair.title,
            *(
                short(max(row.differences[kind])) if kind in row.differences else ""
                for kind in ("float64", "float32", "changed")
            ),
            verdict(row),
        ]
        for row in rows
    ]
    return table(["unfog / diffusers", "float64", "float32", "float64, changed", ""], lines)


def details(rows: Sequence[Row], counts: Sequence[int]) -> list[str]:
    """For every number of steps: differences in float64, and the errors on Gaussian data."""
    head = ["unfog / diffusers, steps:", *map(str, counts)]
    lines = ["", "**Largest absolute difference, float64**", ""]
    lines += table(head, [[row.pair.title, *map(short, row.differences["float64"])] for row in rows])
    lines += ["", "**Error on Gaussian data, float64**", ""]
    found = []
    for row in rows:
        sides = row.errors if row.pair.why else {"both": row.errors["unfog"]}
        found += [
            [f"{row.pair.title}: {side}", *(short(error, 1) for error in errors)]
            for side, errors in sides.items()
        ]
    return lines + table(head, found)


def mistakes(rows: Sequence[Row]) -> list[str]:
    """Pairs that differ by more than rounding although nothing explains it, in words."""
    found = []
    for row in rows:
        kind = "changed" if row.pair.changes else "float64"
        worst = max(row.differences[kind])
        if worst > ROUNDING and (row.pair.changes or not row.pair.why):
            found.append(f"{row.pair.title}: {short(worst)} in {kind}, and nothing explains it")
    return found


def main() -> None:
    """Read the command line, compare, print; exits with 1 if a difference has no explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", help="a trained model or run in place of the smooth random network")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="numbers of steps to try")
    parser.add_argument("--markdown", action="store_true", help="also print every number of steps")
    options = parser.parse_args()
    if find_spec("diffusers") is None:
        print("diffusers is not installed here, so there is no witness: pip install diffusers==0.42.1")
        return
    warnings.filterwarnings("ignore", module="diffusers")
    torch.set_num_threads(1)  # many small tensors gain nothing from more
    print(describe(facts(["unfog", "diffusers"])), flush=True)
    network = f"the network of {options.model}" if options.model else "a smooth random network"
    print(f"{network}; steps {', '.join(map(str, options.steps))}", end="\n\n", flush=True)
    rows = [examine(pair, options.model, options.steps) for pair in PAIRS]
    reasons = list(dict.fromkeys(pair.why for pair in PAIRS if pair.why))
    print("\n".join(summary(rows, reasons)), end="\n\n")
    print(
        "\n".join(f"{number}. {' '.join(why.split())}" for number, why in enumerate(reasons, 1)), end="\n\n"
    )
    print(f"No NaN and no infinity on either side: {len(rows)} pairs, {len(options.steps)} numbers of steps.")
    for name, why in UNPAIRED.items():
        print(f"Without a peer: {name} ({why}).")
    if options.markdown:
        print("\n".join(details(rows, options.steps)))
    if wrong := mistakes(rows):
        sys.exit("\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
