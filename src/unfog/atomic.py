"""Writing so that a file is either the old one or the new one, never half of each.

Everything is written under a temporary name in the same folder, flushed to the disk, and then renamed. After
a crash or `kill -9` the final name holds the old content; the temporary file that may stay behind has a name
that `clear_leftovers` recognises. A full disk or a missing permission becomes an `OutputError` that names the
file and what to do.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import secrets
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from unfog.errors import OutputError

_PREFIX = ".unfog-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {errno.EACCES, errno.EPERM}
_NOREPLACE, _EXCHANGE = 1, 2  # flags of renameat2


def atomic_write(path: str | Path, data: bytes | str, *, replace: bool = True, durable: bool = True) -> Path:
    """Write a whole file at once; text is encoded as UTF-8 with the line ends it has.

    Args:
        path: final name; missing parent folders are made.
        data: the whole content.
        replace: whether an existing file may be replaced. False never overwrites, even in a race with another
            process.
        durable: wait until the disk has it, so that even a power cut leaves old or new. False is some ten
            times faster for many small files that can be made again; a killed process is harmless either way.

    Returns:
        The final path.

    Raises:
        OutputError: disk full, no permission, bad name, or the file exists and ``replace`` is False.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    with atomic_path(path, replace=replace, durable=durable) as temporary, open(temporary, "xb") as file:
        file.write(content)
    return Path(path)


@contextmanager
def atomic_path(path: str | Path, *, replace: bool = True, durable: bool = True) -> Iterator[Path]:
    """For writers that want a file name: hands out a temporary one beside ``path`` and renames it on success.

    The temporary name has the suffix of ``path``, as many libraries choose their format by it. If the body
    raises, the temporary file is removed and ``path`` is untouched.

        with atomic_path("model.safetensors") as temporary:
            save_file(tensors, temporary)

    Args:
        path: final name; missing parent folders are made.
        replace: whether an existing file may be replaced.
        durable: as in `atomic_write`.

    Raises:
        OutputError: the file cannot be written, the body wrote nothing, or it exists and ``replace`` is
        False.
    """
    final = Path(path)
    temporary = _temporary_beside(final)
    try:
        with _explained(final, temporary):
            _refuse_existing(final, replace)
            final.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if not temporary.is_file():
                raise OutputError(f"Nothing was written for {final}: the writer left no file.")
            if durable:
                _flush(temporary)
            if replace:
                os.replace(temporary, final)
            else:
                _rename_new(temporary, final)
            if durable:
                _flush_folder(final.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: str | Path, *, replace: bool = True) -> Iterator[Path]:
    """For folders that must be complete or absent (a model, a checkpoint): fill the folder handed out, then
    it appears.

    An existing folder is exchanged for the new one in one step where the system can (Linux); elsewhere by two
    renames, and a failure of the second brings the old folder back.

    Args:
        path: final folder; missing parents are made.
        replace: whether an existing folder may be replaced.

    Raises:
        OutputError: something cannot be written, or the folder exists and ``replace`` is False.
    """
    final = Path(path)
    temporary = _temporary_beside(final)
    try:
        with _explained(final, temporary):
            _refuse_existing(final, replace)
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
            yield temporary
            for folder, _, names in os.walk(temporary):
                for name in names:
                    _flush(Path(folder, name))
                _flush_folder(Path(folder))
            _place_folder(temporary, final)
            _flush_folder(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def clear_leftovers(folder: str | Path) -> int:
    """Remove what killed writers left in ``folder`` (not below it). Files of running processes are left
    alone.

    Returns:
        How many leftovers were removed.
    """
    removed = 0
    host = _host()
    for item in Path(folder).glob(f"{_PREFIX}{host}-*"):
        process = item.name.removeprefix(f"{_PREFIX}{host}-").split("-")[0]
        if process.isdecimal() and not _running(int(process)):
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item, ignore_errors=True)
            else:
                with suppress(OSError):
                    item.unlink()
            removed += not item.exists()
    return removed


def _temporary_beside(final: Path) -> Path:
    # host and process are part of the name, so that clear_leftovers knows which writers are dead; the final
    # name is not, as it may already be as long as the file system allows
    return final.parent / f"{_PREFIX}{_host()}-{os.getpid()}-{secrets.token_hex(4)}{final.suffix[:16]}"


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode('utf-8', 'replace')):08x}"


