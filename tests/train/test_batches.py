"""Batches: every picture once an epoch, and any step can be taken again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unfog.data.buckets import Buckets
from unfog.train import Batches, Bucketed


def numbered(count: int, size: int = 2) -> np.ndarray:
    """Pictures that say which one they are, (count, 2, 3, 1)."""
    images = np.zeros((count, size, 3, 1), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    return images


def drawn(batches: Batches, steps: range) -> list[int]:
    return [int(n) for step in steps for n in batches(step)[0][:, 0, 0, 0]]


@given(count=st.integers(1, 60), size=st.integers(1, 100), seed=st.integers(0, 5))
def test_each_epoch_sees_every_picture_exactly_once(count: int, size: int, seed: int) -> None:
    """Also when a batch spans two epochs, or several."""
    batches = Batches(numbered(count), None, np.arange(count), size=size, seed=seed)
    seen = drawn(batches, range(-(-3 * count // size)))
    for epoch in range(3):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_and_seeds_have_their_own_order() -> None:
    def order(seed: int) -> list[int]:
        return drawn(Batches(numbered(50), None, np.arange(50), size=10, seed=seed), range(10))

    first = order(0)
    assert first[:50] != first[50:] and first != order(1) and first == order(0)


@given(step=st.integers(0, 10_000))
def test_a_step_depends_on_nothing_that_went_before(step: int) -> None:
    used = Batches(numbered(23), None, np.arange(23), size=7, seed=3, flip=True)
    for earlier in (9_999, 0, 17):
        used(earlier)
    fresh = Batches(numbered(23), None, np.arange(23), size=7, seed=3, flip=True)
    assert torch.equal(used(step)[0], fresh(step)[0])


def test_only_the_chosen_pictures_are_drawn_with_their_labels() -> None:
    labels = np.arange(40) % 7 - 1
    chosen = np.array([31, 2, 8, 39, 14])
    batches = Batches(numbered(40), labels, chosen, size=3, seed=0)
    for step in range(20):
        x, found = batches(step)
        assert found is not None and found.shape == (3,)
        numbers = x[:, 0, 0, 0].tolist()
        assert set(numbers) <= set(chosen.tolist())
        assert found.tolist() == [labels[n] for n in numbers]


def test_shapes_and_types() -> None:
    x, labels = Batches(numbered(5), None, np.arange(5), size=4, seed=0)(0)
    assert x.shape == (4, 1, 2, 3) and x.dtype == torch.uint8 and labels is None


def test_half_of_the_pictures_are_mirrored_and_nothing_else_changes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 3), np.uint8)
    plain = Batches(images, None, np.arange(30), size=30, seed=0)
    flipped = Batches(images, None, np.arange(30), size=30, seed=0, flip=True)
    mirrored = 0
    for step in range(20):
        for before, after in zip(plain(step)[0], flipped(step)[0], strict=True):
            if not torch.equal(before, after):
                assert torch.equal(before.flip(2), after)
                mirrored += 1
    assert mirrored == pytest.approx(300, abs=5 * 150**0.5)


def test_pictures_may_stay_on_the_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", numbered(30))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    on_disk = Batches(mapped, None, np.arange(30), size=8, seed=0)
    in_memory = Batches(numbered(30), None, np.arange(30), size=8, seed=0)
    assert drawn(on_disk, range(9)) == drawn(in_memory, range(9))


def test_the_source_is_not_written_to() -> None:
    images = numbered(6)
    x, _ = Batches(images, None, np.arange(6), size=6, seed=0)(0)
    x.zero_()
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_latents_come_as_they_are_kept() -> None:
    latents = np.random.default_rng(0).standard_normal((10, 2, 2, 3)).astype(np.float16)
    x, labels = Batches(latents, None, np.arange(10), size=10, seed=0)(0)
    assert x.dtype == torch.float16 and x.shape == (10, 3, 2, 2) and labels is None
    assert sorted(x.flatten().tolist()) == sorted(latents.flatten().tolist())


def bucketed(which: list[int]) -> Buckets:
    """Pictures of two shapes that say which one they are: 2 x 3 and 3 x 2, one channel."""
    rows = np.zeros((len(which), 9), np.uint8)
    rows[:, 0] = np.arange(len(which))
    rows[:, 1] = 7
    return Buckets(rows, np.array(which), ((2, 3), (3, 2)), 1)


@given(which=st.lists(st.integers(0, 1), min_size=1, max_size=40), size=st.integers(1, 50))
def test_batches_of_buckets_are_of_one_shape(which: list[int], size: int) -> None:
    batches = Bucketed(bucketed(which), np.arange(len(which)), np.arange(len(which)), size=size, seed=1)
    for epoch in range(2):
        seen: list[int] = []
        for step in range(epoch * batches.steps, (epoch + 1) * batches.steps):
            x, labels = batches(step)
            assert x is not None and labels is not None
            numbers = x[:, 0, 0, 0].tolist()
            assert labels.tolist() == numbers and len({which[n] for n in numbers}) == 1
            assert x.shape == (size, 1, *((2, 3), (3, 2))[which[numbers[0]]])
            seen += numbers
        for shape in {which[n] for n in seen}:
            counts = [seen.count(n) for n in range(len(which)) if which[n] == shape]
            assert max(counts) - min(counts) <= 1, "in the batches of a shape all come equally often"


@pytest.mark.parametrize("rare", [1, 3, 10])
def test_pictures_of_a_rare_shape_come_no_more_often_than_others(rare: int) -> None:
    """Once an epoch on average, whatever a batch holds; one filled in every epoch would give 16 / rare."""
    count, epochs = 50, 2000
    which = [0] * (count - rare) + [1] * rare
    batches = Bucketed(bucketed(which), np.arange(count), np.arange(count), size=16, seed=2)
    drawn = 0
    for step in range(epochs * batches.steps):
        _, labels = batches(step)
        assert labels is not None
        drawn += int((labels >= count - rare).sum())
    expected = rare * epochs * batches.steps * 16 / count
    # an epoch has one such batch more with this chance, or one less
    share = expected / 16 / epochs % 1
    spread = 16 * (epochs * share * (1 - share)) ** 0.5
    assert abs(drawn - expected) < 4 * spread


@given(step=st.integers(0, 10_000))
def test_a_step_of_buckets_depends_on_nothing_that_went_before(step: int) -> None:
    which = [0, 1, 1, 0, 0, 1, 0]
    used, fresh = (Bucketed(bucketed(which), None, np.arange(7), size=2, seed=3, flip=True) for _ in "ab")
    for earlier in (9_999, 0, 17):
        used(earlier)
    assert torch.equal(used(step)[0], fresh(step)[0])
