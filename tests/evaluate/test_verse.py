"""Quatrains: form, and rhyme classes that are learned from pairs of line ends."""

from __future__ import annotations

import numpy as np
import pytest

from unfog.evaluate.verse import (
    Rhymes,
    communities,
    quatrain_figures,
    quatrain_lines,
    rhyme_ends,
    shuffled,
)

SPRING = "春眠不覺曉，處處聞啼鳥。\n夜來風雨聲，花落知多少。"


@pytest.mark.parametrize("text", [SPRING, SPRING.replace("\n", ""), SPRING.replace("，", "，\n") + "\n"])
def test_a_quatrain_on_any_number_of_lines(text: str) -> None:
    assert quatrain_lines(text) == ("春眠不覺曉", "處處聞啼鳥", "夜來風雨聲", "花落知多少")
    assert rhyme_ends([text, "no"]) == [("鳥", "少")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        SPRING[:-1],
        SPRING + "春",
        SPRING.replace("眠", ""),
        SPRING.replace("眠", "x"),
        SPRING.replace("，", "。"),
        SPRING.replace("春眠", "，眠"),
        SPRING + SPRING,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert quatrain_lines(text) is None


def test_communities_are_cliques_with_a_bridge_between() -> None:
    """Two groups of five, every pair of each linked, and one link across."""
    links = {(a, b): 1 for group in ("abcde", "vwxyz") for a in group for b in group if a < b}
    found = communities(links | {("e", "v"): 1, ("q", "q"): 9})
    assert {found[c] for c in "abcde"} != {found[c] for c in "vwxyz"}
    assert len(set(found.values())) == 2 and "q" not in found


def test_a_long_ring_of_cliques_is_put_together_level_by_level() -> None:
    """Thirty groups of five, neighbours linked once: modularity joins some groups, and splits none."""
    names = [[f"{group}.{i}" for i in range(5)] for group in range(30)]
    links = {(a, b): 1 for group in names for a in group for b in group if a < b}
    links |= {(names[i][0], names[(i + 1) % 30][1]): 1 for i in range(30)}
    found = communities(links)
    assert all(len({found[name] for name in group}) == 1 for group in names)
    assert 10 <= len(set(found.values())) <= 30


def made_up(count: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of ends in a language of 20 rhymes with 12 characters each; one pair in ten does not rhyme."""
    rng = np.random.default_rng(seed)
    rhyme, one, two = rng.integers(0, 20, count), rng.integers(0, 12, count), rng.integers(0, 12, count)
    other = np.where(rng.random(count) < 0.1, rng.integers(0, 20, count), rhyme)
    return [
        (chr(0x4E00 + 12 * r + a), chr(0x4E00 + 12 * s + b))
        for r, s, a, b in zip(rhyme, other, one, two, strict=True)
    ]


def poem(pair: tuple[str, str]) -> str:
    return f"春眠不覺曉，處處聞啼{pair[0]}。夜來風雨聲，花落知多{pair[1]}。"


def test_classes_learned_from_pairs_find_rhymes_in_others() -> None:
    rhymes = Rhymes.learn(made_up(3000, 0))
    assert len(set(rhymes.classes.values())) == 20
    found = quatrain_figures([poem(pair) for pair in made_up(2000, 1)] + ["no form"] * 500, rhymes)
    assert found["form"].value == 0.8 and found["rhyme_known"].value == 1.0
    # 0.9 rhyme, less one pair in twelve that is twice the same character
    assert found["rhyme"].value == pytest.approx((0.9 + 0.1 / 20) * 11 / 12, abs=0.03)
    assert found["rhyme_shuffled"].value == pytest.approx(1 / 20 * 11 / 12, abs=0.03)


def test_a_character_does_not_rhyme_with_itself_or_a_stranger() -> None:
    rhymes = Rhymes({"a": 0, "b": 0, "c": 1}, 3)
    pairs = [("a", "b"), ("a", "a"), ("a", "c"), ("a", "x"), ("x", "y")]
    assert rhymes.rhyme(pairs).tolist() == [True, False, False, False, False]
    assert rhymes.known(pairs).tolist() == [True, True, True, False, False]


def test_shuffling_leaves_no_pair_together_and_loses_nothing() -> None:
    pairs = [(f"a{i}", f"b{i}") for i in range(50)]
    found = shuffled(pairs)
    assert all(one[1:] != two[1:] for one, two in found)
    assert sorted(two for _, two in found) == sorted(two for _, two in pairs)
    assert shuffled([]) == []
