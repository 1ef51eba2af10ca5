"""The requests and units of DynamoDB that each design takes to keep the total, for a batch and for a visit. Pure.

Each design's figures follow from its code; `cost` counts the requests of the real code, and compares. The choice of the
default batching window and batch size is here as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .batches import PARTITION_WRITES, Traffic, batch_records, shard_count, shards
from .units import counter_bytes, positions_of, write_units

REQUEST_SECONDS = 0.006
"""The time of one request to DynamoDB, as AWS advertises: single-digit milliseconds. An assumption."""

REQUEST_CPU_SECONDS = 0.001
RECORD_CPU_SECONDS = 0.000015
"""Seconds of CPU for a request, and for each record, on one whole core. A record takes 5 to 10 microseconds, and about
as long again to be read from JSON."""

CORE_MEGABYTES = 1_769
"""The memory at which a function has one core (Lambda Developer Guide, "Configure Lambda function memory")."""

MEMORY_MEGABYTES = 256
"""The default of `memorySize`."""


class Usage(NamedTuple):
    """Requests to DynamoDB and the write units charged for them. No design has to read to keep the total."""

    requests: float = 0
    write_units: float = 0


class Design(NamedTuple):
    """A way to keep the total: what it uses for a batch, and for each record in it.

    With `positions`, the total's item holds the positions of the shards, so that its size decides on its units.
    """

    name: str
    batch: Usage = Usage()
    record: Usage = Usage()
    positions: bool = False

    def usage(self, records: float, positions: float = 0) -> Usage:
        """Return what a batch uses that has `records` records."""
        units = write_units(counter_bytes(positions)) if self.positions else 1
        return Usage(
            self.batch.requests + records * self.record.requests,
            self.batch.write_units * units + records * self.record.write_units,
        )


class Stream(NamedTuple):
    """Visits a second, the event source mapping's settings, and the shards; None if they follow from the rate."""

    rate: float
    window: float = 1
    batch_size: int = 1_000
    shards: int | None = None


class Side(NamedTuple):
    """What the total costs for one visit: write units, invocations, and seconds of function time."""

    write_units: float
    invocations: float
    seconds: float


OURS = Design("this project", batch=Usage(1, 1), positions=True)
TUTORIAL = Design("tutorial", batch=Usage(1, 1))
CLIENT_TOKEN = Design("client token", batch=Usage(1, 2))
IDEMPOTENCY_ITEM = Design("idempotency item", record=Usage(1, 4))
POWERTOOLS = Design("Powertools", record=Usage(3, 3))
DESIGNS = (OURS, TUTORIAL, CLIENT_TOKEN, IDEMPOTENCY_ITEM, POWERTOOLS)


def batch_seconds(records: float, requests: float = 1) -> float:
    """Return how long a function with the default memory takes for a batch."""
    cpu = requests * REQUEST_CPU_SECONDS + records * RECORD_CPU_SECONDS
    return cpu * CORE_MEGABYTES / MEMORY_MEGABYTES + requests * REQUEST_SECONDS


def stream_side(design: Design, traffic: Traffic, stream: Stream) -> Side:
    """Return what the total costs for one visit, over all shards."""
    found = shards(traffic, stream.shards or shard_count(stream.rate))
    positions = positions_of(sum(number for _, number in found))
    parts: list[Side] = []
    for share, number in found:
        records = batch_records(stream.rate * share, stream.window, stream.batch_size)
        used = design.usage(records, positions)
        each = (used.write_units, 1.0, batch_seconds(records, used.requests))
        parts.append(Side(*(number * share / records * value for value in each)))
    return Side(*map(math.fsum, zip(*parts, strict=True)))


WINDOWS: Sequence[float] = (0, 1, 2, 5, 10, 60)
SIZES: Sequence[int] = (1, 100, 1_000, 10_000)
RATES: Sequence[float] = (1, 10, 100, 1_000)

WORTH_A_SECOND = 0.15
"""The part of the whole bill that a second of lag has to save, in some traffic, to be worth it by default."""


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


def choose_batch_size(window: float) -> int:
    """Return the smallest of SIZES that holds all records that a shard takes within a window.

    Smaller batches cost little more, but each of them writes `COUNTER`, which takes a limited number of writes.
    """
    return next(size for size in SIZES if size >= PARTITION_WRITES * window)
