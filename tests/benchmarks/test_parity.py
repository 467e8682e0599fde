"""The pairs of `benchmarks/parity.py`: complete, as their document says, and the same down to rounding."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from unfog.denoise import GaussianDenoiser
from unfog.sample import SAMPLERS

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of diffusers with numpy 2


@pytest.fixture
def parity(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module; its neighbours are imported by their plain names, as when it is run."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("parity")


def difference(parity: ModuleType, pair: object, steps: int, changed: bool) -> float:
    def toy(process):
        return GaussianDenoiser(parity.Toy(), process)

    with torch.inference_mode():
        return parity.difference(pair, steps, toy, parity.SHAPE, torch.float64, changed)


def test_every_sampler_has_a_pair_or_a_reason(parity: ModuleType) -> None:
    paired = {pair.sampler for pair in parity.PAIRS}
    assert paired <= set(SAMPLERS), "pairs of samplers that do not exist"
    assert set(parity.UNPAIRED) == set(SAMPLERS) - paired, "add a line to benchmarks/parity_pairs.py"
    assert all(why.strip() for why in parity.UNPAIRED.values())


def test_changes_come_with_a_reason_and_titles_tell_pairs_apart(parity: ModuleType) -> None:
    assert all(pair.why for pair in parity.PAIRS if pair.changes)
    titles = [pair.title for pair in parity.PAIRS]
    assert len(set(titles)) == len(titles)


def test_the_document_has_every_pair_and_every_reason(parity: ModuleType) -> None:
    text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
    missing = [pair.title for pair in parity.PAIRS if f"| {pair.title} " not in text]
    missing += [pair.why for pair in parity.PAIRS if " ".join(pair.why.split()) not in text]
    assert not missing, "write docs/parity.md anew, see its last part"


@pytest.mark.parametrize("steps", [1, 2, 5, 17])
def test_the_pairs_are_the_same_down_to_rounding(parity: ModuleType, steps: int) -> None:
    pytest.importorskip("diffusers")
    for pair in parity.PAIRS:
        if pair.changes or not pair.why:
            found = difference(parity, pair, steps, changed=bool(pair.changes))
            assert found <= parity.ROUNDING, f"{pair.title}, {steps} steps: {found:.1e}"


def test_a_different_method_would_be_noticed(parity: ModuleType) -> None:
    pytest.importorskip("diffusers")
    pair = next(pair for pair in parity.PAIRS if pair.sampler == "dpm++2m")
    assert difference(parity, replace(pair, sampler="ddim"), 5, changed=False) > 1e-3
    row = parity.Row(pair, {"float64": [0.0, 1e-3]}, {})
    assert parity.mistakes([row]) and not parity.mistakes([replace(row, differences={"float64": [1e-12]})])


def test_diffusers_of_another_version_is_told_apart(parity: ModuleType) -> None:
    pytest.importorskip("diffusers")
    pair = replace(parity.PAIRS[0], changes=(("a line that is not there", ""),))
    with pytest.raises(LookupError, match=r"0\.42\.1"):
        difference(parity, pair, 2, changed=True)
