import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unfog.data import READERS, PictureStore, open_pictures
from unfog.data import cache as caches
from unfog.data.store import find_reader
from unfog.errors import DataError


def cache_files(cache, name="images.npy"):
    return sorted(cache.glob(f"pictures/*/{name}"))


def test_what_a_store_holds(pets, cache):
    store = open_pictures(pets)
    assert isinstance(store, PictureStore) and isinstance(store.images, np.memmap)
    assert store.images.shape == (10, 32, 32, 3) and store.images.dtype == np.uint8
    assert not store.images.flags.writeable
    assert store.labels.dtype == np.int64 and list(store.labels) == [0] * 5 + [1] * 5
    assert store.classes == ("cats", "dogs") and store.counts() == {"cats": 5, "dogs": 5}
    assert store.captions is None and store.skipped == () and store.source == str(pets)
    assert sorted([*store.train, *store.held_out]) == list(range(10)) and len(store.held_out) >= 1
    assert (store.size, store.channels, len(store)) == (32, 3, 10)
    assert len(store.digest) == 64


def test_the_second_time_nothing_is_decoded(pets, cache, count_decodes):
    first = open_pictures(pets)
    assert len(count_decodes) == 10
    again = open_pictures(str(pets))
    assert len(count_decodes) == 10
    assert again.digest == first.digest and np.array_equal(again.images, first.images)
    assert again.names == first.names and np.array_equal(again.held_out, first.held_out)


def test_another_split_needs_no_decoding(pets, cache, count_decodes):
    open_pictures(pets)
    assert len(open_pictures(pets, held_out=0.5).held_out) > 1
    assert len(open_pictures(pets, held_out=0).held_out) == 0
    assert len(count_decodes) == 10


def test_other_options_are_other_caches(pets, cache):
    sizes = {
        open_pictures(pets, size=size, channels=channels).images.shape
        for size in (16, 24)
        for channels in (1, 3)
    }
    assert len(sizes) == 4
    assert len(cache_files(cache)) == 4


def test_a_change_in_the_folder_is_seen_and_the_old_cache_goes(pets, cache, picture):
    before = open_pictures(pets)
    picture(40, 40, seed=77).save(pets / "dogs" / "new.png")
    after = open_pictures(pets)
    assert len(after) == 11 and after.digest != before.digest
    assert len(cache_files(cache)) == 1
    assert np.asarray(before.images).shape[0] == 10  # the open one stays readable


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "split.npy", "manifest.json"])
@pytest.mark.parametrize("how", ["flip", "cut", "empty", "gone"])
def test_a_damaged_cache_is_made_again_and_said(pets, cache, count_decodes, name, how):
    whole = open_pictures(pets)
    digest, split = whole.digest, list(whole.held_out)
    del whole
    (path,) = cache_files(cache, name)
    raw = bytearray(path.read_bytes())
    if how == "flip":
        raw[len(raw) * 2 // 3] ^= 4
    new = {"flip": raw, "cut": raw[:-3], "empty": b""}.get(how)
    path.unlink() if new is None else path.write_bytes(new)
    again = open_pictures(pets)
    assert again.digest == digest and list(again.held_out) == split
    assert len(count_decodes) == 20
    assert "was made again" in again.notes[0] and "was made again" in again.summary()
    assert not open_pictures(pets).notes


def test_large_caches_are_checked_in_places(pets, cache, monkeypatch, count_decodes):
    monkeypatch.setattr(caches, "FULL_CHECK", 0)
    open_pictures(pets)
    open_pictures(pets)
    assert len(count_decodes) == 10
    (path,) = cache_files(cache)
    with path.open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"12345")
    assert open_pictures(pets).notes
    assert len(count_decodes) == 20


def test_half_built_caches_of_a_killed_process_are_removed(pets, cache):
    open_pictures(pets)
    (folder,) = (path.parent for path in cache_files(cache))
    leftover = folder.with_name(folder.name + ".tmp-killed")
    leftover.mkdir()
    (folder / "images.npy").unlink()
    open_pictures(pets)
    assert not leftover.exists()


