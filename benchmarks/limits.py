"""The load that a counter sustains, and which of AWS's limits binds. Pure.

A load is the part of a limit that some traffic uses; above 1, it is too much. A setting sustains the rate up to which
no load is above 1. The limit that is reached first binds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from .batches import PARTITION_WRITES, Traffic, batch_records, shard_count
from .bill import VISIT_SECONDS
from .designs import REQUEST_SECONDS, TRANSACTION_SECONDS, batch_seconds, transactions
from .units import TRANSACTION_FACTOR

MAX_ITEMS = 50
"""The most items that a tag or the total may be spread over: one BatchGetItem, of 100 keys, reads both."""


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
    transaction_seconds: float = TRANSACTION_SECONDS
    """How long a transaction keeps its items from others; another one on the same item is cancelled meanwhile."""


QUOTAS = ("api_requests", "concurrency", "table_writes")
"""The limits that AWS raises on request."""


class Settings(NamedTuple):
    """The settings of a counter that decide what it sustains.

    `parallelization` is the mapping's ParallelizationFactor, which the component leaves at AWS's default. With a
    `write_capacity`, the tables are provisioned: the main table with it, the ledger with `ledger_capacity`, by default
    twice as much.
    """

    items_per_tag: int = 1
    items_per_total: int = 1
    batch_size: int = 1_000
    window: float = 1
    memory: int = 256
    parallelization: int = 1
    write_capacity: float | None = None
    ledger_capacity: float | None = None


class Flow(NamedTuple):
    """What the total does in a second, over all shards: transactions, entries written, and functions at work.

    `busiest` is the part of its time that the busiest processor works, and `processors` how many there are.
    """

    transactions: float
    entries: float
    working: float
    busiest: float
    processors: float


def flow(settings: Settings, traffic: Traffic, rate: float, collision_seconds: float = 0.0) -> Flow:
    """Return what `rate` visits a second make the total do; each transaction takes `collision_seconds` longer."""
    made = entries = working = busiest = processors = 0.0
    writes = rate if settings.write_capacity is None else 0.0
    count = shard_count(writes) if settings.write_capacity is None else math.ceil(settings.write_capacity / 1_000)
    # Lambda deals a shard's records out by their keys, so parallel processors are like further shards.
    for shard, number in traffic.over(settings.items_per_tag).shards(count * settings.parallelization):
        records = batch_records(rate * shard.share, settings.window, settings.batch_size)
        items = shard.distinct(records)
        batches = rate * shard.share / records
        busy = batches * (batch_seconds(items, settings.memory) + transactions(items) * collision_seconds)
        made += number * batches * transactions(items)
        entries += number * batches * items
        working += number * min(1.0, busy)
        busiest = max(busiest, busy)
        processors += number
    return Flow(made, entries, working, busiest, processors)


def collision_seconds(busy: float) -> float:
    """Return the time that a transaction loses to others, if the total's item is busy for the part `busy` of the time.

    Each attempt that finds it busy is repeated after a random pause, whose maximum doubles from 20 ms up to a second,
    and after another read (functions/dynamodb/retries.py).
    """
    if busy >= 1:
        return math.inf
    pauses = (busy**attempt * (min(1.0, 0.02 * 2 ** (attempt - 1)) / 2 + REQUEST_SECONDS) for attempt in range(1, 200))
    return math.fsum(pauses)


def loads(settings: Settings, limits: Limits, traffic: Traffic, rate: float) -> dict[str, float]:
    """Return how much of each limit `rate` visits a second use, by the limit's name."""
    total = flow(settings, traffic, rate)
    others = max(0.0, 1 - 1 / total.processors)
    busy = total.transactions / settings.items_per_total * limits.transaction_seconds * others
    colliding = flow(settings, traffic, rate, collision_seconds(busy)).busiest if busy < 1 else math.inf
    writes = rate + TRANSACTION_FACTOR * total.transactions
    found = {
        "writes of a tag's item": rate * traffic.busiest / settings.items_per_tag / limits.item_writes,
        "writes of the total's item": TRANSACTION_FACTOR
        * total.transactions
        / settings.items_per_total
        / limits.item_writes,
        "reads of the ledger's marker": total.transactions / limits.item_reads,
        "work of a shard's processor": total.busiest,
        "collisions at the total": colliding,
        "API requests": rate / limits.api_requests,
        "concurrency": max(
            (rate * VISIT_SECONDS + total.working) / limits.concurrency,
            rate / (limits.rate_per_concurrency * limits.concurrency),
        ),
    }
    if settings.write_capacity is None:
        found["writes of the main table"] = writes / limits.table_writes
        found["writes of the ledger"] = TRANSACTION_FACTOR * total.entries / limits.table_writes
    else:
        found["capacity of the main table"] = writes / settings.write_capacity
        ledger = settings.ledger_capacity or 2 * settings.write_capacity
        found["capacity of the ledger"] = TRANSACTION_FACTOR * total.entries / ledger
    return found


QUOTA_OF = {
    "API requests": "api_requests",
    "concurrency": "concurrency",
    "writes of the main table": "table_writes",
    "writes of the ledger": "table_writes",
}
"""The quota behind each load that AWS lets grow."""

STEP = 10**0.1
GRID: Sequence[float] = [STEP**step / 10 for step in range(10 * 7 + 1)]
"""Rates from 0.1 to a million visits a second, at which loads are looked at first; neighbours differ by 26 %."""


def sustained(settings: Settings, limits: Limits, traffic: Traffic) -> dict[str, float]:
    """Return the rate up to which each limit holds, by the limit's name; infinite beyond a million.

    A load may fall again at a higher rate, when a batch has more visits of the same tags. The first rate counts.
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


def saturated(processors: int, seconds: float, limits: Limits, items_per_total: int = 1) -> float:
    """Return the transactions a second of processors that always have work, `seconds` of it between two of them."""
    low, high = 0.0, processors / (seconds + limits.transaction_seconds)
    while high - low > 1e-6 * high:
        rate = (low + high) / 2
        busy = rate / items_per_total * limits.transaction_seconds * (1 - 1 / processors)
        possible = processors / (seconds + limits.transaction_seconds + collision_seconds(busy))
        low, high = (rate, high) if possible > rate else (low, rate)
    return low


class Advice(NamedTuple):
    """Settings that sustain some traffic, and the quotas that have to be raised for it, with what is needed."""

    settings: Settings
    quotas: Mapping[str, float]


RESERVE = 4 / 3
"""The factor by which advice exceeds the expected rate."""

NUMBERS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, MAX_ITEMS)
MEMORIES = (256, 512, 1_024, 1_769)


def advise(traffic: Traffic, rate: float, limits: Limits | None = None) -> Advice | None:
    """Return the least settings that sustain `rate` with a third in reserve; None if there are none.

    A tag's items are raised first, then the total's, then memory. Quotas count as raised.
    """
    limits = limits or Limits()
    raised = limits._replace(**dict.fromkeys(QUOTAS, math.inf))
    # Nothing else relieves a tag's item.
    enough = [number for number in NUMBERS if rate * RESERVE * traffic.busiest <= number * limits.item_writes]
    for memory in MEMORIES:
        for total in NUMBERS:
            for tag in enough:
                settings = Settings(tag, total, memory=memory)
                # Loads at this rate alone are quick to look at, but may have been higher at a lower rate.
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
