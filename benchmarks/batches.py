"""How visits become batches: the items that they fall on, their shards, and the size of a batch. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

POLL_SECONDS = 0.25
"""How often Lambda polls a shard, at least (Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB")."""

PAYLOAD_RECORDS = 9_600
"""About how many records of a counter's stream fit into the 6 MB that an invocation may receive."""

PARTITION_WRITES = 1_000
"""Write units a second of one partition, and so of one item (DynamoDB Developer Guide, "Partitions")."""

NEW_TABLE_WRITES = 4_000
"""Writes a second of a new on-demand table (DynamoDB Developer Guide, "Initial throughput and scaling properties")."""

TAGS = 10_000
"""The number of tags of uniform traffic and of Zipf's."""


class Traffic(NamedTuple):
    """How visits are spread over items.

    `classes` are pairs of a share of all visits and the number of items that have this share each. In the traffic of
    one shard of many, that is the expected number, which may have a fraction; and the shares add up to the shard's.
    """

    name: str
    classes: tuple[tuple[float, float], ...]

    @property
    def share(self) -> float:
        """The share of all visits that this is; 1 unless it is a shard's."""
        return math.fsum(weight * items for weight, items in self.classes)

    @property
    def busiest(self) -> float:
        """The largest share of one item."""
        return max(weight for weight, _ in self.classes)

    def over(self, items: int) -> Traffic:
        """Return the traffic once each tag is spread over a number of items."""
        return Traffic(self.name, tuple((weight / items, number * items) for weight, number in self.classes))


@cache
def shards(traffic: Traffic, count: int) -> Sequence[tuple[float, float]]:
    """Return the shares of the shards of a stream, as pairs with the number of shards that have this share.

    DynamoDB isolates an item that is busier than a shard's fair share; the others are spread evenly.
    """
    alone: list[tuple[float, float]] = []
    left, free = traffic.share, float(count)
    for weight, items in traffic.classes:
        if free < 1 or weight * free <= left * (1 + 1e-9):
            break
        number = min(items, free)
        alone.append((weight, number))
        left, free = left - weight * number, free - number
    return [*alone, (left / max(1.0, free), max(1.0, free))] if left > 1e-9 else alone


@cache
def uniform(tags: int = TAGS) -> Traffic:
    """Return traffic that visits every tag equally often."""
    return Traffic("uniform", ((1 / tags, tags),))


@cache
def zipf(tags: int = TAGS) -> Traffic:
    """Return traffic in which the k-th tag gets 1/k of the visits of the first. Tags beyond the hundredth are equal."""
    total, tail = (math.fsum(1 / rank for rank in range(first, tags + 1)) for first in (1, 101))
    hot = [(1 / rank / total, 1.0) for rank in range(1, 101)]
    return Traffic("Zipf", (*hot, (tail / total / (tags - 100), tags - 100.0)))


@cache
def single() -> Traffic:
    """Return traffic that visits only one tag."""
    return Traffic("one tag", ((1.0, 1.0),))


def batch_records(rate: float, window: float, batch_size: int) -> float:
    """Return the mean number of records in a batch of a shard that gets `rate` records a second.

    Records gather for the batching window, or between two polls, until the batch is full. A batch is never empty: at
    low rates, when visits arrive as a Poisson process, most batches have one record.
    """
    gathered = rate * max(window, POLL_SECONDS)
    if gathered < 1e-9:
        return 1.0
    return min(float(batch_size), float(PAYLOAD_RECORDS), gathered / -math.expm1(-gathered))


def shard_count(writes: float) -> int:
    """Return how many shards the stream of an on-demand table has once it takes `writes` units a second.

    A table has a stream shard for each partition, and a new one is made for 4,000 writes a second.
    """
    return max(NEW_TABLE_WRITES // PARTITION_WRITES, math.ceil(writes / PARTITION_WRITES - 1e-9))
