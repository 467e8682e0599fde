"""What a model that reads words is asked for when it is measured, and how well it kept to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unfog.data import PictureStore
from unfog.data.world import KINDS
from unfog.data.world_judge import judge
from unfog.data.world_set import drawn_at, index_of
from unfog.errors import DataError
from unfog.evaluate.adherence import Question, adherence, questions
from unfog.evaluate.figure import Figure, share
from unfog.evaluate.retrieval import adherence_ranks
from unfog.model import PairModel, PictureModel
from unfog.model.asked import Wish
from unfog.rng import derive_seed

WORLDS = ("world", "world-64")  # named sets whose pictures can be read
MOST_REAL = 400  # real held-out pictures that are judged for the floor


def asked_of(
    model: PictureModel, store: PictureStore, data: str, n: int, seed: int
) -> tuple[list[Any] | None, list[Question]]:
    """One thing to ask for each of n pictures, and, in the procedural world, what it is in plain values.

    Words are captions of held-out pictures, each language in turn; labels take turns.
    """
    if not model.spec.text and model.pairs is None:
        return model.asker.choose(n), []
    if data in WORLDS:
        asked = questions(n, seed)
        return model.asker.choose(n, Wish(prompt=[question.text for question in asked])), asked
    told = [store.captions[i] for i in store.held_out if store.captions[i]] if store.captions else []
    if not told:
        return model.asker.choose(n), []
    order = np.random.default_rng(derive_seed(seed, "prompts")).permutation(len(told))
    turns = [told[order[i % len(told)]] for i in range(n)]
    texts = [captions[i % len(captions)] for i, captions in enumerate(turns)]
    return model.asker.choose(n, Wish(prompt=texts)), []


def kept_to(
    asked: Sequence[Question], pictures: np.ndarray, store: PictureStore
) -> tuple[dict[str, Any], list[tuple[str, Figure, Figure]]]:
    """How often each attribute is as asked, as values and as (name, samples, real pictures)."""
    real = _real(store)
    values: dict[str, Any] = {}
    lines = []
    for found in adherence(asked, pictures):
        part = f"{found.kind} combinations, {found.language}"
        values[part] = {name: figure.to_dict() for name, figure in found.figures.items()}
        lines += [
            (f"{name} as asked, {part}", figure, real[found.kind].get(name, Figure.missing("not asked")))
            for name, figure in found.figures.items()
        ]
    return values, lines


def _real(store: PictureStore) -> dict[str, dict[str, Figure]]:
    """The same judge on real held-out pictures, which show what they were drawn for."""
    right: dict[str, list[dict[str, bool]]] = {kind: [] for kind in KINDS}
    for place in store.held_out[:: max(1, len(store.held_out) // MOST_REAL)]:
        drawn = drawn_at(index_of(store.names[place]))
        right[drawn.kind].append(judge(drawn.scene, store.images[place]).right)
    return {
        kind: {
            name: share(np.array([each[name] for each in rows if name in each]))
            for name in {name for each in rows for name in each}
        }
        for kind, rows in right.items()
    }


def check_judge(model: PictureModel, judge: PairModel | None, store: PictureStore) -> None:
    """Refuse a judge that could say nothing, or that would judge itself, before anything is drawn.

    Raises:
        DataError: the model reads no words, the data has no captions, or the model draws from the judge's own
            visual words.
    """
    if judge is None:
        return
    told = store.captions and any(store.captions[i] for i in store.held_out)
    if not told or not (model.spec.text or model.spec.pairs):
        raise DataError(
            "--judge compares pictures with the words they were drawn for: it needs a model that reads "
            f"prompts, and data with captions ({store.source}). Leave --judge out."
        )
    if model.spec.pairs.get("fingerprint") == judge.fingerprint():
        raise DataError(
            "The judge is the pair model that this model draws from: it would judge itself. Train another: "
            "unfog train pairs --seed 1 --data DATA --out RUN"
        )


def found_by(
    judge: PairModel, asked: Sequence[Any], pictures: np.ndarray, store: PictureStore
) -> tuple[dict[str, Any], list[tuple[str, Figure, Figure]]]:
    """The rank of what was asked among all held-out captions, as values and as (name, samples, real).

    Args:
        judge: tells how well a caption fits a picture; trained apart from what drew them.
        asked: one prompt for each picture.
        pictures: drawn, uint8 (N, H, W, C).
        store: the data, whose held-out captions are the candidates.
    """
    told = [i for i in store.held_out if store.captions and any(store.captions[i])]
    captions = [[text for text in store.captions[i] if text] for i in told] if store.captions else []

    def embed(texts: Sequence[str]) -> np.ndarray:
        return judge.embed_texts(texts).numpy()

    everything = [text for each in captions for text in each]
    drawn = adherence_ranks(
        judge.embed_pictures(pictures).numpy(), [each.text for each in asked], everything, embed
    )
    few = told[:: max(1, -(-len(told) // MOST_REAL))]
    own = [captions[told.index(place)] for place in few]
    spoken = [each[turn % len(each)] for turn, each in enumerate(own)]
    real = adherence_ranks(judge.embed_pictures(store.images[few]).numpy(), spoken, everything, embed)
    beside = {each.script: each for each in real}
    values, rows = {}, []
    missing = Figure.missing("not asked")
    for each in drawn:
        floor = beside.get(each.script)
        values[each.script or "all"] = each.to_dict() | {"real": None if floor is None else floor.to_dict()}
        rows.append((f"median rank, {each.title()}", each.median, floor.median if floor else missing))
        rows += [
            (f"recall at {k}, {each.title()}", figure, floor.recall[k] if floor else missing)
            for k, figure in each.recall.items()
        ]
    return values, rows
