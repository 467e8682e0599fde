"""What the table of codecs promises."""

from __future__ import annotations

import pytest
import torch

from tests.given import pictures
from unfog.codec import CODECS, Codec, PixelCodec, measure_pixels


def test_a_codec_translates_both_ways() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Codec()


@pytest.mark.parametrize("name", CODECS)
def test_every_codec_of_the_table_is_one(name: str) -> None:
    assert issubclass(CODECS[name], Codec)


def test_a_glance_at_pixels_is_the_picture() -> None:
    codec, images = PixelCodec(measure_pixels(pictures(4))), torch.from_numpy(pictures(4)).permute(0, 3, 1, 2)
    assert torch.equal(codec.glance(codec.encode(images)), images)
