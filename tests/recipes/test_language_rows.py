"""Texts as tokens, on rows."""

from __future__ import annotations

import numpy as np

from unfog.codec.tokens import TokenCodec
from unfog.recipes.language_rows import Tokenised

TEXTS = [f"line {i} of the text" for i in range(20)]


def test_plain_texts_have_no_room_and_as_many_rows_as_documents() -> None:
    codec = TokenCodec.learn(TEXTS, "byte")
    tokenised = Tokenised(codec, codec.encode_many(TEXTS), None)
    assert tokenised.room() == 0
    assert (tokenised.lengths() == [len(text) + 2 for text in TEXTS]).all()
    rows = tokenised.rows(np.arange(3, 9), 24)
    assert len(rows) == 6 and codec.decode(rows.tokens[0, 1:].tolist()) == TEXTS[3]


def test_the_room_holds_nearly_all_summaries_with_their_end() -> None:
    codec = TokenCodec.learn(TEXTS, "byte")
    short = ["ab"] * 300 + ["x" * 12] * 300
    tokenised = Tokenised(codec, codec.encode_many(TEXTS * 30), codec.encode_many(short))
    assert tokenised.room() == 13
    rows = tokenised.rows(np.arange(600), 48, room=tokenised.room())
    assert rows.cut == 0 and (rows.stop - rows.start == 13).all()
    row = rows.tokens[599]
    assert codec.decode(row[rows.start[599] :].tolist()) == "x" * 12
    assert codec.decode(row.tolist(), stop=False).startswith(TEXTS[599 % 20])


def test_what_summaries_seldom_say_twice_is_seen_in_them() -> None:
    """Of ten words one in five says "ab" twice, and none a run of three letters."""
    codec = TokenCodec.learn(TEXTS, "byte")

    def once(short: list[str]) -> int:
        return Tokenised(codec, codec.encode_many(TEXTS), codec.encode_many(short)).once()

    assert once(["line", "tex"]) == 1
    assert once(["line"] * 8 + ["text"] * 2) == 1, "as many as are allowed"
    assert once(["line"] * 7 + ["text"] * 3) == 2
    assert once(["line", "exteXte", "linlin"]) == 4
    assert Tokenised(codec, codec.encode_many(TEXTS), None).once() == 0
