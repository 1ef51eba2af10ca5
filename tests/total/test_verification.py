"""A comparison of counts, ledger and total finds every visit that is not in the total, and nothing else."""

import copy

import pytest
from hypothesis import given, settings

from functions.total.ledger import Ownership
from functions.total.records import read_batch
from functions.total.verification import Findings, Verification
from tests.share import times
from tests.total.requests import Requests
from tests.total.steps import RECONCILE, Damage, Step, Undelete, creations, damages, deletions, edits, losses
from tests.total.test_total import histories, once, run
from tests.total.world import World, ample_budget


def verify(world: World) -> Findings:
    """Compare, and hold that nothing was written."""
    before = copy.deepcopy(world.store.tables)
    *_, found = Verification(world.store, world.table, world.ledger).run(ample_budget())
    assert world.store.tables == before
    return found


@settings(max_examples=times(200))
@given(histories(deletions, losses, edits, creations, damages))
def test_after_a_reconciliation_everything_agrees(steps: list[Step]) -> None:
    world = run(World(), steps)
    world.settle()
    found = verify(world)
    assert found.is_sum
    assert (found.behind, found.outdated, found.missing) == ({}, 0, 0)
    assert found.given == found.after == world.total
    assert (found.tags, found.visits) == (len(world.counts), sum(world.counts.values()))
    assert found.counted == found.visits


@settings(max_examples=times(200))
@given(histories(max_steps=10))
def test_visits_on_their_way_are_found_and_seen_to_arrive(steps: list[Step]) -> None:
    world = run(World(), steps)
    world.visit("a")
    found = verify(world)
    assert found.missing == found.visits - found.counted == world.visits - world.total
    assert found.claim.ownership is Ownership.UNOWNED or found.is_sum
    verification = Verification(world.store, world.table, world.ledger)
    world.drain()
    assert set(verification.arrived(found.behind, ample_budget())) == set(found.behind)


def test_a_visit_is_held_only_once_the_total_has_it() -> None:
    world = World()
    count = world.visit("a")
    verification = Verification(world.store, world.table, world.ledger)
    assert not verification.holds("a", count, ample_budget())
    world.drain()
    assert verification.holds("a", count, ample_budget())
    assert not verification.holds("a", count + 1, ample_budget())
    # The entry of an earlier life counted more than the first visit of the next.
    world.delete("a")
    assert not verification.holds("a", world.visit("a"), ample_budget())
    world.drain()
    assert verification.holds("a", 1, ample_budget())
    Damage("deleted").happen(world)
    assert not verification.holds("a", 1, ample_budget())


def test_a_visit_of_a_spread_tag_is_held_with_the_right_to_read_single_items() -> None:
    world = World()
    world.spread(3)
    count = max(world.visit("a") for _ in range(20))
    assert len(world.store.items(world.table)) == 3
    requests = Requests(world.store)
    verification = Verification(requests, world.table, world.ledger)
    assert not verification.holds("a", count, ample_budget())
    world.drain()
    requests.names  # noqa: B018 - forgets what was sent
    assert verification.holds("a", count, ample_budget())
    assert {name for name, sent in requests.sent if sent.get("TableName") == world.table} == {"get_item"}
    assert [list(sent["RequestItems"]) for name, sent in requests.sent if name == "batch_get_item"] == [[world.ledger]]


def test_a_lost_visit_does_not_arrive_by_itself() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.visit("a")
    world.lose(1)
    found = verify(world)
    verification = Verification(world.store, world.table, world.ledger)
    world.drain()
    assert (found.missing, verification.arrived(found.behind, ample_budget())) == (1, [])
    RECONCILE.happen(world)
    world.drain()
    assert verification.arrived(found.behind, ample_budget()) == ["a"]


def test_a_warm_processor_learns_that_its_table_was_created_again() -> None:
    world = World()
    warm = world.warm
    world.visit("a")
    world.drain()
    world.store.create(world.table, streamed=True)
    world.adopt(world.table, {})
    world.warm = warm
    world.visit("a")
    world.drain()
    assert (world.total, verify(world).claim.ownership) == (1, Ownership.OWNED)


def test_a_changed_total_is_not_the_sum_of_the_ledger() -> None:
    world = World()
    world.visit("a")
    once(1).happen(world)
    counter = world.store.items(world.table)["COUNTER"]
    world.store.put(world.table, counter | {"TotalViews": {"N": "5"}, "Held": {"N": "5"}})
    found = verify(world)
    assert (found.is_sum, found.given, found.after) == (False, 1, 5)
    Damage("deleted").happen(world)
    assert verify(world).claim.ownership is Ownership.UNOWNED


def test_a_total_that_grows_while_the_ledger_is_read_still_agrees_with_it() -> None:
    world = World()
    world.visit("a")
    world.drain()
    running = Verification(world.store, world.table, world.ledger).run(ample_budget())
    next(running)
    world.visit("a")
    world.drain()
    *_, found = running
    assert (found.before, found.given, found.after, found.is_sum) == (1, 1, 2, True)


