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
from unfog.train.rows import Rows, pairs, whole
from unfog.train.unmasking import BLOCKS, PAIR, WHOLE

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
    return x, torch.tensor([0, 0, length]).expand(count, 3), None


def paired(count: int, seed: int = 0) -> tuple[Tensor, Tensor, None]:
    rng = np.random.default_rng(seed)
    sources = [rng.integers(0, K, rng.integers(2, 20)) for _ in range(count)]
    targets = [rng.integers(0, K, rng.integers(1, 5)) for _ in range(count)]
    rows = pairs(sources, targets, 32, gap=CODEC.gap, end=CODEC.end, room=6)
    return torch.from_numpy(rows.tokens), learned_of(rows), None


def learned_of(rows: Rows) -> Tensor:
    return torch.from_numpy(np.stack([rows.first, rows.start, rows.stop], 1))


SLICED: list[tuple[Any, dict[str, Any], float]] = [
    (texts(24), {}, 1e-4),
    (paired(24), {}, 0.05),
    (paired(24), {"gap": CODEC.gap}, 0.05),
]


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


@pytest.mark.parametrize(("batch", "network", "tolerance"), SLICED)
def test_slices_give_the_loss_and_gradient_of_the_whole(
    batch: Any, network: dict[str, Any], tolerance: float
) -> None:
    """A slice is as wide as its longest pair needs; what lies before a pair is seen, but is END only."""
    made = model(room=6, **network)
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


@pytest.mark.parametrize(("network", "copies"), [({}, 1), ({"gap": CODEC.gap}, 1), ({"gap": CODEC.gap}, 3)])
def test_of_a_pair_only_the_summary_is_lost(network: dict[str, Any], copies: int) -> None:
    made = model(room=6, **network)
    objective = UnmaskingObjective(made, TextTrainConfig(joint=1.0, copies=copies))
    x, learned, _ = paired(50)
    clean, corrupted, weight, t, _, needed, way = objective.draw((x, learned, None), Noise(0))
    order = (learned[:, 2] - learned[:, 0]).argsort(stable=True)
    assert bool((way == PAIR).all()) and torch.equal(needed, (learned[:, 2] - learned[:, 0])[order].long())
    assert clean.shape == (50, 32 + 6 * (copies - 1)) and t.shape == (50, copies)
    assert torch.equal(clean[:, :32], x[order].long())
    assert torch.equal(
        clean[:, 26:].unflatten(1, (copies, 6)), x[order, None, 26:].long().expand(-1, copies, -1)
    )
    assert torch.equal(corrupted[:, :26], clean[:, :26]) and not bool((weight[:, :26] > 0).any())
    assert torch.equal(weight > 0, corrupted == CODEC.mask) and bool((weight > 0).any())


def test_versions_come_in_twos_that_lose_what_the_other_keeps() -> None:
    made = model({"kind": "masked", "keep": "cosine"}, room=6, gap=CODEC.gap)
    objective = UnmaskingObjective(made, TextTrainConfig(copies=4))
    _, corrupted, _, t, *_ = objective.draw(paired(400), Noise(0))
    lost = (corrupted[:, 26:] == CODEC.mask).unflatten(1, (4, 6))
    assert torch.equal(lost[:, 0], ~lost[:, 1]) and torch.equal(lost[:, 2], ~lost[:, 3])
    assert not torch.equal(lost[:, 0], lost[:, 2])
    share = 1 - made.denoiser.process.keep.alpha(t)
    torch.testing.assert_close(share[:, 0::2] + share[:, 1::2], torch.ones(400, 2, dtype=torch.float64))
    assert float((lost.float().mean(2) - share).mean().abs()) < 0.01


def test_versions_behind_one_source_cost_what_each_costs_alone() -> None:
    """No version sees another, and a source sees none: with each by itself the network says the same."""
    made = model(room=6, gap=CODEC.gap)
    objective = UnmaskingObjective(made, TextTrainConfig(copies=4))
    x, corrupted, weight, t, *_, way = drawn = objective.draw(paired(12), Noise(2))
    assert bool((way == PAIR).all())
    expected = torch.zeros(12)
    for version in range(4):
        part = torch.cat([torch.arange(26), 26 + 6 * version + torch.arange(6)])
        posterior = made.denoiser(corrupted[:, part], t[:, version])
        lost = weight[:, part] > 0
        cost = -posterior.rows.gather(1, x[:, part][lost][:, None])[:, 0] * weight[:, part][lost]
        expected = expected.index_add(0, lost.nonzero()[:, 0], cost)
    torch.testing.assert_close(objective(*drawn), expected, rtol=1e-4, atol=1e-5)


def test_a_share_of_pairs_is_learned_as_text_alone() -> None:
    objective = UnmaskingObjective(model(room=6), TextTrainConfig(joint=1.0))
    clean, corrupted, _, _, _, needed, way = objective.draw(paired(50), Noise(0), hide=0.0)
    assert (needed == 32).all() and bool((way == WHOLE).all()) and not (clean == CODEC.gap).any()
    first_end = 1 + (clean[:, 1:] == CODEC.end).int().argmax(1)
    assert all((row[end:] == CODEC.end).all() for row, end in zip(clean, first_end, strict=True))
    assert (clean[:, 0] == CODEC.end).all() and (corrupted[:, 0] == CODEC.end).all()
    assert (corrupted[:, 1] == CODEC.mask).any() and (first_end > 2).all()


def test_texts_alone_and_pairs_are_learned_side_by_side() -> None:
    made = model(room=6, gap=CODEC.gap)
    objective = UnmaskingObjective(made, TextTrainConfig(joint=0.5))
    drawn = objective.draw(paired(40), Noise(0), hide=0.0)
    pair = drawn[6] == PAIR
    assert 5 < int(pair.sum()) < 35
    assert bool((drawn[2][~pair, 32:] == 0).all()), "a text has no versions"
    for kind in (pair, ~pair):
        alone = objective(*(None if part is None else part[kind] for part in drawn))
        torch.testing.assert_close(objective(*drawn)[kind], alone)


