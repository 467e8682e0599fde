"""Judging pictures: how good, how varied, how new, always beside real pictures that were held out.

The table of feature spaces; ``evaluate_pictures`` is the door.
"""

from unfog.evaluate.classifier import ClassifierSpace
from unfog.evaluate.features import PixelSpace, RandomSpace
from unfog.evaluate.figure import Figure
from unfog.evaluate.quality import evaluate_pictures
from unfog.evaluate.result import Quality
from unfog.evaluate.words import Row

SPACES = {"classifier": ClassifierSpace, "random": RandomSpace, "pixels": PixelSpace}
"""Feature spaces, the most telling first."""

__all__ = ["SPACES", "Figure", "Quality", "Row", "evaluate_pictures"]
