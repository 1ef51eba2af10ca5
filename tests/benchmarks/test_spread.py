"""Medians, quartiles, paired ratios and turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.spread import paired_ratio, ratios, spread, turns

positive = st.floats(1e-6, 1e6)


def test_spread_has_quartiles_and_extremes() -> None:
    assert spread([5, 1, 3, 2, 4]) == (3, 2, 4, 1, 5, 5)


def test_one_value_is_its_own_spread() -> None:
    assert spread([7]) == (7, 7, 7, 7, 7, 1)


def test_spread_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="There are no values"):
        spread([])


@given(st.lists(positive, min_size=1))
def test_spread_does_not_depend_on_the_order_of_values(values: list[float]) -> None:
    found = spread(values)
    assert found == spread(sorted(values))
    tolerance = 1e-9 * found.maximum
    assert found.minimum <= found.lower + tolerance <= found.median + 2 * tolerance
    assert found.median <= found.upper + tolerance <= found.maximum + 2 * tolerance


def test_ratios_are_taken_within_a_repeat() -> None:
    # Twice as fast in each repeat, although the machine was ten times slower in the second.
    assert paired_ratio([20, 2, 40], [10, 1, 20]) == (2, 2, 2, 2, 2, 3)


@pytest.mark.parametrize(
    ("values", "reference", "message"),
    [
        ([1.0], [1.0, 2.0], "1 values cannot be paired with 2"),
        ([1.0], [0.0], "A reference is 0"),
        ([], [], "no values"),
    ],
)
def test_missing_ratio_is_an_error(values: list[float], reference: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_ratio(values, reference)


def test_every_design_is_compared_with_the_reference() -> None:
    found = ratios({"ours": [1, 2], "a": [2, 4], "b": [3, 6]}, "ours")
    assert {name: values.median for name, values in found.items()} == {"a": 2, "b": 3}


@given(st.lists(st.integers(), min_size=1, max_size=6, unique=True), st.integers(0, 20))
def test_every_repeat_begins_with_another_design(names: list[int], repeats: int) -> None:
    taken = list(turns(names, repeats))
    for repeat in range(repeats):
        assert sorted(name for at, name in taken if at == repeat) == sorted(names)
    firsts = [taken[repeat * len(names)][1] for repeat in range(repeats)]
    assert firsts == [names[repeat % len(names)] for repeat in range(repeats)]
