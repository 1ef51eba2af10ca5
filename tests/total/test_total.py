"""The total is exact: after any history, `TotalViews` is the number of visits that can be known.

A history is a list of steps. Deliveries interleave at every call, crash, lose responses, are throttled and conflict.
The oracle in `world` computes the expected total: the number of visits recorded, if no record was lost.
"""

import logging
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from functions.total.ownership import TotalOwnershipError
from functions.total.totals import Total
from tests.total.steps import (
    EMPTY_LEDGER,
    SAVE,
    Batch,
    Damage,
    Deliver,
    SetCount,
    Step,
    Undelete,
    Visit,
    any_edits,
    backups,
    creations,
    damages,
    delete,
    deletions,
    deliveries,
    edits,
    lose,
    losses,
    reconciliations,
    removals,
    spreads,
    visits,
)
from tests.total.world import LEDGER, TABLE, World

TIMES = int(os.environ.get("HISTORIES", "1"))
"""A factor for the number of histories. With HYPOTHESIS_PROFILE=explore, every run draws new ones."""

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def run(world: World, steps: list[Step]) -> World:
    note(repr(steps))
    for step in steps:
        step.happen(world)
    return world


def check(world: World) -> None:
    """Deliver the rest of the stream, and compare the total with the oracle."""
    last = world.settle()
    assert last.behind == 0
    assert last.drift == 0
    assert world.total == world.oracle.total
    assert world.total <= world.visits
    if not world.lost:
        assert world.total == world.visits
    assert "Rebuilding" not in world.counter


def once(*numbers: int) -> Deliver:
    """Deliver concurrent batches of the next records, one for each number of records, without a fault."""
    return Deliver(tuple(Batch(0, number, (), 0) for number in numbers), (), 99, "throttle")


def histories(*more: st.SearchStrategy[Step], max_steps: int = 16) -> st.SearchStrategy[list[Step]]:
    """Draw histories of visits, deliveries, other numbers of items per tag, and the steps in `more`."""
    return st.lists(st.one_of(visits, deliveries, spreads, *more), max_size=max_steps)


@settings(max_examples=400 * TIMES)
@given(histories())
def test_any_delivery_of_visits_gives_the_exact_total(steps: list[Step]) -> None:
    world = World()
    for step in steps:
        step.happen(world)
        assert world.total <= world.visits
    world.drain()
    assert world.total == world.visits == sum(world.counts.values())


@settings(max_examples=300 * TIMES)
@example([Visit("a", 5), delete("a"), Visit("a", 3), once(6)])
@given(histories(deletions, removals, any_edits, creations, backups))
def test_deletions_and_edits_do_not_lower_the_total(steps: list[Step]) -> None:
    world = run(World(), steps)
    world.drain()
    assert world.total == world.visits
    check(world)


@settings(max_examples=500 * TIMES)
@example([Visit("a", 10), once(10), delete("a"), lose(1), Visit("a", 6)])
@example([Visit("a", 10), lose(10), delete("a")])
@example([Visit("a", 5), once(5), delete("a"), Visit("a", 3), lose(4)])
@example([Visit("a", 10), once(10), SetCount("a", 0), Visit("a", 6)])
@example([Visit("a", 3), once(3), SAVE, delete("a"), once(1), Undelete("a"), Visit("a", 1)])
@given(histories(deletions, removals, losses, edits, backups, reconciliations))
def test_lost_records_cost_only_visits_that_nobody_can_know(steps: list[Step]) -> None:
    check(run(World(), steps))


@settings(max_examples=300 * TIMES)
@given(histories(deletions, removals, losses, edits, reconciliations))
def test_without_old_images_the_total_matches_the_records(steps: list[Step]) -> None:
    world = run(World(old_images=False), steps)
    last = world.settle()
    assert last.behind == 0
    assert world.total == world.oracle.total <= world.visits


@settings(max_examples=400 * TIMES)
@example([Visit("a", 5), once(5), delete("a"), once(1), Damage("deleted")])
@example([Visit("a", 2), once(2), SAVE, Visit("a", 2), once(2), Damage("older copy"), Visit("a", 1)])
@given(histories(deletions, removals, losses, backups, damages, reconciliations))
def test_a_damaged_total_is_restored_including_deleted_tags(steps: list[Step]) -> None:
    check(run(World(), steps))


@settings(max_examples=300 * TIMES)
@example([Visit("a", 10), once(10)], [Visit("a", 1)])
@given(histories(deletions, damages, max_steps=8), histories(deletions, losses, reconciliations, max_steps=8))
def test_an_emptied_ledger_is_filled_again(before: list[Step], after: list[Step]) -> None:
    world = run(World(), before)
    gone = world.visits - sum(world.counts.values())
    run(world, [EMPTY_LEDGER, *after])
    last = world.settle()
    assert last.behind == 0
    assert world.total == world.oracle.total
    assert world.total <= world.visits
    # Only visits of tags deleted before then may be missing.
    assert gone or world.lost or world.total == world.visits


@settings(max_examples=200 * TIMES)
@given(
    histories(deletions, backups, damages, max_steps=8),
    st.booleans(),
    histories(deletions, losses, edits, reconciliations, max_steps=8),
)
def test_the_total_of_a_restored_table_is_that_of_its_tags(
    before: list[Step], saved_late: bool, after: list[Step]
) -> None:
    world = run(World(), before)
    if saved_late:
        world.save()
    moved = world.counter.get("Epoch") != world.backup.get("COUNTER", {}).get("Epoch")
    world.restore("restored")
    if moved and "COUNTER" in world.backup and world.store.items(LEDGER):
        world.take_over()
    run(world, after)
    check(world)


