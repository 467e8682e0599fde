"""What a model can be asked for becomes a condition, and is told by every picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.given import small_drawer
from unfog.errors import ModelError, SampleError
from unfog.model.asked import NOTHING, Labels, Wish
from unfog.spec import Spec

SPEC = Spec(
    recipe="image",
    network={},
    schedule={},
    target="v",
    statistics={},
    classes=("cat", "dog"),
    groups=(0, 0, 1),
    shares=(0.25, 0.25, 0.5),
)


def test_classes_take_turns_or_are_named() -> None:
    labels = Labels(SPEC)
    assert labels.choose(3, NOTHING) == [0, 1, 0]
    assert labels.choose(2, Wish(label="dog")) == [1, 1]
    assert labels.told(1) == {"label": "dog"}


def test_a_class_becomes_one_of_its_groups_by_lot_and_by_number_alone() -> None:
    labels = Labels(SPEC)
    groups = labels.raw([0] * 400, range(400), 3)
    assert set(groups.tolist()) == {0, 1}
    assert torch.equal(groups[10:12], labels.raw([0, 0], [10, 11], 3))
    assert set(labels.raw([1] * 20, range(20), 3).tolist()) == {2}
    assert labels.away([0]) is None


def test_words_are_refused_by_a_model_that_reads_none() -> None:
    for wish in (Wish(prompt="a cat"), Wish(negative="a dog")):
        with pytest.raises(SampleError, match=r"reads no words.*text2image"):
            Labels(SPEC).choose(1, wish)


def test_prompts_are_read_together_and_told() -> None:
    asker = small_drawer().asker
    asked = asker.choose(2, Wish(prompt=["a red circle", "红"], negative="blue"))
    words = asker.raw(asked, range(2), 0)
    assert words.mask.sum(1).tolist() == [12, 1] and asker.room(asked) == 12
    assert asker.told(asked[1]) == {"prompt": "红", "negative": "blue"}
    away = asker.away(asked)
    assert away is not None and away.mask.sum(1).tolist() == [4, 4]
    assert asker.raw(asker.choose(1, Wish(prompt="红", room=12)), [0], 0).mask.shape == (1, 12)


def test_left_out_the_models_examples_take_turns() -> None:
    asked = small_drawer().asker.choose(3)
    assert asked is not None
    assert [each.text for each in asked] == ["a red circle", "红色的圆", "a red circle"]
    bare = small_drawer(examples=()).asker.choose(1)
    assert bare is not None and bare[0].text == ""


def test_several_prompts_take_turns() -> None:
    asked = small_drawer().asker.choose(3, Wish(prompt=["a circle", "红色的圆"]))
    assert asked is not None and [each.text for each in asked] == ["a circle", "红色的圆", "a circle"]


@pytest.mark.parametrize(
    ("n", "wish", "words"),
    [
        (1, Wish(label="cat"), "asked in words"),
        (2, Wish(prompt=["a", "b", "c"]), "3 prompts for 2 pictures"),
        (0, NOTHING, "at least one"),
    ],
)
def test_what_cannot_be_asked_in_words_is_said(n: int, wish: Wish, words: str) -> None:
    with pytest.raises(SampleError, match=words):
        small_drawer().asker.choose(n, wish)


def test_a_prompt_that_is_too_long_is_told_and_not_silently_cut() -> None:
    asker = small_drawer().asker
    assert asker.notes(asker.choose(1, Wish(prompt="a red circle"))) == []
    [note] = asker.notes(asker.choose(1, Wish(prompt="a red circle " * 9)))
    assert "longer than the 20 tokens" in note


def test_words_steer_and_negative_ones_push_the_other_way() -> None:
    model = small_drawer()

    def drawn(**wish: str) -> np.ndarray:
        return np.stack([np.asarray(p) for p in model.generate(2, seed=1, guidance=3.0, **wish)])

    plain = drawn(prompt="a red circle")
    assert not np.array_equal(plain, drawn(prompt="two blue squares"))
    assert not np.array_equal(plain, drawn(prompt="a red circle", negative="two blue squares"))
    assert np.array_equal(plain, drawn(prompt="a red circle"))


def test_a_network_without_room_for_words_is_refused() -> None:
    network = {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16}
    with pytest.raises(ModelError, match=r"network\.context"):
        small_drawer(network=network)
