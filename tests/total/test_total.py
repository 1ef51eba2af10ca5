"""The total is exact: whatever happens, `TotalViews` ends at the number of visits that anybody can know of.

Each history is a list of steps; deliveries interleave at every call, crash, lose answers, are throttled and conflict.
The oracle in `world` says what the total has to be. If no record was lost, that is the number of visits recorded.
"""

import logging
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from functions.total.totals import TotalKeptElsewhereError
from tests.total.steps import (
    Batch,
    Damage,
    Delete,
    Deliver,
    EmptyLedger,
    Lose,
    PutBack,
    Save,
    SetCount,
    Step,
    Visit,
    any_edits,
    backups,
    creations,
    damages,
    deletions,
    deliveries,
    edits,
    losses,
    reconciliations,
    visits,
)
from tests.total.world import LEDGER, TABLE, World

TIMES = int(os.environ.get("HISTORIES", "1"))
"""How many times as many histories to run as usual; with HYPOTHESIS_PROFILE=explore they are new ones every time."""

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def run(world: World, steps: list[Step]) -> World:
    note(repr(steps))
    for step in steps:
        step.happen(world)
    return world


def check(world: World) -> None:
    """Deliver what is left, and hold the total against the oracle."""
    last = world.settle()
    assert last.behind == 0
    assert last.drift == 0
    assert world.total == world.oracle.total
    assert world.total <= world.visits
    if not world.lost:
        assert world.total == world.visits
    assert "Rebuilding" not in world.counter


def once(*numbers: int) -> Deliver:
    """Deliver the next records, as many as the number, one batch after another, nothing amiss."""
    return Deliver(tuple(Batch(0, number, (), 0) for number in numbers), (), 99, "throttle")


def histories(*more: st.SearchStrategy[Step], longest: int = 16) -> st.SearchStrategy[list[Step]]:
    """Draw histories of visits, deliveries and whatever else is given."""
    return st.lists(st.one_of(visits, deliveries, *more), max_size=longest)


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
@example([Visit("a", 5), Delete("a"), Visit("a", 3), once(6)])
@given(histories(deletions, any_edits, creations, backups))
def test_deletions_and_edits_take_nothing_from_the_total(steps: list[Step]) -> None:
    world = run(World(), steps)
    world.drain()
    assert world.total == world.visits
    check(world)


@settings(max_examples=500 * TIMES)
@example([Visit("a", 10), once(10), Delete("a"), Lose(1), Visit("a", 6)])
@example([Visit("a", 10), Lose(10), Delete("a")])
@example([Visit("a", 5), once(5), Delete("a"), Visit("a", 3), Lose(4)])
@example([Visit("a", 10), once(10), SetCount("a", 0), Visit("a", 6)])
@example([Visit("a", 3), once(3), Save(), Delete("a"), once(1), PutBack("a"), Visit("a", 1)])
@given(histories(deletions, losses, edits, backups, reconciliations))
def test_lost_records_take_only_what_nobody_can_know(steps: list[Step]) -> None:
    check(run(World(), steps))


@settings(max_examples=300 * TIMES)
@given(histories(deletions, losses, edits, reconciliations))
def test_without_old_images_the_total_holds_what_the_records_say(steps: list[Step]) -> None:
    world = run(World(old_images=False), steps)
    last = world.settle()
    assert last.behind == 0
    assert world.total == world.oracle.total <= world.visits


@settings(max_examples=400 * TIMES)
@example([Visit("a", 5), once(5), Delete("a"), once(1), Damage("deleted")])
@example([Visit("a", 2), once(2), Save(), Visit("a", 2), once(2), Damage("older copy"), Visit("a", 1)])
@given(histories(deletions, losses, backups, damages, reconciliations))
def test_a_damaged_total_comes_back_whole_deleted_tags_included(steps: list[Step]) -> None:
    check(run(World(), steps))


@settings(max_examples=300 * TIMES)
@example([Visit("a", 10), once(10)], [Visit("a", 1)])
@given(histories(deletions, damages, longest=8), histories(deletions, losses, reconciliations, longest=8))
def test_an_emptied_ledger_is_filled_again(before: list[Step], after: list[Step]) -> None:
    world = run(World(), before)
    gone = world.visits - sum(world.counts.values())
    run(world, [EmptyLedger(), *after])
    last = world.settle()
    assert last.behind == 0
    assert world.total == world.oracle.total
    assert world.total <= world.visits
    # Only the visits of tags deleted before then may be missing.
    assert gone or world.lost or world.total == world.visits


