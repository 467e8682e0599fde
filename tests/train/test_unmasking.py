"""The loss of text: against entropies known in advance, of pairs, in slices, by blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unfog.codec.tokens import TokenCodec
from unfog.model.text import TextModel
from unfog.model.vocabulary import tokens_hash
from unfog.process import KEEPS
from unfog.rng import Noise
from unfog.spec import TextSpec
from unfog.train import TextTrainConfig, UnmaskingObjective
from unfog.train.rows import pairs, whole

CODEC = TokenCodec.learn(["abcdefgh"], "character")
K = len("abcdefgh")


def model(process: dict[str, Any] | None = None, room: int = 0, **network: Any) -> TextModel:
    """A fresh model that sees 32 tokens; its random weights look at what it sees."""
    torch.manual_seed(0)
    spec = TextSpec(
        recipe="language",
        network={"width": 64, "depth": 2, **network},
        process=process or {"kind": "masked", "keep": "linear"},
        context=32,
        tokens=tokens_hash(CODEC.to_json()),
        room=room,
    )
    made = TextModel(spec, CODEC)
    with torch.no_grad():
        for weight in made.parameters():
            weight.normal_(std=0.1)
    return made


def even(made: TextModel) -> TextModel:
    """All tokens the same to it."""
    with torch.no_grad():
        for weight in made.parameters():
            weight.zero_()
    return made


def texts(count: int, length: int = 32, seed: int = 0) -> tuple[Tensor, Tensor, None]:
    x = torch.randint(0, K, (count, length), generator=torch.Generator().manual_seed(seed))
    return x, torch.tensor([0, length]).expand(count, 2), None


def paired(count: int, seed: int = 0) -> tuple[Tensor, Tensor, None]:
    rng = np.random.default_rng(seed)
    sources = [rng.integers(0, K, rng.integers(2, 20)) for _ in range(count)]
    targets = [rng.integers(0, K, rng.integers(1, 5)) for _ in range(count)]
    rows = pairs(sources, targets, 32, gap=CODEC.gap, end=CODEC.end, room=6)
    return torch.from_numpy(rows.tokens), torch.from_numpy(np.stack([rows.start, rows.stop], 1)), None


@pytest.mark.parametrize("weight", ["plain", "bound"])
@pytest.mark.parametrize("keep", KEEPS)
def test_one_that_knows_nothing_pays_the_entropy_of_even_tokens(keep: str, weight: str) -> None:
    """Each lost token costs log K', the names it could have; weighted as the bound, for every schedule."""
    made = even(model({"kind": "masked", "keep": keep}))
    objective = UnmaskingObjective(made, TextTrainConfig(weight=weight))  # type: ignore[arg-type]
    loss = float(objective(*objective.draw(texts(2000), Noise(1))).mean().detach())
    entropy = math.log(made.denoiser.process.vocabulary - 1)
    share = 1.0
    if weight == "plain":  # twice the mean share of lost tokens, which is 1 where half of them are lost
        t = torch.linspace(0, 1, 2001, dtype=torch.float64)
        share = 2 * float((1 - made.denoiser.process.keep.alpha(t)).mean())
    assert loss == pytest.approx(share * entropy, rel=0.03)


@pytest.mark.parametrize(("batch", "tolerance"), [(texts(24), 1e-4), (paired(24), 0.05)])
def test_slices_give_the_loss_and_gradient_of_the_whole(batch: Any, tolerance: float) -> None:
    """A slice is as wide as its longest pair needs; what lies behind a pair is seen, but is END only."""
    made = model(room=6)
    objective = UnmaskingObjective(made, TextTrainConfig())
    drawn = objective.draw(batch, Noise(3))
    found = []
    for size in (24, 5):
        made.zero_grad()
        each = []
        for first in range(0, 24, size):
            each.append(objective(*(part if part is None else part[first : first + size] for part in drawn)))
        loss = torch.cat(each)
        loss.sum().backward()
        found.append((loss.detach(), made.denoiser.network.stem.weight.grad.clone()))
    torch.testing.assert_close(found[0][0].mean(), found[1][0].mean(), rtol=tolerance, atol=0.0)
    apart = (found[0][1] - found[1][1]).norm() / found[0][1].norm()
    assert apart < 4 * tolerance
    assert objective.at_once == 2048 // 32


