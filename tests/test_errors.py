"""The tree of errors, and what a message is."""

from __future__ import annotations

import inspect

import pytest

from unfog import errors
from unfog.errors import MissingExtra, UnfogError

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", ALL)
def test_one_except_catches_everything_that_unfog_raises_on_purpose(kind: type[Exception]) -> None:
    assert issubclass(kind, UnfogError)
    assert not issubclass(kind, OSError | ValueError | KeyError), "no accidents among them"


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    drawing = inspect.getdoc(errors)
    assert drawing is not None
    for kind in ALL:
        assert kind.__name__ in drawing


def test_errors_without_a_parent_in_the_drawing_are_children_of_the_root() -> None:
    nested = {"TimeOutOfRange": errors.SampleError, "WrongPosterior": errors.SampleError}
    for kind in ALL:
        if kind is not UnfogError:
            assert kind.__bases__ == (nested.get(kind.__name__, UnfogError),)


def test_a_missing_extra_gives_its_install_line() -> None:
    error = MissingExtra("pyarrow", "tables")
    assert str(error).endswith("pip install 'unfog[tables]'") and "'pyarrow'" in str(error)
    assert (error.package, error.extra) == ("pyarrow", "tables")
