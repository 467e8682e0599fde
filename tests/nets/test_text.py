"""The network for text: who sees whom, positions, caches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.given import enliven
from unfog.errors import ConfigError, SampleError
from unfog.nets import TEXT_NETWORKS, TextTransformer, TextTransformerConfig
from unfog.nets.text import Cache, rotary, sees, sees_beneath, sees_beside, sees_copies, turned

WORDS, LENGTH = 11, 12
SMALL = {"vocabulary": WORDS, "width": 16, "depth": 3, "head": 8, "vector": 6}


def build(*, alive: bool = True, **options: Any) -> TextTransformer:
    torch.manual_seed(0)
    make, config = TEXT_NETWORKS["text"]
    network = make(config(**{**SMALL, **options})).double()
    if alive:
        enliven(network, 0.3)
    assert isinstance(network, TextTransformer)
    return network.eval()


def text(batch: int = 2, length: int = LENGTH, seed: int = 0) -> Tensor:
    return torch.randint(0, WORDS, (batch, length), generator=torch.Generator().manual_seed(seed))


def influence(network: TextTransformer) -> Tensor:
    """Whether the token at column j makes a difference to the logits of row i, bool (L, L)."""
    x = text(1)
    felt = torch.zeros(LENGTH, LENGTH, dtype=torch.bool)
    with torch.inference_mode():
        plain = network(x)
        for j in range(LENGTH):
            changed = x.clone()
            changed[0, j] = (x[0, j] + 3) % WORDS
            felt[:, j] = ((network(changed) - plain).abs() > 1e-9).any(-1)[0]
    return felt


def test_turning_keeps_lengths() -> None:
    x = torch.randn(2, 7, 3, 8)
    turn = rotary(torch.arange(7), 8)
    torch.testing.assert_close(turned(x, turn).norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(turned(x, turn)[:, 0], x[:, 0])


def test_turned_products_depend_on_the_distance_of_two_tokens_only() -> None:
    """The point of rotary codes (Su et al. 2021); and they do depend on it."""
    q, k = torch.randn(2, 1, 1, 16, dtype=torch.float64).expand(2, 40, 1, 16)
    turn = rotary(torch.arange(40), 16, torch.float64)
    product = turned(q, turn)[:, 0] @ turned(k, turn)[:, 0].T
    for distance in (-17, -1, 0, 1, 17):
        line = product.diagonal(distance)
        torch.testing.assert_close(line, line[:1].expand_as(line))
    assert float((product[0, 1:] - product[0, :-1]).abs().min()) > 1e-6
    assert abs(float(product[0, 3] - product[3, 0])) > 1e-3


def test_turning_is_the_rotation_of_each_pair() -> None:
    x, place = torch.randn(8, dtype=torch.float64), 5
    expected = torch.empty(8, dtype=torch.float64)
    for i in range(4):
        angle = torch.tensor(place * 10_000 ** (-2 * i / 8), dtype=torch.float64)
        expected[i] = x[i] * angle.cos() - x[i + 4] * angle.sin()
        expected[i + 4] = x[i + 4] * angle.cos() + x[i] * angle.sin()
    torch.testing.assert_close(
        turned(x.view(1, 1, 8), rotary(torch.tensor([place]), 8, torch.float64)).view(8), expected
    )


def test_only_distances_count_in_the_whole_network_too() -> None:
    network, x = build(), text()
    with torch.inference_mode():
        torch.testing.assert_close(network(x, positions=torch.arange(LENGTH) + 1000), network(x))
        each = torch.stack([torch.arange(LENGTH), torch.arange(LENGTH) + 5])
        torch.testing.assert_close(network(x, positions=each), network(x))
        assert float((network(x, positions=2 * torch.arange(LENGTH)) - network(x)).abs().max()) > 1e-3


def test_a_bidirectional_network_sees_both_sides() -> None:
    assert bool(influence(build()).all())


def test_a_causal_network_does_not_look_ahead() -> None:
    assert torch.equal(influence(build(causal=True)), torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril())


@pytest.mark.parametrize("block", [1, 3, 4, 5, 30])
def test_a_block_sees_itself_and_those_before(block: int) -> None:
    expected = torch.tensor([[i // block >= j // block for j in range(LENGTH)] for i in range(LENGTH)])
    assert torch.equal(influence(build(block=block)), expected)
    assert torch.equal(sees(torch.arange(LENGTH), torch.arange(LENGTH), block), expected)


def test_causal_means_blocks_of_one() -> None:
    with torch.inference_mode():
        torch.testing.assert_close(build(causal=True)(text()), build(block=1)(text()))


@pytest.mark.parametrize(
    ("options", "pieces"),
    [
        ({"causal": True}, [1] * LENGTH),
        ({"causal": True}, [5, 1, 1, 3, 2]),
        ({"causal": True}, [LENGTH]),
        ({"block": 4}, [4, 4, 4]),
        ({"block": 4}, [8, 4]),
        ({"block": 3}, [6, 3, 3]),
        ({"block": 5}, [5, 5, 2]),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_cache_changes_nothing(options: dict[str, Any], pieces: list[int], dtype: torch.dtype) -> None:
    network, x, vector = build(**options).to(dtype), text(3), torch.randn(3, 6, dtype=dtype)
    found, start = [], 0
    with torch.inference_mode():
        cache = network.cache(3, LENGTH)
        for size in pieces:
            part = x[:, start : start + size]
            rubbish = (part + 1) % WORDS  # a block that is tried and not kept leaves no trace
            network(rubbish, vector=vector, cache=cache)
            found.append(network(part, vector=vector, cache=cache, keep=size))
            start += size
        full = network(x, vector=vector)
    assert cache.filled == LENGTH
    torch.testing.assert_close(torch.cat(found, 1), full, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", [1, 3, 4, 5, 0])
def test_training_beside_the_clean_text_is_running_block_by_block(block: int) -> None:
    network, clean, noisy = build(block=block), text(seed=1), text(seed=2)
    vector, span = torch.randn(2, 6, dtype=torch.float64), block or LENGTH
    with torch.inference_mode():
        found = network.logits_of(network.hidden_beside(noisy, clean, vector))
        for start in range(0, LENGTH, span):
            mixed = torch.cat([clean[:, :start], noisy[:, start : start + span]], 1)
            expected = network(mixed, vector=vector)[:, start:]
            torch.testing.assert_close(found[:, start : start + span], expected)


def test_one_that_reads_both_ways_is_two_networks_in_one() -> None:
    """By itself it sees everything; behind a cache, and beside the clean text, it goes by blocks."""
    both, whole, blocks = build(block=4, whole=True), build(), build(block=4)
    for other in (whole, blocks):
        other.load_state_dict(both.state_dict())
    noisy, clean = text(seed=2), text(seed=1)
    with torch.inference_mode():
        torch.testing.assert_close(both.hidden(noisy), whole.hidden(noisy))
        torch.testing.assert_close(both.hidden_beside(noisy, clean), blocks.hidden_beside(noisy, clean))
        cached = both.hidden(noisy, cache=both.cache(len(noisy), LENGTH), keep=LENGTH)
        torch.testing.assert_close(cached, blocks.hidden(noisy), rtol=1e-5, atol=1e-5)
        assert not torch.allclose(cached, both.hidden(noisy))


def test_who_sees_whom_beside_the_clean_text() -> None:
    found = sees_beside(4, 2, torch.device("cpu")).int().tolist()
    assert found == [
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 1, 1, 1],
        [0, 0, 0, 0, 1, 1, 1, 1],
    ]


def test_logits_may_be_asked_for_at_some_places_only() -> None:
    network, x = build(), text()
    where = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.4
    torch.testing.assert_close(network.logits_of(network.hidden(x)[where]), network(x)[where])


def test_texts_of_a_batch_do_not_see_each_other() -> None:
    network, x, vector = build(), text(4), torch.randn(4, 6, dtype=torch.float64)
    with torch.inference_mode():
        together = network(x, vector=vector)
        for i in range(4):
            alone = network(x[i : i + 1], vector=vector[i : i + 1])
            torch.testing.assert_close(alone, together[i : i + 1])


def test_it_listens_to_its_condition_and_not_to_the_clock() -> None:
    network, x, vector = build(), text(), torch.randn(2, 6, dtype=torch.float64)
    with torch.inference_mode():
        plain = network(x)
        assert float((network(x, vector=vector) - plain).abs().max()) > 1e-3
        assert torch.equal(network(x, torch.tensor([0.1, 5.0])), plain)
        assert torch.equal(network(x, vector=torch.zeros(2, 6).double()), plain)


def test_gradients_reach_every_weight() -> None:
    network = build().train()
    network(text(), vector=torch.randn(2, 6, dtype=torch.float64)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 1e-9, name


def test_a_fresh_network_says_little_and_can_learn() -> None:
    """Filling in the one masked token of a fixed text: near the uniform guess at first, known in the end."""
    network, x = build(alive=False).float().train(), text(8, seed=3) % (WORDS - 1)
    masked, rows = x.clone(), torch.arange(8)
    masked[rows, rows] = WORDS - 1
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(network(masked)[rows, rows], x[rows, rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert abs(losses[0] - torch.log(torch.tensor(WORDS)).item()) < 0.2
    assert losses[-1] < 0.1


def test_dropout_is_for_training_only() -> None:
    network, x = build(dropout=0.5), text()
    with torch.inference_mode():
        assert torch.equal(network(x), network(x))
        network.train()
        assert not torch.equal(network(x), network(x))


GAP = 10


def source_and_target(batch: int = 2) -> Tensor:
    """Seven tokens, GAP, four tokens, of which none is GAP."""
    x = torch.randint(0, GAP, (batch, LENGTH), generator=torch.Generator().manual_seed(5))
    x[:, 7] = GAP
    return x


def test_a_source_sees_no_target_and_a_target_sees_all() -> None:
    network, x = build(gap=GAP), source_and_target()
    changed = x.clone()
    changed[:, 9] = (x[:, 9] + 1) % GAP
    with torch.inference_mode():
        before, after = network(x), network(changed)
        torch.testing.assert_close(before[:, :8], after[:, :8])
        assert bool(((before - after)[:, 8:].abs() > 1e-9).any(-1).all())
        changed[:, 2] = (x[:, 2] + 1) % GAP
        assert bool(((network(changed) - after).abs() > 1e-9).any(-1).all())
    seen = sees_beneath(torch.tensor([[1, GAP, 2], [1, 2, 3]]), GAP)
    assert seen is not None
    assert seen.int()[0, 0].tolist() == [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    assert bool((seen[1] == seen.new_ones(3, 3).tril().bool().logical_or(seen[1])).all()), "no GAP, no target"
    assert sees_beneath(torch.tensor([[1, 2, 3]]), GAP) is None


def test_a_text_without_gap_is_seen_whole() -> None:
    x = source_and_target()
    x[1, 7] = 0
    with torch.inference_mode():
        torch.testing.assert_close(build(gap=GAP)(x)[1], build()(x)[1])


def test_reading_a_source_once_changes_nothing() -> None:
    network, x = build(gap=GAP), source_and_target()
    vector = torch.randn(2, 6, dtype=torch.float64)
    with torch.inference_mode():
        whole = network(x, vector=vector)
        cache = network.read(x[:, :8], 4, vector)
        for _ in range(2):  # looking at a target leaves the source as it was
            torch.testing.assert_close(network(x[:, 8:], vector=vector, cache=cache), whole[:, 8:])
        with pytest.raises(SampleError, match="room for 12"):
            network(text(2, 5), cache=cache)
    with pytest.raises(SampleError, match="has no gap"):
        build().read(x, 4)


def test_versions_of_a_target_do_not_see_each_other() -> None:
    network, x = build(gap=GAP), source_and_target()
    other = torch.randint(0, GAP, (2, 4), generator=torch.Generator().manual_seed(6))
    with torch.inference_mode():
        both = network.hidden_copies(torch.cat([x, other], 1), 4, 2)
        torch.testing.assert_close(both[:, :12], network.hidden(x))
        torch.testing.assert_close(both[:, 12:], network.hidden(torch.cat([x[:, :8], other], 1))[:, 8:])
    assert sees_copies(1, 1, 2, torch.device("cpu")).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize(
    "options", [{"gap": WORDS}, {"gap": -1}, {"gap": 0, "block": 4}, {"gap": 0, "causal": True}]
)
def test_a_gap_that_does_not_fit_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"network\.gap"):
        build(**options)


def test_caches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SampleError, match=r"network\.block"):
        build().cache(1, 8)
    network = build(block=4)
    with torch.inference_mode():
        cache = network.cache(2, 6)
        assert isinstance(cache, Cache)
        with pytest.raises(SampleError, match="room for 6"):
            network(text(2, 7), cache=cache)
        network(text(2, 3), cache=cache, keep=3)
        with pytest.raises(SampleError, match="inside a block"):
            network(text(2, 1), cache=cache)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"vocabulary": 0}, "vocabulary"),
        ({"width": 20}, "width"),
        ({"width": 15, "head": 5}, "width"),
        ({"depth": 0}, "depth"),
        ({"dropout": 1.0}, "dropout"),
        ({"causal": 1}, "causal"),
        ({"block": -1}, "block"),
        ({"block": 2.5}, "block"),
        ({"block": 4, "causal": True}, "block"),
        ({"whole": True}, "whole"),
        ({"whole": 1, "block": 4}, "whole"),
    ],
)
def test_unusable_settings_are_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"network.{name}"):
        TextTransformerConfig(**{**SMALL, **options})
