"""A total that is spread over several items is as exact as one item, and each of them is guarded as `COUNTER` is."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from functions.dynamodb.tables import SPREAD, is_total, item_key, name_of
from functions.total.totals import Total
from functions.view_counts import view_total
from tests.total.requests import Requests
from tests.total.test_ownership import StaleMarkerClient
from tests.total.test_total import check
from tests.total.world import LEDGER, TABLE, World, ample_budget, interleave


def total_keys(world: World) -> list[str]:
    return [key for key in world.store.items(TABLE) if is_total(key)]


def spread_world(items: int, visits: int = 30) -> World:
    """Return a world whose total is spread over `items`, all of which hold something."""
    world = World()
    world.spread_total(items)
    for index in range(visits):
        world.visit(f"tag {index}")
    world.drain(size=1)
    assert len(total_keys(world)) == items
    assert all(world.store.items(TABLE)[key]["TotalViews"]["N"] != "0" for key in total_keys(world))
    return world


def test_one_item_of_the_total_takes_the_requests_that_it_always_took() -> None:
    world = World()
    requests = Requests(world.store)
    total = Total(requests, TABLE, LEDGER)
    world.visit("a")
    world.deliver(world.stream, total)
    takeover, batch = (request["TransactItems"] for name, request in requests.sent if name == "transact_write_items")
    assert (len(takeover), len(batch)) == (2, 2)
    assert requests.names == [
        *("describe_table", "batch_get_item", "get_item", "get_item", "transact_write_items", "transact_write_items")
    ]
    world.visit("a")
    world.deliver(world.stream[-1:], total)
    assert requests.names == ["batch_get_item", "transact_write_items"]
    assert set(world.counter) == {"ID", "TotalViews", "Held", "UpdatedAt", "Ledger", "Epoch"}
    assert view_total(requests, TABLE, ample_budget())["total"] == 2
    assert [len(request["RequestItems"][TABLE]["Keys"]) for _, request in requests.sent] == [1]
    world.take_over()
    world.visit("a")
    requests.names  # noqa: B018 - forgets what was sent
    world.deliver(world.stream[-1:], total)
    assert requests.names == ["batch_get_item", "get_item", "get_item", "transact_write_items"]


def test_a_transaction_adds_to_one_item_of_the_total() -> None:
    world = spread_world(4)
    written: list[str] = []
    world.store.committed = lambda updates: written.extend(each["Key"]["ID"]["S"] for each in updates)
    for _ in range(40):
        world.visit("a")
    calls: list[str] = []
    world.store.before = calls.append
    world.drain(size=1)
    assert set(calls) == {"batch_get_item", "transact_write_items"}
    keys = [key for key in written if name_of(key) == "COUNTER"]
    assert len(keys) == 40
    assert set(keys) == set(total_keys(world))
    assert written.count("a") == 40


def test_the_total_stays_the_same_when_its_items_become_more_or_fewer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "functions.total")
    world = spread_world(3)
    epoch = world.counter["Epoch"]
    for items in (5, 50, 2, 1, 4):
        world.spread_total(items, running=1)
        for _ in range(4):
            world.visit("a")
            world.deliver(world.stream[-1:], world.processor())
        assert world.shown == {"total": world.visits, "asOf": world.shown["asOf"]}
    assert world.counter["Epoch"] == epoch
    assert world.counter[SPREAD] == {"N": "50"}
    spreads = [vars(record) for record in caplog.records if record.getMessage() == "total spread"]
    assert [(each["epoch"], each["items"]) for each in spreads] == [(epoch["S"], 5), (epoch["S"], 50)]
    assert len(total_keys(world)) == 50


class Paused:
    """A client that does something else before its next transaction."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.meanwhile: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "transact_write_items" and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return getattr(self._store, name)


