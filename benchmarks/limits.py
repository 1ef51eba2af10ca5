"""The load that a counter sustains, and which of AWS's limits binds. Pure.

A load is the part of a limit that some traffic uses; above 1, it is too much. A setting sustains the rate up to which
no load is above 1. The limit that is reached first binds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from .batches import PARTITION_WRITES, Traffic, batch_records, shard_count, shards
from .bill import VISIT_SECONDS
from .designs import batch_seconds
from .units import counter_bytes, positions_of, read_units, write_units

MAX_ITEMS = 50
"""The most items that a tag may be spread over."""


class Limits(NamedTuple):
    """AWS's limits, as documented on 2026-11-21. Those of QUOTAS are raised on request."""

    api_requests: float = 10_000
    """Requests a second of all HTTP APIs of an account in a Region (API Gateway Developer Guide, "Quotas")."""
    concurrency: float = 1_000
    """Invocations at a time of all functions of an account in a Region (Lambda Developer Guide, "Lambda quotas")."""
    rate_per_concurrency: float = 10
    """Invocations a second for each of them (the same)."""
    item_writes: float = PARTITION_WRITES
    """Write units a second of one partition, and so of one item (DynamoDB Developer Guide, "Partitions")."""
    item_reads: float = 3_000
    """Read units a second of one partition (the same)."""
    table_writes: float = 40_000
    """Write units a second of one on-demand table (DynamoDB Developer Guide, "Quotas")."""


QUOTAS = ("api_requests", "concurrency", "table_writes")
"""The limits that AWS raises on request."""


class Settings(NamedTuple):
    """The settings of a counter that decide what it sustains. With a `write_capacity`, its table is provisioned."""

    items_per_tag: int = 1
    batch_size: int = 1_000
    window: float = 1
    write_capacity: float | None = None


class Flow(NamedTuple):
    """What the total does in a second, over all shards: batches, write units, and functions at work.

    `busiest` is the part of its time that the busiest processor works, and `size` the bytes of `COUNTER`.
    """

    batches: float
    units: float
    working: float
    busiest: float
    size: float


def flow(settings: Settings, traffic: Traffic, rate: float) -> Flow:
    """Return what `rate` visits a second make the total do."""
    count = shard_count(rate) if settings.write_capacity is None else math.ceil(settings.write_capacity / 1_000)
    found = shards(traffic.over(settings.items_per_tag), count)
    batches = working = busiest = 0.0
    for share, number in found:
        records = batch_records(rate * share, settings.window, settings.batch_size)
        busy = rate * share / records * batch_seconds(records)
        batches += number * rate * share / records
        working += number * min(1.0, busy)
        busiest = max(busiest, busy)
    size = counter_bytes(positions_of(sum(number for _, number in found)))
    return Flow(batches, batches * write_units(size), working, busiest, size)


def reads(size: float, limits: Limits) -> float:
    """Return how many times a second `COUNTER` of this size can be read, which every read of a count does."""
    return limits.item_reads / read_units(size)


def loads(settings: Settings, limits: Limits, traffic: Traffic, rate: float) -> dict[str, float]:
    """Return how much of each limit `rate` visits a second use, by the limit's name."""
    total = flow(settings, traffic, rate)
    found = {
        "writes of a tag's item": rate * traffic.busiest / settings.items_per_tag / limits.item_writes,
        "writes of `COUNTER`": total.units / limits.item_writes,
        "work of a shard's processor": total.busiest,
        "API requests": rate / limits.api_requests,
        "concurrency": max(
            (rate * VISIT_SECONDS + total.working) / limits.concurrency,
            rate / (limits.rate_per_concurrency * limits.concurrency),
        ),
    }
    if settings.write_capacity is None:
        found["writes of the table"] = (rate + total.units) / limits.table_writes
    else:
        found["capacity of the table"] = (rate + total.units) / settings.write_capacity
    return found


QUOTA_OF = {
    "API requests": "api_requests",
    "concurrency": "concurrency",
    "writes of the table": "table_writes",
}
"""The quota behind each load that AWS lets grow."""

STEP = 10**0.1
GRID: Sequence[float] = [STEP**step / 10 for step in range(10 * 7 + 1)]
"""Rates from 0.1 to a million visits a second, at which loads are computed first; neighbours differ by 26 %."""


def sustained(settings: Settings, limits: Limits, traffic: Traffic) -> dict[str, float]:
    """Return the rate up to which each limit holds, by the limit's name; infinite beyond a million.

    A load may fall again at a higher rate, when batches are fuller. The first rate counts.
    """
    names = loads(settings, limits, traffic, GRID[0])
    return {name: _last(itemgetter(name), settings, limits, traffic) for name in names}


def binding(settings: Settings, limits: Limits, traffic: Traffic) -> tuple[str, float]:
    """Return the limit that is reached first, and the rate up to which it holds."""
    rate = _last(lambda load: max(load.values()), settings, limits, traffic)
    load = loads(settings, limits, traffic, min(rate, GRID[-1]) * 1.001)
    return max(load, key=lambda name: load[name]), rate


def _last(load: Callable[[Mapping[str, float]], float], settings: Settings, limits: Limits, traffic: Traffic) -> float:
    """Return the rate at which a load first reaches 1, to a part in a thousand."""

    def holds(rate: float) -> bool:
        return load(loads(settings, limits, traffic, rate)) <= 1

    high = next((rate for rate in GRID if not holds(rate)), math.inf)
    if math.isinf(high):
        return high
    low = high / STEP
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


class Advice(NamedTuple):
    """Settings that sustain some traffic, and the quotas that have to be raised for it, with what is needed."""

    settings: Settings
    quotas: Mapping[str, float]


RESERVE = 4 / 3
"""The factor by which advice exceeds the expected rate."""

NUMBERS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, MAX_ITEMS)
BATCHING: Sequence[tuple[float, int]] = ((1, 1_000), (2, 10_000), (5, 10_000), (10, 10_000))
"""Windows and batch sizes, from the least lag."""


def advise(traffic: Traffic, rate: float, limits: Limits | None = None) -> Advice | None:
    """Return the least settings that sustain `rate` with a third in reserve; None if there are none.

    Quotas count as raised.
    """
    limits = limits or Limits()
    raised = limits._replace(**dict.fromkeys(QUOTAS, math.inf))
    for window, batch_size in BATCHING:
        for items in NUMBERS:
            settings = Settings(items, batch_size, window)
            # Loads at this rate alone are quick to compute, but may have been higher at a lower rate.
            holds = max(loads(settings, raised, traffic, rate * RESERVE).values()) <= 1
            if holds and binding(settings, raised, traffic)[1] >= rate * RESERVE:
                return Advice(settings, quotas(settings, limits, traffic, rate * RESERVE))
    return None


def quotas(settings: Settings, limits: Limits, traffic: Traffic, rate: float) -> dict[str, float]:
    """Return what each quota must be raised to for a rate; those that suffice are left out."""
    needed: dict[str, float] = {}
    for load, quota in QUOTA_OF.items():
        value = loads(settings, limits, traffic, rate)[load] * getattr(limits, quota)
        if value > getattr(limits, quota):
            needed[quota] = max(value, needed.get(quota, 0))
    return needed