def test_two_processes_at_once(pets, cache):
    code = "import sys; from unfog.data import open_pictures; print(open_pictures(sys.argv[1]).digest)"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(pets)], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        for _ in range(2)
    ]
    digests = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert digests == {open_pictures(pets).digest}
    assert len(list((cache / "pictures").iterdir())) == 2  # the cache and its lock


def test_without_locks_it_still_works(pets, cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert len(open_pictures(pets)) == 10


def test_exact_duplicates_are_on_one_side_and_counted(tmp_path, cache, picture):
    for index in range(40):
        picture(32, 32, seed=index % 20).save(tmp_path / f"{index:02d}.png")
    store = open_pictures(tmp_path, held_out=0.3)
    assert store.duplicates == 20 and "exact duplicates: 20" in store.summary()
    held = {index % 20 for index in store.held_out}
    assert held and not held & {index % 20 for index in store.train}


def test_a_bad_input_costs_itself_alone(pets, cache, put, encoded, picture):
    good = encoded("JPEG", 64, 64, seed=5)
    put(pets / "cats" / "cut.jpg", good[: len(good) // 2])
    put(pets / "cats" / "empty.png", b"")
    put(pets / "cats" / "text.png", b"hello")
    put(pets / "notes.txt", b"hello")
    picture(1, 1).save(pets / "dogs" / "tiny.png")
    picture(20_000, 40).save(pets / "dogs" / "wide.png")
    (pets / "loop").symlink_to(pets)
    store = open_pictures(pets)
    assert len(store) == 11 and "dogs/wide.png" in store.names
    assert store.reasons() == {
        "not a picture": 2,
        "damaged or incomplete": 1,
        "empty file": 1,
        "much smaller than 32 px": 1,
        "link to a folder that is read already": 1,
    }
    text = store.summary()
    assert text.splitlines()[0] == f"11 pictures, 32 x 32, colour, from {pets}"
    assert "left out: 6 (2 not a picture, 1 damaged or incomplete" in text


def test_a_bomb_is_a_counted_skip(pets, cache, put, bomb):
    put(pets / "cats" / "bomb.png", bomb(50_000, 50_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = open_pictures(pets)
    assert store.skipped == (("cats/bomb.png", "more than 178 million pixels"),)


def test_a_file_that_may_not_be_read(pets, cache, monkeypatch):
    real = Image.open

    def refuse(file, *args, **kwargs):
        if str(file).endswith("3.png"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(file, *args, **kwargs)

    monkeypatch.setattr(Image, "open", refuse)
    store = open_pictures(pets)
    assert len(store) == 8 and set(store.reasons()) == {"cannot be read"}


def test_all_small_pictures_are_enlarged_rather_than_refused(tmp_path, cache, picture):
    picture(10, 10).save(tmp_path / "a.png")
    picture(11, 11, seed=1).save(tmp_path / "b.png")
    store = open_pictures(tmp_path, size=64)
    assert store.images.shape == (2, 64, 64, 3)
    assert any("enlarged" in note for note in store.notes)


def test_one_class_and_one_picture(tmp_path, cache, picture):
    (tmp_path / "cats").mkdir()
    picture().save(tmp_path / "cats" / "only.png")
    store = open_pictures(tmp_path)
    assert store.classes == ("cats",) and list(store.train) == [0] and len(store.held_out) == 0


def test_some_without_a_class(pets, cache, picture):
    picture(seed=50).save(pets / "stray.png")
    store = open_pictures(pets)
    assert store.labels[store.names.index("stray.png")] == -1
    assert "without a class: 1" in store.summary()


def test_captions_and_their_count(pets, cache):
    (pets / "cats" / "0.txt").write_text("一只猫\n\na cat\n一只猫", "utf-8")
    (pets / "cats" / "2.txt").write_text("word " * 3_000, "utf-8")
    (pets / "dogs" / "0.txt").write_text(" \n", "utf-8")
    store = open_pictures(pets)
    assert store.captions[0] == ("一只猫", "a cat") and store.captions[1] == () == store.captions[5]
    assert len(store.captions[2][0]) == 9_999  # ten thousand, less the space at the cut
    summary = store.summary()
    assert "with a caption: 2 (3 captions); without: 8" in summary
    assert "1 captions are empty" in summary and "1 captions are longer than 10,000" in summary
    assert "1 captions stand at their picture twice" in summary


def test_captions_that_many_pictures_share(tmp_path, cache, picture):
    for index in range(11):
        picture(seed=index).save(tmp_path / f"{index}.png")
        (tmp_path / f"{index}.txt").write_text(f"an icon\nnumber {index}", "utf-8")
    assert "different captions: 12; at more than 10 pictures each: 1" in open_pictures(tmp_path).summary()


def test_every_ground_has_a_cache_of_its_own(tmp_path, cache):
    for name in "abc":
        Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / f"{name}.png")
    white, blue = open_pictures(tmp_path), open_pictures(tmp_path, ground="#0000ff")
    assert (white.images == 255).all() and (blue.images == (0, 0, 255)).all()
    assert open_pictures(tmp_path, ground=255).digest == white.digest != blue.digest
    mixed = open_pictures(tmp_path, ground="random")
    assert len(np.unique(mixed.images.reshape(-1, 3), axis=0)) == 3
    assert open_pictures(tmp_path, ground="random").digest == mixed.digest
    with pytest.raises(DataError, match="'invisible' is no colour"):
        open_pictures(tmp_path, ground="invisible")


def test_messages_of_empty_folders_and_text_files(tmp_path, cache, put):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="There are no pictures in"):
        open_pictures(tmp_path / "empty")
    for index in range(5):
        put(tmp_path / "texts" / f"{index}.txt", b"hello")
    with pytest.raises(DataError) as error:
        open_pictures(tmp_path / "texts")
    assert "5 looked at" in str(error.value) and "0.txt: not a picture; 1.txt: not a picture" in str(
        error.value
    )
    assert "and 2 more" in str(error.value) and len(str(error.value).splitlines()) == 2
    assert not list((cache / "pictures").glob("*.tmp-*"))


def test_a_source_that_does_not_exist_names_the_nearest(pets, cache):
    with pytest.raises(DataError, match="Did you mean 'digits'"):
        open_pictures("digts")
    with pytest.raises(DataError, match=f"Did you mean '{pets}'"):
        open_pictures(str(pets) + "s")
    with pytest.raises(DataError, match="does not exist either"):
        open_pictures(pets / "none" / "deeper")
    with pytest.raises(DataError, match="Named sets are: digits"):
        open_pictures("qqqqqqqq")
    with pytest.raises(DataError, match="No data is named"):
        open_pictures("")


def test_a_folder_of_a_name_is_reached_by_its_path(tmp_path, cache, picture, monkeypatch):
    (tmp_path / "digits").mkdir()
    picture().save(tmp_path / "digits" / "a.png")
    monkeypatch.chdir(tmp_path)
    assert len(open_pictures("./digits")) == 1 == len(open_pictures(Path("digits")))


@pytest.mark.parametrize(
    "bad", [{"size": 0}, {"size": 5000}, {"channels": 2}, {"held_out": 1.0}, {"ground": 300}]
)
def test_options_out_of_range(pets, cache, bad):
    with pytest.raises(DataError):
        open_pictures(pets, **bad)


def test_a_full_disk_leaves_nothing_behind(pets, cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        open_pictures(pets)
    assert not [path for path in (cache / "pictures").iterdir() if path.is_dir()]


def test_an_interrupted_build_leaves_nothing_behind(pets, cache):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_pictures(pets, progress=stop)
    assert not [path for path in (cache / "pictures").iterdir() if path.is_dir()]


def test_the_same_pictures_from_a_folder_and_from_an_archive(pets, cache, tmp_path):
    import shutil

    packed = shutil.make_archive(str(tmp_path / "packed"), "gztar", pets.parent, pets.name)
    a, b = open_pictures(pets), open_pictures(packed)
    assert a.digest == b.digest and a.classes == b.classes


def test_every_reader_is_in_the_table():
    assert list(READERS) == ["named", "hub", "idx", "table", "archive", "folder"]
    assert type(find_reader("digits")) is READERS["named"]
    assert type(find_reader("hub:a/b")) is READERS["hub"]