@settings(max_examples=200 * TIMES)
@given(
    histories(deletions, backups, damages, longest=8),
    st.booleans(),
    histories(deletions, losses, edits, reconciliations, longest=8),
)
def test_a_restored_table_is_counted_as_it_is(before: list[Step], saved_late: bool, after: list[Step]) -> None:
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
    histories(longest=5),
    st.dictionaries(st.sampled_from(["a", "b", "old"]), st.integers(0, 50)),
    st.none() | st.integers(0, 99),
    histories(deletions, losses, edits, reconciliations),
)
@example([Visit("a", 2), once(2)], {"a": 50}, 50, [Visit("a", 3), once(3), Visit("a", 1)])
def test_an_adopted_table_brings_its_history(
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


def test_a_total_that_another_ledger_keeps_is_refused_and_stays_exact() -> None:
    world = World()
    world.visit("a")
    world.drain()
    other = World(world.store, prefix="other-")
    other.table = TABLE
    second, *_ = other.warm = [other.processor(), other.processor()]
    world.watch()
    world.visit("a")
    for _ in range(2):
        with pytest.raises(TotalKeptElsewhereError, match=r"kept by the ledger 'visits-ledger'.* --take-over"):
            other.deliver(world.stream, second)
    world.drain()
    check(world)
    other.take_over()
    other.settle()
    assert other.total == 2
    world.visit("a")
    with pytest.raises(TotalKeptElsewhereError, match="'other-visits-ledger'"):
        world.deliver(world.stream, world.warm[0])


def test_a_ledger_that_went_on_to_another_table_refuses_the_first() -> None:
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
    with pytest.raises(TotalKeptElsewhereError, match=r"keeps the total of '.*adopted@"):
        world.deliver(records, first)
    check(world)


class Torn:
    """A client that gives the ledger's marker as it was, once or always, beside everything else as it is."""

    def __init__(self, store: Any, marker: Any, calls: tuple[str, ...], times: int) -> None:
        self._store, self._marker, self._calls, self._left = store, marker, calls, times

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            answer = getattr(self._store, name)(**request)
            ledger = request.get("TableName", LEDGER) == LEDGER
            if name in self._calls and ledger and self._left:
                self._left -= 1
                if name == "get_item":
                    return {"Item": self._marker}
                found = [item for item in answer["Responses"][LEDGER] if item["ID"]["S"] != "COUNTER"]
                return answer | {"Responses": {LEDGER: [*found, self._marker]}}
            return answer

        return call


def test_an_entry_that_another_table_has_by_now_is_not_overwritten() -> None:
    world = World()
    world.visit("a")
    first, table = world.warm[0], world.table
    world.drain()
    marker = dict(world.store.items(LEDGER)["COUNTER"])
    world.visit("a")
    records = list(world.stream)
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {"a": {"ID": {"S": "a"}, "Count": {"N": "3"}}})
    world.visit("a")
    world.drain()
    before = dict(world.store.items(LEDGER)["a"]), dict(world.store.items(table)["COUNTER"])
    first._client = Torn(world.store, marker, ("batch_get_item",), 99)
    with pytest.raises(TotalKeptElsewhereError, match="keeps the total of"):
        world.deliver(records, first)
    assert (world.store.items(LEDGER)["a"], world.store.items(table)["COUNTER"]) == before
    check(world)
    assert world.total == 4


def test_a_ledger_that_moves_here_while_it_is_read_is_not_refused() -> None:
    world = World()
    world.visit("a")
    world.drain()
    marker = dict(world.store.items(LEDGER)["COUNTER"])
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {})
    world.visit("a")
    world.drain()
    world.visit("a")
    late = world.processor()
    late._client = Torn(world.store, marker, ("get_item",), 1)
    world.deliver(world.stream[world.done :], late)
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


def test_a_batch_of_many_tags_is_cut_into_transactions_and_a_crash_between_them_is_harmless() -> None:
    world = World()
    for number in range(250):
        world.visit(f"tag {number}")
    Deliver((Batch(0, 250, (), 2),), (), 5, "crash after").happen(world)
    assert world.done == 0
    assert world.total == 99
    world.drain(size=250)
    assert world.total == 250
