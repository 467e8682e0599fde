"""``unfog steps``: which sampler, and how many calls, for this model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unfog.cli.screen import Screen, answer, table

if TYPE_CHECKING:
    from unfog.model import PictureModel
    from unfog.recipes.steps import Advice, Trial

HEAD = ["calls", "sampler", "grid", "guidance", "Frechet distance (95 %)", "agreement", "s per 100"]


def steps(
    model: Annotated[Path, typer.Argument(help="Folder of a model or run.")],
    data: Annotated[
        str | None, typer.Option(help="What it learned from; not needed where the run still knows.")
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=50, help="For each measurement: 1,000 pictures, 64 to 200 texts.")
    ] = None,
    calls: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="To try; repeatable. Network calls for pictures: 5, 8, 12, 20; steps for texts: 4 to 64.",
        ),
    ] = None,
    optimise: Annotated[
        list[int] | None,
        typer.Option(min=2, max=100, help="Pictures: learn a sampler of so many steps; repeatable; 6 and 8."),
    ] = None,
    learn: Annotated[
        bool, typer.Option("--learn/--no-learn", help="Pictures: learn samplers or not.")
    ] = True,
    reference: Annotated[int, typer.Option(min=20, help="Pictures: steps of DDPM to compare with.")] = 1000,
    store: Annotated[bool, typer.Option("--store/--dry-run", help="Make the best one the default.")] = True,
    out: Annotated[Path | None, typer.Option(help="PNG of the charts; beside the model.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the best way to sample or write: unfog steps runs/photos/model."""
    options = {"data": data, "n": n, "calls": calls, "out": out, "optimise": optimise}
    with Screen() as screen:
        from unfog.model import TextModel, home, load, load_pictures

        if isinstance(read := load(model), TextModel):
            from unfog.cli.steps_text import advise_on_text

            advise_on_text(read, home(model), options, screen, store=store, json=json)
        else:
            options |= {"learn": learn, "reference": reference}
            _advise(load_pictures(model), home(model), options, screen, store=store, json=json)


def _advise(
    model: PictureModel, folder: Path, options: dict[str, Any], screen: Screen, *, store: bool, json: bool
) -> None:
    """Measure, store and print for a model of pictures."""
    from unfog.model import restate
    from unfog.output.steps import draw_steps
    from unfog.recipes.steps import CALLS, LEARNED, adopt, advise, source_of

    advice = advise(
        model,
        options["data"] or source_of(model, folder),
        1000 if options["n"] is None else options["n"],
        calls=tuple(options["calls"] or CALLS),
        optimise=tuple(options["optimise"] or LEARNED) if options["learn"] else (),
        reference=options["reference"],
        listener=screen,
    )
    if store:
        adopt(model, advice)
        restate(model, folder)
    path = draw_steps(options["out"] or folder.parent / "steps.png", *_charts(advice))
    values = {
        "chosen": advice.chosen.to_dict(),
        "as_good": advice.good,
        "stored": store,
        "reference": advice.reference.to_dict(),
        "space": advice.space,
        "quality": [trial.to_dict() for trial in advice.trials],
        "errors": [trial.to_dict() for trial in advice.errors],
        "learned": {
            count: {"error": found.error, "before": found.before} for count, found in advice.fitted.items()
        },
        "chart": str(path),
    }
    answer(values, json, _text(advice, store, path))


def _charts(advice: Advice) -> tuple[Any, ...]:
    best: dict[str, dict[int, float]] = {}
    for trial in advice.errors:
        line = best.setdefault(trial.sampling.sampler, {})
        line[trial.calls] = min(line.get(trial.calls, float("inf")), trial.error or 0.0)
    for count, found in advice.fitted.items():
        best.setdefault("learned", {})[count] = found.error
    quality: dict[str, list[tuple[int, float]]] = {}
    for trial in advice.trials:
        if trial.frechet is not None and trial.frechet.value is not None:
            quality.setdefault(_name(trial, advice), []).append((trial.calls, trial.frechet.value))
    limit = advice.reference.frechet.value if advice.reference.frechet else None
    name = f"ddpm, {advice.reference.calls} calls"
    chosen = (_name(advice.chosen, advice), advice.chosen.calls)
    return {n: sorted(line.items()) for n, line in best.items()}, quality, (name, limit or 0.0), chosen


def _name(trial: Trial, advice: Advice) -> str:
    """The sampler, and its guidance where that is not the reference's."""
    guidance = trial.sampling.guidance
    more = "" if guidance == advice.reference.sampling.guidance else f", guidance {guidance:g}"
    return trial.sampling.sampler + more


def _text(advice: Advice, stored: bool, path: Path) -> str:
    best = sorted(advice.errors, key=lambda t: (t.calls, t.error or 0.0))
    few = [trial for calls in sorted({t.calls for t in best}) for trial in _first(best, calls)]
    errors = [[str(t.calls), t.sampling.sampler, t.sampling.grid, f"{t.error:.3f}"] for t in few]
    errors += [[str(c), "learned", "optimised", f"{f.error:.3f}"] for c, f in advice.fitted.items()]
    rows = [_row(t) for t in sorted(advice.trials, key=lambda t: (t.calls, t.sampling.sampler))]
    rows.append(_row(advice.reference))
    chosen = advice.chosen.sampling
    word = "Now the model's default" if stored else "Best"
    verdict = (
        f"{word}: {chosen.sampler}, {chosen.steps} steps, grid {chosen.grid}: {advice.chosen.calls} calls"
    )
    beside = f"{advice.reference.calls} steps of DDPM"
    verdict += (
        f", as good as {beside} to 5 %." if advice.good else f"; nothing measured was as good as {beside}."
    )
    return "\n\n".join(
        [
            table(["calls", "sampler", "grid", "error, in standard deviations of the data"], errors),
            table(
                ["calls", "sampler", "grid", "guidance", "Frechet distance (95 %)", "agreement", "s per 100"],
                rows,
            ),
            f"Distances in {advice.space}.",
            f"{verdict}\nCharts: {path}",
        ]
    )


def _first(trials: list[Trial], calls: int) -> list[Trial]:
    return [trial for trial in trials if trial.calls == calls][:3]


def _row(trial: Trial) -> list[str]:
    agreement = "-" if trial.agreement is None else str(trial.agreement)
    return [
        str(trial.calls),
        trial.sampling.sampler,
        trial.sampling.grid,
        f"{trial.sampling.guidance:g}",
        str(trial.frechet),
        agreement,
        f"{trial.seconds:.2f}",
    ]
