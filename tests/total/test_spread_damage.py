"""Damage of a total that is spread over several items is found, shown, and repaired by a takeover."""

import pytest

from functions.dynamodb.tables import SPREAD, item_key
from functions.total.verification import Verification
from functions.view_counts import Expected, view_total
from tests.total.steps import Damage
from tests.total.test_spread_total import spread_world, total_keys
from tests.total.test_total import check
from tests.total.world import LEDGER, TABLE, World, ample_budget


@pytest.mark.parametrize("how", ["deleted", "tutorial", "text", "number"])
def test_a_damaged_item_of_the_total_is_damage_of_the_total(how: str, caplog: pytest.LogCaptureFixture) -> None:
    world = spread_world(3)
    Damage(how, 2).happen(world)
    assert world.shown["rebuilding"] is True
    assert world.shown["total"] < 30
    verification = Verification(world.store, TABLE, LEDGER)
    *_, found = verification.run(ample_budget())
    assert not found.is_sum
    world.visit("a")
    with caplog.at_level("WARNING", "functions"):
        world.deliver(world.stream[-1:], world.processor())
    assert "total taken over" in caplog.text
    assert world.shown["rebuilding"] is True
    check(world)
    assert world.shown == {"total": 31, "asOf": world.shown["asOf"]}
    assert len(total_keys(world)) == 3


def test_an_older_copy_of_the_total_from_before_it_was_spread_is_found_out() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.save()
    world.spread_total(3)
    for _ in range(20):
        world.visit("a")
    world.drain(size=1)
    Damage("older copy").happen(world)
    epoch = world.counter["Epoch"]
    world.visit("b")
    world.deliver(world.stream[-1:], world.processor())
    assert world.counter["Epoch"] != epoch
    check(world)


def test_an_older_copy_of_a_further_item_is_found_by_reconcile() -> None:
    world = spread_world(2)
    world.save()
    for index in range(20):
        world.visit(f"tag {index}")
    world.drain(size=1)
    Damage("older copy", 1).happen(world)
    assert world.total < 50
    check(world)
    assert world.total == 50


def test_a_number_of_items_that_no_ledger_writes_is_damage() -> None:
    for spread in ({"N": "51"}, {"N": "0"}, {"N": "2"}, {"N": "9"}, {"S": "3"}):
        world = spread_world(3)
        world.store.put(TABLE, {"ID": {"S": "COUNTER"}, **world.counter, SPREAD: spread})
        world.visit("a")
        check(world)
        assert world.total == 31


@pytest.mark.parametrize("spread", [{"N": "0"}, {"N": "1"}, {"N": "-3"}, {"N": "51"}, {"S": "3"}])
def test_a_total_whose_number_of_items_is_damaged_does_not_pass_for_it(spread: dict[str, str]) -> None:
    world = spread_world(3)
    epoch = world.counter["Epoch"]
    world.store.put(TABLE, {"ID": {"S": "COUNTER"}, **world.counter, SPREAD: spread})
    assert world.shown["rebuilding"] is True
    world.spread_total(1)
    world.visit("a")
    world.deliver(world.stream[-1:], world.processor())
    assert world.counter["Epoch"] != epoch


def test_the_time_of_the_total_is_that_of_the_item_that_changed_last() -> None:
    world = spread_world(3)
    times = {}
    for index, time in enumerate(["2026-05-01", "2026-05-03", "2026-05-02"]):
        key = item_key("COUNTER", index)
        times[key] = {**world.store.items(TABLE)[key], "UpdatedAt": {"S": time}}
        world.store.put(TABLE, times[key])
    assert world.shown == {"total": 30, "asOf": "2026-05-03"}
    # The tutorial's total has no time, and an item may have lost its own.
    for key, item in times.items():
        world.store.put(TABLE, {name: value for name, value in item.items() if name != "UpdatedAt"})
        assert world.shown["asOf"] == {"COUNTER": "2026-05-03", item_key("COUNTER", 1): "2026-05-02"}.get(key)


def test_an_item_of_an_earlier_total_adds_nothing_to_this_one() -> None:
    world = spread_world(3)
    world.save()
    world.take_over()
    world.store.put(TABLE, world.backup[item_key("COUNTER", 1)])
    assert world.shown == {"total": 0, "asOf": world.shown["asOf"], "rebuilding": True}
    assert world.shown["asOf"] >= world.counter["UpdatedAt"]["S"]


@pytest.mark.parametrize("how", ["deleted", "tutorial", "text", "number"])
@pytest.mark.parametrize("items", [1, 2, 3])
def test_a_damaged_first_item_does_not_pass_for_the_total(how: str, items: int) -> None:
    world = spread_world(items)
    Damage(how).happen(world)
    shown = view_total(world.store, TABLE, ample_budget(), Expected(total=items))
    # What is left of a single item may be all that there ever was.
    assert shown.get("rebuilding", False) is (items > 1 or how in {"text", "number"})


def test_an_older_copy_from_before_the_total_was_spread_does_not_pass_for_it() -> None:
    world = spread_world(1)
    older = world.counter
    world.spread_total(2)
    world.visit("a")
    world.drain()
    assert "rebuilding" not in world.shown
    world.store.put(TABLE, older)
    assert view_total(world.store, TABLE, ample_budget(), Expected(total=2))["rebuilding"] is True
