"""docs/scaling.md is what the models say."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import bill, scaling
from benchmarks.batches import single, uniform, zipf
from benchmarks.designs import RATES, WINDOWS, WORTH_A_SECOND, Stream, batch_seconds
from benchmarks.limits import Limits, Settings, binding
from benchmarks.units import counter_bytes, positions_of, write_units

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
TEXT = PAGE.read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())


def test_tables_are_up_to_date() -> None:
    if scaling.filled(TEXT) != TEXT:
        pytest.fail("docs/scaling.md is out of date; run ./counter benchmark --report", pytrace=False)


def test_missing_table_is_named() -> None:
    with pytest.raises(ValueError, match=r"has the tables .*\bwindow\b.*; it must have .*\bwindows\b"):
        scaling.filled(TEXT.replace("<!-- windows:", "<!-- window:"))


def test_filling_replaces_a_table_and_nothing_else() -> None:
    damaged = TEXT.replace("| dollars a month |", "| euros a month |")
    assert damaged != TEXT
    assert scaling.filled(damaged) == TEXT


def test_text_on_the_first_seconds_of_lag() -> None:
    traffic = [(each, rate) for each in (uniform(), zipf(), single()) for rate in RATES if rate * each.busiest <= 1_000]
    saved = []
    for short, long in pairwise(WINDOWS[:4]):
        bills = [
            [bill.million_visits(each, Stream(rate, window)) for window in (short, long)] for each, rate in traffic
        ]
        saved.append(max((before - after) / before / (long - short) for before, after in bills))
    first, second, next_three = (f"{100 * each:.0f} %" for each in saved)
    assert f"cuts the whole bill by up to {first}, the second one by at most {second}" in WORDS
    assert f"each of the next three by at most {next_three}" in WORDS
    assert saved[0] >= WORTH_A_SECOND > saved[1]


def test_text_on_prices() -> None:
    assert f"cost about {bill.million_reads():.2f} dollars" in WORDS
    assert f"costs about {1e6 * sum(map(bill.cost, bill.visit().values())):.2f} dollars a million" in WORDS
    prices = [bill.million_visits(each, Stream(rate)) for each in (zipf(), single()) for rate in RATES[1:]]
    assert 2.1 < min(prices) <= max(prices) < 2.8
    assert "cost 2.10 to 2.80 dollars" in WORDS


def test_text_on_counter() -> None:
    assert write_units(counter_bytes(positions_of(4))) == 2
    assert f"{positions_of(1)} for each present shard" in WORDS
    assert counter_bytes(1) - counter_bytes(0) == pytest.approx(60, abs=2)
    assert 0.09 < batch_seconds(1_000) < 0.13


def test_text_on_smaller_batches() -> None:
    plenty = Limits(api_requests=1e12, concurrency=1e12, table_writes=1e12)
    limit, rate = binding(Settings(batch_size=100), plenty, uniform())
    assert limit == "writes of `COUNTER`"
    assert f"batches of 100, it takes {scaling._up(rate):,.0f} visits a second" in WORDS


def test_text_on_provisioned_capacity() -> None:
    few = [binding(Settings(window=window, write_capacity=5), Limits(), uniform())[1] for window in (0, 1, 10)]
    assert (
        "sustain {:.1f} visits a second with window 0, {:.1f} with window 1 and {:.1f} with window 10".format(*few)
        in WORDS
    )
    assert f"for {bill.provisioned_month(5, 5):.2f} dollars a month" in WORDS
    assert f"100 write units sustain {binding(Settings(write_capacity=100), Limits(), uniform())[1]:.0f}" in WORDS
