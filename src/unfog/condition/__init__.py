"""What steers generation: labels, later text, pictures and small versions of the picture itself."""

from unfog.condition.base import NONE, Condition, Encoder
from unfog.condition.label import ANY, LabelEncoder

ENCODERS: dict[str, type[Encoder]] = {"label": LabelEncoder}

__all__ = ["ANY", "ENCODERS", "NONE", "Condition", "Encoder", "LabelEncoder"]
