"""What the report of a language run tells: gathered from the model, the texts and the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from unfog.model.text import TextModel
from unfog.output.facts import Losses
from unfog.output.text_report import TextReport, write_text_report
from unfog.recipes.assess_text import judge, summaries
from unfog.recipes.listen import Listener
from unfog.recipes.recipe import command_of
from unfog.train.objective import Batch, Objective
from unfog.train.run import read_log
from unfog.train.validate import losses

if TYPE_CHECKING:
    from unfog.recipes.language_run import Texts

HIDDEN = "░"  # what a hidden token looks like
ROWS = 10  # canvases that are shown of one text
PRINTED = 24  # samples on the page


def tell(
    run: Path,
    config: Any,
    prepared: Texts,
    samples: int,
    fixed: Batch,
    objective: Objective,
    listener: Listener,
) -> Path:
    """Write, measure, and write ``RUN/report.html``; returns its path."""
    model = prepared.model
    texts, figures = _samples(prepared, samples, listener) if samples else ([], [])
    report = TextReport(
        title=f"{Path(prepared.source).stem}: {model.spec.context} tokens",
        facts=_facts(prepared, config),
        samples=texts[:PRINTED],
        canvases=canvases(model),
        losses=_losses(run, model, objective, fixed),
        command=command_of(run, config),
        figures=figures,
    )
    return write_text_report(run / "report.html", report)


def _samples(prepared: Texts, count: int, listener: Listener) -> tuple[list[str], list[tuple[str, str, str]]]:
    """What the model makes and its figures beside those of real texts: summaries, where it learned pairs."""
    model, corpus = prepared.model, prepared.corpus
    if "summarize" in model.spec.tasks:
        values, lines = summaries(model, corpus, count, 0, model.for_summary(), listener)
        texts = [f"{each['source']}\n→ {each['written']}" for each in values["examples"]]
        return texts, [(name, here, real) for name, here, real, *_ in lines]
    texts = model.generate(count, progress=lambda done, total: listener.phase("Writing samples", done, total))
    return texts, [
        (row.figure, row.samples.cell(row.percent), row.floor.cell(row.percent))
        for row in judge(texts, corpus, model, listener, read=False).rows()
    ]


def canvases(model: TextModel, prompt: str = "", seed: int = 0) -> list[tuple[float, str]]:
    """One text on its way: (time, canvas) pairs, about ten of them, the last one at time 0."""
    rows = [model.layout.beginning(prompt)]
    found: list[tuple[float, str]] = []
    labels = None if model.encoder is None else [0]
    for _, _, step in model.walk([0], rows, labels, seed=seed):
        if not found:
            found.append((step.t, model.codec.decode(step.x_t[0, rows[0].start :], hidden=HIDDEN)))
        found.append((step.s, model.codec.decode(step.x_s[0, rows[0].start :], hidden=HIDDEN)))
    places = torch.linspace(0, len(found) - 1, min(ROWS, len(found))).round().long().tolist()
    return [found[place] for place in places]


def _facts(prepared: Texts, config: Any) -> list[tuple[str, str]]:
    model, made = prepared.model, prepared.model.history[-1]
    return [
        ("Data", f"{Path(prepared.source).name}, {len(prepared.corpus):,} texts"),
        ("Held out", f"{len(prepared.corpus.held_out):,}"),
        ("Tokens", f"{model.codec.vocabulary:,}, {model.codec.kind}"),
        ("Context", f"{model.spec.context} tokens"),
        ("Network", f"transformer, {model.count_parameters():,} weights"),
        (
            "Training",
            f"{made['steps']:,} steps of {config.train.batch} rows, {made['seconds'] / 60:.1f} minutes",
        ),
        ("Machine", made["machine"]),
        ("Validation loss", f"{made['validation']:.4f} nats for each token"),
        ("Data (SHA-256)", prepared.digest),
    ]


def _losses(run: Path, model: TextModel, objective: Objective, fixed: Batch) -> Losses:
    rows = read_log(run)
    taken = {row["step"]: row for row in rows if "loss" in row}
    checked = {row["step"]: row["validation"] for row in rows if row.get("event") == "validation"}
    t = fixed[3]
    assert t is not None
    lost = 1 - model.denoiser.process.keep.alpha(t).float().mean(1)
    values = losses(objective, fixed)
    order = lost.argsort()
    bands = [chunk for chunk in order.tensor_split(min(12, len(order))) if len(chunk)]
    return Losses(
        train=(list(taken), [row["loss"] for row in taken.values()]) if taken else None,
        validation=(list(checked), list(checked.values())) if checked else None,
        learning_rate=(list(taken), [row["rate"] for row in taken.values()]) if taken else None,
        by_level=([float(lost[b].mean()) for b in bands], [float(values[b].mean()) for b in bands]),
    )
