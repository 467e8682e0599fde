"""What all tests share: few threads, no network, no reading or writing outside of the test's own folder.

The variables are set here, before anything imports torch or numpy, because both read them once.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

THREADS = os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("MKL_NUM_THREADS", THREADS)
os.environ.setdefault("OPENBLAS_NUM_THREADS", THREADS)
# Threads that spin while they wait cost several times the work when something else runs beside the tests.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MPLBACKEND", "agg")
# A test that reaches for a hub is a test that fails on a train: say so at once instead of waiting.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.sentences import TINY, TRAINING, write_pairs, write_sentences  # noqa: E402

# The machine may be busy with training, so no test may depend on how long an example takes; and the same
# examples are drawn in every run, so that a failure can be looked at twice.
settings.register_profile(
    "unfog", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("unfog")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches go to a folder of this session, so that neither an old cache nor a person's own is touched."""
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.mktemp("cache")
        patch.setenv("UNFOG_CACHE", str(cache))
        patch.setenv("XDG_CACHE_HOME", str(cache))
        yield


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred sentences in one file."""
    return write_sentences(tmp_path_factory.mktemp("data") / "sentences 句子.txt")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred sentences with summaries, in two classes."""
    return write_pairs(tmp_path_factory.mktemp("data") / "pairs.jsonl")


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory, texts: Path) -> Path:
    """A finished run on sentences: writes, completes and fills in, without classes."""
    import unfog

    out = tmp_path_factory.mktemp("runs") / "writer"
    unfog.train("language", texts, out, settings=TINY, **TRAINING)
    return out


@pytest.fixture(scope="session")
def summariser(tmp_path_factory: pytest.TempPathFactory, pairs: Path) -> Path:
    """A finished run on pairs: summarises too, and has two classes."""
    import unfog

    out = tmp_path_factory.mktemp("runs") / "summariser"
    unfog.train("language", pairs, out, settings=TINY, **TRAINING)
    return out


@pytest.fixture
def quick_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader that judges texts learns for twelve steps instead of minutes."""
    from functools import partial

    from unfog.evaluate.reader import ReaderConfig
    from unfog.recipes import assess_text

    quick = ReaderConfig(width=64, depth=1, context=16, batch=4, steps=12)
    monkeypatch.setattr(assess_text, "open_reader", partial(assess_text.open_reader, config=quick))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Global generators start the same in every test; unfog itself must not depend on them."""
    random.seed(0)
    import sys

    # Only where they are already loaded: the data room's tests must not pay for torch.
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