@pytest.mark.parametrize("lost", [[], [1], [1, 2]])
def test_a_batch_that_began_before_a_takeover_adds_to_no_item_that_nobody_reads(
    lost: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.total.totals.random.randrange", lambda items: items - 1)
    world = World()
    world.spread_total(4)
    client = Paused(world.store)
    running = Total(client, TABLE, LEDGER, 4)
    world.visit("a")
    world.deliver(world.stream, running)
    # A tag whose whole life is in one batch has no later record that could make up for it.
    start = len(world.stream)
    world.visit("short-lived")
    world.delete("short-lived")
    records = world.stream[start:]

    def rebuild() -> None:
        for index in (0, *lost):
            world.store.delete(TABLE, item_key("COUNTER", index))
        world.spread_total(1)
        world.done = len(world.stream)
        assert world.settle().behind == 0
        assert world.shown == {"total": 1, "asOf": world.shown["asOf"]}

    client.meanwhile = rebuild
    world.deliver(records, running)
    assert world.shown == {"total": 2, "asOf": world.shown["asOf"]}
    assert len(total_keys(world)) == 4


def test_a_total_of_which_an_item_is_left_is_not_a_new_one() -> None:
    world = spread_world(3)
    world.empty_ledger()
    world.store.delete(TABLE, "COUNTER")
    world.visit("b")
    world.deliver(world.stream[-1:], world.processor())
    assert world.shown["rebuilding"] is True
    check(world)


def test_a_young_total_that_was_deleted_with_its_ledger_comes_back_with_a_reconciliation() -> None:
    world = spread_world(1)
    world.empty_ledger()
    world.store.delete(TABLE, "COUNTER")
    world.visit("b")
    world.drain()
    # Nothing tells it from the total of a new table.
    assert (world.total, "rebuilding" in world.shown) == (1, False)
    check(world)
    assert world.total == 31


def test_an_item_that_is_put_back_with_its_old_epoch_takes_no_visit_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.total.totals.random.randrange", lambda items: items - 1)
    world = World()
    world.spread_total(2)
    client = StaleMarkerClient(world.store)
    world.visit("a")
    old = Total(client, TABLE, LEDGER, 2)
    world.deliver(world.stream, old)
    marker = dict(world.store.items(LEDGER)["COUNTER"])
    records = list(world.stream)
    second = dict(world.store.items(TABLE)[item_key("COUNTER", 1)])
    for index in (0, 1):
        world.store.delete(TABLE, item_key("COUNTER", index))
    world.visit("a")
    world.deliver(world.stream, Total(world.store, TABLE, LEDGER))
    # Somebody puts the second item back, with the old epoch.
    world.store.put(TABLE, second)
    world.visit("a")
    client.replay(marker, "batch_get_item", 1)
    world.deliver([*records, world.stream[-1]], old)
    world.visit("a")
    world.deliver(world.stream[-1:], world.processor())
    assert world.total == 4


def test_records_of_the_total_are_ignored() -> None:
    world = spread_world(3)
    own = [each for each in world.stream if is_total(each["dynamodb"]["Keys"]["ID"]["S"])]
    assert len({each["dynamodb"]["Keys"]["ID"]["S"] for each in own}) == 3
    world.deliver(own, world.processor())
    assert [key for key in world.store.items(LEDGER) if is_total(key)] == ["COUNTER"]


def test_a_total_whose_items_change_while_they_are_read_is_not_taken_over() -> None:
    world = spread_world(1, visits=1)
    more = [Total(world.store, TABLE, LEDGER, items) for items in (2, 4, 4)]
    epoch = world.counter["Epoch"]
    for index in range(3):
        world.visit(f"tag {index}")
    records = world.stream[-3:]
    for seed in range(60):
        jobs = [lambda each=each: world.deliver(records, each) for each in more]
        ends = interleave(world.store, jobs, iter(partial(random.Random(seed).randrange, 3), None))
        assert ends == [None] * 3
        assert world.counter["Epoch"] == epoch
        more = [world.processor() for _ in more]
        world.total_items = min(50, world.total_items + 1)
    assert world.total == 4
