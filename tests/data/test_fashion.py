import gzip
import os
import shutil
import struct
from hashlib import sha256

import numpy as np
import pytest

from unfog.data import fashion, fetch
from unfog.data.named import NAMED, get
from unfog.data.store import open_pictures
from unfog.errors import DataError


def test_fashion_from_start_to_end_with_fake_clients(tmp_path, cache, clients, monkeypatch):
    root = tmp_path / "root" / "usr" / "share" / "datasets" / "fashion-mnist"
    root.mkdir(parents=True)
    known = {}
    for name in fashion.FILES:
        count = 4 if name.startswith("train") else 2
        shape = (count, 28, 28) if "images" in name else (count,)
        values = np.random.default_rng(count).integers(0, 10, shape, np.uint8)
        raw = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + values.tobytes()
        (root / name).write_bytes(gzip.compress(raw))
        known[name] = sha256(raw).hexdigest()
    monkeypatch.setattr(fashion, "FILES", known)
    clients(
        "apt-get",
        "import sys\nif '=' in sys.argv[2]: sys.exit('E: Version not found')\nopen('a.deb', 'w')",
    )
    clients("dpkg-deb", f"import shutil\nshutil.copytree({str(tmp_path / 'root')!r}, 'root')")
    path = get("fashion-mnist")
    assert sorted(os.listdir(path)) == sorted([*known, fetch.MARKER])
    store = open_pictures("fashion-mnist")
    assert list(store.held_out) == [4, 5] and store.classes == fashion.CLASSES
    shutil.rmtree(path)
    known["t10k-labels-idx1-ubyte.gz"] = "0" * 64
    with pytest.raises(DataError, match="not the file that unfog knows"):
        get("fashion-mnist")
    assert not NAMED["fashion-mnist"].installed()


def test_a_package_without_the_files(tmp_path):
    with pytest.raises(DataError, match="does not hold"):
        fashion.keep_files(tmp_path, tmp_path)
