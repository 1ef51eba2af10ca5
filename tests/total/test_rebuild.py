"""A rebuild heals what was lost before it began, while visits go on, whenever it is killed, resumed or finished."""

from hypothesis import example, given, settings

from tests.share import times
from tests.total.histories import check, deletions, edits, histories, losses, rebuilds, run, settle, visits
from tests.total.steps import AGAIN, BEGIN, DRAIN, FINISH, MARK, Deliver, Lose, Step, Together, Visit, delete
from tests.total.world import World

DELIVERED_WHILE_FINISHING = Together((FINISH, Deliver(9, processor=2)), (0, 0, 0, *[1] * 9))
FINISHED_WHILE_DELIVERING = Together((Deliver(9), FINISH), (0, 1, 1, 1, 1))
LOST_DELETION = [Visit("a", 3), DRAIN, delete("a"), Lose(0, 1)]


@settings(max_examples=times(400))
@example([Visit("a"), DRAIN, BEGIN, MARK, FINISH])
# The rebuild ends while a batch is in flight.
@example([Visit("a", 3), DRAIN, BEGIN, MARK, DRAIN, Visit("a", 3), FINISHED_WHILE_DELIVERING])
@example([Visit("a", 3), DRAIN, BEGIN, MARK, DRAIN, Visit("b", 3), DELIVERED_WHILE_FINISHING])
@example([Visit("a", 3), DRAIN, BEGIN, Together((MARK, delete("a")), (*[0] * 5, *[1] * 9))])
# A further pass finds a tag that is younger than the rebuild, and whose mark is on its way.
@example([Visit("a"), DRAIN, BEGIN, MARK, DRAIN, Visit("b"), Deliver(1), AGAIN, MARK, FINISH])
# A rebuild begins, and marks a tag, while a processor that does not know of it looks at the tag's record.
@example([Visit("a"), DRAIN, Visit("b"), Together((BEGIN, Deliver(1), MARK), (0, 0, 0, 1, 0, 2, 2, 2, 2, 1))])
# Another rebuild replaces the one that has marked everything.
@example([Visit("a", 2), DRAIN, BEGIN, MARK, DRAIN, BEGIN, FINISH, MARK, DRAIN, FINISH])
@given(histories(deletions, rebuilds, concurrent=(rebuilds, visits, deletions)))
def test_rebuild_at_any_moment(steps: list[Step]) -> None:
    world = run(World(), steps, rises=True)
    settle(world)
    check(world)


@settings(max_examples=times(400))
@example([Visit("a", 3), DRAIN, BEGIN, MARK, DRAIN, delete("a"), AGAIN, MARK, FINISH])
@example([*LOST_DELETION, BEGIN, MARK, DRAIN, AGAIN, MARK, Visit("b"), DELIVERED_WHILE_FINISHING])
@given(histories(deletions, edits, losses, rebuilds, concurrent=(rebuilds, visits, deletions)))
def test_rebuild_after_losses_and_edits(steps: list[Step]) -> None:
    world = run(World(), steps)
    settle(world)
    check(world)


def test_rebuild_finished_early() -> None:
    world = World()
    world.visit("a")
    world.begin()
    world.mark(9)
    assert world.finish()
    assert world.total == 0
    world.drain()
    assert (world.total, "rebuilding" in world.shown) == (1, False)
    world.begin()
    world.mark(9)
    # The total has a visit whose mark has not come through.
    assert not world.finish()


def test_rebuild_begun_before_loss() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.begin()
    world.mark(9)
    world.drain()
    world.visit("a")
    world.lose(world.stream.shards[0], 1)
    assert world.finish()
    assert (world.total, world.compare().missing) == (1, 1)
    world.reconcile()
    assert (world.total, world.compare().missing) == (2, 0)


def test_rebuild_continued_by_another_process() -> None:
    world = World()
    for tag in "abcdef":
        world.visit(tag)
    world.drain()
    world.begin()
    pages = []
    while not world.is_marked:
        world.mark(1)
        assert world.progress
        pages.append((world.progress.tags, world.progress.marked))
    # The first page has the two items of the total.
    assert pages == [(0, 0), (2, 2), (4, 4), (6, 6)]


def test_visits_of_lost_deletions_kept() -> None:
    world = World()
    for tag in "aab":
        world.visit(tag)
    world.drain()
    world.delete("a")
    world.lose(world.stream.shards[0], 1)
    assert world.compare().surplus == 2
    world.reconcile()
    assert (world.total, world.compare().surplus) == (3, 0)
    world.visit("b")
    world.lose(world.stream.shards[0], 1)
    world.reconcile()
    assert world.total == 4


def test_young_tag_needs_no_further_pass() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.begin()
    world.mark(9)
    world.visit("b")
    world.drain()
    assert world.finish()
    assert world.total == 2


def test_deletion_on_its_way_not_counted_twice() -> None:
    """A young tag was deleted; its mark and its deletion are still in the stream when the rebuild could finish."""
    world = World()
    world.visit("a")
    world.drain()
    world.begin()
    world.mark(9)
    world.drain()
    for _ in range(5):
        world.visit("young")
    [shard] = world.stream.shards
    world.deliver(shard, shard.done, len(shard.records), world.warm[0])
    world.again()
    world.delete("young")
    world.mark(9)
    assert not world.finish()
    world.drain()
    assert world.finish()
    assert (world.total, world.compare().surplus) == (6, 0)


def test_paused_processor_keeps_newer_mark() -> None:
    world = World()
    world.adopt([{"ID": {"S": "a"}, "Count": {"N": "5"}}])
    world.visit("b")
    world.drain()
    world.visit("a")
    # It stops before it marks the tag, having read COUNTER twice. The rebuild ends in the meantime.
    paused = Together((Deliver(1, processor=2), BEGIN, MARK, DRAIN, FINISH), (*[0] * 4, *[1] * 90))
    paused.happen(world)
    mark = world.store.items(world.table)["a"]["Reconciled"]
    assert mark["S"].startswith(world.counter["Generation"]["S"])
    assert world.total == world.oracle.truth == 7
