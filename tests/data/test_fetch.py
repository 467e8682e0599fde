import gzip
import subprocess

import pytest

from unfog.data import fetch
from unfog.errors import DataError


def test_progress_of_a_client(tmp_path, clients):
    seen = []
    clients("slow", "import time; open('x', 'w').write('1' * 50); time.sleep(0.4)")
    fetch.run_client(["slow"], tmp_path, elsewhere="", progress=lambda *at: seen.append(at), total=100_000)
    assert seen[-1] == (100_000, 100_000) and all(done <= total for done, total in seen)


def test_one_file_and_its_hash(tmp_path):
    with pytest.raises(DataError, match="0 files"):
        fetch.only_file(tmp_path, "*.deb")
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x"))
    fetch.verify(path, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", unpacked=True)
    path.write_bytes(b"torn")
    with pytest.raises(DataError, match="damaged"):
        fetch.verify(path, "", unpacked=True)


def test_subprocesses_are_not_left_behind(tmp_path, clients, monkeypatch):
    clients("long", "import time; time.sleep(60)")
    started = []
    real = subprocess.Popen

    def popen(*args, **kwargs):
        started.append(real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(fetch.subprocess, "Popen", popen)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.run_client(["long"], tmp_path, elsewhere="", progress=interrupt, total=1)
    assert started[0].returncode is not None


def test_a_set_is_there_whole_or_not_at_all(tmp_path):
    def torn(folder, progress):
        (folder / "half").write_text("x")
        raise DataError("the line went dead")

    place = tmp_path / "sets" / "x-1"
    with pytest.raises(DataError, match="went dead"):
        fetch.obtain(place, torn, b"{}", None)
    assert [path.name for path in place.parent.iterdir()] == ["x-1.lock"]
    calls = []
    for _ in range(2):
        fetch.obtain(place, lambda folder, _: calls.append(folder), b"{}", None)
    assert len(calls) == 1 and (place / fetch.MARKER).read_bytes() == b"{}"
