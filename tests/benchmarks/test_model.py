"""The models: shards and batches, the size of `COUNTER`, prices, limits, and the choice of the defaults."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bill
from benchmarks.batches import Traffic, batch_records, shard_count, shards, single, uniform, zipf
from benchmarks.designs import (
    DESIGNS,
    OURS,
    RATES,
    SIZES,
    WINDOWS,
    Stream,
    choose_batch_size,
    choose_window,
    stream_side,
)
from benchmarks.limits import QUOTAS, RESERVE, Limits, Settings, advise, binding, flow, loads, reads, sustained
from benchmarks.units import COUNTER, counter_bytes, item_size, positions_of, read_units, value_size, write_units
from components.stream_consumer import StreamSettings
from functions.total.counter import Position, read_counter, shard_key
from tests.share import times

TRAFFIC = (uniform(), zipf(), single())
each_traffic = pytest.mark.parametrize("traffic", TRAFFIC, ids=lambda each: each.name)

rates = st.floats(0.01, 10_000)
windows = st.floats(0, 300)
sizes = st.integers(1, 10_000)
several = st.builds(
    Settings,
    items_per_tag=st.sampled_from([1, 2, 10, 50]),
    batch_size=st.sampled_from(SIZES),
    window=st.sampled_from([0, 1, 10]),
    write_capacity=st.sampled_from([None, 5, 1_500]),
)


@each_traffic
@pytest.mark.parametrize("count", [1, 4, 7, 100])
def test_shares_of_shards_add_up(traffic: Traffic, count: int) -> None:
    found = shards(traffic, count)
    assert traffic.share == pytest.approx(1)
    assert sum(share * number for share, number in found) == pytest.approx(1)
    assert sum(number for _, number in found) <= count


def test_hot_item_has_a_shard_of_its_own() -> None:
    assert shards(single(), 4) == [(1.0, 1.0)]
    (hot, number), *rest = shards(zipf(), 100)
    assert (hot, number) == (zipf().busiest, 1)
    assert all(share <= hot for share, _ in rest)


def test_new_table_has_four_shards() -> None:
    assert [shard_count(rate) for rate in (1, 4_000, 4_001, 1_000_000)] == [4, 4, 5, 1_000]


@given(rates, windows, sizes, st.floats(1, 3))
def test_batches_fill_with_rate_window_and_size(rate: float, window: float, size: int, more: float) -> None:
    records = batch_records(rate, window, size)
    assert 1 <= records <= min(size, 9_600)
    assert batch_records(rate * more, window, size) >= records
    assert batch_records(rate, window * more, size) >= records
    assert batch_records(rate, window, math.ceil(size * more)) >= records


@pytest.mark.parametrize(("kind", "content", "size"), [
    ("S", "tägé", 6), ("S", "", 0), ("N", "0", 2), ("N", "7", 2), ("N", "1000", 2), ("N", "1234", 3), ("N", "-12", 3),
    ("BOOL", True, 1), ("M", {"ab": {"S": "c"}}, 7),
])  # fmt: skip
def test_value_sizes(kind: str, content: Any, size: int) -> None:
    assert value_size({kind: content}) == size


def test_size_of_unsupported_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="'SS' is not supported; allowed: S, N, BOOL, M"):
        value_size({"SS": ["a"]})


def test_item_size_includes_names() -> None:
    assert item_size({"ID": {"S": "tech"}, "Count": {"N": "12"}}) == 2 + 4 + 5 + 2


@pytest.mark.parametrize(("size", "written", "read"), [(0, 1, 1), (1_024, 1, 1), (1_025, 2, 1), (4_097, 5, 2)])
def test_units_are_rounded_up(size: int, written: int, read: int) -> None:
    assert (write_units(size), read_units(size)) == (written, read)


def test_modelled_counter_is_one_that_the_function_reads() -> None:
    shards_of_table = [f"shardId-{1_767_225_600_000 + n:020}-0a1b2c3d" for n in range(28)]
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    positions = {shard_key(each): {"S": str(Position(4 * 10**24, int(now)))} for each in shards_of_table}
    item = COUNTER | {"Positions": {"M": positions}}
    assert not isinstance(read_counter(item, COUNTER["Table"]["S"]), str)
    assert item_size(item) == counter_bytes(28)


def test_batch_of_a_new_table_takes_at_most_two_units() -> None:
    assert positions_of(4) == 30
    assert write_units(counter_bytes(positions_of(4))) == 2
    assert write_units(counter_bytes(positions_of(1))) == 1


@each_traffic
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_longer_window_never_costs_more(traffic: Traffic, data: st.DataObject) -> None:
    rate, window = data.draw(rates), data.draw(st.floats(0, 60))
    size, more = data.draw(sizes), data.draw(st.floats(1, 3))
    short = stream_side(OURS, traffic, Stream(rate, window, size))
    long = stream_side(OURS, traffic, Stream(rate, window * more, size))
    assert long.invocations <= short.invocations * (1 + 1e-9)
    assert long.write_units <= short.write_units * (1 + 1e-9)


def possible() -> list[tuple[Traffic, float]]:
    """List the traffic that one item for each tag can take."""
    return [(traffic, rate) for traffic in TRAFFIC for rate in RATES if rate * traffic.busiest <= 1_000]


def test_defaults_are_those_that_the_model_chooses() -> None:
    def bills(window: float) -> list[float]:
        return [bill.million_visits(traffic, Stream(rate, window, SIZES[-1])) for traffic, rate in possible()]

    window = choose_window(bills)
    chosen = choose_batch_size(window)
    defaults = StreamSettings()
    assert (defaults.maximum_batching_window_in_seconds, defaults.batch_size) == (window, chosen)
    assert (Stream(1).window, Stream(1).batch_size) == (window, chosen)
    assert (Settings().window, Settings().batch_size) == (window, chosen)


def test_choice_stops_at_the_first_that_is_not_worth_it() -> None:
    assert choose_window(lambda window: [1.0]) == 0
    assert choose_window(lambda window: [0.2**window]) == WINDOWS[-2] == 10


def test_our_price_is_the_lowest_of_the_exact_designs() -> None:
    for traffic, rate in possible():
        prices = {design.name: bill.million_visits(traffic, Stream(rate), design) for design in DESIGNS}
        assert prices["tutorial"] == min(prices.values())
        assert prices["this project"] < min(prices["Powertools"], prices["idempotency item"])


def test_price_rises_with_the_size_of_counter_only() -> None:
    small, large = (OURS.usage(100, positions) for positions in (1, 100))
    assert (small.requests, small.write_units) == (1, 1)
    assert (large.requests, large.write_units) == (1, write_units(counter_bytes(100)))


def test_month_is_the_sum_of_its_visits() -> None:
    stream = Stream(10)
    visits = stream.rate * bill.SECONDS
    assert sum(bill.month(zipf(), stream).values()) == pytest.approx(bill.million_visits(zipf(), stream) * visits / 1e6)


def test_prices_have_sources_a_date_and_a_region() -> None:
    listed = bill.prices()
    assert listed["date"]
    assert listed["region"]
    assert all(each["source"].startswith("https://aws.amazon.com/") for each in listed["prices"].values())


@each_traffic
@given(chosen=several)
@settings(max_examples=times(5), deadline=None)
def test_lowest_limit_binds(traffic: Traffic, chosen: Settings) -> None:
    each = sustained(chosen, Limits(), traffic)
    name, rate = binding(chosen, Limits(), traffic)
    assert rate == pytest.approx(min(each.values()), rel=0.003)
    assert each[name] == pytest.approx(rate, rel=0.003)


@each_traffic
@given(chosen=several, name=st.sampled_from(Limits._fields), more=st.floats(1, 10))
@settings(max_examples=times(25), deadline=None)
def test_higher_limit_never_adds_to_a_load(traffic: Traffic, chosen: Settings, name: str, more: float) -> None:
    raised = Limits()._replace(**{name: getattr(Limits(), name) * more})
    before, after = loads(chosen, Limits(), traffic, 300), loads(chosen, raised, traffic, 300)
    assert all(after[each] <= before[each] for each in before)


@each_traffic
def test_more_items_of_a_tag_raise_its_limit_in_proportion(traffic: Traffic) -> None:
    name = "writes of a tag's item"
    one, ten = (loads(Settings(items_per_tag=items), Limits(), traffic, 100)[name] for items in (1, 10))
    assert one == pytest.approx(10 * ten)


def test_one_tag_takes_a_thousand_visits_a_second() -> None:
    name, rate = binding(Settings(), Limits(), single())
    assert (name, round(rate, -1)) == ("writes of a tag's item", 1_000)


def test_load_of_counter_grows_with_the_square_of_the_rate() -> None:
    some, twice = (flow(Settings(), uniform(), rate) for rate in (50_000, 100_000))
    assert twice.units / some.units == pytest.approx(4, rel=0.05)
    assert reads(some.size, Limits()) > reads(twice.size, Limits())


def test_longer_window_divides_the_load_of_counter() -> None:
    short, long = (flow(Settings(1, 10_000, window), uniform(), 10_000) for window in (1, 5))
    assert short.units / long.units == pytest.approx(5)


@each_traffic
@pytest.mark.parametrize("rate", [10, 1_000, 10_000, 100_000])
def test_advice_holds_and_names_the_quotas_to_raise(traffic: Traffic, rate: float) -> None:
    found = advise(traffic, rate)
    if found is None:
        assert rate * RESERVE * traffic.busiest > 1_000 * 50
        return
    assert set(found.quotas) <= set(QUOTAS)
    assert all(value > getattr(Limits(), quota) for quota, value in found.quotas.items())
    raised = Limits()._replace(**{quota: value * 1.001 for quota, value in found.quotas.items()})
    assert max(loads(found.settings, raised, traffic, rate * RESERVE).values()) <= 1
