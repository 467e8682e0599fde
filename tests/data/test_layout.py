from hypothesis import given
from hypothesis import strategies as st

from unfog.data.layout import Layout, ignored, likely, natural, split_of, suffix


def paths(*names):
    return [tuple(name.split("/")) for name in names]


def test_class_is_the_first_folder():
    layout = Layout.of(paths("cats/1.png", "dogs/deep/2.png", "3.png"))
    assert [layout.label(path) for path in paths("cats/1.png", "dogs/deep/2.png", "3.png")] == [
        "cats",
        "dogs",
        None,
    ]
    assert layout.held(("cats", "1.png")) is None


def test_train_and_test_are_the_split_and_the_class_is_below():
    all_ = paths("Train/cats/1.png", "train/dogs/2.png", "val/cats/3.png")
    layout = Layout.of(all_)
    assert [layout.label(path) for path in all_] == ["cats", "dogs", "cats"]
    assert [layout.held(path) for path in all_] == [False, False, True]


def test_train_alone_is_a_wrapper_and_test_alone_a_class():
    assert Layout.of(paths("train/cats/1.png", "train/2.png")).label(("train", "cats", "1.png")) == "cats"
    assert Layout.of(paths("train/cats/1.png")).held(("train", "cats", "1.png")) is None
    assert Layout.of(paths("test/1.png", "cats/2.png")).label(("test", "1.png")) == "test"


def test_archives_lose_the_folders_that_hold_everything():
    all_ = paths("data/pets/cats/1.png", "data/pets/dogs/2.png")
    assert Layout.of(all_, unwrap=True).label(all_[0]) == "cats"
    assert Layout.of(all_).label(all_[0]) == "data"
    assert Layout.of(paths("photos/1.png", "photos/2.png"), unwrap=True).label(("photos", "1.png")) is None


@given(st.lists(st.lists(st.sampled_from(["a", "train", "test", "b"]), min_size=1, max_size=4).map(tuple)))
def test_any_tree_has_a_layout(all_):
    for unwrap in (False, True):
        layout = Layout.of(all_, unwrap=unwrap)
        for path in all_:
            assert layout.label(path) in {None, *path}


def test_only_pictures_say_what_folders_mean():
    assert likely(paths("LICENSE", "a/1.png")) == [("a", "1.png")]
    assert likely(paths("LICENSE", "a/1")) == [("LICENSE",), ("a", "1")]


def test_names_of_the_system_are_passed_over():
    assert all(map(ignored, (".DS_Store", "__MACOSX", "Thumbs.db", "._1.png")))
    assert not ignored("cats")


def test_small_helpers():
    assert [suffix(name) for name in ("A.PNG", ".hidden", "none", "a.tar.gz")] == [".png", "", "", ".gz"]
    assert natural({"10", "9", "1", "b2", "b10", "a"}) == ("1", "9", "10", "a", "b2", "b10")
    assert [split_of(name) for name in ("train", "Test", "cats")] == [False, True, None]
