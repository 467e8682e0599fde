"""What a pair model is, in plain values."""

from __future__ import annotations

import json
from dataclasses import asdict

from unfog.spec import PairSpec


def test_all_of_it_is_plain() -> None:
    spec = PairSpec(
        "pairs", {"words": 4}, {"width": 16}, {"language": "own", "width": 16}, {"shape": [3, 8, 8]}
    )
    assert PairSpec(**json.loads(json.dumps(asdict(spec)))) == spec
    assert spec.guidance == 2.0 and spec.steps == 12
