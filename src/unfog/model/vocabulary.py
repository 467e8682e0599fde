"""The tokens of a model, beside its weights: one JSON file, whose hash the model's description holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from unfog.codec import TokenCodec
from unfog.errors import ModelError

TOKENS_FILE = "tokens.json"
PAIR_TOKENS_FILE = "pair-tokens.json"  # of the pair model inside of a model of pictures


def tokens_hash(text: str) -> str:
    """SHA-256 of ``tokens.json``."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_tokens(folder: Path, expected: str, name: str = TOKENS_FILE) -> TokenCodec:
    """The tokens of a model folder.

    Args:
        folder: of the model.
        expected: their hash.
        name: of the file.

    Raises:
        ModelError: if the file is missing, or is not the one that the model was made with.
    """
    path = folder / name
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}). Restore it from a copy, or train again."
        ) from None
    if tokens_hash(text) != expected:
        raise ModelError(f"{path} was changed after it was made. Restore it from a copy, or train again.")
    return TokenCodec.from_json(text)
