"""What a model is asked for when it is measured: captions it never saw, or scenes that can be read off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.given import small_drawer, small_model, small_pairs
from unfog.data import PictureStore, open_pictures
from unfog.data.world_set import WorldReader
from unfog.errors import DataError
from unfog.recipes import assess_words
from unfog.recipes.assess_words import asked_of, check_judge, found_by, kept_to


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> PictureStore:
    folder = tmp_path_factory.mktemp("told")
    for i in range(20):
        Image.new("L", (8, 8), 10 * i).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(f"a grey of {i}\n灰 {i}", "utf-8")
    return open_pictures(folder, held_out=0.3)


def test_captions_of_held_out_pictures_are_asked_for_in_every_language(told: PictureStore) -> None:
    asked, questions = asked_of(small_drawer(), told, "somewhere", 12, 0)
    assert asked is not None and not questions
    held = {text for i in told.held_out for text in told.captions[i]}
    texts = [one.text for one in asked]
    assert set(texts) <= held
    assert sum(text.isascii() for text in texts) == 6


def test_classes_take_turns(told: PictureStore) -> None:
    assert asked_of(small_model(), told, "somewhere", 3, 0) == ([0, 1, 0], [])


def test_the_floor_of_the_world_is_what_real_pictures_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from unfog.data.world_set import drawn_at, index_of

    names = [entry.name for entry, _ in zip(WorldReader("world").entries(), range(200), strict=False)]
    names = [name for name in names if not name.endswith("-train")][:60]
    scenes = [drawn_at(index_of(name)) for name in names]
    store = PictureStore(
        images=np.stack([each.picture for each in scenes]),
        labels=None,
        classes=(),
        names=tuple(names),
        captions=None,
        held_out=np.flatnonzero([each.held for each in scenes]),
        train=np.flatnonzero([not each.held for each in scenes]),
        source="world",
        digest="",
    )
    asked, questions = asked_of(small_drawer(), store, assess_words.WORLDS[0], 8, 0)
    assert asked is not None and [one.text for one in asked] == [q.text for q in questions]
    values, lines = kept_to(questions, store.images[:8], store)
    assert set(values) <= {f"{k} combinations, {lang}" for k in ("seen", "unseen") for lang in ("en", "zh")}
    floors = [real.value for name, _, real in lines if name.startswith("all")]
    assert floors and all(floor is None or floor > 0.9 for floor in floors)


def test_a_judge_looks_for_the_words_of_each_picture(told: PictureStore) -> None:
    model, judge = small_drawer(), small_pairs()
    asked, _ = asked_of(model, told, "somewhere", 6, 0)
    values, rows = found_by(judge, asked, told.images[told.held_out[:6]].repeat(3, 3), told)
    assert values.keys() == {"Chinese", "other letters"}
    assert values["Chinese"]["candidates"] == len(told.held_out) == values["Chinese"]["real"]["candidates"]
    assert len(rows) == 8 and rows[0][0].startswith("median rank")


def test_a_judge_needs_words_and_does_not_judge_itself(told: PictureStore) -> None:
    judge = small_pairs()
    check_judge(small_drawer(), judge, told)
    for model, store in ((small_model(), told), (small_drawer(), replace(told, captions=None))):
        with pytest.raises(DataError, match="--judge compares"):
            check_judge(model, judge, store)
    own = small_drawer()
    own.spec = replace(own.spec, pairs={"fingerprint": judge.fingerprint()})
    with pytest.raises(DataError, match="judge itself"):
        check_judge(own, judge, told)