@settings(max_examples=200 * TIMES)
@given(
    histories(max_steps=5),
    st.dictionaries(st.sampled_from(["a", "b", "old"]), st.integers(0, 50)),
    st.none() | st.integers(0, 99),
    histories(deletions, losses, edits, reconciliations),
)
@example([Visit("a", 2), once(2)], {"a": 50}, 50, [Visit("a", 3), once(3), Visit("a", 1)])
def test_the_total_includes_the_history_of_an_adopted_table(
    before: list[Step], history: dict[str, int], views: int | None, after: list[Step]
) -> None:
    world = run(World(), before)
    items = {tag: {"ID": {"S": tag}, "Count": {"N": str(count)}} for tag, count in history.items()}
    if views is not None:
        items["COUNTER"] = {"ID": {"S": "COUNTER"}, "TotalViews": {"N": str(views)}}
    world.store.create("adopted", streamed=True)
    world.store.created["adopted"] = LONG_AGO
    world.adopt("adopted", items)
    run(world, after)
    check(world)


def test_a_total_that_another_ledger_maintains_is_refused_and_stays_exact() -> None:
    world = World()
    world.visit("a")
    world.drain()
    other = World(world.store, prefix="other-")
    other.table = TABLE
    second, *_ = other.warm = [other.processor(), other.processor()]
    world.watch()
    world.visit("a")
    for _ in range(2):
        with pytest.raises(TotalOwnershipError, match=r"Ledger 'visits-ledger', not 'other-.*--take-over"):
            other.deliver(world.stream, second)
    world.drain()
    check(world)
    other.take_over()
    other.settle()
    assert other.total == 2
    world.visit("a")
    with pytest.raises(TotalOwnershipError, match="'other-visits-ledger'"):
        world.deliver(world.stream, world.warm[0])


def test_a_ledger_that_moved_to_another_table_refuses_the_first() -> None:
    world = World()
    world.visit("a")
    world.drain()
    first, table = world.warm[0], world.table
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {"b": {"ID": {"S": "b"}, "Count": {"N": "5"}}})
    world.visit("b")
    world.drain()
    records = world.store.records(table)
    world.store.put(table, {"ID": {"S": "a"}, "Count": {"N": "9"}})
    with pytest.raises(TotalOwnershipError, match=r"now maintains the total of '.*adopted@"):
        world.deliver(records, first)
    check(world)


class StaleMarkerClient:
    """A client that returns an old marker of the ledger in the next `times` reads with `method`."""

    def __init__(self, store: Any) -> None:
        self._store, self._left = store, 0

    def replay(self, marker: Any, method: str, times: int) -> None:
        self._marker, self._method, self._left = marker, method, times

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            answer = getattr(self._store, name)(**request)
            ledger = request.get("TableName", LEDGER) == LEDGER
            if self._left and name == self._method and ledger:
                self._left -= 1
                if name == "get_item":
                    return {"Item": self._marker}
                found = [item for item in answer["Responses"][LEDGER] if item["ID"]["S"] != "COUNTER"]
                return answer | {"Responses": {LEDGER: [*found, self._marker]}}
            return answer

        return call


def test_an_entry_that_now_belongs_to_another_table_is_not_overwritten() -> None:
    world = World()
    world.visit("a")
    client, table = StaleMarkerClient(world.store), world.table
    first = world.warm[0] = Total(client, table, LEDGER)
    world.drain()
    marker = dict(world.store.items(LEDGER)["COUNTER"])
    world.visit("a")
    records = list(world.stream)
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {"a": {"ID": {"S": "a"}, "Count": {"N": "3"}}})
    world.visit("a")
    world.drain()
    before = dict(world.store.items(LEDGER)["a"]), dict(world.store.items(table)["COUNTER"])
    client.replay(marker, "batch_get_item", 99)
    with pytest.raises(TotalOwnershipError, match="now maintains the total of"):
        world.deliver(records, first)
    assert (world.store.items(LEDGER)["a"], world.store.items(table)["COUNTER"]) == before
    check(world)
    assert world.total == 4


def test_a_ledger_that_moves_to_this_table_while_it_is_read_is_not_refused() -> None:
    world = World()
    world.visit("a")
    world.drain()
    marker = dict(world.store.items(LEDGER)["COUNTER"])
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {})
    world.visit("a")
    world.drain()
    world.visit("a")
    client = StaleMarkerClient(world.store)
    client.replay(marker, "get_item", 1)
    world.deliver(world.stream[world.done :], Total(client, world.table, LEDGER))
    assert world.total == 2


def test_records_of_another_table_are_skipped(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.visit("a")
    earlier = list(world.stream)
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {})
    world.visit("a")
    world.visit("a")
    with caplog.at_level(logging.WARNING, "functions"):
        world.deliver(earlier, world.warm[0])
    world.drain()
    assert world.total == 2
    assert "records of another table skipped" in caplog.text


def test_records_of_an_earlier_table_of_the_same_name_are_skipped() -> None:
    world = World()
    world.visit("a")
    earlier = list(world.stream)
    world.drain()
    world.store.create(TABLE, streamed=True)
    world.adopt(TABLE, {})
    world.visit("a")
    world.deliver(earlier, world.warm[0])
    check(world)
    assert world.total == 1


def test_a_crash_between_the_transactions_of_a_batch_is_harmless() -> None:
    world = World()
    for number in range(250):
        world.visit(f"tag {number}")
    Deliver((Batch(0, 250, (), 2),), (), 5, "crash after").happen(world)
    assert world.done == 0
    assert world.total == 99
    world.drain(size=250)
    assert world.total == 250
