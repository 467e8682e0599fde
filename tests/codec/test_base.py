"""What the table of codecs promises."""

from __future__ import annotations

import pytest

from unfog.codec import CODECS, Codec


def test_a_codec_translates_both_ways() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Codec()


@pytest.mark.parametrize("name", CODECS)
def test_every_codec_of_the_table_is_one(name: str) -> None:
    assert issubclass(CODECS[name], Codec)
