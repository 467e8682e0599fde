"""Models made smaller, to be given away."""

from unfog.export.half import halve

__all__ = ["halve"]
