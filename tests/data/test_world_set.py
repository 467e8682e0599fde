import numpy as np

from unfog.data.build import build
from unfog.data.split import held_out_mask
from unfog.data.world import kind
from unfog.data.world_read import read
from unfog.data.world_set import WorldReader, drawn_at, index_of


def test_the_training_part_shows_nothing_unseen():
    made = [drawn_at(index) for index in range(400)]
    assert {each.kind for each in made if not each.held} == {"seen"}
    assert [each.kind for each in made if each.held] == ["seen", "unseen"] * 20


def test_a_picture_its_captions_and_its_name_belong_together():
    for entry in WorldReader("world", count=40).entries():
        made = drawn_at(index_of(entry.name))
        assert np.array_equal(made.picture, entry.payload) and entry.held == made.held
        assert entry.name.endswith(f"-{kind(made.scene)}") and len(entry.captions) == 8
        assert read(entry.payload).scene in (made.scene, made.scene.turned())


def test_the_same_scenes_at_another_size():
    small, large = drawn_at(7), drawn_at(7, 64)
    assert large.scene == small.scene and large.captions == small.captions
    assert large.picture.shape == (64, 64, 3)


def test_built_like_any_other_set(tmp_path):
    manifest = build(WorldReader("world", count=60), tmp_path)
    assert manifest.shape == (60, 32, 32, 3) and manifest.duplicates == 0 and not manifest.skipped
    assert all(len(own) >= 7 for own in manifest.captions)  # a wording may be drawn twice
    official = np.load(tmp_path / "official.npy")
    numbers = np.load(tmp_path / "split.npy")
    assert list(np.flatnonzero(held_out_mask(numbers, 0.3, official))) == [18, 19, 38, 39, 58, 59]


def test_the_listing_tells_worlds_apart():
    listings = {
        tuple(WorldReader("world", side=side, count=n).listing()) for side, n in ((32, 9), (64, 9), (32, 8))
    }
    assert len(listings) == 3 and WorldReader.accepts("world") and not WorldReader.accepts("./world")
