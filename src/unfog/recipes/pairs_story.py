"""What is told about a pair model: how well pictures and captions find each other, and what is imagined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unfog.data import Options, PictureStore, open_pictures
from unfog.errors import DataError
from unfog.evaluate.figure import Figure, average
from unfog.evaluate.retrieval import Found, by_script, ranks, retrieval
from unfog.model.pairs import PairModel
from unfog.output.pairs_report import PairsReport, Shown, write_pairs_report
from unfog.recipes.assess import Evaluation, trained_on
from unfog.recipes.codec_story import losses_of_run
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.recipe import command_of

if TYPE_CHECKING:
    from unfog.recipes.pairs import PairsConfig

FEW = 1000  # held-out pictures that are looked at, at most
SHOWN, TOLD = 24, 3  # pictures on the page, and captions found for each

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known about a pair model.

    Attributes:
        found: ranks, for each way and script.
        near: cosine of held-out pictures with: what the prior imagines for their captions; their captions;
            other pictures.
        pictures: those that were looked at, uint8 (N, H, W, C).
        captions: of each of them.
        seen: their embeddings, (N, E).
    """

    found: list[Found]
    near: dict[str, Figure]
    pictures: NDArray[np.uint8]
    captions: Sequence[Sequence[str]]
    seen: Vectors

    def lines(self) -> list[str]:
        """The figures in a few lines for a terminal."""
        lines = [
            f"{each.title()}: median rank {each.median.value:g} of {each.candidates:,}; "
            + ", ".join(f"{k}: {figure.value:.0%}" for k, figure in each.recall.items())
            for each in self.found
            if each.median.value is not None
        ]
        told = ", ".join(
            f"{name} {each.value:.2f}" for name, each in self.near.items() if each.value is not None
        )
        return [*lines, f"Cosine with the picture: {told}."]

    def values(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "found": {each.title(): each.to_dict() for each in self.found},
            "near": {name: figure.to_dict() for name, figure in self.near.items()},
        }


