"""Learning to draw from visual words: the pair model opened, and all pictures seen through it once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unfog.data import PictureStore
from unfog.errors import TrainError
from unfog.model import PairModel, load_pairs
from unfog.recipes.listen import Listener
from unfog.recipes.pictures import PicturesConfig

AT_ONCE = 1024  # pictures between two words of progress


def open_pairs(path: str | Path, data: PicturesConfig) -> PairModel:
    """The pair model of a folder, for pictures that it can look at.

    Raises:
        ModelError: if it is none.
        TrainError: if the pictures are mirrored while training.
    """
    if getattr(data, "flip", False):
        raise TrainError(
            "data.flip with --pairs: pictures are seen once, and mirrored ones have other visual words. "
            "Leave flip out, or put mirrored copies beside the pictures."
        )
    return load_pairs(path)


def look_at(store: PictureStore, pairs: PairModel, listener: Listener) -> Tensor:
    """Embeddings of all pictures of a store, (N, E)."""
    parts = []
    for start in range(0, len(store), AT_ONCE):
        parts.append(pairs.embed_pictures(store.images[start : start + AT_ONCE]))
        listener.phase("Looking at pictures", min(start + AT_ONCE, len(store)), len(store))
    return torch.cat(parts)


def pairs_part(pairs: PairModel) -> dict[str, Any]:
    """A pair model as ``Spec.pairs`` describes it."""
    return {"model": asdict(pairs.spec), "fingerprint": pairs.fingerprint()}
