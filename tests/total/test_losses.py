"""Lost records are found by a comparison and brought in by a rebuild; a damaged `COUNTER` is flagged until then."""

import pytest
from hypothesis import example, given, settings

from tests.share import times
from tests.total.histories import (
    check,
    damages,
    deletions,
    edits,
    histories,
    losses,
    older_copies,
    reconciliations,
    rolls,
    run,
    settle,
)
from tests.total.steps import DRAIN, SAVE, Damage, Deliver, Lose, Put, Step, Visit, delete
from tests.total.world import World


@settings(max_examples=times(300))
@given(histories(losses, reconciliations))
def test_reconcile_lost_visits(steps: list[Step]) -> None:
    world = run(World(), steps, rises=True)
    world.drain()
    found = world.compare()
    assert found.missing == world.oracle.truth - world.total
    assert (found.surplus, found.within) == (0, 0)
    check(world)
    assert world.oracle.unknowable == 0


@settings(max_examples=times(400))
@example([Visit("a", 10), DRAIN, delete("a"), Lose(0, 1), Visit("a", 6)])
@example([Visit("a", 10), Lose(0, 10), delete("a")])
@example([Visit("a", 5), DRAIN, delete("a"), Visit("a", 3), Lose(0, 4)])
@example([Visit("a", 10), DRAIN, Put("a", 0), Visit("a", 6)])
@given(histories(losses, deletions, edits, reconciliations))
def test_reconcile_lost_visits_and_deletions(steps: list[Step]) -> None:
    check(run(World(), steps))


@settings(max_examples=times(400))
@example([Visit("a", 5), DRAIN, delete("a"), DRAIN, Damage("deleted")])
@example([Visit("a", 5), Damage("tutorial"), Visit("a"), Deliver(9), Damage("number")])
@given(histories(deletions, edits, damages, rolls, reconciliations))
def test_reconcile_damaged_counter(steps: list[Step]) -> None:
    world = run(World(lines=2), steps)
    world.visit("a")
    settle(world)
    # By now, the damage has been noticed.
    assert world.total <= world.oracle.truth
    check(world)


@settings(max_examples=times(300))
@example([Visit("a", 2), DRAIN, SAVE, Visit("a", 2), DRAIN, Damage("older copy"), Visit("a", 1)])
@given(histories(deletions, older_copies, rolls, reconciliations))
def test_reconcile_older_copy_of_counter(steps: list[Step]) -> None:
    world = run(World(lines=2), steps)
    world.drain()
    check(world)


def test_counter_deleted_on_young_table() -> None:
    world = World()
    for tag in "aab":
        world.visit(tag)
    world.delete("b")
    world.drain()
    Damage("deleted").happen(world)
    world.visit("a")
    world.drain()
    # The item COUNTER/%/1 tells the table from a new one.
    assert world.shown["rebuilding"] is True
    world.reconcile()
    assert (world.total, "rebuilding" in world.shown) == (3, False)


def test_older_copy_noticed_by_warm_processor() -> None:
    world = World(lines=2)
    world.visit("a")
    world.drain()
    world.save()
    world.visit("a")
    world.drain()
    Damage("older copy").happen(world)
    world.visit("b")
    world.drain()
    # Each line of shards has a position of its own.
    assert (world.total, "rebuilding" in world.shown) == (2, False)
    world.visit("a")
    world.drain()
    assert world.shown["rebuilding"] is True
    world.reconcile()
    assert (world.total, "rebuilding" in world.shown) == (4, False)


def test_newer_counter_is_no_older_copy() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.roll(0)
    Damage("deleted").happen(world)
    world.visit("a")
    unaware, world.warm[0] = world.warm[0], world.processor()
    world.drain()
    world.reconcile()
    world.visit("a")
    # It knows a position of a shard that has closed.
    world.warm[0] = unaware
    world.drain()
    assert (world.total, "rebuilding" in world.shown) == (3, False)


@pytest.mark.parametrize("what", ["a", "COUNTER"])
def test_older_item_put_back_is_counted_again_until_lowered(what: str) -> None:
    """No record shows that the item lost the mark, or that `COUNTER` is from before a rebuild."""
    world = World()
    for _ in range(3):
        world.visit("a")
    world.drain()
    if what == "COUNTER":
        world.reconcile()
    copy = dict(world.store.items(world.table)[what])
    world.reconcile()
    world.store.put(world.table, copy)
    [shard] = world.stream.shards
    world.lose(shard, len(shard.records) - shard.done)
    world.warm = [world.processor()]
    assert world.compare().unmarked == {"a": 3}
    world.oracle.limit = 6
    world.begin()
    world.mark(9)
    world.drain()
    assert not world.finish()
    assert (world.total, world.compare().surplus) == (6, 3)
    assert world.progress
    assert world.rebuild.finish(world.progress, lower=True)
    assert (world.total, world.compare().surplus) == (3, 0)
