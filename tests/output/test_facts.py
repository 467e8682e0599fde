import numpy as np
import pytest

from unfog.output.facts import Data, Report


def test_measures_pictures():
    images = np.zeros((10, 4, 4, 3), np.uint8)
    images[5:] = 255
    images[..., 1] = 7
    data = Data.measure(images, [0, 0, 1, 1, -1] * 2, ["a", "b"], source="x", train=9)
    assert (data.count, data.size, data.channels, data.measured) == (10, (4, 4), 3, 10)
    assert data.mean == pytest.approx([127.5, 7, 127.5]) and data.std == pytest.approx([127.5, 0, 127.5])
    assert (data.low, data.high) == (0, 255)
    assert data.black == data.white == pytest.approx(1 / 3)
    assert data.class_counts == [4, 4] and data.unlabelled == 2
    assert data.histogram is not None and data.histogram.sum() == images.size
    assert data.source == "x" and data.train == 9
    assert data.example_labels is not None and list(data.example_labels) == [0] * 4 + [1] * 4


def test_large_sets_are_measured_in_part(tmp_path):
    path = tmp_path / "images"
    images = np.memmap(path, dtype=np.uint8, mode="w+", shape=(1000, 2, 2, 1))
    images[::2] = 10
    data = Data.measure(images, limit=100, examples=5)
    assert data.count == 1000 and data.measured == 100
    assert data.examples is not None and len(data.examples) == 5 and not isinstance(data.examples, np.memmap)
    assert data.example_labels is None and data.class_counts == ()


def test_more_classes_than_examples():
    images = np.zeros((300, 2, 2, 1), np.uint8)
    data = Data.measure(images, np.arange(300), [str(n) for n in range(300)], examples=20)
    assert data.examples is not None and len(data.examples) == 20


def test_no_picture_has_a_class():
    data = Data.measure(np.zeros((3, 2, 2, 1), np.uint8), [-1, -1, -1], ["a"])
    assert data.unlabelled == 3 and data.class_counts == [0]
    assert data.examples is not None and len(data.examples) == 3


def test_only_the_title_is_needed():
    assert Report(title="x").metrics == ()
