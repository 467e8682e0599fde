"""Weights in half precision: half the file, hardly another picture.

A weight keeps eleven binary digits of 24. What that does to a picture is far below one grey level, since
errors of single weights are independent and mostly cancel (Micikevicius et al. 2018, arXiv 1710.03740, train
with such weights). Computing goes on in single precision, which processors do faster.
"""

from __future__ import annotations

from pathlib import Path

import torch

from unfog.errors import ModelError, UsageError
from unfog.model import home, load
from unfog.spec import describe
from unfog.weights import NO_EARLY

LARGEST = 65504.0  # of half precision


def halve(folder: str | Path, out: str | Path) -> tuple[int, int]:
    """Write a model anew with weights in half precision, and without those from early in its training.

    It is another model than before, with a fingerprint of its own; its history says so.

    Args:
        folder: a model, or a run that holds one.
        out: folder of the new model.

    Returns:
        Bytes of weights before and after.

    Raises:
        UsageError: ``out`` exists.
        ModelError: a weight is too large for half precision.
    """
    folder, out = home(folder), Path(out)
    if out.exists():
        raise UsageError(f"{out} exists. Give a new folder for the smaller model.")
    model = load(folder)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                if tensor.abs().max() > LARGEST:
                    raise ModelError(f"{folder}: weight {name!r} is too large for half precision.")
                tensor.copy_(tensor.half())
    before = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    model.early = NO_EARLY
    model.history.append({"event": "halved", "from": describe(folder).get("fingerprint", "")})
    card = folder / "card.md"
    model.save(out, card=card.read_text("utf-8") if card.is_file() else "", half=True)
    return before, (out / "model.safetensors").stat().st_size
