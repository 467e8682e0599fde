"""What the help texts name is what there is."""

from unfog.cli import choices
from unfog.sample import GRIDS, SAMPLERS


def test_all_samplers_are_named() -> None:
    assert sorted(choices.SAMPLERS.split(", ")) == sorted(SAMPLERS)


def test_all_grids_are_named() -> None:
    assert sorted(choices.GRIDS.split(", ")) == sorted([*GRIDS, "optimised"])