@pytest.mark.parametrize("network", [{}, {"gap": CODEC.gap}])
def test_in_half_of_the_pairs_some_of_the_source_is_learned_beside_the_summary(network: Any) -> None:
    objective = UnmaskingObjective(model(room=6, **network), TextTrainConfig(joint=0.0, beside=0.2))
    x, learned, _ = paired(2000)
    _, corrupted, weight, *_ = objective.draw((x, learned, None), Noise(0), hide=0.0)
    learned = learned[(learned[:, 2] - learned[:, 0]).argsort(stable=True)]
    places = torch.arange(corrupted.shape[1])
    source, gap = (places >= learned[:, :1]) & (places < learned[:, 1:2] - 1), places == learned[:, 1:2] - 1
    gone = source & (corrupted == CODEC.mask)
    assert float(gone.sum() / source.sum()) == pytest.approx(0.2, abs=0.02)
    assert 0.45 < float((gone.any(1) == 0).float().mean()) < 0.62, "half, and some short ones by chance"
    assert torch.equal((weight > 0) & (places < 26), gone) and not (weight > 0)[gap].any()
    sums = (weight * gone).sum(1)
    torch.testing.assert_close(sums, gone.any(1).float())
    asked = objective.draw((x, learned, None), Noise(0))
    assert not (source & (asked[1] == CODEC.mask)).any(), "validation shows sources whole"


def test_by_blocks_all_of_a_source_is_learned_and_weighs_as_much_as_its_summary() -> None:
    objective = UnmaskingObjective(model(room=6, block=4), TextTrainConfig(joint=0.0))
    x, learned, _ = paired(2000)
    order = (learned[:, 2] - learned[:, 0]).argsort(stable=True)
    learned, places = learned[order], torch.arange(32)
    first, start = learned[:, :1], learned[:, 1:2]
    read = (places >= first) & (places < start - 4)  # the summary begins in the block of the last of these
    _, corrupted, weight, *_ = objective.draw((x, learned[order.argsort()], None), Noise(0), hide=0.0)
    assert torch.equal(weight > 0, corrupted == CODEC.mask)
    assert not ((weight > 0) & (places < start) & ~read).any(), "neither what is before it nor GAP"
    for part in (read, places >= start):
        some = part.any(1)
        assert float((weight * part).sum(1)[some].mean()) == pytest.approx(1.0, abs=0.05)
    asked = objective.draw((x, learned[order.argsort()], None), Noise(0))
    assert not ((asked[1] == CODEC.mask) & (places < start)).any(), "validation asks for summaries alone"


def test_documents_that_are_no_pairs_are_never_turned_into_others() -> None:
    rows = whole([np.arange(5)], 32, CODEC.end)
    learned = learned_of(rows)
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


def test_a_network_that_reads_both_ways_learns_each_in_its_share_of_the_rows() -> None:
    """A row read whole costs what a network without blocks pays, any other what one with blocks does."""
    made, blocks, sighted = model(block=8, whole=True), model(block=8), model()
    objective = UnmaskingObjective(made, TextTrainConfig(whole=0.25))
    drawn = objective.draw(texts(40), Noise(0))
    read_whole = drawn[6] == WHOLE
    assert int(read_whole.sum()) == 10 and bool((drawn[6][~read_whole] == BLOCKS).all())
    assert all(len(set(row.tolist())) == 1 for row in drawn[3][read_whole]), "one time for all of it"
    assert all(len(set(row.tolist())) == 4 for row in drawn[3][~read_whole])
    found = objective(*drawn)
    for other, rows, way in ((sighted, read_whole, WHOLE), (blocks, ~read_whole, BLOCKS)):
        other.load_state_dict(made.state_dict())
        part = [None if one is None else one[rows] for one in drawn]
        assert part[6] is not None and bool((part[6] == way).all())
        alone = UnmaskingObjective(other, TextTrainConfig())(*part)
        torch.testing.assert_close(found[rows], alone)


def test_blocks_come_late_unless_nothing_is_read_whole() -> None:
    """While the learning rate is high all rows are read whole; what validation asks never changes."""
    both = UnmaskingObjective(model(block=8, whole=True), TextTrainConfig(whole=0.5))
    blocks = UnmaskingObjective(model(block=8), TextTrainConfig(whole=0.5))
    assert (both.late_cost, blocks.late_cost) == (1.5, 1.0)

    def ways(objective: UnmaskingObjective, late: bool, hide: float | None) -> set[int]:
        objective.late = late
        way = objective.draw(texts(40), Noise(0), hide=hide)[6]
        assert way is not None
        return set(way.tolist())

    assert ways(both, False, 0.1) == {WHOLE} and ways(both, True, 0.1) == {WHOLE, BLOCKS}
    assert ways(both, False, None) == {WHOLE, BLOCKS}
    assert ways(blocks, False, 0.1) == ways(blocks, True, None) == {BLOCKS}


@pytest.mark.parametrize(("batch", "options"), [(texts(8), {}), (paired(8), {"room": 6, "gap": CODEC.gap})])
def test_uniform_noise_can_be_learned_from(batch: Any, options: dict[str, Any]) -> None:
    made = model({"kind": "uniform", "keep": "linear"}, **options)
    objective = UnmaskingObjective(made, TextTrainConfig())
    loss = objective(*objective.draw(batch, Noise(0))).mean()
    loss.backward()
    assert loss.isfinite() and made.denoiser.network.stem.weight.grad.abs().sum() > 0
