"""The idx files of MNIST and its relatives: pairs of NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte,
gzipped or not.

Layout of a file (http://yann.lecun.com/exdb/mnist): two zero bytes, a type code (8 = unsigned byte), the
number of axes, then each axis's length as big-endian uint32, then the values.
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from unfog.data.layout import top_names
from unfog.data.reader import Entry, Reader, stamp
from unfog.errors import DataError

_CHUNK = 256


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _axes(file: BinaryIO) -> tuple[int, ...]:
    zero, kind, count = struct.unpack(">HBB", file.read(4))
    if zero != 0 or kind != 8 or not 1 <= count <= 4:
        raise ValueError("not an idx file of bytes")
    return struct.unpack(f">{count}I", file.read(4 * count))


def read_idx(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Go through an idx file along its first axis.

    Args:
        path: the file; '.gz' is unpacked while reading.

    Yields:
        uint8 arrays, one per item.

    Raises:
        DataError: it is not an idx file of bytes, or is damaged.
    """
    try:
        with _open(path) as file:
            count, *item = _axes(file)
            length = int(np.prod(item, dtype=np.int64))
            if length > 1 << 26:
                raise ValueError(f"its items have {length:,} values")
            for start in range(0, count, _CHUNK):
                many = min(_CHUNK, count - start)
                raw = file.read(many * length)
                if len(raw) < many * length:
                    raise ValueError("it ends early")
                yield from np.frombuffer(raw, np.uint8).reshape(many, *item)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise DataError(f"The idx file {path.name!r} cannot be read: {error}") from error


def idx_files(folder: Path) -> list[tuple[Path, Path | None, bool | None]]:
    """Pairs of pictures and labels in a folder.

    Returns:
        (pictures, labels or None, held out or not); training parts first. 't10k' and 'test' are held out.
    """
    found: list[tuple[Path, Path | None, bool | None]] = []
    names = [name for name in top_names(folder) if re.fullmatch(r".*images.*idx3-ubyte(\.gz)?", name)]
    for pictures in (folder / name for name in names):
        twin = pictures.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
        labels = next((folder / name for name in (twin, f"{twin}.gz") if (folder / name).is_file()), None)
        part = pictures.name.partition("images")[0].strip("-_.").lower()
        found.append((pictures, labels, {"train": False, "t10k": True, "test": True}.get(part)))
    sides = {held for _, _, held in found}
    official = True in sides and False in sides
    return sorted(
        ((pictures, labels, held if official else None) for pictures, labels, held in found),
        key=lambda pair: (pair[2] is True, pair[0].name),
    )


@dataclass
class IdxReader(Reader):
    """A folder with idx files."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """A folder that holds '*images*idx3-ubyte' or the same with '.gz'."""
        return bool(idx_files(Path(source)))

    def listing(self) -> Iterator[str]:
        """The idx files."""
        for pictures, labels, _ in idx_files(Path(self.source)):
            yield stamp(pictures)
            if labels:
                yield stamp(labels)

    def entries(self) -> Iterator[Entry]:
        """Every picture, training part first."""
        for path, labels, held in idx_files(Path(self.source)):
            numbers = read_idx(labels) if labels else None
            for index, picture in enumerate(read_idx(path)):
                number = None if numbers is None else next(numbers, None)
                if numbers is not None and number is None:
                    raise DataError(f"{path.name!r} has more pictures than there are labels beside it.")
                yield Entry(f"{path.name}#{index}", picture, self._label(number), held=held)

    def _label(self, number: NDArray[np.uint8] | None) -> str | None:
        if number is None:
            return None
        index = int(number)
        return self.classes[index] if self.classes and index < len(self.classes) else str(index)
