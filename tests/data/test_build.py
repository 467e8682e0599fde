import threading
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest

from unfog.data import build as building
from unfog.data.build import SIZES, build, choose_size, make_plan
from unfog.data.decode import Header
from unfog.data.reader import Entry, Reader
from unfog.errors import DataError


@dataclass
class Made(Reader):
    """A source that makes its pictures as they are asked for."""

    count: int = 10
    side: int = 32
    colour: bool = True

    @classmethod
    def accepts(cls, source):
        return False

    def listing(self):
        yield str(self.count)

    def entries(self):
        for index in range(self.count):
            pixels = np.random.default_rng(index).integers(0, 256, (self.side, self.side, 3), np.uint8)
            if not self.colour:
                pixels[...] = pixels[..., :1]
            yield Entry(f"{index}", pixels, label=str(index % 11))


def heads(*shorts):
    return [Header(short, short + 5, False) for short in shorts]


@pytest.mark.parametrize(
    ("shorts", "size"),
    [
        ((28, 28), 28),
        ((20, 20), 20),
        ((64, 64), 64),
        ((30, 30), 28),  # not a multiple of 4
        ((65, 65), 32),
        ((4000,), 32),
        ((31, 32, 300), 32),
        ((50, 60, 70), 32),
        ((1, 1, 1), 8),
        ((9, 10, 11), 8),
    ],
)
def test_the_size_is_chosen_from_the_data(shorts, size):
    assert choose_size(heads(*shorts)) == size
    assert size in SIZES or size % 4 == 0


def test_much_smaller_pictures_are_ruled_out_unless_all_are():
    assert make_plan(heads(10, 64, 64), 64, None).smallest == 32
    assert make_plan(heads(10, 11), 64, None).smallest == 0


def test_channels_are_chosen_from_the_data():
    grey, colour = Header(8, 8, True), Header(8, 8, False)
    assert make_plan([grey], None, None).channels == 1
    assert make_plan([grey, colour], None, None).channels == 3
    assert make_plan([grey, Header(1, 1, False)], None, None).channels == 1  # the coloured one is left out
    assert make_plan([colour], None, 1).channels == 1
    assert not make_plan([grey], None, 3).watch_colour


def test_colour_files_without_colour_become_grey(tmp_path):
    reader = Made("made", colour=False)
    manifest = build(reader, tmp_path)
    images = np.load(tmp_path / "images.npy")
    assert manifest.shape == images.shape == (10, 32, 32, 1)
    assert np.array_equal(
        images[3, ..., 0], next(e for e in reader.entries() if e.name == "3").payload[..., 0]
    )
    assert not (tmp_path / "grey.npy").exists()


def test_classes_in_natural_order(tmp_path):
    manifest = build(Made("made", count=22), tmp_path)
    assert manifest.classes == tuple(map(str, range(11)))
    assert list(np.load(tmp_path / "labels.npy")[:12]) == [*range(11), 0]


def test_progress_ends_at_the_end(tmp_path):
    seen = []
    build(Made("made", count=120), tmp_path, progress=lambda *at: seen.append(at))
    assert seen == [(50, 120), (100, 120), (120, 120)]


def test_a_set_larger_than_memory_streams(tmp_path):
    # 24 MB of pixels; neither readers, threads nor writer may hold more than a few pictures
    reader = Made("made", count=2000, side=64)
    (tmp_path / "warm").mkdir()
    build(Made("made", count=4), tmp_path / "warm")
    tracemalloc.start()
    try:
        manifest = build(reader, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert manifest.shape == (2000, 64, 64, 3)
    assert peak < 5_000_000


def test_few_payloads_are_in_memory_at_a_time(tmp_path, encoded, monkeypatch):
    monkeypatch.setattr(building, "workers", lambda: 2)
    raw, alive, most, lock = encoded(), [0], [0], threading.Lock()

    class Counted(Made):
        def entries(self):
            for index in range(400):
                with lock:
                    alive[0] += 1
                    most[0] = max(most[0], alive[0])
                yield Entry(str(index), raw)

    real = building.decode_picture

    def decoded(*args):
        with lock:
            alive[0] -= 1
        return real(*args)

    monkeypatch.setattr(building, "decode_picture", decoded)
    reader = Counted("made")
    manifest = build(reader, tmp_path)
    assert manifest.shape[0] == 400
    assert most[0] <= 400 + 16 * 6  # the first pass counts up to 400 without decoding


def test_a_source_that_changes_in_between(tmp_path):
    class Moving(Made):
        def entries(self):
            self.count += 1
            yield from Made.entries(self) if self.count % 2 else reversed(list(Made.entries(self)))

    with pytest.raises(DataError, match="changed while it was read"):
        build(Moving("moving"), tmp_path)


def test_an_error_in_the_reader_is_not_swallowed(tmp_path):
    class Torn(Made):
        def entries(self):
            yield from Made.entries(self)
            raise DataError("the archive is damaged")

    with pytest.raises(DataError, match="the archive is damaged"):
        build(Torn("torn"), tmp_path)
