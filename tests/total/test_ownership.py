"""Which ledger maintains a total: others are refused, and records and entries of other tables are left alone."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.total.ledger import Change, Image, Ownership, Position
from functions.total.ownership import Claim, LedgerClaim, TableDescription, TotalOwnershipError
from functions.total.records import read_batch
from functions.total.totals import Total
from tests.total.requests import Requests
from tests.total.store import ARN
from tests.total.test_total import check
from tests.total.world import LEDGER, TABLE, World, ample_budget


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
    calls: list[str] = []
    world.store.before = calls.append
    with caplog.at_level(logging.WARNING, "functions"):
        world.deliver(earlier, world.warm[0])
    # A mapping of another table's stream must not claim the total.
    assert set(calls) == {"describe_table"}
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


def test_of_a_mixed_batch_only_the_records_of_other_tables_are_skipped(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.visit("a")
    world.visit("elsewhere")
    earlier = list(world.stream)
    world.store.create("adopted", streamed=True)
    world.adopt("adopted", {})
    world.visit("a")
    world.visit("b")
    with caplog.at_level(logging.WARNING, "functions"):
        world.deliver([*earlier, *world.stream], world.warm[0])
    assert world.total == 2
    assert "elsewhere" not in world.store.items(LEDGER)
    (line,) = [vars(record) for record in caplog.records if "skipped" in record.getMessage()]
    assert (line["skipped"], line["streamsOf"]) == (2, [ARN + TABLE])
    # A tag without changes is no record of another table: it is brought into a new epoch.
    world.take_over()
    changes = {"a": (), "b": (), **read_batch({"Records": earlier[1:]}).changes}
    assert world.warm[0].apply(changes, ample_budget()).delta == 2
    assert world.total == 2


@pytest.mark.parametrize(
    ("label", "own"),
    [
        ("2026-05-01T12:00:00.000", True),
        ("2026-05-01T11:59:00.000", True),
        ("2026-05-01T11:58:59.999", False),
        ("2026-04-01T12:00:00.000", False),
        ("2026-06-01T12:00:00.000", True),
    ],
)
def test_a_stream_that_began_before_its_table_was_created_belongs_to_an_earlier_one(label: str, own: bool) -> None:
    created = datetime(2026, 5, 1, 12, tzinfo=UTC)
    description = TableDescription(ARN + TABLE, created, "2026-05-02T12:00:00.000", items=3)
    change = Change("a", ARN + TABLE, Position(label, 1), "1", "INSERT", None, Image(1))
    assert description.owns(change) == own
    # The clocks of tables and streams may differ, but the stream that a table names is its own.
    assert replace(description, stream=label).owns(change)
    assert not replace(description, arn=ARN + "other", stream=label).owns(change)


def test_an_inspection_shows_who_maintains_the_total_and_what_can_be_read_of_it() -> None:
    world = World()
    requests = Requests(world.store)
    claim = LedgerClaim(requests, TABLE, LEDGER)
    assert claim.inspect() == Claim(Ownership.UNOWNED, "", "", None, "", rebuilding=False)
    assert requests.names == ["get_item", "get_item", "describe_table"]
    world.store.put(TABLE, {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}})
    assert claim.inspect() == Claim(Ownership.UNOWNED, "", "", 7, "", rebuilding=False)
    world.visit("a")
    world.drain()
    epoch, updated = (world.counter[name]["S"] for name in ("Epoch", "UpdatedAt"))
    assert claim.inspect() == Claim(Ownership.OWNED, LEDGER, epoch, 1, updated, rebuilding=True)
    world.settle()
    assert claim.inspect() == Claim(Ownership.OWNED, LEDGER, epoch, 1, updated, rebuilding=False)


@pytest.mark.parametrize("lost", ["Epoch", "Table"])
def test_a_marker_that_lost_an_attribute_vouches_for_no_total(lost: str) -> None:
    world = World()
    world.visit("a")
    world.drain()
    epoch, marker = world.counter["Epoch"], world.store.items(LEDGER)["COUNTER"]
    world.store.put(LEDGER, {name: value for name, value in marker.items() if name != lost})
    world.visit("a")
    world.deliver(world.stream[-1:], world.processor())
    assert world.counter["Epoch"] != epoch
    check(world)


@pytest.mark.parametrize("value", [None, {"S": "many"}])
def test_a_total_whose_numbers_are_both_unreadable_is_taken_over(value: Any) -> None:
    world = World()
    world.visit("a")
    world.drain()
    counter = {"ID": {"S": "COUNTER"}, **world.counter, "TotalViews": value, "Held": value}
    world.store.put(TABLE, {name: value for name, value in counter.items() if value})
    world.visit("a")
    world.deliver(world.stream[-1:], world.processor())
    check(world)
    assert world.total == 2
