"""The model of cost: AWS's rules for units, what the real code asks for, and how visits become batches."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bill
from benchmarks.batches import Traffic, batch_records, shard_count, single, uniform, zipf
from benchmarks.designs import (
    DESIGNS,
    OURS,
    RATES,
    SIZES,
    WINDOWS,
    Stream,
    choose_batch_size,
    choose_window,
    ledger_units,
    stream_side,
)
from benchmarks.units import Meter, item_size, read_units, value_size, write_units
from components.stream_consumer import StreamSettings
from functions.dynamodb.retries import RetryBudget
from functions.process_stream import process
from functions.total.totals import Total
from tests.total.store import Store

TRAFFIC = (uniform(), zipf(), single())
MEASURED = {
    uniform(): {1: 4.0, 25: 2.1, 100: 2.0, 1_000: 1.9},
    zipf(): {1: 4.0, 25: 1.8, 100: 1.5, 1_000: 1.0},
    single(): {1: 4.0, 25: 0.16, 100: 0.04, 1_000: 0.004},
}
"""Write units a visit for the total, counted by records in a batch when the ledger was built."""

rates = st.floats(0.01, 10_000)
windows = st.floats(0, 300)
sizes = st.integers(1, 10_000)


@pytest.mark.parametrize(("kind", "content", "size"), [
    ("S", "tägé", 6), ("S", "", 0), ("N", "0", 2), ("N", "7", 2), ("N", "1000", 2), ("N", "1234", 3), ("N", "-12", 3),
    ("BOOL", True, 1), ("NULL", True, 1), ("M", {"ab": {"S": "c"}}, 7),
])  # fmt: skip
def test_sizes_of_values(kind: str, content: Any, size: int) -> None:
    assert value_size({kind: content}) == size


def test_an_item_is_the_size_of_its_names_and_values() -> None:
    assert item_size({"ID": {"S": "tech"}, "Count": {"N": "12"}}) == 2 + 4 + 5 + 2


def test_a_type_without_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="'SS' is not supported; allowed: S, N, BOOL, NULL, M"):
        value_size({"SS": ["a"]})


@pytest.mark.parametrize(("size", "written", "read"), [(0, 1, 1), (1_024, 1, 1), (1_025, 2, 1), (4_097, 5, 2)])
def test_units_are_rounded_up(size: int, written: int, read: int) -> None:
    assert (write_units(size), write_units(size, transactional=True)) == (written, 2 * written)
    assert (read_units(size), read_units(size, consistent=False)) == (read, read / 2)


@given(st.integers(0, 400_000), st.integers(0, 400_000))
def test_a_larger_item_never_costs_less(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert write_units(small) <= write_units(large) <= write_units(small) + write_units(large - small)
    assert read_units(small) <= read_units(large)


class Metered:
    """The real stream processor on tables in memory, with its requests metered; the total exists already."""

    def __init__(self) -> None:
        self.store = Store("visits", "ledger", streamed="visits")
        self.meter = Meter(lambda table, key: self.store.items(table).get(key))
        self.total = Total(self.meter.client(self.store), "visits", "ledger")
        self.delivered = 0
        self.visit("first")
        self.deliver()

    def visit(self, tag: str) -> None:
        update = {"TableName": "visits", "Key": {"ID": {"S": tag}}, "UpdateExpression": "ADD #Count :one"}
        names = {"ExpressionAttributeNames": {"#Count": "Count"}}
        self.store.update_item(**update, **names, ExpressionAttributeValues={":one": {"N": "1"}})

    def deliver(self) -> None:
        """Deliver the new records in one batch, without the total's own, and meter that alone."""
        new, self.delivered = self.store.stream[self.delivered :], len(self.store.stream)
        records = [each for each in new if each["dynamodb"]["Keys"]["ID"]["S"] != "COUNTER"]
        self.meter.reset()
        process({"Records": records}, self.total, RetryBudget(lambda: 30.0))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 250), min_size=1, max_size=300))
def test_the_real_processor_uses_what_the_model_says(visits: list[int]) -> None:
    metered = Metered()
    for number in visits:
        metered.visit(f"tag-{number}")
    metered.deliver()
    assert metered.meter.total == OURS.usage(len(visits), len(set(visits)))
    assert metered.meter.requests["batch_get_item"] == metered.meter.requests["transact_write_items"]


def test_a_meter_charges_what_a_condition_refused_and_nothing_without_a_rule() -> None:
    store = Store("visits")
    meter = Meter(lambda table, key: store.items(table).get(key))
    with pytest.raises(NotImplementedError, match="no rule for scan"):
        meter.client(store).scan(TableName="visits")
    refused = {"TableName": "visits", "Key": {"ID": {"S": "a"}}, "UpdateExpression": "SET #A = :a"}
    condition = {"ConditionExpression": "attribute_exists(#A)", "ExpressionAttributeNames": {"#A": "A"}}
    with pytest.raises(Exception, match="ConditionalCheckFailed"):
        meter.client(store).update_item(**refused, **condition, ExpressionAttributeValues={":a": {"N": "1"}})
    assert meter.by_table["visits"].write_units == 1


