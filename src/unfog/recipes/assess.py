"""Measuring a model's samples against the data, and putting the figures where people read them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unfog.data import Options, PictureStore, open_pictures
from unfog.errors import DataError
from unfog.evaluate.figure import Figure
from unfog.evaluate.quality import evaluate_pictures
from unfog.evaluate.result import Quality
from unfog.evaluate.words import Row
from unfog.model import Model, PairModel, PictureModel
from unfog.output.facts import Metric, Neighbours
from unfog.recipes.assess_words import asked_of, check_judge, found_by, kept_to
from unfog.recipes.listen import Listener, Silent

SHOWN = 16  # samples beside their nearest training pictures
MOST_REFERENCE = 20_000  # real pictures of each kind that are compared with
COPY_RULE = "A copy is a sample three times nearer to one training picture than to any other."


@dataclass(frozen=True)
class Assessment:
    """What was measured.

    Attributes:
        quality: all figures.
        metrics: the same for a report.
        neighbours: samples beside the training pictures nearest to them.
        warnings: whole sentences.
    """

    quality: Quality
    metrics: list[Metric]
    neighbours: Neighbours
    warnings: list[str]


def assess(
    store: PictureStore, pictures: np.ndarray, labels: list[int] | None, listener: Listener
) -> Assessment:
    """Measure pictures against the store they should resemble.

    Args:
        store: the data, with its held-out part.
        pictures: samples, uint8, (N, H, W, C).
        labels: the classes asked for, or None.
        listener: is told about progress.
    """
    train, held = (few(indices) for indices in (store.train, store.held_out))
    references = store.images[train]
    quality = evaluate_pictures(
        pictures,
        None if labels is None else np.asarray(labels, np.int64),
        references,
        None if store.labels is None else store.labels[train],
        store.images[held],
        None if store.labels is None else store.labels[held],
        store.classes,
        progress=lambda done, total: listener.phase("Measuring", done, total),
    )
    near = quality.neighbours["pixels"]
    closest = np.argsort(near.ratio)[:SHOWN]
    copied = quality.memorisation["pixels"]["copied"]
    neighbours = Neighbours(
        samples=pictures[closest],
        nearest=references[near.nearest[closest]],
        distances=near.distance[closest].tolist(),
        share=copied.samples.value,
        floor=copied.floor.value,
        count=copied.samples.n,
        rule=COPY_RULE,
    )
    metrics = [_metric(row) for row in quality.rows() if row.samples.value is not None]
    return Assessment(quality, metrics, neighbours, _warnings(quality))


def few(indices: np.ndarray) -> np.ndarray:
    """At most as many of the pictures as are compared with, always the same ones."""
    if len(indices) <= MOST_REFERENCE:
        return indices
    return np.sort(np.random.default_rng(0).choice(indices, MOST_REFERENCE, replace=False))


def _metric(row: Row) -> Metric:
    assert row.samples.value is not None
    return Metric(
        name=row.key,
        value=row.samples.value,
        floor=row.floor.value,
        low=row.samples.low,
        high=row.samples.high,
        count=row.samples.n,
        meaning=row.meaning,
        space=row.space,
        better=row.better if row.better in ("lower", "higher") else "",
        percent=row.percent,
    )


def _warnings(quality: Quality) -> list[str]:
    """Saturation and memorisation beyond what real pictures show."""
    found = []
    for key, words in (("bright", "pure white"), ("dark", "pure black")):
        pair = quality.range.get(key)
        if pair and pair.samples.value is not None and pair.floor.value is not None:
            drawn, real = pair.samples.value, pair.floor.value
            if drawn > real + 0.1:
                found.append(
                    f"{drawn:.0%} of the samples' values are {words}, against {real:.0%} in real pictures: "
                    "they saturate. Lower --guidance, or use --threshold dynamic."
                )
    copied = quality.memorisation["pixels"]["copied"]
    if copied.samples.low is not None and copied.samples.low > (copied.floor.high or 0.0):
        found.append(
            f"{copied.samples.value:.1%} of samples are copies of training pictures, more than among real "
            f"ones ({copied.floor.value or 0:.1%}): the model memorises. Train shorter, or add pictures."
        )
    return found


@dataclass(frozen=True)
class Evaluation:
    """The answer of ``unfog evaluate``: plain values, and a table as text."""

    values: dict[str, Any]
    rows: list[list[str]]
    notes: list[str]


def evaluate_model(
    model: PictureModel,
    data: str | Path,
    n: int = 1000,
    *,
    seed: int = 0,
    settings: dict[str, Any] | None = None,
    judge: PairModel | None = None,
    listener: Listener | None = None,
) -> Evaluation:
    """Draw n samples, and measure them beside held-out real pictures.

    Args:
        model: what draws.
        data: the pictures it learned from: the same source gives the same held-out part.
        n: samples.
        seed: of the samples.
        settings: fields of ``Sampling`` to change.
        judge: a pair model, trained apart, that looks for what was asked among all held-out captions.
        listener: is told about progress.

    Raises:
        DataError: if the data's classes are not the model's, or a judge is given no words.
    """
    listener, made = listener or Silent(), trained_on(model)
    store, sampling = data_of(model, data, listener), model.settings(**(settings or {}))
    check_judge(model, judge, store)
    asked, questions = asked_of(model, store, str(data), n, seed)
    started = time.perf_counter()
    pictures = model.draw(
        asked,
        n,
        seed=seed,
        sampling=sampling,
        progress=lambda done, total: listener.phase("Drawing", done, total),
    )
    seconds = time.perf_counter() - started
    found = assess(store, pictures, asked if model.spec.classes else None, listener)
    notes = [*found.quality.notes, *found.warnings]
    if made and made.get("digest") != store.digest:
        notes.append("These are not exactly the pictures the model was trained on (another content hash).")
    values = {
        "samples": n,
        "seed": seed,
        "seconds": round(seconds, 2),
        "sampling": asdict(sampling),
        "figures": found.quality.to_dict(),
        "notes": notes,
    }
    rows = [
        [row.figure, _shown(row, True), _shown(row, False), row.better, str(row.samples.n)]
        for row in found.quality.rows()
    ]
    if questions:
        values["adherence"], more = kept_to(questions, pictures, store)
        rows += _rows(more)
    if judge is not None and asked is not None:
        values["judged"], more = found_by(judge, asked, pictures, store)
        rows += _rows(more)
    return Evaluation(values, rows, notes)


def _rows(told: list[tuple[str, Figure, Figure]]) -> list[list[str]]:
    """Shares, and median ranks, as rows of the table."""
    rows = []
    for name, here, real in told:
        better = "lower" if name.startswith("median") else "higher"
        cells = [each.cell(better == "higher") for each in (here, real)]
        rows.append([name, *cells, better, str(here.n)])
    return rows


def trained_on(model: Model) -> dict[str, Any]:
    """What the model's history says of its data; empty if it says nothing."""
    return next((entry["data"] for entry in reversed(model.history) if "data" in entry), {})


def data_of(model: PictureModel, data: str | Path, listener: Listener) -> PictureStore:
    """The data at the model's size, split as it was for training.

    Raises:
        DataError: if its classes are not the model's.
    """
    made = trained_on(model)
    columns = made.get("columns", {})
    store = open_pictures(
        data,
        size=model.shape[1],
        channels=model.shape[0],
        held_out=made.get("held_out_share", 0.1),
        ground=made.get("ground", "white"),
        options=Options(**{what: columns.get(what) for what in ("image", "label", "caption")}),
        buckets=made.get("buckets", False),
        progress=lambda done, total: listener.phase("Reading pictures", done, total),
    )
    if model.spec.classes and tuple(store.classes) != model.spec.classes:
        raise DataError(
            f"{data} has the classes {', '.join(store.classes[:6]) or 'none'}, the model was trained on "
            f"{', '.join(model.spec.classes[:6])}. Give the data it was trained on."
        )
    return store


def _shown(row: Row, samples: bool) -> str:
    figure = row.samples if samples else row.floor
    if figure.value is None:
        return f"- ({figure.why})" if samples else "-"
    return figure.cell(row.percent)
