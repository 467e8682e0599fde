import sys

import pytest

from unfog.data.hub import HubReader, split_name
from unfog.data.store import open_pictures
from unfog.errors import DataError, MissingExtra

datasets = pytest.importorskip("datasets")


@pytest.fixture
def saved(tmp_path, picture, monkeypatch):
    """A data set with two splits, saved by the library itself."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def part(start, count):
        rows = [
            {"image": picture(24, 24, seed=start + i), "label": i % 2, "text": f"number {i}"}
            for i in range(count)
        ]
        kinds = {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["猫", "dog"]),
            "text": datasets.Value("string"),
        }
        return datasets.Dataset.from_list(rows, features=datasets.Features(kinds))

    return datasets.DatasetDict({"test": part(0, 3), "train": part(10, 6)})


def test_saved_to_disk(saved, tmp_path, cache):
    saved.save_to_disk(tmp_path / "set")
    assert HubReader.accepts(str(tmp_path / "set"))
    store = open_pictures(tmp_path / "set")
    assert store.classes == ("猫", "dog")
    assert store.names[:2] == ("train#0", "train#1") and list(store.held_out) == [6, 7, 8]
    assert store.captions[:2] == (("number 0",), ("number 1",))
    assert store.images.shape == (9, 24, 24, 3)


def test_a_folder_of_parquet_through_the_library(saved, tmp_path, cache):
    (tmp_path / "set").mkdir()
    for name, part in saved.items():
        part.to_parquet(tmp_path / "set" / f"{name}-00000-of-00001.parquet")
    by_hub = open_pictures(f"hub:{tmp_path / 'set'}")
    by_table = open_pictures(tmp_path / "set")
    assert by_hub.digest == by_table.digest and len(by_hub.held_out) == 3
    assert len(open_pictures(f"hub:{tmp_path / 'set'}:train")) == 6


def test_a_name_that_cannot_be_loaded(cache, tmp_path):
    with pytest.raises(DataError, match="cannot be loaded"):
        open_pictures(f"hub:{tmp_path / 'nothing'}")


def test_names():
    assert split_name("hub:me/set") == ("me/set", None)
    assert split_name("hub:me/set:train") == ("me/set", "train")
    with pytest.raises(DataError, match="hub:OWNER/NAME"):
        split_name("hub:")


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match="hub"):
        list(HubReader("hub:me/set").listing())
