"""The total is exact: after any history, `TotalViews` is the number of visits ever recorded."""

from hypothesis import example, given, settings

from tests.share import times
from tests.total.histories import backups, check, deletions, histories, negative, run, settle, writes
from tests.total.steps import Deliver, Step, Visit, delete
from tests.total.world import World


@settings(max_examples=times(300))
@given(histories())
def test_total_any_delivery(steps: list[Step]) -> None:
    world = run(World(), steps, rises=True)
    world.drain()
    assert world.total == world.oracle.truth
    assert "rebuilding" not in world.shown


@settings(max_examples=times(300))
@example([Visit("a", 5), delete("a"), Visit("a", 3), Deliver(6)])
@given(histories(deletions, writes, negative, backups))
def test_total_deletions_and_edits(steps: list[Step]) -> None:
    world = run(World(), steps)
    settle(world)
    assert world.total == world.oracle.truth
    check(world)
