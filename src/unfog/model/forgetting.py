"""How tokens are lost, from the plain options that a model carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unfog.config import nearest
from unfog.errors import ModelError
from unfog.process import KEEPS, DiscreteProcess, MaskedProcess, UniformProcess
from unfog.spec import build_part


def process_for(options: Mapping[str, Any], vocabulary: int) -> DiscreteProcess:
    """The process that plain options name, for K tokens of which the last is MASK.

    Raises:
        ModelError: if there is no such process or schedule.
    """
    options = dict(options)
    kind, keep = options.pop("kind", "masked"), options.pop("keep", "linear")
    if keep not in KEEPS:
        raise ModelError(f"There is no schedule of keeping {keep!r}. {nearest(keep, KEEPS)}")
    schedule = build_part(KEEPS[keep], options, f"schedule {keep!r}")
    if kind == "masked":
        return MaskedProcess(vocabulary, schedule)
    if kind == "uniform":  # exchanges tokens for others, and has no MASK
        return UniformProcess(vocabulary - 1, schedule)
    raise ModelError(f"There is no process of tokens {kind!r}. {nearest(kind, ('masked', 'uniform'))}")
