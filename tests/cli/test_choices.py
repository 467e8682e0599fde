"""What the help texts name is what there is."""

from unfog.cli import choices
from unfog.sample import GRIDS, SAMPLERS, TOKEN_SAMPLERS


def test_all_samplers_are_named() -> None:
    assert sorted(choices.SAMPLERS.split(", ")) == sorted(SAMPLERS)


def test_all_samplers_of_text_are_named() -> None:
    assert sorted(choices.TOKEN_SAMPLERS.split(", ")) == sorted(TOKEN_SAMPLERS)


def test_all_grids_are_named() -> None:
    assert sorted(choices.GRIDS.split(", ")) == sorted([*GRIDS, "optimised"])
