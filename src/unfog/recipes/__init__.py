"""Compositions of all the rooms below, where the tasks truly differ."""

from unfog.recipes.train import train

__all__ = ["train"]
