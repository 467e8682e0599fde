"""The same tiny run as for the recipes."""

from tests.recipes.conftest import run, shapes

__all__ = ["run", "shapes"]
