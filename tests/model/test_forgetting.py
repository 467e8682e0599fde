"""Plain options name a process of tokens."""

from __future__ import annotations

import pytest

from unfog.errors import ModelError
from unfog.model.forgetting import process_for
from unfog.process import KEEPS, MaskedProcess, UniformProcess


@pytest.mark.parametrize("keep", KEEPS)
def test_every_schedule_can_be_named(keep: str) -> None:
    assert isinstance(process_for({"keep": keep}, 10), MaskedProcess)
    uniform = process_for({"kind": "uniform", "keep": keep}, 10)
    assert isinstance(uniform, UniformProcess) and uniform.vocabulary == 9  # it has no MASK


def test_options_of_the_schedule_are_passed_on() -> None:
    mild, steep = (process_for({"keep": "polynomial", "power": power}, 10) for power in (1.0, 3.0))
    assert float(mild.keep.alpha(0.5)) != float(steep.keep.alpha(0.5))


@pytest.mark.parametrize(
    ("options", "named"),
    [({"kind": "maskd"}, "masked"), ({"keep": "liner"}, "linear"), ({"power": 3}, "power")],
)
def test_what_does_not_exist_is_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        process_for(options, 10)
