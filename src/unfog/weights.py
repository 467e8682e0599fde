"""A model's weights on disk: safetensors, checked by name, shape and fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from unfog.errors import ModelError, SampleError


def digest(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of a description, as sorted JSON, and of all weights, by name."""
    found = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def write_weights(path: Path, tensors: Mapping[str, Tensor], *, half: bool = False) -> None:
    """Write weights into a file that is not there yet; in half precision if wanted."""
    from safetensors.torch import save_file

    kept = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    if half:
        kept = {name: t.half() if t.is_floating_point() else t for name, t in kept.items()}
    save_file(kept, path)


def read_weights(path: Path, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a file, with exactly the names and shapes of ``wanted``.

    Raises:
        ModelError: if the file is missing or damaged, or has other weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except FileNotFoundError:
        raise ModelError(f"{path} is missing. Restore it from a copy, or train again.") from None
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is damaged ({error}). Restore it from a copy, or train again.") from error
    if tensors.keys() != wanted.keys():
        odd = sorted(tensors.keys() ^ wanted.keys())[0]
        raise ModelError(f"{path} does not fit model.json: weight {odd!r} is missing on one side.")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise ModelError(
                f"{path}: weight {name!r} has shape {tuple(tensor.shape)}, model.json asks for "
                f"{tuple(wanted[name].shape)}."
            )
    return tensors


EARLY_FILE = "weak.safetensors"


@dataclass(frozen=True)
class Early:
    """Weights from early in training, which autoguidance leads away from; read when they are asked for.

    Attributes:
        hash: ``digest`` of them, empty for none.
        read: gives them, by the names of a model's ``state_dict``; half precision will do.
    """

    hash: str
    read: Callable[[], dict[str, Tensor]]


def _none() -> dict[str, Tensor]:
    raise SampleError(
        "Autoguidance needs weights from early in training, and this model carries none: it was made by an "
        "older unfog, or in very few steps. Train it again, or leave autoguidance out."
    )


NO_EARLY = Early("", _none)


def early_weights(tensors: Mapping[str, Tensor]) -> Early:
    """Early weights that are at hand; kept as copies in half precision."""
    kept = {name: t.detach().half().cpu().clone() for name, t in tensors.items()}
    return Early(digest({}, kept), lambda: kept)


def early_file(folder: Path, expected: str, wanted: Mapping[str, Tensor]) -> Early:
    """Early weights of a model folder.

    ``read`` raises ModelError if the file is missing, damaged or another one than was written with the model.

    Args:
        folder: of the model.
        expected: their hash.
        wanted: names and shapes, as for ``read_weights``.
    """

    def read() -> dict[str, Tensor]:
        tensors = read_weights(folder / EARLY_FILE, wanted)
        if digest({}, tensors) != expected:
            raise ModelError(
                f"{folder / EARLY_FILE} was changed after it was made. "
                "Restore it from a copy, or train again."
            )
        return tensors

    return Early(expected, read)