def learn_about(model: PairModel, store: PictureStore, listener: Listener) -> Known:
    """Let held-out pictures and captions look for each other.

    Args:
        model: the pair model.
        store: its pictures.
        listener: is told about progress.
    """
    listener.phase("Looking for pairs", 0, 3)
    places = store.held_out[:: max(1, -(-len(store.held_out) // FEW))]
    pictures = np.array(store.images[places])
    captions = [tuple(text for text in _captions(store, i) if text) for i in places]
    seen: Vectors = model.embed_pictures(pictures).numpy()
    listener.phase("Looking for pairs", 1, 3)

    def embed(texts: Sequence[str]) -> Vectors:
        vectors: Vectors = model.embed_texts(texts).numpy()
        return vectors

    found = retrieval(seen, captions, embed)
    listener.phase("Looking for pairs", 2, 3)
    imagined, near = _imagined(model, seen, captions)
    listener.phase("Looking for pairs", 3, 3)
    return Known(found + imagined, near, pictures, captions, seen)


def _captions(store: PictureStore, place: int) -> Sequence[str]:
    return store.captions[place] if store.captions else ()


def _imagined(
    model: PairModel, seen: Vectors, captions: Sequence[Sequence[str]]
) -> tuple[list[Found], dict[str, Figure]]:
    """How well what the prior imagines for captions finds the picture, and how near it comes to it."""
    told = [(text, place) for place, each in enumerate(captions) for text in each]
    if not told:
        return [], {}
    texts, places = [text for text, _ in told], np.array([place for _, place in told])
    said = model.embed_texts(texts)
    drawn = model.imagine(said).numpy()
    true = seen[places]
    # neighbours in a set are often alike: those farthest away in it are not
    others = seen[np.roll(np.arange(len(seen)), len(seen) // 2)[places]]
    near = {
        "imagined": average((drawn * true).sum(1).astype(float)),
        "caption": average((said.numpy() * true).sum(1).astype(float)),
        "another picture": average((others * true).sum(1).astype(float)),
    }
    found = []
    for script, chosen in by_script(texts):
        right = np.zeros((len(chosen), len(seen)), bool)
        alike: dict[str, list[int]] = {text: [] for text in texts}
        for text, place in told:
            alike[text].append(place)
        for row, i in enumerate(chosen):
            right[row, alike[texts[i]]] = True
        ranked = ranks(drawn[chosen] @ seen.T, right)
        found.append(Found.of(ranked, len(seen), "imagined to picture", script))
    return found, near


def found_for(model: PairModel, known: Known, count: int) -> list[Shown]:
    """Pictures with the captions that are found for them, and their own."""
    texts = list(dict.fromkeys(text for each in known.captions for text in each))
    if not texts:
        return []
    likeness = known.seen @ model.embed_texts(texts).numpy().T
    shown = []
    for place in np.linspace(0, len(known.seen) - 1, min(count, len(known.seen))).round().astype(int):
        best = np.argsort(-likeness[place], kind="stable")[:TOLD]
        own = known.captions[place]
        told = [(texts[i], texts[i] in own) for i in best]
        shown.append(Shown(known.pictures[place], tuple(own), tuple(told)))
    return shown


def tell(
    run: Path, config: PairsConfig, store: PictureStore, model: PairModel, known: Known, listener: Listener
) -> Path:
    """Say the figures, and write ``RUN/report.html``; returns its path."""
    for line in known.lines():
        listener.say(line)
    report = PairsReport(
        title=f"{Path(store.source).stem}: pictures and captions in one space",
        facts=_facts(config, store, model),
        shown=found_for(model, known, SHOWN),
        found=[_row(each) for each in known.found],
        near=[(name, str(figure)) for name, figure in known.near.items()],
        losses=losses_of_run(run),
        command=command_of(run, config),
    )
    return write_pairs_report(run / "report.html", report)


def _row(found: Found) -> list[str]:
    recall = [f"{figure.value:.0%}" if figure.value is not None else "-" for figure in found.recall.values()]
    return [found.title(), str(found.median), *recall, f"{found.candidates:,}", f"{found.median.n:,}"]


def _facts(config: PairsConfig, store: PictureStore, model: PairModel) -> list[tuple[str, str]]:
    made, gaze = model.history[-1], model.gaze.config
    return [
        ("Data", f"{Path(store.source).name}, {len(store):,} pictures"),
        ("Held out", f"{len(store.held_out):,}"),
        ("Visual words", f"{gaze.words} of {gaze.word} numbers"),
        ("Captions are read by", str(model.spec.text["language"])),
        ("Weights", f"{model.count_parameters():,}"),
        (
            "Training",
            f"{made['steps']:,} steps of {config.train.batch} pairs, {made['seconds'] / 60:.1f} minutes",
        ),
        ("Machine", made["machine"]),
        ("Validation loss", f"{made['validation']:.4f}"),
        ("Data (SHA-256)", store.digest),
    ]


def evaluate_pairs(model: PairModel, data: str | Path, *, listener: Listener | None = None) -> Evaluation:
    """The same figures, for ``unfog evaluate``.

    Args:
        model: the pair model.
        data: pictures with captions: the same source gives the same held-out part.
        listener: is told about progress.

    Raises:
        DataError: there are no held-out pictures with captions.
    """
    listener, made = listener or Silent(), trained_on(model)
    columns = made.get("columns", {})
    store = open_pictures(
        data,
        size=model.shape[1],
        channels=model.shape[0],
        held_out=made.get("held_out_share", 0.1),
        ground=made.get("ground", "white"),
        options=Options(**{what: columns.get(what) for what in ("image", "label", "caption")}),
        progress=lambda done, total: listener.phase("Reading pictures", done, total),
    )
    known = learn_about(model, store, listener)
    if not known.found:
        raise DataError(f"{data} has no held-out pictures with captions. Give pictures that have some.")
    notes = known.lines()[-1:]
    if made and made.get("digest") != store.digest:
        notes.append("These are not exactly the pictures it was trained on (another content hash).")
    rows = []
    for each in known.found:
        rows.append([f"{each.title()}, median rank", str(each.median), "-", "lower", str(each.median.n)])
        rows += [
            [f"{each.title()}, recall at {k}", str(figure), "-", "higher", str(figure.n)]
            for k, figure in each.recall.items()
        ]
    values = {"pictures": len(known.seen), **known.values(), "notes": notes}
    return Evaluation(values, rows, notes)
