"""Getting named sets through the package clients of the machine: run one, verify what it brought, keep it."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from unfog.data.cache import cache_folder, lock, save_bytes, workplace
from unfog.errors import DataError

Progress = Callable[[int, int], None]
MARKER = "set.json"
"""Written last into the folder of a set: what it is, where from, under which licence."""


def set_folder(name: str, version: str, cache: Path | None = None) -> Path:
    """Where a named set lies once it was fetched."""
    return cache_folder(cache) / "sets" / f"{name}-{version}"


def obtain(
    folder: Path, fetch: Callable[[Path, Progress | None], None], about: bytes, progress: Progress | None
) -> Path:
    """Fetch a set unless it is there: into a folder beside, renamed when complete.

    Args:
        folder: where it shall lie.
        fetch: fills an empty folder with it.
        about: content of the marker file.
        progress: called with (bytes here, bytes in all).

    Raises:
        DataError: it cannot be had, or is not what was expected.
    """
    with lock(folder.with_name(f"{folder.name}.lock")):
        if not (folder / MARKER).is_file():
            with workplace(folder) as temp:
                fetch(temp, progress)
                save_bytes(temp / MARKER, about)
    return folder


def run_client(
    command: Sequence[str], folder: Path, *, elsewhere: str, progress: Progress | None = None, total: int = 0
) -> None:
    """Run a package client in a folder.

    Args:
        command: program and arguments.
        folder: where it runs and leaves its files.
        elsewhere: sentence for a machine without this client.
        progress: called with (bytes in the folder, total) while it runs.
        total: bytes that are expected.

    Raises:
        DataError: the client is not there or fails; the message holds the command.
    """
    shown = " ".join(command)
    program = shutil.which(command[0])
    if program is None:
        raise DataError(
            f"This needs the program {command[0]!r} (to run: {shown}), which is not installed. {elsewhere}"
        )
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(
            [program, *command[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder)},  # some load into their own folder first: show that too
        ) as process:
            try:
                while process.poll() is None:
                    if progress:
                        progress(min(total, _size(folder)), total)
                    time.sleep(0.1)
            except BaseException:
                process.kill()
                raise
        said.seek(0)
        lines = said.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode:
        telling = [
            line for line in lines if line.startswith(("E:", "npm error", "npm ERR!", "ERROR:"))
        ] or lines[-1:]
        why = telling[0].strip() if telling else f"exit code {process.returncode}"
        raise DataError(f"The command failed: {shown}\n{why[:200]} {elsewhere}")
    if progress:
        progress(total, total)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # the client renames its files while we look
            continue
    return total


def only_file(folder: Path, pattern: str) -> Path:
    """The one file that a client left.

    Raises:
        DataError: there is none, or more than one.
    """
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DataError(f"The package client left {len(found)} files {pattern!r} in place of one. Try again.")
    return found[0]


def verify(path: Path, expected: str, *, unpacked: bool = False) -> None:
    """Compare a file's sha256 with the one noted when this version of unfog was made.

    Args:
        path: the file.
        expected: sha256 in hex.
        unpacked: take the content of a gzip file, not the file (mirrors may pack anew).

    Raises:
        DataError: it is another file, or a damaged one.
    """
    sha = hashlib.sha256()
    try:
        with gzip.open(path, "rb") if unpacked else path.open("rb") as file:
            while block := file.read(1 << 20):
                sha.update(block)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name!r} is damaged ({error}). Try again.") from error
    if sha.hexdigest() != expected:
        raise DataError(
            f"{path.name!r} is not the file that unfog knows (sha256 {sha.hexdigest()[:16]}..., "
            f"expected {expected[:16]}...). It was not used."
        )
