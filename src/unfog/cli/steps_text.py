"""What ``unfog steps`` says of a model of text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from unfog.cli.screen import Screen, answer, table
from unfog.errors import UsageError

if TYPE_CHECKING:
    from unfog.evaluate.figure import Figure
    from unfog.model import TextModel
    from unfog.output.steps_text import Panel
    from unfog.recipes.steps_text import TextAdvice, TextTrial


def advise_on_text(
    model: TextModel, folder: Path, options: dict[str, Any], screen: Screen, *, store: bool, json: bool
) -> None:
    """Measure, store and print; what ``steps`` does for pictures.

    Args:
        model: of text.
        folder: where it lies.
        options: of the command: data, n, calls, out, optimise.
        screen: shows progress.
        store: whether to make the best the model's default.
        json: whether to print one JSON object.

    Raises:
        UsageError: if a sampler is to be learned.
    """
    from unfog.model import restate
    from unfog.output.steps_text import draw_text_steps
    from unfog.recipes.steps import source_of
    from unfog.recipes.steps_text import adopt_text, advise_text, value_of

    if options["optimise"]:
        raise UsageError("--optimise learns samplers of pictures: leave it out for a model of text.")
    data = options["data"] or source_of(model, folder)
    advice = advise_text(model, data, options["n"], counts=options["calls"], listener=screen)
    if store:
        adopt_text(model, advice)
        restate(model, folder)
    chosen = (advice.chosen.writing.sampler, value_of(advice.chosen.calls))
    path = draw_text_steps(options["out"] or folder.parent / "steps.png", panels(advice), chosen)
    values = {
        "chosen": advice.chosen.to_dict(),
        "stored": store,
        "reference": advice.reference.to_dict(),
        "real": {name: figure.to_dict() for name, figure in advice.real.items()},
        "quality": [trial.to_dict() for trial in advice.trials],
        "texts": advice.texts,
        "judge": advice.judge,
        "chart": str(path),
    }
    answer(values, json, _text(advice, model, store, path))


def panels(advice: TextAdvice) -> list[Panel]:
    """The charts: bits of the reader and of the model itself, and the two entropies."""
    from unfog.output.steps_text import REAL, Panel

    titles = {
        "bits": "Bits per character, by a reader",
        "own": "Bits of a token given all others, by the model itself",
        "entropy1": "Entropy of words, in bits",
        "entropy4": "Entropy of four words in a row, in bits",
    }
    found = []
    for key, title in titles.items():
        points: dict[str, list[tuple[float, float]]] = {}
        for trial in (*advice.trials, advice.reference):
            figure: Figure = getattr(trial, key)
            if figure.value is not None and trial.calls.value is not None:
                points.setdefault(trial.writing.sampler, []).append((trial.calls.value, figure.value))
        limits = {REAL: advice.real[key]} if key in advice.real else {}
        limits |= {_name(advice.reference): getattr(advice.reference, key)}
        found.append(Panel(title, points, {n: f.value for n, f in limits.items() if f.value is not None}))
    return found


def _text(advice: TextAdvice, model: TextModel, stored: bool, path: Path) -> str:
    from unfog.process import MaskedProcess

    head = [
        "calls",
        "sampler",
        "steps",
        "bits per character (95 %)",
        "bits, own",
        "entropy, words",
        "four in a row",
    ]
    head += [] if advice.reference.rouge is None else ["ROUGE-L"]
    head += ["characters", "calls per token", "tokens/s"]
    ordered = sorted(advice.trials, key=lambda trial: (trial.calls.value or 0.0, trial.writing.sampler))
    rows = [_row(trial, trial is advice.chosen) for trial in ordered]
    rows.append(_row(advice.reference, advice.reference is advice.chosen, "beside: "))
    real = [str(advice.real["bits"]), "", *(_short(advice.real[key]) for key in ("entropy1", "entropy4"))]
    rows.append(["", "real texts", "", *real, *[""] * (len(head) - 7)])
    chosen = advice.chosen
    steps = f"{chosen.writing.steps} steps" + (
        f" for each block of {model.block} tokens" if model.block else ""
    )
    word = "Now the model's default" if stored else "Best"
    one = f", one token at a time, {advice.reference.calls.value:.3g} calls,"
    beside = advice.reference.writing.sampler + (
        one
        if isinstance(model.denoiser.process, MaskedProcess)
        else f", {advice.reference.writing.steps} steps,"
    )
    verdict = (
        f"{word}: {chosen.writing.sampler}, {steps}: {chosen.calls.value:.3g} calls, "
        f"{_short(chosen.bits)} bits per character; {beside} gives "
        f"{_short(advice.reference.bits)}, and real texts have {_short(advice.real['bits'])}."
    )
    return "\n\n".join(
        [
            table(head, rows),
            f"{advice.texts} texts each. Bits are those of {advice.judge}, own bits of the model itself "
            "for a token given all others. Low bits with low entropies are dull text, not good text."
            + _blind(advice),
            f"{verdict}\nCharts: {path}",
        ]
    )


def _row(trial: TextTrial, chosen: bool, before: str = "") -> list[str]:
    row = [
        f"{trial.calls.value:.3g}",
        before + trial.writing.sampler + (" *" if chosen else ""),
        str(trial.writing.steps),
        str(trial.bits),
        _short(trial.own),
        _short(trial.entropy1),
        _short(trial.entropy4),
    ]
    row += [] if trial.rouge is None else [_short(trial.rouge)]
    calls = (trial.calls.value or 0.0) / trial.tokens
    return [*row, f"{trial.characters:.3g}", f"{calls:.2f}", f"{trial.rate:.3g}"]


def _short(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.4g}"


def _name(trial: TextTrial) -> str:
    return f"{trial.writing.sampler}, {trial.writing.steps} steps"


def _blind(advice: TextAdvice) -> str:
    """A warning where the reader is too weak to tell what is written from what is real."""
    ours, real = advice.reference.bits.value, advice.real["bits"].value
    if ours is None or real is None or ours > real:
        return ""
    return (
        "\nThe reader finds what the model writes no stranger than real texts, so it can tell ways of "
        "writing apart only roughly; more held-out texts would make a better one."
    )
