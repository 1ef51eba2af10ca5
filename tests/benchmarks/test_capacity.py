"""The model of capacity: which limit binds, and how settings move it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import capacity
from benchmarks.batches import Traffic, single, uniform, zipf
from benchmarks.designs import OURS, Stream, stream_side
from benchmarks.limits import (
    QUOTAS,
    RESERVE,
    Limits,
    Settings,
    advise,
    binding,
    collision_seconds,
    flow,
    loads,
    saturated,
    sustained,
)
from tests.share import times

TRAFFIC = (uniform(), zipf(), single())
each_traffic = pytest.mark.parametrize("traffic", TRAFFIC, ids=lambda each: each.name)
several = st.builds(
    Settings,
    items_per_tag=st.sampled_from([1, 2, 10, 50]),
    items_per_total=st.sampled_from([1, 2, 10, 50]),
    batch_size=st.sampled_from([1, 100, 1_000, 10_000]),
    window=st.sampled_from([0, 1, 10]),
    memory=st.sampled_from([128, 256, 1_769, 3_008]),
    parallelization=st.sampled_from([1, 10]),
    write_capacity=st.sampled_from([None, 5, 1_500]),
    ledger_capacity=st.none(),
)
rates = st.sampled_from([0.5, 10, 300, 4_000, 50_000])


@each_traffic
@given(chosen=several)
@settings(max_examples=times(5), deadline=None)
def test_the_limit_that_binds_is_the_least(traffic: Traffic, chosen: Settings) -> None:
    each = sustained(chosen, Limits(), traffic)
    name, rate = binding(chosen, Limits(), traffic)
    assert rate == pytest.approx(min(each.values()), rel=0.003)
    assert each[name] == pytest.approx(rate, rel=0.003)


@each_traffic
@given(chosen=several, rate=rates, name=st.sampled_from(Limits._fields[:-1]), more=st.floats(1, 10))
@settings(max_examples=times(25), deadline=None)
def test_a_higher_limit_never_adds_to_a_load(
    traffic: Traffic, chosen: Settings, rate: float, name: str, more: float
) -> None:
    raised = Limits()._replace(**{name: getattr(Limits(), name) * more})
    before, after = loads(chosen, Limits(), traffic, rate), loads(chosen, raised, traffic, rate)
    assert all(after[each] <= before[each] for each in before)


@each_traffic
@given(chosen=several, rate=rates)
@settings(max_examples=times(25), deadline=None)
def test_shorter_transactions_collide_less(traffic: Traffic, chosen: Settings, rate: float) -> None:
    before = loads(chosen, Limits(), traffic, rate)
    after = loads(chosen, Limits(transaction_seconds=0.01), traffic, rate)
    assert after["collisions at the total"] <= before["collisions at the total"]


@each_traffic
@given(chosen=several, rate=rates, more=st.sampled_from([2, 5]))
@settings(max_examples=times(25), deadline=None)
def test_more_items_of_the_total_relieve_it_and_load_nothing_else(
    traffic: Traffic, chosen: Settings, rate: float, more: int
) -> None:
    before = loads(chosen, Limits(), traffic, rate)
    after = loads(chosen._replace(items_per_total=chosen.items_per_total * more), Limits(), traffic, rate)
    relieved = {"writes of the total's item", "collisions at the total"}
    assert after["writes of the total's item"] == pytest.approx(before["writes of the total's item"] / more)
    assert after["collisions at the total"] <= before["collisions at the total"]
    assert {name: load for name, load in before.items() if name not in relieved} == {
        name: load for name, load in after.items() if name not in relieved
    }


@each_traffic
def test_more_items_of_a_tag_raise_its_limit_in_proportion(traffic: Traffic) -> None:
    name = "writes of a tag's item"
    one, ten = (loads(Settings(items_per_tag=items), Limits(), traffic, 100)[name] for items in (1, 10))
    assert one == pytest.approx(10 * ten)


def test_one_tag_takes_a_thousand_visits_a_second() -> None:
    name, rate = binding(Settings(), Limits(), single())
    assert (name, round(rate, -1)) == ("writes of a tag's item", 1_000)


@each_traffic
@given(rate=rates)
@settings(max_examples=times(20), deadline=None)
def test_units_are_those_of_the_bill(traffic: Traffic, rate: float) -> None:
    total = flow(Settings(), traffic, rate)
    side = stream_side(OURS, traffic, Stream(rate))
    assert 2 * (total.entries + total.transactions) == pytest.approx(rate * side.write_units)


@given(st.floats(0, 0.99), st.floats(0, 0.99))
def test_a_busier_total_costs_more_time(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert 0 <= collision_seconds(less) <= collision_seconds(more) < math.inf
    assert collision_seconds(0) == 0
    assert collision_seconds(1) == math.inf


@given(st.integers(1, 64), st.floats(0.001, 1), st.integers(1, 50))
def test_processors_share_what_one_total_takes(processors: int, seconds: float, items: int) -> None:
    limits = Limits()
    rate = saturated(processors, seconds, limits, items)
    assert 0 < rate <= processors / (seconds + limits.transaction_seconds)
    assert rate <= saturated(processors, seconds, limits, items + 1) * (1 + 1e-5)
    if processors > 1:
        held = items / limits.transaction_seconds / (1 - 1 / processors)
        assert rate < held


@pytest.mark.parametrize("window", [0, 1, 10])
@pytest.mark.parametrize("capacity", [5, 25, 100, 999])
@each_traffic
def test_the_ledgers_default_capacity_never_binds_before_the_main_tables(
    traffic: Traffic, capacity: float, window: float
) -> None:
    chosen = Settings(window=window, write_capacity=capacity)
    each = sustained(chosen, Limits(), traffic)
    assert each["capacity of the ledger"] >= each["capacity of the main table"]


def test_the_main_tables_capacity_would_not_do_for_the_ledger() -> None:
    chosen = Settings(write_capacity=5)
    _, rate = binding(chosen, Limits(), uniform())
    assert 2 * flow(chosen, uniform(), rate).entries > 5


@each_traffic
@pytest.mark.parametrize("rate", [10, 1_000, 10_000, 100_000])
def test_advice_holds_and_names_the_quotas_that_it_needs(traffic: Traffic, rate: float) -> None:
    found = advise(traffic, rate)
    if found is None:
        assert rate * RESERVE * traffic.busiest > 1_000 * 50
        return
    assert set(found.quotas) <= set(QUOTAS)
    for quota, value in found.quotas.items():
        assert value > getattr(Limits(), quota)
    raised = Limits()._replace(**{quota: value * 1.001 for quota, value in found.quotas.items()})
    assert max(loads(found.settings, raised, traffic, rate * RESERVE).values()) <= 1
    plenty = Limits()._replace(**dict.fromkeys(QUOTAS, math.inf))
    assert binding(found.settings, plenty, traffic)[1] >= rate * RESERVE


def test_the_chapter_reports_what_was_measured() -> None:
    data: dict[str, Any] = {
        "collisions": [
            {"processors": count, "transactions": 30.0, "attempts": 60.0, "between": 0.01} for count in (1, 4)
        ]
    }
    report = capacity.report(data)
    assert "| 4 | 30.0 |" in report.markdown
    assert {plot.name for plot in report.plots} == {"capacity-collisions", "capacity-items"}
    assert all(math.isfinite(y) for plot in report.plots for series in plot.series for y in series.y)
