"""What a codec is, in plain values."""

from __future__ import annotations

import json
from dataclasses import asdict

from unfog.spec import CodecSpec


def test_all_of_it_is_plain() -> None:
    spec = CodecSpec("codec", {"widths": [8]}, {"shape": [3, 8, 8]})
    assert CodecSpec(**json.loads(json.dumps(asdict(spec)))) == spec
    assert spec.latents == {} and spec.tiny == {} and spec.size == 0
