"""The independent reader: what it costs a text is exact, and it learns."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.given import enliven
from unfog.codec.tokens import TokenCodec
from unfog.errors import DataError
from unfog.evaluate.reader import Reader, ReaderConfig, read_together, train_reader, windows
from unfog.nets.text import TextTransformer, TextTransformerConfig

CODEC = TokenCodec.learn(["abcdefgh .\n"], "character")
QUICK = ReaderConfig(width=64, depth=1, context=16, batch=16, steps=120, learning_rate=1e-2)


def untrained(context: int) -> Reader:
    torch.manual_seed(0)
    config = ReaderConfig(context=context, batch=3)
    network = TextTransformer(
        TextTransformerConfig(vocabulary=CODEC.vocabulary, width=32, depth=2, head=16, causal=True)
    )
    enliven(network, 0.2)
    return Reader(network.eval(), CODEC, config, 0)


def cost(reader: Reader, tokens: list[int], seen: int) -> float:
    """Nats of the last token of a row, given the ``seen`` before it."""
    row = torch.tensor([tokens[-1 - seen :]])
    with torch.inference_mode():
        return float(F.cross_entropy(reader.network(row[:, :-1])[0, -1:], row[0, -1:]))


def test_nats_are_the_sum_over_tokens_given_all_before() -> None:
    reader, texts = untrained(64), ["abc", "", "hgfedcba ab", "d"]
    for text, found in zip(texts, reader.nats(texts), strict=True):
        row = [CODEC.end, *CODEC.encode_text(text), CODEC.end]
        expected = sum(cost(reader, row[: i + 1], i) for i in range(1, len(row)))
        assert found == pytest.approx(expected, abs=1e-4)


def test_long_texts_are_read_in_windows_and_every_token_counts_once() -> None:
    reader, text = untrained(8), "abc defgh.hgfe dcba. abcdefgh"
    row = [CODEC.end, *CODEC.encode_text(text), CODEC.end]
    expected, stop = 0.0, 8
    for i in range(1, len(row)):
        if i > stop:  # the next window begins half a context before the end of the last
            stop = min(stop + 4, len(row) - 1)
        start = 0 if stop == 8 else ((i - 9) // 4) * 4 + 4
        expected += cost(reader, row[: i + 1], i - start)
    assert reader.nats(["a", text])[1] == pytest.approx(expected, abs=1e-4)


def test_the_same_in_any_company() -> None:
    reader, texts = untrained(8), ["abc", "hgfedcba abcdefgh.", "d", "ab" * 20]
    alone = [float(reader.nats([text])[0]) for text in texts]
    assert reader.nats(texts).tolist() == pytest.approx(alone, abs=1e-4)


def test_bits_per_character_is_the_ratio_of_sums() -> None:
    reader, texts = untrained(16), ["abc", "hgfedcba", "d"] * 4
    figure = reader.bits_per_character(texts)
    nats, lengths = reader.nats(texts), np.array([3, 8, 1] * 4)
    assert figure.value == pytest.approx(nats.sum() / lengths.sum() / math.log(2))
    assert figure.low < figure.value < figure.high and figure.n == 12
    assert reader.bits_per_character([]).value is None and reader.bits_per_character([""]).value is None


def test_windows_hold_parts_of_one_text_each() -> None:
    texts = ["abcdefgh" * 4, "ab", "c"]
    stream = read_together(texts, CODEC)
    rng = torch.Generator().manual_seed(0)
    shown, wanted = windows(stream, 10, 200, rng)
    begun = set()
    for row, following in zip(shown.tolist(), wanted.tolist(), strict=True):
        size = sum(token >= 0 for token in following)
        assert row[1:size] == following[: size - 1] and size
        text = CODEC.decode(([*row[:1], *following[:size]]), stop=False)
        assert any(text in whole for whole in texts)
        begun.add(text)
    assert {"ab", "c", texts[0][:10]} <= begun
    assert sum(row[0] == CODEC.end and row[1] != CODEC.encode_text("c")[0] for row in shown.tolist()) > 30


def test_it_learns_what_real_texts_are_like() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join("abcdefgh"[(start + i) % 8] for i in range(12)) for start in rng.integers(0, 8, 60)]
    calls: list[tuple[int, int]] = []
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    reader = train_reader(texts, CODEC, QUICK, progress=lambda done, total: calls.append((done, total)))
    assert torch.rand(1) == expected
    assert calls[-1] == (120, 120) and reader.learned_from == 57
    good, bad = reader.bits_per_character(texts[:20]), reader.bits_per_character(["hgfedcbahgfe"] * 20)
    assert good.value < 0.6 and bad.value > 3  # real ones: three bits for the start, none for the rest
    assert "57 other texts" in reader.describe()


def test_too_little_text_is_an_error() -> None:
    with pytest.raises(DataError, match="two texts"):
        train_reader(["abc"], CODEC, QUICK)
