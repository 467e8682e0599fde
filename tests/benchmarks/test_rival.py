"""The rival is what it says: exact bits, the same tokens with and without cache, only targets count."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.given import enliven
from unfog.codec.tokens import TokenCodec

ROOT = Path(__file__).resolve().parent.parent.parent
CODEC = TokenCodec.learn(["abcdefgh ."], "character")
SMALL = {"width": 64, "depth": 1, "context": 16, "batch": 16, "steps": 100, "learning_rate": 1e-2}


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module; its neighbours are imported by their plain names, as when it is run."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("rival")


def untrained(rivals: ModuleType):
    rival = rivals.Rival(CODEC, rivals.Setup(**SMALL))
    enliven(rival.network, 0.1)
    return rival


def test_pairs_keep_the_target_whole_and_cut_the_source(rivals: ModuleType) -> None:
    pairs = rivals.pair_up(["abcdefgh", "ab"], ["cd", "e"], CODEC, 8)
    a, b, c, d, e = CODEC.encode_text("abcde")
    end, gap = CODEC.end, CODEC.gap
    first = [end, a, b, c, d, gap, c, d, end]
    assert pairs.rows.tolist() == [first, [end, a, b, gap, e, end, end, end, end]]
    assert pairs.target.int().tolist() == [[0] * 6 + [1] * 3, [0] * 4 + [1, 1] + [0] * 3]
    assert pairs.cut == 1
    with pytest.raises(SystemExit, match="context"):
        rivals.pair_up(["a"], ["abcdefgh"], CODEC, 8)


def test_writing_with_the_cache_is_writing_without(rivals: ModuleType) -> None:
    rival, prompt = untrained(rivals), CODEC.encode_text("abc")
    found = rival.write(2, 10, prompt, temperature=0)
    row = [CODEC.end, *prompt]
    for token in found[0].tolist():
        logits = rival.network(torch.tensor([row]))[0, -1].detach()
        logits[[CODEC.gap, CODEC.mask]] = -torch.inf
        assert token == int(logits.argmax())
        row.append(token)
    assert torch.equal(found[0], found[1])


def test_draws_follow_the_chances(rivals: ModuleType) -> None:
    rival = untrained(rivals)
    logits = rival.network(torch.tensor([[CODEC.end]]))[0, -1].detach().double()
    logits[[CODEC.gap, CODEC.mask]] = -torch.inf
    for temperature in (1.0, 0.5):
        drawn = rival.write(20_000, 1, temperature=temperature)[:, 0].bincount(minlength=CODEC.vocabulary)
        chances = (logits / temperature).softmax(0)
        kept = chances > 1e-3
        statistic = ((drawn - 20_000 * chances) ** 2 / (20_000 * chances))[kept].sum()
        freedom = int(kept.sum()) - 1
        assert statistic < freedom + 5 * (2 * freedom) ** 0.5


def test_bits_of_targets_are_the_sum_over_their_tokens(rivals: ModuleType) -> None:
    rival = untrained(rivals)
    found = rival.nats(["abc", "d"], ["ef", "g"])
    for value, source, target in zip(found, ["abc", "d"], ["ef", "g"], strict=True):
        row = [CODEC.end, *CODEC.encode_text(source), CODEC.gap, *CODEC.encode_text(target), CODEC.end]
        with torch.inference_mode():
            logits = rival.network(torch.tensor([row[:-1]]))[0]
        costs = F.cross_entropy(logits, torch.tensor(row[1:]), reduction="none")
        assert value == pytest.approx(float(costs[len(source) + 1 :].sum()), abs=1e-4)


def test_it_learns_texts_and_ends_them(rivals: ModuleType) -> None:
    rng = np.random.default_rng(0)
    texts = ["".join("abcdefgh"[(start + i) % 8] for i in range(6)) for start in rng.integers(0, 8, 60)]
    rival = rivals.Rival(CODEC, rivals.Setup(**{**SMALL, "depth": 2}))
    rival.train(texts)
    assert rival.steps == 100 and float(rival.nats(texts).mean()) < 3
    written = CODEC.decode_many(rival.write(20))
    assert sum(text in texts for text in written) >= 14


def test_it_learns_targets_from_sources(rivals: ModuleType) -> None:
    sources = [a + b for a in "abcdefgh" for b in "abcdefgh"]
    rival = rivals.Rival(CODEC, rivals.Setup(**{**SMALL, "steps": 150, "depth": 2}))
    rival.train(sources, [source[0] for source in sources])
    assert sum(rival.summarise(source, 4) == source[0] for source in sources[::5]) >= 12


def test_end_to_end_it_wastes_no_place_and_ends_texts_all_the_same(rivals: ModuleType) -> None:
    texts = ["abc", "efgh"] * 40
    setup = rivals.Setup(**{**SMALL, "steps": 60}, packed=True)
    rival = rivals.Rival(CODEC, setup)
    rival.train(texts)
    assert rival.tokens == 60 * SMALL["batch"] * SMALL["context"]
    assert float(rival.nats(["abc", "efgh"]).mean()) < 2
    assert set(CODEC.decode_many(rival.write(8, temperature=0))) <= {"abc", "efgh"}


def test_bits_of_rows_count_what_is_asked_for(rivals: ModuleType) -> None:
    rival, end = untrained(rivals), CODEC.end
    rows = torch.tensor([[end, *CODEC.encode_text("abc"), end, end], [end, *CODEC.encode_text("efgh"), end]])
    counts = torch.tensor([[True] * 4 + [False], [True] * 5])
    assert rival.nats_of_rows(rows, counts) == pytest.approx(rival.nats(["abc", "efgh"]), abs=1e-4)
