"""What is asked of a model with visual words: embeddings are packed, mixed and moved as they should be."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.given import enliven, pictures, small_drawer, small_model, small_pairs, small_spec
from unfog.errors import DataError, ModelError, SampleError
from unfog.model import PictureModel, load_pictures
from unfog.model.asked import Wish
from unfog.model.looks import Look, Looks, PromptsAndLooks, packed, unpacked

NETWORK = {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16, "context": 32}
IMAGES = pictures(2, channels=3)


def drawer() -> PictureModel:
    """A small model that draws from the visual words of the small pair model."""
    pairs = small_pairs()
    part = {"model": asdict(pairs.spec), "fingerprint": pairs.fingerprint()}
    spec = small_spec(classes=(), channels=3, recipe="text2image", network=NETWORK, pairs=part)
    torch.manual_seed(0)
    model = PictureModel(replace(spec, examples=("a red circle",)), pair_tokens=pairs.tokens)
    enliven(model, 0.1)
    assert model.pairs is not None
    model.pairs.load_state_dict(pairs.state_dict())
    return model.eval()


def looks(model: PictureModel) -> Looks:
    assert isinstance(model.asker, Looks)
    return model.asker


def test_packed_and_back_it_is_the_same_to_half_precision() -> None:
    one = torch.nn.functional.normalize(torch.randn(12), dim=0)
    again = unpacked(packed(one), 12)
    torch.testing.assert_close(again, one, rtol=0, atol=2e-3)
    assert packed(again) == packed(one)
    for broken in ("", "x", packed(torch.zeros(5)), packed(torch.full((12,), torch.nan))):
        with pytest.raises(DataError, match="damaged"):
            unpacked(broken, 12)


def test_the_way_between_two_pictures_begins_and_ends_with_them() -> None:
    asker = looks(drawer())
    ends = asker.pairs.embed_pictures(IMAGES)
    way = asker.raw(asker.choose(5, Wish(like=list(IMAGES))), range(5), 0)
    torch.testing.assert_close(way[[0, -1]], ends, rtol=0, atol=2e-3)
    torch.testing.assert_close(way.norm(dim=1), torch.ones(5))
    steps = (way[1:] * way[:-1]).sum(1).acos()  # a great circle, in equal steps
    torch.testing.assert_close(steps, steps.mean().expand(4), rtol=0.05, atol=0.0)


def test_an_edit_that_changes_no_word_changes_nothing() -> None:
    asker = looks(drawer())
    seen = asker.pairs.embed_pictures(IMAGES)
    torch.testing.assert_close(asker.edited(seen, "a red circle -> a red circle"), seen)
    moved = asker.edited(seen, "a red circle → 红色的圆")
    torch.testing.assert_close(moved.norm(dim=1), torch.ones(2))
    assert not torch.allclose(moved, seen)


def test_what_is_settled_is_what_would_have_been_imagined() -> None:
    asker = looks(drawer())
    asked = asker.choose(3)
    assert [one.text for one in asked] == ["a red circle"] * 3
    settled = asker.settled(asked, 5)
    assert settled is not None and all(one.embedding for one in settled)
    torch.testing.assert_close(asker.raw(settled, range(3), 99), asker.raw(asked, range(3), 5))
    assert not torch.equal(asker.raw(asked, range(3), 5), asker.raw(asked, range(3), 6))
    told = asker.told(settled[0])
    assert told.keys() == {"prompt", "embedding"} and asker.told(Look()) == {"prompt": ""}
    assert torch.equal(asker.raw(None, range(2), 0), torch.zeros(2, 12))


def test_saved_and_loaded_it_draws_the_same(tmp_path: Path) -> None:
    model = drawer()
    fingerprint = model.save(tmp_path / "model")
    again = load_pictures(tmp_path / "model")
    assert again.fingerprint() == fingerprint and again.pair_tokens is not None
    for how in ({"prompt": "a red circle"}, {"like": IMAGES[0]}, {"like": IMAGES[0], "negative": "红色的圆"}):
        one, two = model.generate(2, seed=1, **how), again.generate(2, seed=1, **how)
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_neighbours_do_not_matter() -> None:
    model = drawer()
    few, many = model.generate(2, like=IMAGES[0]), model.generate(5, like=IMAGES[0])
    assert np.abs(np.asarray(few[1], int) - np.asarray(many[1], int)).max() <= 1


def test_other_models_refuse_pictures() -> None:
    for model in (small_model(), small_drawer()):
        for how in ({"like": IMAGES[0]}, {"edit": "a -> b"}):
            with pytest.raises(SampleError, match="no visual words"):
                model.generate(1, **how)


def test_a_network_without_tokens_is_refused() -> None:
    pairs = small_pairs()
    spec = small_spec(classes=(), network={**NETWORK, "context": 0}, pairs={"model": asdict(pairs.spec)})
    with pytest.raises(ModelError, match="attends to no visual"):
        PictureModel(spec, pair_tokens=pairs.tokens)


def both() -> PictureModel:
    """A small model that reads words and takes a picture beside them."""
    from unfog.adapt import with_picture_prompts

    return with_picture_prompts(small_drawer(), small_pairs()).eval()


def test_words_and_a_picture_are_asked_for_at_once() -> None:
    asker = both().asker
    assert isinstance(asker, PromptsAndLooks)
    asked = asker.choose(2, Wish(prompt="a red circle", like=[IMAGES[0]], names=["a.png"], weight=0.5))
    words, seen = asker.raw(asked, range(2), 0)
    assert words.present.all()
    torch.testing.assert_close(seen.norm(dim=1), torch.full((2,), 0.5))
    told = asker.told(asked[0])
    assert told["prompt"] == "a red circle" and told["like"] == "a.png" and told["weight"] == 0.5
    alone = asker.choose(2, Wish(like=[IMAGES[0]]))
    words, seen = asker.raw(alone, range(2), 0)
    assert not words.present.any() and float(seen.norm(dim=1).min()) > 0.99
    plain = asker.choose(2)
    words, seen = asker.raw(plain, range(2), 0)
    assert words.present.all() and not seen.any() and "embedding" not in asker.told(plain[0])
    with pytest.raises(SampleError, match="add --like"):
        asker.choose(1, Wish(edit="a -> b"))
