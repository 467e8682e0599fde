"""One judge for many sets of pictures: what it learned about the data is computed once."""

from __future__ import annotations

import numpy as np

from unfog.data import PictureStore
from unfog.evaluate.agreement import agreement
from unfog.evaluate.classifier import ClassifierSpace
from unfog.evaluate.classifier_cache import open_classifier
from unfog.evaluate.distance import FrechetJudge, frechet_distance
from unfog.evaluate.features import FeatureSpace, RandomSpace, Scaled
from unfog.evaluate.figure import Figure
from unfog.evaluate.pictures import shrink
from unfog.recipes.listen import Listener

MOST = 20_000  # training pictures that are compared with


class Judge:
    """Frechet distance to the training pictures, and label agreement where the data has classes.

    The features are those of a small classifier of the data; without classes those of a fixed random network.

    Args:
        store: the data.
        listener: is told about progress.
    """

    def __init__(self, store: PictureStore, listener: Listener) -> None:
        chosen = store.train
        if len(chosen) > MOST:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, MOST, replace=False))
        train = shrink(store.images[chosen])
        self.classifier: ClassifierSpace | None = None
        if store.labels is not None and len(store.classes) > 1:
            self.classifier = open_classifier(
                train,
                store.labels[chosen],
                len(store.classes),
                progress=lambda done, total: listener.phase("Training a judge", done, total),
            )
        self.features: FeatureSpace = self.classifier or RandomSpace()
        self.space = self.features.describe()
        reference = self.features.features(train)
        self.scaled = Scaled.to(self.features, reference)
        self.frechet = FrechetJudge(self.scaled.of(reference))

    def apart(self, one: np.ndarray, other: np.ndarray) -> Figure:
        """The distance between two sets of pictures, uint8 (N, H, W, C) each."""
        a, b = (self.scaled.of(self.features.features(shrink(each))) for each in (one, other))
        return Figure.of(frechet_distance(a, b), None, len(a), floor=0.0)

    def figures(self, pictures: np.ndarray, labels: np.ndarray | None) -> tuple[Figure, Figure | None]:
        """Distance and agreement of pictures, uint8 (N, H, W, C), drawn for these labels."""
        small = shrink(pictures)
        distance, _ = self.frechet.figures(self.scaled.of(self.features.features(small)), seed=0)
        if self.classifier is None or labels is None:
            return distance, None
        return distance, agreement(self.classifier.probabilities(small), labels)