@pytest.mark.parametrize("traffic", TRAFFIC, ids=lambda each: each.name)
@pytest.mark.parametrize("records", [1, 25, 100, 1_000])
def test_the_model_agrees_with_what_was_counted(traffic: Traffic, records: int) -> None:
    assert ledger_units(traffic, records) == pytest.approx(MEASURED[traffic][records], rel=0.04)


@pytest.mark.parametrize("traffic", TRAFFIC, ids=lambda each: each.name)
def test_shares_add_up(traffic: Traffic) -> None:
    assert traffic.share == pytest.approx(1)
    for count in (1, 4, 7, 100):
        shards = traffic.shards(count)
        assert sum(shard.share * number for shard, number in shards) == pytest.approx(1)
        assert sum(number for _, number in shards) <= count
        assert all(shard.busiest <= shard.share * (1 + 1e-9) for shard, _ in shards)


def test_grouping_the_tail_of_zipf_changes_nothing_that_matters() -> None:
    weights = [1 / rank for rank in range(1, 10_001)]
    total = sum(weights)
    for visits in (1, 50, 1_000, 9_600):
        exact = sum(1 - (1 - weight / total) ** visits for weight in weights)
        assert zipf().distinct(visits) == pytest.approx(exact, rel=1e-4)


@given(rates, windows, sizes)
def test_a_batch_is_never_empty_and_never_over_its_limits(rate: float, window: float, size: int) -> None:
    assert 1 <= batch_records(rate, window, size) <= min(size, 9_600)


@given(rates, windows, sizes, st.floats(1, 3))
def test_batches_fill_with_rate_window_and_size(rate: float, window: float, size: int, more: float) -> None:
    records = batch_records(rate, window, size)
    assert batch_records(rate * more, window, size) >= records
    assert batch_records(rate, window * more, size) >= records
    assert batch_records(rate, window, math.ceil(size * more)) >= records


@pytest.mark.parametrize("traffic", TRAFFIC, ids=lambda each: each.name)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_longer_window_never_costs_more(traffic: Traffic, data: st.DataObject) -> None:
    rate, window = data.draw(rates), data.draw(st.floats(0, 60))
    size, more = data.draw(sizes), data.draw(st.floats(1, 3))
    short = stream_side(OURS, traffic, Stream(rate, window, size))
    long = stream_side(OURS, traffic, Stream(rate, window * more, size))
    assert long.invocations <= short.invocations * (1 + 1e-9)
    # One more transaction for the hundredth item of a batch is two units.
    assert long.write_units <= short.write_units + 2 / 99 + 1e-9


@given(rates, windows, sizes)
@settings(max_examples=40, deadline=None)
def test_a_visit_takes_at_most_four_units_more(rate: float, window: float, size: int) -> None:
    for traffic in TRAFFIC:
        assert 0 < stream_side(OURS, traffic, Stream(rate, window, size)).write_units <= 4 + 1e-9


def test_a_new_table_has_four_shards_and_one_more_for_each_thousand_writes() -> None:
    assert [shard_count(rate) for rate in (1, 4_000, 4_001, 1_000_000)] == [4, 4, 5, 1_000]


def possible() -> list[tuple[Traffic, float]]:
    """List the traffic that one item for each tag can take."""
    return [(traffic, rate) for traffic in TRAFFIC for rate in RATES if rate * traffic.busiest <= 1_000]


def test_the_defaults_are_what_the_table_says() -> None:
    def bills(window: float, size: int) -> list[float]:
        return [bill.million_visits(traffic, Stream(rate, window, size)) for traffic, rate in possible()]

    window = choose_window(lambda window: bills(window, SIZES[-1]))
    chosen = choose_batch_size(lambda size: bills(window, size))
    defaults = StreamSettings()
    assert (defaults.maximum_batching_window_in_seconds, defaults.batch_size) == (window, chosen)
    assert (Stream(1).window, Stream(1).batch_size) == (window, chosen)


def test_choices_stop_at_the_first_that_is_not_worth_it() -> None:
    assert choose_window(lambda window: [1.0]) == 0
    assert choose_window(lambda window: [0.2**window]) == WINDOWS[-3] == 5
    assert choose_batch_size(lambda size: [1 / size]) == SIZES[-1]


def test_every_design_has_its_price_and_ours_is_the_cheapest_of_the_exact() -> None:
    for traffic, rate in possible():
        prices = {design.name: bill.million_visits(traffic, Stream(rate), design) for design in DESIGNS}
        assert prices["tutorial"] == min(prices.values())
        if rate >= 100:
            assert prices["this project"] < min(prices["Powertools"], prices["idempotency item"])


def test_a_month_is_the_sum_of_its_visits() -> None:
    stream = Stream(10)
    visits = stream.rate * bill.SECONDS
    assert sum(bill.month(zipf(), stream).values()) == pytest.approx(bill.million_visits(zipf(), stream) * visits / 1e6)


def test_every_price_has_a_source_and_the_file_a_date_and_a_region() -> None:
    listed = bill.prices()
    assert listed["date"]
    assert listed["region"]
    assert all(each["source"].startswith("https://aws.amazon.com/") for each in listed["prices"].values())
