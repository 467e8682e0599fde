import json

import numpy as np
import pytest
import torch

from unfog.codec import CODECS
from unfog.codec.tokens import TokenCodec
from unfog.codec.vocabulary import VOCABULARIES
from unfog.errors import ConfigError, DataError, ModelError

TEXTS = ["床前明月光，疑是地上霜。", "the moon, the frost; the moon"]


@pytest.fixture(params=VOCABULARIES)
def codec(request):
    return TokenCodec.learn(TEXTS, request.param, 270 if request.param == "bpe" else None)


def test_the_last_three_are_special(codec):
    n = len(codec.words)
    assert (codec.end, codec.gap, codec.mask) == (n, n + 1, n + 2)
    assert codec.vocabulary == n + 3 and codec.mask == codec.vocabulary - 1
    assert CODECS["tokens"] is TokenCodec and codec.kind in VOCABULARIES
    assert codec.lengths.shape == (codec.vocabulary,)
    assert codec.lengths[-3:].tolist() == [0, 0, 0] and codec.lengths[:-3].min() == 1


def test_text_never_makes_a_special_token(codec):
    ids = codec.encode_text("[MASK] <mask> [END] \x1c \0 月")
    assert max(ids) < codec.end
    assert codec.lengths[ids].sum() == len("[MASK] <mask> [END] \x1c \0 月".encode())


def test_a_batch_is_filled_up_with_ends(codec):
    x = codec.encode(["月", "the moon", ""])
    assert x.dtype == torch.int64 and x.shape[0] == 3
    assert (x[2] == codec.end).all() and (x[:, -1] == codec.end).all()
    assert codec.decode_many(x) == ["月", "the moon", ""]
    assert codec.encode([]).shape == (0, 1)


def test_decode_stops_where_asked(codec):
    ids = [*codec.encode_text("月"), codec.mask, codec.end, codec.gap, *codec.encode_text("光")]
    assert codec.decode(ids) == "月"
    assert codec.decode(ids, stop=False) == "月光"
    assert codec.decode(torch.tensor(ids), stop=False, hidden="░") == "月░光"
    assert codec.decode(np.array(ids)) == "月" and codec.decode([]) == ""
    with pytest.raises(DataError, match=f"Tokens are 0 to {codec.mask} here"):
        codec.decode([codec.vocabulary])


def test_characters_it_never_saw(codec):
    assert codec.unseen("月光🙂the Z🙂") == "🙂Z"
    assert codec.unseen("") == ""


def test_it_comes_back_from_its_json(codec):
    again = TokenCodec.from_json(codec.to_json())
    assert again.kind == codec.kind and again.seen == codec.seen and again.vocabulary == codec.vocabulary
    text = "疑是地上霜 the moons 🙂"
    assert again.encode_text(text) == codec.encode_text(text)
    assert [a.tolist() for a in again.encode_many([text, "a"])] == [
        codec.encode_text(text),
        codec.encode_text("a"),
    ]
    assert again.to_json() == codec.to_json()


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.pop("kind"),
        lambda v: v.update(kind="pickle"),
        lambda v: v.update(format=99),
        lambda v: v.update(entries=["a", "b"]),
        lambda v: v.update(entries=[*v["entries"], "山"]),
        lambda v: v.update(merges=[["no", "such"]]),
        lambda v: v.update(merges=3),
    ],
)
def test_damaged_json_is_a_model_error(change):
    values = json.loads(TokenCodec.learn(TEXTS, "bpe", 270).to_json())
    change(values)
    with pytest.raises(ModelError, match=r"damaged|format 99"):
        TokenCodec.from_json(json.dumps(values))
    with pytest.raises(ModelError, match="damaged"):
        TokenCodec.from_json("{")


def test_what_cannot_be_trained():
    with pytest.raises(ConfigError, match="Kinds are: byte, character, bpe"):
        TokenCodec.learn(TEXTS, "word")
    with pytest.raises(ConfigError, match="above 0"):
        TokenCodec.learn(TEXTS, "character", 0)
    with pytest.raises(DataError, match="no text"):
        TokenCodec.learn(["", ""], "byte")


def test_it_is_a_module_like_any_other(codec):
    assert torch.nn.Sequential(codec).eval().train() and not list(codec.parameters())
