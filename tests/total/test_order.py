"""Records in order the first time: the assumption that positions rely on, and what happens if it is broken."""

import json
import logging
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.process_stream import process
from functions.total.total import Total
from tests.share import times
from tests.total.shards import Shard
from tests.total.steps import inject
from tests.total.world import CrashError, World, ample_budget


def world_of(visits: int) -> tuple[World, Shard]:
    """Return a world with visits of different tags, and its only shard."""
    world = World()
    for number in range(visits):
        world.visit(f"tag {number}")
    return world, world.stream.shards[0]


def ordered(total: Total, shard: Shard, start: int, end: int, state: dict[str, Any]) -> dict[str, Any]:
    """Deliver records `start` to `end`, and return the state that follows."""
    records = shard.records[start:end]
    event = {"Records": records, "shardId": shard.id, "eventSourceARN": records[0]["eventSourceARN"], "state": state}
    # Lambda passes the state on as JSON.
    answer: dict[str, Any] = json.loads(json.dumps(process(event, total, ample_budget())))
    return dict(answer["state"])


# What Lambda does with a batch: answer it, fail before or after the commit, and deliver an answered one again.
deliveries = st.lists(
    st.tuples(
        st.sampled_from(["answered", "failed", "failed late", "repeated", "repeated late", "new window", "visited"]),
        st.integers(1, 40),
        st.integers(1, 60),
        st.integers(0, 2),
    ),
    max_size=60,
)
NEW_WINDOW = ("new window", 1, 1, 0)
VISITED = [("visited", 1, 1, 0), ("answered", 40, 1, 0)]


@settings(max_examples=times(100))
# What processor 0 knows of the shard is out of date when the window begins.
@example([*[("answered", 3, 1, number) for number in (0, 1)], NEW_WINDOW, ("answered", 3, 1, 0), ("repeated", 3, 6, 0)])
# The records in which the window begins are of COUNTER alone.
@example([("answered", 60, 1, 0), NEW_WINDOW, ("answered", 40, 1, 0), *VISITED, ("repeated", 9, 20, 0)])
@given(deliveries)
def test_repeated_records_not_late(deliveries: list[tuple[str, int, int, int]]) -> None:
    world, shard = world_of(60)
    state: dict[str, Any] = {}
    states = {0: state}
    done = 0
    for how, size, back, number in deliveries:
        # Every commit adds a record of COUNTER.
        assert world.stream
        total = world.warm[number] if number < 2 else world.processor()
        if how == "new window":
            state = {}
        elif how == "visited":
            world.visit("a")
        elif how.startswith("repeated"):
            start = max(0, done - back)
            if end := min(done, start + size):
                # A repeated delivery has the state of its window, as it is now or as it was.
                earlier = states[max(known for known in states if known <= start)]
                ordered(total, shard, start, end, earlier if "late" in how else state)
        elif done < len(shard.records):
            end = min(len(shard.records), done + size)
            inject(world.store, 0 if how != "answered" else -1, "crash after" if "late" in how else "crash before")
            try:
                state = ordered(total, shard, done, end, state)
                done, states[end] = end, state
            except CrashError:
                pass
            inject(world.store, -1, "")
    shard.done, shard.state = done, state
    world.drain()
    assert world.total == world.oracle.truth
    assert "rebuilding" not in world.shown


@settings(max_examples=times(50))
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_late_batch_noticed(first: int, late: int, then: int, window_begins: bool) -> None:
    world, shard = world_of(20)
    total = world.processor(kind=Total)
    a, b, c = first, first + late, first + late + then
    state = ordered(total, shard, 0, a, {})
    state = ordered(total, shard, b, c, {} if window_begins else state)
    assert "rebuilding" not in world.shown
    state = ordered(total, shard, a, b, state)
    assert world.shown["rebuilding"] is True
    assert world.total == a + then
    ordered(total, shard, c, 20, state)
    assert world.total == 20 - late
    world.reconcile()
    assert (world.total, "rebuilding" in world.shown) == (20, False)


def test_late_records_logged_and_counted(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_NAMESPACE", "Test")
    world, shard = world_of(9)
    total = world.processor(kind=Total)
    state = ordered(total, shard, 0, 3, {})
    state = ordered(total, shard, 5, 9, state)
    capsys.readouterr()
    with caplog.at_level(logging.ERROR, "functions"):
        ordered(total, shard, 3, 5, state)
    assert "2 records of shard" in caplog.text
    assert '"UncountedRecords":2' in capsys.readouterr().out


def test_late_records_end_rebuild() -> None:
    world, shard = world_of(1)
    world.drain()
    world.begin()
    world.mark(99)
    world.drain()
    start = len(shard.records)
    for _ in range(3):
        world.visit("tag 0")
    assert world.stream
    total = world.processor(kind=Total)
    state = ordered(total, shard, start, start + 1, {})
    state = ordered(total, shard, start + 2, start + 3, state)
    ordered(total, shard, start + 1, start + 2, state)
    shard.done, shard.state = start + 3, {}
    assert not world.finish()
    world.reconcile()
    assert (world.total, "rebuilding" in world.shown) == (4, False)


@settings(max_examples=times(50))
@given(st.permutations(range(8)))
def test_disordered_batch_sorted(order: list[int]) -> None:
    world, shard = world_of(1)
    for _ in range(7):
        world.visit("tag 0")
    records = list(world.stream.shards[0].records)
    shard.records[:] = [records[index] for index in order]
    ordered(world.processor(), shard, 0, 8, {})
    assert world.total == 8
