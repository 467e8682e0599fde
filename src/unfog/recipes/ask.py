"""Asking for a label that a model never learned: a small classifier of the data steers instead.

The classifier looks at the clean estimate and says how little it looks like what was asked; the gradient of
that goes back through the network (``guide.loss``). It was trained on clean pictures, and at high noise the
estimate is a blur, so that strong guidance is needed where a model with labels needs none.

It is not the classifier that ``unfog evaluate`` judges by: that one never saw who was trying to please it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from unfog.errors import DataError, ModelError
from unfog.evaluate.classifier import ClassifierSpace
from unfog.evaluate.classifier_cache import classifier_path, data_key, load_classifier, open_classifier
from unfog.evaluate.pictures import shrink, smaller
from unfog.model import PictureLoss, PictureModel
from unfog.recipes.assess import data_of, few
from unfog.recipes.listen import Listener

SEED = 1  # of the classifier's training; the judge of an evaluation has 0
STRENGTH = 5.0  # where no other is asked for; at 1, Bayes' rule, only half of the digits obeyed


@dataclass(frozen=True, eq=False)
class Guide:
    """A classifier that steers.

    Attributes:
        space: the classifier.
        key: its name in the cache.
        classes: names of the classes it knows; empty where only their numbers are known.
    """

    space: ClassifierSpace
    key: str
    classes: tuple[str, ...] = ()

    def loss(self, labels: Sequence[int]) -> PictureLoss:
        """How improbable the classifier finds each picture's label, -log p in nats."""

        def improbable(pictures: Tensor) -> Tensor:
            net = self.space.net.to(pictures.device)
            logits = net.head(net(smaller(2 * pictures - 1)))
            wanted = torch.tensor(list(labels), device=logits.device)
            return F.cross_entropy(logits, wanted, reduction="none")

        return improbable


def guide_by(model: PictureModel, data: str | Path, listener: Listener) -> Guide:
    """The classifier of labelled pictures at the model's size, from the cache or trained now.

    Args:
        model: to be steered.
        data: the pictures, with classes: those it learned from, or others of their kind.
        listener: is told about progress.

    Raises:
        DataError: if the data has no classes, or others than the model.
    """
    store = data_of(model, data, listener)
    if store.labels is None or len(store.classes) < 2:
        raise DataError(
            f"{data} has no classes to tell apart. Give pictures in one subfolder for each class, or a table "
            "with a label column."
        )
    chosen = few(store.train)
    images, labels = shrink(store.images[chosen]), store.labels[chosen]
    space = open_classifier(
        images,
        labels,
        len(store.classes),
        SEED,
        progress=lambda done, total: listener.phase("Training the classifier", done, total),
    )
    return Guide(space, data_key(images, labels, len(store.classes), SEED), tuple(store.classes))


def guide_again(key: str) -> Guide:
    """A classifier that steered before, by its name in the cache.

    Raises:
        ModelError: if it is no longer there.
    """
    try:
        return Guide(load_classifier(classifier_path(key)), key)
    except ModelError:
        raise ModelError(
            f"The classifier {key[:12]} that steered this is not in the cache. Name its data: "
            "unfog sample MODEL --again FILE --classifier DATA --out DIR"
        ) from None
