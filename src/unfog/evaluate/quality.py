"""Everything that can be said about a set of samples, beside the same for real pictures held out.

The training pictures are the reference. The held-out ones play the part of a perfect model's samples: what
they reach is the floor. Figures that depend on the number of pictures are computed from equally many of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unfog.errors import DataError
from unfog.evaluate.agreement import agreement, agreement_by_class, balance, confidence
from unfog.evaluate.classifier import ClassifierSpace
from unfog.evaluate.classifier_cache import open_classifier
from unfog.evaluate.coverage import territory_figures
from unfog.evaluate.distance import FrechetJudge, kernel_distance
from unfog.evaluate.features import FeatureSpace, PixelSpace, RandomSpace, Scaled
from unfog.evaluate.figure import Figure
from unfog.evaluate.memorisation import Neighbours, chunks_of, chunks_of_pixels, identical, neighbours, pixels
from unfog.evaluate.pictures import Labels, Pictures, check_pictures, shrink, subset
from unfog.evaluate.result import Pair, Pairs, Quality
from unfog.evaluate.saturation import saturation, value_range

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

LEAST_FLOOR = 20
"""With fewer held-out pictures than this, distances and coverage have no floor."""

MOST_COMPARED, MOST_KERNEL, MOST_SEARCHED = 10_000, 5_000, 2_000


@dataclass(frozen=True, eq=False)
class Sets:
    """The three sets of pictures with their labels; ``seed`` decides which ones are drawn from them."""

    samples: Pictures
    sample_labels: Labels | None
    train: Pictures
    train_labels: Labels | None
    held: Pictures
    held_labels: Labels | None
    seed: int

    @property
    def compared(self) -> int:
        """Pictures of each side in figures that depend on their number."""
        both = min(len(self.samples), MOST_COMPARED)
        return min(both, len(self.held)) if self.has_floor else both

    @property
    def has_floor(self) -> bool:
        """Whether enough real pictures are held out."""
        return len(self.held) >= LEAST_FLOOR

    def drawn(self, features: Floats) -> Floats:
        """As many rows as are compared."""
        return features[subset(len(features), self.compared, self.seed)]

    def searched(self) -> Labels:
        """The held-out pictures whose nearest training pictures are sought: all, or 2,000 of them."""
        return subset(len(self.held), MOST_SEARCHED, self.seed)

    def small(self, progress: Progress) -> Sets:
        """The same sets at the size at which they are judged."""
        train = shrink(self.train, progress=progress)
        parts = (shrink(self.samples), self.sample_labels, train, self.train_labels, shrink(self.held))
        return Sets(*parts, self.held_labels, self.seed)

    def check(self) -> None:
        """Make sure that everything fits together.

        Raises:
            DataError: it does not.
        """
        check_pictures(self.samples, "samples")
        check_pictures(self.train, "training pictures")
        check_pictures(self.held, "held-out pictures")
        ours, real, held = self.samples.shape[1:], self.train.shape[1:], self.held.shape[1:]
        if not ours == real == held:
            raise DataError(
                f"The pictures differ in shape: samples {ours}, training {real}, held-out {held}.\n"
                "Bring them to one size and number of channels first."
            )
        if len(self.samples) == 0:
            raise DataError("There are no samples. Make some first: unfog sample MODEL --out DIR")
        if len(self.train) < 3:
            raise DataError(
                f"{len(self.train)} training pictures are too few to compare with. Give 3 or more."
            )
        for labels, images in (
            (self.sample_labels, self.samples),
            (self.train_labels, self.train),
            (self.held_labels, self.held),
        ):
            if labels is not None and len(labels) != len(images):
                raise DataError(
                    f"There are {len(labels)} labels for {len(images)} pictures. Give one for each."
                )


def evaluate_pictures(
    samples: Pictures,
    sample_labels: Labels | None,
    train: Pictures,
    train_labels: Labels | None,
    held: Pictures,
    held_labels: Labels | None,
    classes: Sequence[str],
    seed: int = 0,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> Quality:
    """Measure samples against the data they should resemble.

    Args:
        samples: uint8 (M, H, W, C), made by a model.
        sample_labels: int64 (M,), the classes asked for, -1 for none; None when none was asked for.
        train: uint8 (N, H, W, C), what the model learned from; N >= 3. May be a memory map.
        train_labels: int64 (N,), -1 for none; None when the data has no classes.
        held: uint8 (L, H, W, C), real pictures the model never saw; L may be 0.
        held_labels: int64 (L,), or None.
        classes: names of the classes.
        seed: of everything random here; equal input and seed give equal figures on one machine.
        progress: called with (done, 100).
        cache: where classifiers are kept; None is $UNFOG_CACHE or the user's cache folder.

    Raises:
        DataError: arrays of wrong type or shape, no samples, or fewer than three training pictures.
    """
    full = Sets(samples, sample_labels, train, train_labels, held, held_labels, seed)
    full.check()
    tell = progress or (lambda done, total: None)
    sets = full.small(_part(tell, 0, 10))
    names = _class_names(classes, train_labels)
    judge, notes = _classifier(sets, len(names), cache, _part(tell, 10, 70))
    spaces: list[FeatureSpace] = [RandomSpace(), PixelSpace(sets.train, seed)]
    spaces = [judge, *spaces] if judge else spaces
    distances, copies, near = _in_spaces(sets, spaces, _part(tell, 70, 95))
    near["pixels"], pairs, found = _copies(sets, pixels(sets.samples), pixels(sets.held), None)
    exact = Pair(
        identical(samples, np.arange(len(samples)), train, near["pixels"].nearest),
        identical(held, sets.searched(), train, found),
    )
    told, by_class = _opinions(judge, sets, names) if judge else ({}, {})
    tell(100, 100)
    return Quality(
        counts={"samples": len(samples), "train": len(train), "held": len(held), "compared": sets.compared},
        spaces={space.name: space.describe() for space in spaces},
        distances=distances,
        memorisation=copies | {"pixels": pairs | {"identical": exact}},
        opinions=told,
        by_class=by_class,
        range=_range(sets),
        neighbours=near,
        notes=(*notes, *_notes(sets, judge)),
    )


def _part(tell: Progress, start: int, stop: int) -> Progress:
    """A progress callback that fills only a part of the whole."""
    return lambda done, total: tell(start + (stop - start) * done // max(1, total), 100)


def _class_names(classes: Sequence[str], labels: Labels | None) -> list[str]:
    most = int(labels.max(initial=-1)) + 1 if labels is not None else 0
    return [*classes, *(str(index) for index in range(len(classes), most))]


def _classifier(
    sets: Sets, classes: int, cache: Path | None, progress: Progress
) -> tuple[ClassifierSpace | None, list[str]]:
    if sets.train_labels is None:
        return None, ["The data has no classes, so no classifier was trained and labels are not judged."]
    if len(np.unique(sets.train_labels[sets.train_labels >= 0])) < 2:
        return None, ["Only one class has pictures, so no classifier was trained and labels are not judged."]
    return open_classifier(sets.train, sets.train_labels, classes, sets.seed, cache, progress), []


def _in_spaces(
    sets: Sets, spaces: list[FeatureSpace], progress: Progress
) -> tuple[dict[str, Pairs], dict[str, Pairs], dict[str, Neighbours]]:
    """Distances in every space; copies in the first, most telling one (pixels are searched elsewhere)."""
    distances: dict[str, Pairs] = {}
    copies: dict[str, Pairs] = {}
    near: dict[str, Neighbours] = {}
    for index, space in enumerate(spaces):
        reference = space.features(sets.train)
        scaled = Scaled.to(space, reference)
        reference = scaled.of(reference)
        samples, held = scaled.of(space.features(sets.samples)), scaled.of(space.features(sets.held))
        distances[space.name] = _distances(sets, samples, held, reference)
        if index == 0:
            near[space.name], copies[space.name], _ = _copies(sets, samples, held, reference)
        progress(index + 1, len(spaces))
    return distances, copies, near


def _distances(sets: Sets, samples: Floats, held: Floats, reference: Floats) -> Pairs:
    seed = sets.seed
    judge = FrechetJudge(reference)
    few = reference[subset(len(reference), MOST_KERNEL, seed)]

    def measured(features: Floats) -> dict[str, Figure]:
        at_n, limit = judge.figures(sets.drawn(features), seed)
        kernel = kernel_distance(features[subset(len(features), MOST_KERNEL, seed)], few, seed)
        territory = territory_figures(sets.drawn(features), reference, seed)
        return {"frechet": at_n, "frechet_limit": limit, "kernel": kernel} | territory

    ours = measured(samples)
    if sets.has_floor:
        floor = measured(held)
    else:
        reason = f"only {len(held)} pictures are held out, at least {LEAST_FLOOR} are needed"
        floor = dict.fromkeys(ours, Figure.missing(reason, len(held)))
    return {key: Pair(figure, floor[key]) for key, figure in ours.items()}


def _copies(
    sets: Sets, samples: NDArray[np.floating], held: NDArray[np.floating], reference: Floats | None
) -> tuple[Neighbours, Pairs, Labels]:
    """Neighbours of the samples, the figures, and the training pictures nearest to held-out ones."""
    train = chunks_of_pixels(sets.train) if reference is None else chunks_of(reference)
    ours = neighbours(samples.astype(np.float32), train)
    real = held[sets.searched()].astype(np.float32)
    if len(real) == 0:
        missing = Figure.missing("no pictures are held out")
        return ours, {key: Pair(figure, missing) for key, figure in ours.figures().items()}, sets.searched()
    theirs = neighbours(real, train)
    floor = theirs.figures()
    return ours, {key: Pair(figure, floor[key]) for key, figure in ours.figures().items()}, theirs.nearest


def _opinions(judge: ClassifierSpace, sets: Sets, names: Sequence[str]) -> tuple[Pairs, Pairs]:
    samples, held = judge.probabilities(sets.samples), judge.probabilities(sets.held)
    asked = sets.sample_labels if sets.sample_labels is not None else np.full(len(samples), -1)
    right = sets.held_labels if sets.held_labels is not None else np.full(len(held), -1)
    unasked = Figure.missing("no pictures of this class")
    ours, theirs = agreement_by_class(samples, asked, names), agreement_by_class(held, right, names)
    by_class = {name: Pair(figure, theirs.get(name, unasked)) for name, figure in ours.items()}
    few = Figure.missing(f"only {len(held)} pictures are held out, at least {LEAST_FLOOR} are needed")
    even = balance(sets.drawn(held), sets.seed) if sets.has_floor else few
    return {
        "agreement": Pair(agreement(samples, asked), agreement(held, right)),
        "confidence": Pair(confidence(samples), confidence(held)),
        "balance": Pair(balance(sets.drawn(samples), sets.seed), even),
    }, by_class


def _range(sets: Sets) -> Pairs:
    low, high = value_range(sets.train)
    ours, theirs = saturation(sets.samples, low, high), saturation(sets.held, low, high)
    return {key: Pair(figure, theirs[key]) for key, figure in ours.items()}


def _notes(sets: Sets, judge: ClassifierSpace | None) -> list[str]:
    notes = []
    if sets.has_floor and len(sets.samples) != len(sets.held):
        notes.append(
            f"Frechet distance, precision, recall, density, coverage and class balance depend on how many"
            f" pictures are compared; {sets.compared:,} samples and {sets.compared:,} held-out pictures were."
        )
    if not sets.has_floor:
        notes.append(f"Only {len(sets.held)} pictures are held out: most figures have no floor beside them.")
    if judge and judge.accuracy.value is not None and judge.accuracy.value < 0.7:
        notes.append(
            f"The classifier is right on only {judge.accuracy.value:.0%} of pictures it had not seen, so its"
            " figures say little; look at the other spaces."
        )
    return notes
