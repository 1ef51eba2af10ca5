"""How visits become batches: the items that they fall on, the shard that carries them, and the batch's size. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, cached_property

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


class Traffic:
    """How visits are spread over items.

    `classes` are pairs of a share of all visits and the number of items that have this share each. In the traffic of
    one shard of many, that is the expected number, which may have a fraction; and the shares add up to the shard's.
    """

    def __init__(self, name: str, classes: Sequence[tuple[float, float]]) -> None:
        self.name = name
        self.classes = tuple(classes)
        self._distinct: dict[float, float] = {}
        self._over: dict[int, Traffic] = {1: self}
        self._shards: dict[int, Sequence[tuple[Traffic, float]]] = {}

    @cached_property
    def share(self) -> float:
        """The share of all visits that this is; 1 unless it is a shard's."""
        return math.fsum(weight * items for weight, items in self.classes)

    @property
    def busiest(self) -> float:
        """The largest share of one item."""
        return max(weight for weight, _ in self.classes)

    def distinct(self, visits: float) -> float:
        """Return the expected number of different items that `visits` independent visits fall on."""
        if visits not in self._distinct:
            share = self.share
            found = math.fsum(
                items * -math.expm1(visits * math.log1p(-min(1 - 1e-15, weight / share)))
                for weight, items in self.classes
            )
            self._distinct[visits] = min(found, visits)
        return self._distinct[visits]

    def over(self, items: int) -> Traffic:
        """Return the traffic once each tag is spread over a number of items."""
        if items not in self._over:
            classes = [(weight / items, number * items) for weight, number in self.classes]
            self._over[items] = Traffic(self.name, classes)
        return self._over[items]

    def shards(self, count: int) -> Sequence[tuple[Traffic, float]]:
        """Return the traffic of the shards of a stream, as pairs with the number of shards that have it.

        DynamoDB isolates an item that is busier than a shard's fair share; the others are spread evenly.
        """
        if count not in self._shards:
            self._shards[count] = self._split(count)
        return self._shards[count]

    def _split(self, count: int) -> Sequence[tuple[Traffic, float]]:
        alone: list[tuple[Traffic, float]] = []
        rest, left, shards = list(self.classes), self.share, float(count)
        while rest and shards >= 1 and (hot := rest[0])[0] * shards > left * (1 + 1e-9):
            number = min(hot[1], shards)
            alone.append((Traffic(self.name, [(hot[0], 1.0)]), number))
            left, shards = left - hot[0] * number, shards - number
            rest[0:1] = [(hot[0], hot[1] - number)] if hot[1] > number else []
        if rest:
            shards = max(1.0, shards)
            alone.append((Traffic(self.name, [(weight, items / shards) for weight, items in rest]), shards))
        return alone


@cache
def uniform(tags: int = TAGS) -> Traffic:
    """Return traffic that visits every tag equally often."""
    return Traffic("uniform", [(1 / tags, tags)])


@cache
def zipf(tags: int = TAGS, exponent: float = 1.0) -> Traffic:
    """Return traffic in which the k-th tag is visited in proportion to k ** -exponent.

    Beyond the hundredth, neighbours that differ by less than 2 % count as equal.
    """
    classes: list[tuple[float, float]] = []
    rank = 1
    while rank <= tags:
        last = min(tags, rank + rank // 50) if rank > 100 else rank
        number = last - rank + 1
        classes.append((math.fsum(each**-exponent for each in range(rank, last + 1)) / number, number))
        rank = last + 1
    total = math.fsum(weight * number for weight, number in classes)
    return Traffic("Zipf(1.0)", [(weight / total, number) for weight, number in classes])


@cache
def single() -> Traffic:
    """Return traffic that visits only one tag."""
    return Traffic("one tag", [(1.0, 1.0)])


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