def test_of_a_pair_only_the_summary_is_lost() -> None:
    objective = UnmaskingObjective(model(room=6), TextTrainConfig(joint=1.0))
    x, learned, _ = paired(50)
    clean, corrupted, weight, _, _, needed = objective.draw((x, learned, None), Noise(0))
    order = learned[:, 1].argsort(stable=True)
    places = torch.arange(32)
    inside = (places >= learned[order][:, :1]) & (places < learned[order][:, 1:])
    assert torch.equal(clean, x[order].long()) and torch.equal(needed, learned[order][:, 1])
    assert not ((corrupted != clean) & ~inside).any() and (corrupted != clean)[inside].any()
    assert not (weight > 0)[~inside].any()


def test_a_share_of_pairs_is_learned_as_text_alone() -> None:
    objective = UnmaskingObjective(model(room=6), TextTrainConfig(joint=1.0))
    clean, corrupted, _, _, _, needed = objective.draw(paired(50), Noise(0), hide=0.0)
    assert (needed == 32).all() and not (clean == CODEC.gap).any()
    first_end = 1 + (clean[:, 1:] == CODEC.end).int().argmax(1)
    assert all((row[end:] == CODEC.end).all() for row, end in zip(clean, first_end, strict=True))
    assert (clean[:, 0] == CODEC.end).all() and (corrupted[:, 0] == CODEC.end).all()
    assert (corrupted[:, 1] == CODEC.mask).any() and (first_end > 2).all()


def test_in_half_of_the_pairs_some_of_the_source_is_learned_beside_the_summary() -> None:
    objective = UnmaskingObjective(model(room=6), TextTrainConfig(joint=0.0, beside=0.2))
    x, learned, _ = paired(2000)
    _, corrupted, weight, *_ = objective.draw((x, learned, None), Noise(0), hide=0.0)
    start = learned[learned[:, 1].argsort(stable=True)][:, :1]
    places = torch.arange(32)
    source, gap = places < start - 1, places == start - 1
    gone = source & (corrupted == CODEC.mask)
    assert float(gone.sum() / source.sum()) == pytest.approx(0.2, abs=0.02)
    assert 0.45 < float((gone.any(1) == 0).float().mean()) < 0.62, "half, and some short ones by chance"
    assert torch.equal((weight > 0) & source, gone) and not (weight > 0)[gap].any()
    sums = (weight * gone).sum(1)
    torch.testing.assert_close(sums, gone.any(1).float())
    asked = objective.draw((x, learned, None), Noise(0))
    assert not (source & (asked[1] == CODEC.mask)).any(), "validation shows sources whole"


def test_documents_that_are_no_pairs_are_never_turned_into_others() -> None:
    rows = whole([np.arange(5)], 32, CODEC.end)
    learned = torch.from_numpy(np.stack([rows.start, rows.stop], 1))
    objective = UnmaskingObjective(model(), TextTrainConfig(joint=1.0))
    clean = objective.draw((torch.from_numpy(rows.tokens), learned, None), Noise(0), hide=0.5)[0]
    assert torch.equal(clean, torch.from_numpy(rows.tokens).long())


def test_each_block_has_its_own_time_and_sees_no_later_one() -> None:
    objective = UnmaskingObjective(model(block=8), TextTrainConfig())
    drawn = list(objective.draw(texts(4), Noise(0)))
    t = drawn[3]
    assert t.shape == (4, 32) and all(len(set(row.tolist())) == 4 for row in t)
    before = objective(*drawn)
    changed, weight = drawn[0].clone(), drawn[2].clone()
    weight[:, 24:] = 0  # nothing of the last block counts
    drawn[2] = weight
    first = objective(*drawn)
    changed[:, 24:] = (changed[:, 24:] + 1) % K
    drawn[0] = changed
    torch.testing.assert_close(objective(*drawn), first)
    assert not torch.equal(before, first)


def test_uniform_noise_can_be_learned_from() -> None:
    made = model({"kind": "uniform", "keep": "linear"})
    objective = UnmaskingObjective(made, TextTrainConfig())
    loss = objective(*objective.draw(texts(8), Noise(0))).mean()
    loss.backward()
    assert loss.isfinite() and made.denoiser.network.stem.weight.grad.abs().sum() > 0
