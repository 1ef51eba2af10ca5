"""docs/scaling.md is what the models say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import bill, scaling
from benchmarks.batches import Traffic, single, uniform, zipf
from benchmarks.designs import Stream, batch_seconds
from benchmarks.limits import Limits, Settings, binding, sustained
from benchmarks.units import Meter
from functions.dynamodb.retries import RetryBudget
from functions.view_counts import view_count, view_total
from tests.total.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_the_tables_are_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    if text != scaling.filled(text):
        pytest.fail("docs/scaling.md is out of date; run ./counter benchmark --report", pytrace=False)


def test_a_table_that_is_missing_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8").replace("<!-- windows:", "<!-- window:")
    with pytest.raises(ValueError, match=r"has the tables .*\bwindow\b.*; it must have .*\bwindows\b"):
        scaling.filled(text)


def test_filling_replaces_a_table_and_nothing_else() -> None:
    text = PAGE.read_text(encoding="utf-8")
    damaged = text.replace("| dollars a month |", "| euros a month |")
    assert damaged != text
    assert scaling.filled(damaged) == text


def test_what_the_page_says_of_the_first_seconds_of_lag() -> None:
    traffic = [
        (each, rate)
        for each in (uniform(), zipf(), single())
        for rate in (1, 10, 100, 1_000)
        if rate * each.busiest <= 1_000
    ]

    def saved(short: float, long: float) -> int:
        bills = [
            [bill.million_visits(each, Stream(rate, window)) for window in (short, long)] for each, rate in traffic
        ]
        return round(max(100 * (before - after) / before / (long - short) for before, after in bills))

    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"cuts the whole bill by up to {saved(0, 1)} %, the second one by at most {saved(1, 2)} %" in text
    assert f"each of the next three by at most {saved(2, 5)} %" in text


def test_what_the_page_says_of_other_figures() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"cost about {bill.million_reads():.2f} dollars" in text
    assert 0.7 < batch_seconds(1_000) < 1.3
    assert "takes about a second of the function's 30" in text
    main = binding(Settings(write_capacity=5), Limits(), uniform())[1]
    alike = sustained(Settings(write_capacity=5, ledger_capacity=5), Limits(), uniform())["capacity of the ledger"]
    assert f"used to the full, at {main:.1f} visits a second" in text
    assert f"the ledger keeps up with {alike:.1f}" in text
    prices = [bill.million_visits(each, Stream(rate)) for each in (uniform(), zipf(), single()) for rate in (10, 100)]
    assert 2 < min(prices) <= max(prices) < 5
    on_demand = bill.month(uniform(), Stream(3.1))
    tables = on_demand["visits: table"] + on_demand["total: tables"]
    assert f"the tables cost {tables:.0f} dollars a month at 3.1 visits a second" in text
    faster = Limits(transaction_seconds=0.01)
    before, after = (sustained(Settings(), each, uniform())["collisions at the total"] for each in (Limits(), faster))
    assert 1.7 < after / before < 2.5
    assert "collisions bind at twice the load" in text


def test_every_read_takes_a_unit_of_the_totals_item() -> None:
    store = Store("visits")
    store.put("visits", {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "3"}, "UpdatedAt": {"S": "now"}})
    meter = Meter(lambda table, key: store.items(table).get(key))
    client = meter.client(store)
    view_total(client, "visits", RetryBudget(lambda: 3.0))
    assert meter.total.read_units == 1
    view_count(client, "visits", "tech", RetryBudget(lambda: 3.0))
    assert meter.total.read_units == 1 + 2
    assert f"limited to {Limits().item_reads:,.0f} a second" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [1, 1_000])
@pytest.mark.parametrize("traffic", [uniform(), zipf()], ids=lambda each: each.name)
def test_collisions_come_before_a_processor_has_too_much_work(traffic: Traffic, size: int) -> None:
    each = sustained(Settings(batch_size=size), Limits(), traffic)
    assert each["collisions at the total"] < each["work of a shard's processor"]


def test_more_processors_for_a_shard_sustain_no_more() -> None:
    plenty = Limits(api_requests=1e12, concurrency=1e12, table_writes=1e12)
    for traffic in (uniform(), zipf(), single()):
        one, ten = (binding(Settings(parallelization=factor), plenty, traffic)[1] for factor in (1, 10))
        assert ten < 1.1 * one


def test_every_picture_of_the_page_is_one_of_the_report() -> None:
    pictures = re.findall(r"benchmarks/images/([a-z-]+)\.svg", PAGE.read_text(encoding="utf-8"))
    assert len(pictures) == 2
    assert all((PAGE.parents[1] / "benchmarks" / "images" / f"{name}.svg").exists() for name in pictures)
