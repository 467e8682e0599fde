"""Classifiers on disk, so that the second evaluation of the same data need not train one again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load, save

from unfog.atomic import atomic_write
from unfog.data.cache import cache_folder
from unfog.errors import ModelError, OutputError
from unfog.evaluate.classifier import MOST, ClassifierSpace, SmallNet, train_classifier
from unfog.evaluate.figure import Figure
from unfog.evaluate.pictures import SIDE, Labels, Pictures

VERSION = 2
"""Raised whenever the network or its training changes, so that older classifiers are not used."""


def open_classifier(
    images: Pictures,
    labels: Labels,
    classes: int,
    seed: int = 0,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ClassifierSpace:
    """The classifier of this data: from the cache, or trained now and put there.

    Args:
        images: uint8 (N, H, W, C), the training part.
        labels: int64 (N,), 0..K-1, -1 for pictures without one.
        classes: K.
        seed: of the training.
        cache: folder; None is $UNFOG_CACHE or the user's cache folder. One that cannot be written is no
            error: the classifier is then trained again next time.
        progress: called with (done, total) training steps.

    Raises:
        DataError: fewer than two classes have pictures.
    """
    path = classifier_path(data_key(images, labels, classes, seed), cache)
    with contextlib.suppress(ModelError):
        return load_classifier(path)
    space = train_classifier(images, labels, classes, seed, progress)
    with contextlib.suppress(OutputError):
        save_classifier(space, path)
    return space


def classifier_path(key: str, cache: Path | None = None) -> Path:
    """Where the classifier of a ``data_key`` lies, without its endings."""
    return cache_folder(cache) / "classifiers" / key


def data_key(images: Pictures, labels: Labels, classes: int, seed: int) -> str:
    """A name (hex) that changes with everything a classifier is made from.

    Of sets with more than 20,000 pictures, 20,000 evenly spaced ones are read, and all labels.
    """
    spaced = np.unique(np.linspace(0, len(images) - 1, min(len(images), MOST)).astype(np.int64))
    sha = hashlib.sha256(repr((VERSION, SIDE, images.shape, classes, seed)).encode())
    sha.update(np.ascontiguousarray(labels, np.int64).data)
    for part in np.array_split(spaced, -(-len(spaced) // 1024)):
        sha.update(np.ascontiguousarray(images[part]).data)
    return sha.hexdigest()[:32]


def save_classifier(space: ClassifierSpace, path: Path) -> None:
    """Write ``path``.safetensors and ``path``.json.

    Raises:
        OutputError: they cannot be written.
    """
    weights = save({key: value.contiguous() for key, value in space.net.state_dict().items()})
    facts = {
        "version": VERSION,
        "channels": space.channels,
        "classes": space.classes,
        "learned_from": space.learned_from,
        "accuracy": asdict(space.accuracy),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    atomic_write(_weights_file(path), weights)
    atomic_write(_facts_file(path), json.dumps(facts, indent=1))  # last: it vouches for the weights


def load_classifier(path: Path) -> ClassifierSpace:
    """Read what ``save_classifier`` wrote.

    Raises:
        ModelError: it is not there, damaged, or of another version.
    """
    try:
        facts = json.loads(_facts_file(path).read_text("utf-8"))
        weights = _weights_file(path).read_bytes()
        if facts["version"] != VERSION or hashlib.sha256(weights).hexdigest() != facts["sha256"]:
            raise ModelError(f"The classifier {path} is damaged or of another version. Delete it.")
        channels, classes = int(facts["channels"]), int(facts["classes"])
        net = SmallNet(channels, classes)
        net.load_state_dict(load(weights))
        accuracy = Figure(**facts["accuracy"])
        learned_from = int(facts["learned_from"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The classifier {path} cannot be read ({error}). Delete it and try again."
        ) from error
    net.eval().requires_grad_(False)
    return ClassifierSpace(net, channels, classes, accuracy, learned_from)


def _weights_file(path: Path) -> Path:
    return path.with_name(path.name + ".safetensors")


def _facts_file(path: Path) -> Path:
    return path.with_name(path.name + ".json")