def test_a_total_that_is_taken_over_while_the_ledger_is_read_is_compared_from_the_start() -> None:
    world = World()
    world.visit("a")
    world.drain()
    running = Verification(world.store, world.table, world.ledger).run(ample_budget())
    first = next(running).claim.epoch
    world.take_over()
    *_, found = running
    assert found.claim.epoch != first
    assert (found.entries, found.outdated, found.given, found.after) == (1, 1, 0, 0)


def test_each_page_of_the_ledger_and_of_the_table_is_reported() -> None:
    world = World()
    for tag in "abc":
        world.visit(tag)
    world.drain()
    running = Verification(world.store, world.table, world.ledger).run(ample_budget())
    assert [(found.entries, found.tags) for found in running] == [(2, 0), (3, 0), (3, 0), (3, 3)]


@pytest.mark.parametrize("how", ["deleted", "tutorial", "text", "number", "taken over"])
def test_what_no_total_has_is_neither_held_nor_applied(how: str) -> None:
    world = World()
    world.visit("a")
    changes = read_batch({"Records": world.stream}).changes
    verification = Verification(world.store, world.table, world.ledger)
    world.drain()
    assert verification.holds("a", 1, ample_budget())
    assert verification.unapplied(changes, ample_budget()) == []
    if how == "taken over":
        world.take_over()
    else:
        Damage(how).happen(world)
    assert not verification.holds("a", 1, ample_budget())
    assert verification.unapplied(changes, ample_budget()) == ["a"]
    world.settle()
    assert verification.holds("a", 1, ample_budget())
    assert verification.unapplied(changes, ample_budget()) == []


def test_a_visit_of_a_restored_tag_is_held_once_its_record_has_arrived() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.save()
    world.delete("a")
    world.drain()
    Undelete("a").happen(world)
    verification = Verification(world.store, world.table, world.ledger)
    assert not verification.holds("a", 1, ample_budget())
    world.drain()
    assert verification.holds("a", 1, ample_budget())


def test_changes_are_unapplied_until_the_last_one_of_their_tag_or_a_later_one_is_applied() -> None:
    world = World()
    for tag in ("a", "b", "b"):
        world.visit(tag)
    records = list(world.stream)
    changes = read_batch({"Records": records}).changes
    verification = Verification(world.store, world.table, world.ledger)
    missing = [verification.unapplied(changes, ample_budget())]
    for record in records:
        world.deliver([record], world.warm[0])
        missing.append(verification.unapplied(changes, ample_budget()))
    assert missing == [["a", "b"], ["b"], ["b"], []]
    world.visit("a")
    world.drain()
    assert verification.unapplied(changes, ample_budget()) == []


def test_only_valid_entries_of_this_table_are_added_up() -> None:
    world = World()
    world.visit("a")
    world.visit("b")
    world.drain()
    entries = world.store.items(world.ledger)
    world.store.put(world.ledger, entries["a"] | {"ID": {"S": "elsewhere"}, "Epoch": {"S": "another-epoch"}})
    world.store.put(world.ledger, {name: value for name, value in entries["b"].items() if name != "Stream"})
    found = verify(world)
    assert (found.entries, found.outdated, found.given, found.after) == (1, 0, 1, 2)
    assert set(found.behind) == {"b"}


def test_a_tag_of_another_life_or_another_total_has_arrived_only_once_its_entry_moved() -> None:
    world = World()
    for tag in ("recreated", "deleted", "lowered", "visited"):
        world.visit(tag)
    world.drain()
    world.delete("recreated")
    world.visit("recreated")
    world.visit("deleted")
    world.put_count("lowered", 0)
    world.visit("visited")
    behind = verify(world).behind
    verification = Verification(world.store, world.table, world.ledger)
    assert set(behind) == {"recreated", "deleted", "lowered", "visited"}
    assert verification.arrived(behind, ample_budget()) == []
    world.delete("deleted")
    world.drain()
    assert set(verification.arrived(behind, ample_budget())) == set(behind)
    world.take_over()
    assert verification.arrived(behind, ample_budget()) == []
    # In a new epoch, entries arrive without a record.
    behind = verify(world).behind
    assert set(behind) == {"recreated", "lowered", "visited"}
    world.reconcile()
    assert set(verification.arrived(behind, ample_budget())) == set(behind)


def test_an_entry_that_ended_or_began_another_life_has_passed_every_visit_of_the_life_before() -> None:
    world = World(old_images=False)
    for tag in ("deleted", "recreated"):
        world.visit(tag)
        world.drain()
        world.visit(tag)
        world.visit(tag)
        world.lose(2)
    behind = verify(world).behind
    verification = Verification(world.store, world.table, world.ledger)
    world.delete("deleted")
    world.drain()
    assert verification.arrived(behind, ample_budget()) == ["deleted"]
    world.delete("recreated")
    world.lose(1)
    world.visit("recreated")
    world.drain()
    assert set(verification.arrived(behind, ample_budget())) == {"deleted", "recreated"}
