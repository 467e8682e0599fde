"""What the page can show is said for every field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from unfog.output import explained

KINDS = [
    kind for kind in vars(explained).values() if is_dataclass(kind) and kind.__module__ == explained.__name__
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_is_explained(kind: type) -> None:
    text = kind.__doc__ or ""
    missing = [field.name for field in fields(kind) if f"        {field.name}: " not in text]
    assert not missing
