"""What a report can tell, as plain values: fill in what there is, the rest of the page is left out.

All pictures are uint8, C is 1 or 3. Everything but `Report.title` is optional, everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unfog.output.provenance import Picture, Provenance

Labels = Sequence[int] | NDArray[np.int64]


@dataclass(kw_only=True)
class Setup:
    """How the model was made, for the sentences at the top and the table of settings.

    Attributes:
        weights: how many numbers the network learned.
        network: its kind in words, such as "U-Net".
        pictures: how many pictures it learned from.
        seconds: how long the training took.
        steps: how many steps.
        batch: pictures in a step.
        device: what it ran on, such as "2 CPU cores".
        classes: how many classes can be asked for; 0 or None: none.
        sampler: name of the sampler of the samples shown.
        sampler_steps: its steps.
        guidance: scale of the guidance; 1 is off.
        sampling_seconds: how long one picture took.
        settings: the whole configuration, nested tables allowed; shown folded.
    """

    weights: int | None = None
    network: str | None = None
    pictures: int | None = None
    seconds: float | None = None
    steps: int | None = None
    batch: int | None = None
    device: str | None = None
    classes: int | None = None
    sampler: str | None = None
    sampler_steps: int | None = None
    guidance: float | None = None
    sampling_seconds: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Data:
    """The pictures the model learned from. `Data.measure` fills most of it.

    Attributes:
        source: what the user gave, such as "digits" or "photos/".
        licence: in a few words.
        digest: SHA-256 of the decoded content.
        count: how many pictures.
        train: how many of them were learned from.
        held_out: how many were kept apart to compare with.
        size: (height, width) in pixels.
        channels: 1 grey, 3 colour.
        classes: names of the classes.
        class_counts: pictures of each class.
        unlabelled: pictures of no class.
        mean: of each channel, 0 to 255.
        std: of each channel.
        low: smallest value found.
        high: greatest value found.
        black: share of values at 0.
        white: share of values at 255.
        histogram: how often each of the 256 values occurs (any scale).
        measured: how many pictures the statistics are from.
        examples: a few pictures (N, H, W, C).
        example_labels: their classes.
        skipped: (name, reason) of inputs that were left out.
    """

    source: str | None = None
    licence: str | None = None
    digest: str | None = None
    count: int | None = None
    train: int | None = None
    held_out: int | None = None
    size: tuple[int, int] | None = None
    channels: int | None = None
    classes: Sequence[str] = ()
    class_counts: Sequence[int] = ()
    unlabelled: int = 0
    mean: Sequence[float] = ()
    std: Sequence[float] = ()
    low: int | None = None
    high: int | None = None
    black: float | None = None
    white: float | None = None
    histogram: NDArray[Any] | None = None
    measured: int | None = None
    examples: Picture | None = None
    example_labels: Labels | None = None
    skipped: Sequence[tuple[str, str]] = ()

    @classmethod
    def measure(
        cls,
        images: Picture,
        labels: Labels | None = None,
        classes: Sequence[str] = (),
        *,
        limit: int = 5000,
        examples: int = 40,
        **others: Any,
    ) -> Data:
        """Measure pictures, which may be a memory-mapped array larger than memory.

        Args:
            images: uint8 (N, H, W, C).
            labels: class of each, -1 for none.
            classes: names.
            limit: statistics are taken from at most so many pictures, evenly spread.
            examples: how many are kept to be shown, evenly from all classes.
            **others: any other field, such as ``source="digits"``.
        """
        few = np.asarray(images[:: max(1, -(-len(images) // limit))])
        histogram = np.bincount(few.reshape(-1), minlength=256)
        flat = few.reshape(-1, few.shape[3])
        found = None if labels is None else np.asarray(labels, dtype=np.int64)
        shown = _spread(len(images), found, len(classes), examples)
        counts = () if found is None else np.bincount(found[found >= 0], minlength=len(classes)).tolist()
        return cls(
            **{
                "count": len(images),
                "size": (images.shape[1], images.shape[2]),
                "channels": images.shape[3],
                "classes": classes,
                "class_counts": counts,
                "unlabelled": 0 if found is None else int((found < 0).sum()),
                "mean": flat.mean(axis=0, dtype=np.float64).tolist(),
                "std": flat.std(axis=0, dtype=np.float64).tolist(),
                "low": int(few.min()),
                "high": int(few.max()),
                "black": float(histogram[0] / histogram.sum()),
                "white": float(histogram[255] / histogram.sum()),
                "histogram": histogram,
                "measured": len(few),
                "examples": np.asarray(images[shown]),
                "example_labels": None if found is None else found[shown],
                **others,
            }
        )


@dataclass(kw_only=True)
class Forward:
    """One picture drowning in noise.

    Attributes:
        pictures: (T, H, W, C), from the clean one on.
        t: time of each, 0 data to 1 noise.
        alpha: how much of the picture is left, x_t = alpha x + sigma e.
        sigma: how much noise there is.
        schedule: name of the schedule.
    """

    pictures: Picture
    t: Sequence[float] = ()
    alpha: Sequence[float] = ()
    sigma: Sequence[float] = ()
    schedule: str | None = None


@dataclass(kw_only=True)
class Backward:
    """Pictures clearing up, each with what the network believes at that moment.

    Attributes:
        noisy: x_t, (T, H, W, C) of one picture or (R, T, H, W, C) of several, from noise to picture.
        clean: the clean guess at each step, same shape; or None.
        t: time of each step, 1 noise to 0 data.
        film: the bytes of an animation (WebP, PNG or GIF, such as `film.encode_film` makes); shown if under
            1.5 MB.
    """

    noisy: Picture
    clean: Picture | None = None
    t: Sequence[float] = ()
    film: bytes | None = None


@dataclass(kw_only=True)
class Losses:
    """Curves of the training: pairs (steps, values) of equal length.

    Attributes:
        train: loss of each step, or of each logged one; shown raw and smoothed.
        validation: loss on pictures that were held out.
        learning_rate: the rate over the steps.
        by_level: (t, loss) over the noise level, 0 data to 1 noise.
    """

    train: tuple[ArrayLike, ArrayLike] | None = None
    validation: tuple[ArrayLike, ArrayLike] | None = None
    learning_rate: tuple[ArrayLike, ArrayLike] | None = None
    by_level: tuple[ArrayLike, ArrayLike] | None = None


@dataclass(kw_only=True)
class Metric:
    """One measured quality, beside the same figure for real pictures that were held out.

    Attributes:
        name: short name. The names in `words.METRICS` (frechet, coverage, copied, ...) are shown in words of
            the language of the page, with their meaning; any other is shown as it is.
        value: of the samples.
        floor: of real held-out pictures: what a perfect model would reach.
        low: lower end of the interval of ``value``.
        high: upper end.
        count: how many samples it is from.
        meaning: a sentence; replaces the known one on English pages, and stands for unknown names on all.
        space: the features it was measured in, such as "small classifier trained on this data".
        better: "lower", "higher", "near" (the floor) or ""; known for known names.
        percent: whether to show shares as per cent; None: as known for the name.
    """

    name: str
    value: float
    floor: float | None = None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    meaning: str = ""
    space: str = ""
    better: str = ""
    percent: bool | None = None


@dataclass(kw_only=True)
class Neighbours:
    """Samples beside the training pictures that are most like them.

    Attributes:
        samples: (K, H, W, C).
        nearest: (K, H, W, C), the nearest training picture of each.
        distances: (K,).
        share: share of all samples that count as copies of training pictures.
        floor: the same share for real held-out pictures.
        count: samples examined.
        rule: a sentence on what counts as a copy.
    """

    samples: Picture
    nearest: Picture
    distances: Sequence[float] = ()
    share: float | None = None
    floor: float | None = None
    count: int | None = None
    rule: str = ""


@dataclass(kw_only=True)
class Report:
    """Everything on the page. Only the title is needed.

    Attributes:
        title: heading, such as "Handwritten digits".
        warnings: whole sentences, shown first.
        setup: how the model was made.
        data: what it learned from.
        forward: one picture drowning in noise.
        backward: pictures clearing up.
        samples: (N, H, W, C) generated pictures; shown at the top, per class, and in the histogram.
        sample_labels: class of each.
        losses: curves.
        metrics: measured quality.
        neighbours: samples beside training pictures.
        provenance: what made the samples; the sheets on the page carry it too.
        made_by: further facts, name to value: versions, machine, hashes.
        command: command line that makes all this again.
    """

    title: str
    warnings: Sequence[str] = ()
    setup: Setup | None = None
    data: Data | None = None
    forward: Forward | None = None
    backward: Backward | None = None
    samples: Picture | None = None
    sample_labels: Labels | None = None
    losses: Losses | None = None
    metrics: Sequence[Metric] = ()
    neighbours: Neighbours | None = None
    provenance: Provenance | None = None
    made_by: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None


def _spread(count: int, labels: NDArray[np.int64] | None, classes: int, wanted: int) -> list[int]:
    """Numbers of pictures to show: evenly from all, or the same number from each class."""
    if labels is None or not classes:
        places = np.linspace(0, count - 1, min(count, wanted)).astype(int)
        return [int(number) for number in np.unique(places)]
    each = max(1, wanted // classes)
    found = [np.flatnonzero(labels == label)[:each].tolist() for label in range(min(classes, wanted))]
    chosen = [int(number) for row in found for number in row]
    return chosen or list(range(min(count, wanted)))
