"""What a model is, in plain values: everything but its weights, as ``model.json`` holds it."""

from unfog.spec.codec import CodecSpec
from unfog.spec.pairs import PairSpec
from unfog.spec.parts import FORMAT, build_part, describe, lookup
from unfog.spec.picture import (
    Sampling,
    Spec,
    begun,
    check_grid,
    choose,
    choose_groups,
    choose_labels,
    class_index,
    with_learned,
)
from unfog.spec.text import TextSpec, Writing, choose_writing

__all__ = [
    "FORMAT",
    "CodecSpec",
    "PairSpec",
    "Sampling",
    "Spec",
    "TextSpec",
    "Writing",
    "begun",
    "build_part",
    "check_grid",
    "choose",
    "choose_groups",
    "choose_labels",
    "choose_writing",
    "class_index",
    "describe",
    "lookup",
    "with_learned",
]
