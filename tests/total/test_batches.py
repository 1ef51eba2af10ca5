"""Batches as large as Lambda makes them, concurrent processors, and the number of requests that they take."""

from collections import Counter
from itertools import cycle

import pytest

from functions.dynamodb.items import format_time
from functions.total.total import MARKS_PER_COMMIT
from tests.total.requests import Requests
from tests.total.shards import Shard
from tests.total.steps import inject, interleave
from tests.total.world import CrashError, Processing, Watched, World

LARGEST = 10_000


def large_world(*, adopted: bool) -> tuple[World, Shard]:
    """Return a world with one record for each of 10,000 tags, and its only shard."""
    world = World()
    tags = [f"tag {number}" for number in range(LARGEST)]
    if adopted:
        world.adopt([{"ID": {"S": tag}, "Count": {"N": "1"}} for tag in tags])
    world.visit("a")
    world.drain()
    since = {} if adopted else {"Since": {"S": format_time(world.now)}}
    for tag in tags:
        world.store.put(world.table, {"ID": {"S": tag}, "Count": {"N": "2"}, **since})
    return world, world.stream.shards[0]


def watched(world: World) -> tuple[Requests, Watched]:
    """Return a processor that has just started, and what it sends."""
    requests = Requests(Processing(world.store))
    return requests, Watched(requests, world.table, lambda: world.now)


def test_largest_batch_one_commit() -> None:
    world, shard = large_world(adopted=False)
    requests, total = watched(world)
    world.deliver(shard, shard.done, shard.done + LARGEST, total)
    assert requests.names == ["describe_table", "get_item", "update_item"]
    assert world.total == world.oracle.truth == 2 * LARGEST + 1


def test_largest_batch_unmarked_items() -> None:
    world, shard = large_world(adopted=True)
    requests, total = watched(world)
    inject(world.store, 1_000, "crash before")
    with pytest.raises(CrashError):
        world.deliver(shard, shard.done, shard.done + LARGEST, total)
    inject(world.store, -1, "")
    # Each part reads COUNTER once more, marks its items, and is committed.
    committed = MARKS_PER_COMMIT * (len(requests.names) // (MARKS_PER_COMMIT + 2))
    requests, total = watched(world)
    world.deliver(shard, shard.done, shard.done + LARGEST, total)
    marked = Counter(sent["Key"]["ID"]["S"] for name, sent in requests.sent if name == "update_item")
    assert marked.pop("COUNTER") == (LARGEST - committed) / MARKS_PER_COMMIT
    assert len(marked) == LARGEST - committed < LARGEST
    assert set(marked.values()) == {1}
    world.drain(size=LARGEST)
    assert world.total == world.oracle.truth == 2 * LARGEST + 1


def test_requests_cold_and_warm() -> None:
    world = World()
    world.visit("a")
    world.drain()
    requests, total = watched(world)
    shard = world.stream.shards[0]
    for expected in (["describe_table", "get_item", "update_item"], ["update_item"], ["update_item"]):
        world.visit("a")
        world.deliver(shard, shard.done, len(world.stream.shards[0].records), total)
        assert requests.names == expected


def test_concurrent_shards_do_not_collide() -> None:
    world = World(lines=8)
    tags = [f"tag {number}" for number in range(80)]
    world.visit(tags[0])
    world.drain()
    totals = [watched(world)[1] for _ in range(8)]
    calls: Counter[str] = Counter()
    for _ in range(4):
        for tag in tags:
            world.visit(tag)
        jobs = [
            lambda shard=shard, total=total: world.deliver(shard, shard.done, len(shard.records), total)
            for shard, total in zip(world.stream.shards, totals, strict=True)
        ]
        world.store.before, world.store.after = (lambda call: calls.update(["sent"])), lambda call: calls.update([call])
        assert interleave(world.store, jobs, cycle([3, 1, 4, 1, 5, 2, 6])) == [None] * 8
        inject(world.store, -1, "")
    # A call that fails, for example because of its condition, has no answer.
    assert calls == {"sent": 48, "describe_table": 8, "get_item": 8, "update_item": 32}
    assert world.total == world.oracle.truth == 321