def _running(process: int) -> bool:
    if sys.platform == "win32":  # os.kill would end the process there
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except OSError:
        return True
    return True


def _refuse_existing(final: Path, replace: bool) -> None:
    if not replace and os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, "exists", str(final))


def _rename_new(temporary: Path, final: Path) -> None:
    """Rename, but fail if the final name has come into being meanwhile."""
    code = _rename_linux(temporary, final, _NOREPLACE)
    if code == errno.EEXIST:
        raise FileExistsError(code, "exists", str(final))
    if code == 0:
        return
    try:
        os.link(temporary, final)
    except FileExistsError as error:  # names the temporary file; people know the final one
        raise FileExistsError(errno.EEXIST, "exists", str(final)) from error
    except OSError:  # no hard links here (FAT, some network disks): check, then rename
        _refuse_existing(final, False)
        os.replace(temporary, final)
    else:
        temporary.unlink()


def _flush(path: Path) -> None:
    if path.is_symlink():
        return
    with open(path, "rb+" if os.name == "nt" else "rb") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Make a rename itself durable; some systems cannot, and then it is merely likely."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _place_folder(temporary: Path, final: Path) -> None:
    if not os.path.lexists(final):
        os.rename(temporary, final)
        return
    if not final.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is a file", str(final))
    if _rename_linux(temporary, final, _EXCHANGE) == 0:
        return  # temporary now holds the old folder, and the caller removes it
    old = _temporary_beside(final)
    os.rename(final, old)
    try:
        os.rename(temporary, final)
    except OSError:
        os.rename(old, final)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _rename_linux(source: Path, target: Path, flag: int) -> int:
    """Linux's renameat2, which can refuse to replace and can exchange; 0 or the system's error number."""
    rename = _renameat2()
    if rename is None:
        return errno.ENOSYS
    here = -100  # AT_FDCWD: relative to the current folder
    worked = rename(here, os.fsencode(source), here, os.fsencode(target), flag) == 0
    return 0 if worked else ctypes.get_errno() or errno.EIO


@lru_cache
def _renameat2() -> Any:
    if sys.platform != "linux":
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # another C library
        return None


@contextmanager
def _explained(final: Path, temporary: Path) -> Iterator[None]:
    """Turn the system's errors about this file into an OutputError; errors about others pass unchanged."""
    try:
        yield
    except OutputError as error:  # of a writer inside an atomic_folder: speak of the name the user knows
        if str(temporary) not in str(error):
            raise
        raise OutputError(str(error).replace(str(temporary), str(final))) from error
    except OSError as error:
        ours = error.filename is None or _concerns(error, final, temporary)
        if not ours or (error.errno is None and error.filename is None):
            raise
        raise OutputError(_explanation(final, error)) from error
    except Exception as error:
        # libraries written in Rust (safetensors) raise errors of their own, but quote the system's number
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise OutputError(_explanation(final, OSError(code, os.strerror(code)))) from error


def _concerns(error: OSError, final: Path, temporary: Path) -> bool:
    names = [
        Path(os.fsdecode(name)) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    ]
    ours = {final, temporary, *final.parents}
    return any(name in ours or temporary in name.parents for name in names)


def _explanation(final: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"Cannot write {final}: the disk is full. Free some space or choose another folder."
    if error.errno in _DENIED:
        return f"Cannot write {final}: no permission. Choose another folder, or change its rights."
    if error.errno == errno.EROFS:
        return f"Cannot write {final}: this disk is read-only. Choose another folder."
    if error.errno == errno.EEXIST and Path(os.fsdecode(error.filename or "")) == final:
        return f"Will not overwrite {final}. Choose another name, or remove it first."
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"Cannot write {final}: a part of this path is a file, not a folder. Choose another place."
    if error.errno == errno.EISDIR:
        return f"Cannot write {final}: a folder of that name exists. Choose another name."
    if error.errno == errno.ENAMETOOLONG:
        return f"Cannot write {final}: the name is too long for this disk. Choose a shorter one."
    return f"Cannot write {final}: {error.strerror or error}. Check the path and the disk, then run again."
