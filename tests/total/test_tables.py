"""Tables that are new, adopted, restored or spread over several lines of shards, and counts that are malformed."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.share import times
from tests.total.histories import (
    backups,
    check,
    deletions,
    edits,
    histories,
    losses,
    malformed,
    rebuilds,
    reconciliations,
    rolls,
    run,
    settle,
    visits,
    writes,
)
from tests.total.oracle import Oracle
from tests.total.steps import (
    AGAIN,
    BEGIN,
    DRAIN,
    FINISH,
    MARK,
    SAVE,
    Call,
    Deliver,
    Malform,
    Step,
    Together,
    Visit,
    delete,
)
from tests.total.world import World


@settings(max_examples=times(300))
# Visits of a marked tag do not pass for the marks that are on their way in another line.
@example([Visit("a"), Visit("b"), DRAIN, BEGIN, MARK, Visit("a", 3), Deliver(9), AGAIN, MARK, FINISH])
@given(histories(rolls, deletions, writes, rebuilds, concurrent=(rebuilds, visits)))
def test_shards_with_rollovers(steps: list[Step]) -> None:
    world = run(World(lines=3), steps)
    settle(world)
    check(world)


@settings(max_examples=times(200))
@example([Visit("a"), SAVE, delete("a")], [])
@given(
    histories(deletions, edits, backups, max_steps=8), histories(deletions, edits, losses, reconciliations, max_steps=8)
)
def test_restored_table(before: list[Step], after: list[Step]) -> None:
    world = run(World(), before)
    if not world.backup:
        world.save()
    world.restore("restored")
    run(world, after)
    world.visit("a")
    check(world)


@settings(max_examples=times(200))
@given(
    st.dictionaries(st.sampled_from(["a", "b", "old"]), st.integers(0, 50)),
    st.none() | st.integers(0, 99),
    histories(deletions, writes, rebuilds, concurrent=(rebuilds, visits)),
)
@example({"a": 50}, 50, [Visit("a", 3), Deliver(3), Visit("a")])
# A processor that does not know of the rebuild finds a tag that the rebuild has marked.
@example({"a": 5}, None, [Visit("b"), Deliver(9), Visit("a"), BEGIN, MARK, Deliver(1), DRAIN, FINISH])
# Two processors start a generation at once.
@example({"a": 5}, 5, [Visit("a"), Visit("ä"), Together((Deliver(4), Deliver(4, 1, processor=1)), (0, 1) * 6)])
def test_adopted_table(history: dict[str, int], views: int | None, steps: list[Step]) -> None:
    world = World(lines=2)
    items: list[dict[str, Any]] = [{"ID": {"S": tag}, "Count": {"N": str(count)}} for tag, count in history.items()]
    if views is not None:
        items.append({"ID": {"S": "COUNTER"}, "TotalViews": {"N": str(views)}})
    world.adopt(items)
    run(world, steps)
    world.visit("a")
    settle(world)
    check(world)


@settings(max_examples=times(200))
@example([Visit("a", 3), Malform("a", ("S", "many"), 0), DRAIN, BEGIN, MARK, Malform("a", ("S", "x"), 5)])
@given(histories(malformed, malformed, deletions, reconciliations))
def test_malformed_counts(steps: list[Step]) -> None:
    world = run(World(), steps)
    settle(world)
    world.reconcile()
    assert set(world.compare().malformed) == set(world.malformed)
    for tag in world.malformed:
        world.store.put(world.table, {**world.store.items(world.table)[tag], "Count": {"N": "9"}})
    settle(world)
    check(world)


@settings(max_examples=times(200))
@given(
    histories(
        deletions, rebuilds, st.builds(Call, st.just("spread"), st.tuples(st.integers(1, 4))), concurrent=(visits,)
    )
)
def test_spread_tags(steps: list[Step]) -> None:
    world = run(World(lines=3), steps, rises=True)
    settle(world)
    check(world)


def test_table_created_again() -> None:
    world = World()
    world.visit("a")
    world.drain()
    warm, earlier = world.warm, world.stream.shards[0]
    world.wait(10)
    world.oracle = Oracle()
    world.create(world.table)
    world.warm = warm
    world.visit("a")
    # The records of the earlier table are of another stream.
    world.deliver(earlier, 0, len(earlier.records), warm[0])
    assert world.total == 0
    world.drain()
    assert (world.total, "rebuilding" in world.shown) == (1, False)


def test_positions_of_trimmed_shards_dropped() -> None:
    world = World()
    world.visit("a")
    world.drain()
    for hours in (25, 2):
        world.roll(0)
        world.wait(60 * hours)
        world.visit("a")
        world.drain()
    assert len(world.counter["Positions"]["M"]) == 2
    assert (world.total, "rebuilding" in world.shown) == (3, False)
