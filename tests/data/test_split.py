import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.data.split import families, group, held_out_mask

keys = st.lists(st.text(max_size=3), min_size=1, max_size=40)


def unique_prints(count):
    return [str(index).encode() for index in range(count)]


@given(keys, st.data())
def test_one_key_or_one_picture_is_one_side(names, data):
    prints = data.draw(
        st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=len(names), max_size=len(names))
    )
    numbers, duplicates = group(names, prints)
    assert duplicates == len(prints) - len(set(prints))
    for i, j in zip(range(len(names)), range(1, len(names)), strict=False):
        if names[i] == names[j] or prints[i] == prints[j]:
            assert numbers[i] == numbers[j]


@given(keys, st.floats(0.01, 0.99))
def test_both_sides_have_some_when_there_are_two_groups(names, fraction):
    numbers, _ = group(names, unique_prints(len(names)))
    mask = held_out_mask(numbers, fraction)
    if len(set(names)) > 1:
        assert mask.any() and not mask.all()
    else:
        assert not mask.any()


def test_a_picture_stays_on_its_side_when_others_are_added():
    few = [f"{index}.png" for index in range(300)]
    many = [*few, *(f"new/{index}.png" for index in range(9700))]
    a = held_out_mask(group(few, unique_prints(300))[0], 0.1)
    b = held_out_mask(group(many, unique_prints(10_000))[0], 0.1)
    assert np.array_equal(a, b[:300])
    assert abs(b.mean() - 0.1) < 0.01


def test_groups_joined_through_others():
    # x and y share pixels, y and z share a key
    numbers, _ = group(["x", "y", "y", "w"], [b"1", b"1", b"2", b"3"])
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]


def test_copies_do_not_make_being_held_out_likelier():
    names = [f"{index}" for index in range(4000)]
    numbers, duplicates = group(names, [str(index // 10).encode() for index in range(4000)])
    assert duplicates == 3600
    assert abs(held_out_mask(numbers, 0.1).mean() - 0.1) < 0.04


def test_the_official_part_goes_before_and_zero_means_none():
    numbers, _ = group(list("abcd"), unique_prints(4))
    official = np.array([False, False, True, True])
    assert np.array_equal(held_out_mask(numbers, 0.5, official), official)
    assert not held_out_mask(numbers, 0.0, official).any()
    assert held_out_mask(numbers, 0.5, np.zeros(4, bool)).any()


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_hold_any_out(count):
    numbers, _ = group(list("a" * count), unique_prints(count))
    assert not held_out_mask(numbers, 0.9).any()


def test_families_share_keys_through_others():
    assert families([["b"], ["c", "d"], ["d", "b"], ["e", "e"]]) == ["b", "b", "b", "e"]
    assert families([]) == []
