"""Which ledger maintains a total: others are refused, and records and entries of other tables are left alone."""

import logging
from typing import Any

import pytest

from functions.total.ownership import TotalOwnershipError
from functions.total.totals import Total
from tests.total.test_total import check
from tests.total.world import LEDGER, TABLE, World


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
