import gzip
import struct

import numpy as np
import pytest

from unfog.data.idx import IdxReader, idx_files, read_idx
from unfog.data.store import open_pictures
from unfog.errors import DataError


def idx(values):
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def mnist(tmp_path):
    """A tiny set of two parts as MNIST is kept, one gzipped and one not."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 5), ("t10k", 3)):
        pictures, labels = (
            rng.integers(0, 256, (count, 28, 28), np.uint8),
            np.arange(count, dtype=np.uint8) % 2,
        )
        images = tmp_path / f"{part}-images-idx3-ubyte"
        names = tmp_path / f"{part}-labels-idx1-ubyte"
        if part == "train":
            images.with_name(images.name + ".gz").write_bytes(gzip.compress(idx(pictures)))
            names.with_name(names.name + ".gz").write_bytes(gzip.compress(idx(labels)))
        else:
            images.write_bytes(idx(pictures))
            names.write_bytes(idx(labels))
    return tmp_path


def test_both_parts_with_the_official_split(mnist, cache):
    store = open_pictures(mnist)
    assert store.images.shape == (8, 28, 28, 1)
    assert list(store.held_out) == [5, 6, 7]
    assert list(store.labels) == [0, 1, 0, 1, 0, 0, 1, 0]
    assert store.classes == ("0", "1")


def test_classes_by_name(mnist):
    labels = [entry.label for entry in IdxReader(str(mnist), classes=("hat", "shoe")).entries()]
    assert labels[:3] == ["hat", "shoe", "hat"]


def test_pictures_alone(mnist):
    for path in mnist.glob("*labels*"):
        path.unlink()
    assert [labels for _, labels, _ in idx_files(mnist)] == [None, None]
    assert {entry.label for entry in IdxReader(str(mnist)).entries()} == {None}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x0d\x03" + bytes(12),
        idx(np.zeros((3, 4, 4), np.uint8))[:-1],
        struct.pack(">HBB3I", 0, 8, 3, 9, 1 << 20, 1 << 20),
    ],
)
def test_damaged_files(tmp_path, raw):
    path = tmp_path / "x-images-idx3-ubyte"
    path.write_bytes(raw)
    with pytest.raises(DataError, match="cannot be read"):
        list(read_idx(path))


def test_fewer_labels_than_pictures(mnist):
    (mnist / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(1, np.uint8)))
    with pytest.raises(DataError, match="more pictures than"):
        list(IdxReader(str(mnist)).entries())
