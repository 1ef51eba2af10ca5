"""The total is exact: after any history, `TotalViews` is the number of visits that can be known.

A history is a list of steps. Deliveries interleave at every call, crash, lose responses, are throttled and conflict.
The oracle in `world` computes the expected total: the number of visits recorded, if no record was lost.
"""

from datetime import UTC, datetime

from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from functions.total.stored import read_entry
from functions.view_counts import Expected, view_total
from tests.share import times
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
    spread_total,
    spreads,
    visible_damages,
    visits,
)
from tests.total.world import LEDGER, World, ample_budget

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


@settings(max_examples=times(400))
@given(histories())
def test_any_delivery_of_visits_gives_the_exact_total(steps: list[Step]) -> None:
    world = World()
    for step in steps:
        step.happen(world)
        assert world.total <= world.visits
    world.drain()
    assert world.total == world.visits == sum(world.counts.values())


@settings(max_examples=times(300))
@example([Visit("a", 5), delete("a"), Visit("a", 3), once(6)])
@given(histories(deletions, removals, any_edits, creations, backups))
def test_deletions_and_edits_do_not_lower_the_total(steps: list[Step]) -> None:
    world = run(World(), steps)
    world.drain()
    assert world.total == world.visits
    check(world)


@settings(max_examples=times(500))
@example([Visit("a", 10), once(10), delete("a"), lose(1), Visit("a", 6)])
@example([Visit("a", 10), lose(10), delete("a")])
@example([Visit("a", 5), once(5), delete("a"), Visit("a", 3), lose(4)])
@example([Visit("a", 10), once(10), SetCount("a", 0), Visit("a", 6)])
@example([Visit("a", 3), once(3), SAVE, delete("a"), once(1), Undelete("a"), Visit("a", 1)])
@given(histories(deletions, removals, losses, edits, backups, reconciliations))
def test_lost_records_cost_only_visits_that_nobody_can_know(steps: list[Step]) -> None:
    check(run(World(), steps))


@settings(max_examples=times(300))
@given(histories(deletions, removals, losses, edits, reconciliations))
def test_without_old_images_the_total_matches_the_records(steps: list[Step]) -> None:
    world = run(World(old_images=False), steps)
    last = world.settle()
    assert last.behind == 0
    assert world.total == world.oracle.total <= world.visits


@settings(max_examples=times(400))
@example([Visit("a", 5), once(5), delete("a"), once(1), Damage("deleted")])
@example([Visit("a", 2), once(2), SAVE, Visit("a", 2), once(2), Damage("older copy"), Visit("a", 1)])
@given(histories(deletions, removals, losses, backups, damages, reconciliations))
def test_a_damaged_total_is_restored_including_deleted_tags(steps: list[Step]) -> None:
    check(run(World(), steps))


def holds_what_it_shows(world: World) -> bool:
    """Whether the total is marked as being rebuilt, or is the sum of what all entries of its table gave."""
    entries = [read_entry(item) for key, item in world.store.items(LEDGER).items() if key != "COUNTER"]
    epoch = world.counter.get("Epoch", {}).get("S")
    given = sum(entry.given for entry in entries)
    # Readers may be deployed with other numbers than processors.
    for items in (1, 2, 4):
        shown = view_total(world.store, world.table, ample_budget(), Expected(total=items))
        if "rebuilding" not in shown and ({entry.epoch for entry in entries} - {epoch} or shown["total"] != given):
            return False
    return True


@settings(max_examples=times(150))
@example([spread_total(4, 0), Visit("a", 5), once(5), Damage("deleted")])
@given(histories(deletions, removals, losses, visible_damages, reconciliations))
def test_a_damaged_total_does_not_pass_for_the_right_one(steps: list[Step]) -> None:
    world = World()
    note(repr(steps))
    for step in steps:
        step.happen(world)
        # Nobody can see that a single item is missing, or was replaced by the tutorial's.
        assert "Held" not in world.counter or holds_what_it_shows(world)
    check(world)


@settings(max_examples=times(300))
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


@settings(max_examples=times(200))
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


@settings(max_examples=times(200))
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


def test_a_crash_between_the_transactions_of_a_batch_is_harmless() -> None:
    world = World()
    for number in range(250):
        world.visit(f"tag {number}")
    Deliver((Batch(0, 250, (), 2),), (), 5, "crash after").happen(world)
    assert world.done == 0
    assert world.total == 99
    world.drain(size=250)
    assert world.total == 250
