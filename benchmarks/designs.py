"""The requests and units of DynamoDB that each design takes to keep the total, for a batch and for a visit. Pure.

Each design's figures follow from its code; `cost` counts what the code really does, and compares. The choice of the
default batching window and batch size is here as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from operator import mul
from typing import NamedTuple

from .batches import Traffic, batch_records, shard_count
from .units import TRANSACTION_FACTOR, Usage

TAGS_PER_TRANSACTION = 99
"""The entries of a transaction beside the total (functions/total/totals.py)."""

REQUEST_SECONDS = 0.006
"""The time of one request to DynamoDB, as AWS advertises: single-digit milliseconds. An assumption."""

TRANSACTION_SECONDS = 0.02
"""The time of a transaction of up to 100 items, for which it keeps them from others. An assumption, as AWS gives no
figure."""

BATCH_CPU_SECONDS = 0.001
TAG_CPU_SECONDS = 0.000081
"""Seconds of CPU for a batch, and for each tag in it, on one whole core: 100 tags took 8.1 ms when measured."""

CORE_MEGABYTES = 1_769
"""The memory at which a function has one core (Lambda Developer Guide, "Configure Lambda function memory")."""

MEMORY_MEGABYTES = 256
"""The default of `memorySize`."""


class Design(NamedTuple):
    """A way to keep the total: what it uses for a batch, for each record in it, and for each different item.

    `transaction` is what it uses for each TAGS_PER_TRANSACTION different items of a batch, or fewer.
    """

    name: str
    batch: Usage = Usage()
    record: Usage = Usage()
    item: Usage = Usage()
    transaction: Usage = Usage()

    def usage(self, records: float, items: float) -> Usage:
        """Return what a batch uses that has `records` records of `items` different items."""
        times = (1, records, items, transactions(items))
        parts = (self.batch, self.record, self.item, self.transaction)
        return Usage(*(sum(map(mul, times, column)) for column in zip(*parts, strict=True)))


class Stream(NamedTuple):
    """Visits a second, the event source mapping's settings, and the shards; None if they follow from the rate."""

    rate: float
    window: float = 1
    batch_size: int = 1_000
    shards: int | None = None


class Side(NamedTuple):
    """What the total costs for one visit: requests and units, invocations, and seconds of function time."""

    requests: float
    write_units: float
    read_units: float
    invocations: float
    seconds: float


def transactions(items: float) -> int:
    """Return the transactions for a batch with `items` different items."""
    return max(1, math.ceil(items / TAGS_PER_TRANSACTION - 1e-9))


OURS = Design(
    "this project",
    item=Usage(0, TRANSACTION_FACTOR, 1),
    # A read of the entries and the marker, then the transaction that writes the entries and the total.
    transaction=Usage(2, TRANSACTION_FACTOR, 1),
)
TUTORIAL = Design("tutorial", batch=Usage(1, 1, 0))
CLIENT_TOKEN = Design("client token", batch=Usage(1, TRANSACTION_FACTOR, 0))
IDEMPOTENCY_ITEM = Design("idempotency item", record=Usage(1, 2 * TRANSACTION_FACTOR, 0))
POWERTOOLS = Design("Powertools", record=Usage(3, 3, 0))
DESIGNS = (OURS, TUTORIAL, CLIENT_TOKEN, IDEMPOTENCY_ITEM, POWERTOOLS)


def batch_seconds(items: float, memory: int = MEMORY_MEGABYTES) -> float:
    """Return how long this project takes for a batch with `items` different items, without conflicts."""
    cpu = (BATCH_CPU_SECONDS + items * TAG_CPU_SECONDS) / min(1.0, memory / CORE_MEGABYTES)
    return cpu + transactions(items) * (REQUEST_SECONDS + TRANSACTION_SECONDS)


def stream_side(design: Design, traffic: Traffic, stream: Stream) -> Side:
    """Return what the total costs for one visit, over all shards."""
    count = stream.shards or shard_count(stream.rate)
    parts: list[Side] = []
    for shard, number in traffic.shards(count):
        records = batch_records(stream.rate * shard.share, stream.window, stream.batch_size)
        items = shard.distinct(records)
        used = design.usage(records, items)
        weight = number * shard.share / records
        seconds = batch_seconds(items) if design is OURS else used.requests * REQUEST_SECONDS
        parts.append(Side(*(weight * each for each in (*used, 1.0, seconds))))
    return Side(*map(math.fsum, zip(*parts, strict=True)))


def ledger_units(traffic: Traffic, records: float) -> float:
    """Return the write units a visit of this project's total, in batches with `records` records."""
    return OURS.usage(records, traffic.distinct(records)).write_units / records


WINDOWS: Sequence[float] = (0, 1, 2, 5, 10, 60)
SIZES: Sequence[int] = (1, 100, 1_000, 10_000)
RATES: Sequence[float] = (1, 10, 100, 1_000, 10_000)

WORTH_A_SECOND = 0.2
"""The part of the whole bill that a second of lag has to save, in some traffic, to be worth it by default."""

WORTH_A_BATCH = 0.02
"""The part of the whole bill that a larger batch has to save at the chosen window."""


def choose_window(price: Callable[[float], Iterable[float]]) -> float:
    """Return the longest of WINDOWS each second of which is worth its lag.

    `price` returns the bills of the same visits in several kinds of traffic, for a window.
    """
    chosen = WINDOWS[0]
    for window in WINDOWS[1:]:
        pairs = zip(price(chosen), price(window), strict=True)
        saved = max((before - after) / before for before, after in pairs) / (window - chosen)
        if saved < WORTH_A_SECOND:
            break
        chosen = window
    return chosen


def choose_batch_size(price: Callable[[int], Iterable[float]]) -> int:
    """Return the smallest of SIZES beyond which no larger one saves anything worth having."""
    for size, larger in pairwise(SIZES):
        pairs = zip(price(size), price(larger), strict=True)
        if max((before - after) / before for before, after in pairs) < WORTH_A_BATCH:
            return size
    return SIZES[-1]
