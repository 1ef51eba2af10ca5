"""A reconciliation that is killed at any call and called again: the total is exact, whatever happens meanwhile."""

from collections.abc import Callable, Iterator
from itertools import chain, cycle
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from functions.total import reconciliation
from functions.total.reconciliation import Progress, Reconciliation
from tests.doubles import client_error
from tests.share import times
from tests.total.steps import (
    EMPTY_LEDGER,
    TAGS,
    Damage,
    Step,
    Visit,
    creations,
    damages,
    delete,
    deletions,
    edits,
    lose,
    losses,
)
from tests.total.test_total import check, histories, once, run
from tests.total.world import CrashError, World, ample_budget, interleave

Kill = tuple[int, bool, list[str], tuple[int, ...]]
"""The call at which a pass is killed, whether after it, the visits meanwhile, and how the calls interleave."""

SOME_TAGS: list[Step] = [Visit(tag, 2) for tag in TAGS]
kills: st.SearchStrategy[list[Kill]] = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.booleans(),
        st.lists(st.sampled_from(TAGS), max_size=4),
        st.lists(st.integers(0, 2), max_size=20).map(tuple),
    ),
    max_size=4,
)


class Mortal:
    """A client whose process is killed before or after call number `at`."""

    def __init__(self, store: Any, at: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, at, after

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self._left -= 1
            if self._left == -1 and not self._after:
                raise CrashError
            answer = getattr(self._store, name)(**request)
            if self._left == -1 and self._after:
                raise CrashError
            return answer

        return call


def reconcile(client: Any, world: World, start: Progress | None) -> Iterator[Progress]:
    """Make a pass over pages of two tags."""
    with patch.object(reconciliation, "MAX_BATCH_KEYS", 2):
        yield from Reconciliation(client, world.table, world.ledger).run(ample_budget(), start)


def attempt(world: World, kill: Kill, start: Progress | None) -> Progress | None:
    """Make a pass that is killed, while visits are recorded and delivered; return where to continue."""
    at, after, tags, choices = kill
    last = start

    def make_pass() -> None:
        nonlocal last
        for page in reconcile(Mortal(world.store, at, after=after), world, start):
            last = page
        last = None

    def make_visits() -> None:
        for tag in tags:
            world.visit(tag)

    def deliver() -> None:
        world.drain()

    jobs: list[Callable[[], None]] = [make_pass, make_visits, deliver]
    world._delivering.records = ()
    ends = interleave(world.store, jobs, chain(choices, cycle(range(3))))
    for end in ends:
        if end is not None and not isinstance(end, CrashError):
            raise end
    return last


@settings(max_examples=times(250))
@example([*SOME_TAGS, once(4), Damage("deleted")], [(9, True, ["a"], ()), (14, False, ["b"], ()), (19, True, [], ())])
@example([*SOME_TAGS, once(9), delete("a"), EMPTY_LEDGER, lose(9)], [(at, True, ["c"], ()) for at in (8, 12, 6)])
@given(histories(deletions, losses, edits, creations, damages), kills)
def test_a_pass_that_is_killed_and_continued_gives_the_exact_total(steps: list[Step], killed: list[Kill]) -> None:
    world = run(World(), steps)
    ledger_emptied = EMPTY_LEDGER in steps
    start: Progress | None = None
    for kill in killed:
        start = attempt(world, kill, start)
        note(f"{kill} stopped at {start}")
    world._delivering.records = ()
    *_, last = reconcile(world.store, world, start)
    world.drain()
    if ledger_emptied:
        assert world.settle().behind == 0
        assert world.total == world.oracle.total
    else:
        check(world)
    assert last.after == ""


def test_a_pass_continues_where_it_was_killed() -> None:
    world = run_without_note(SOME_TAGS)
    pages = [page.after for page in reconcile(world.store, world, None) if page.tags]
    assert len(pages) >= 3
    assert pages[-1] == ""
    middle = next(page for page in reconcile(world.store, world, None) if page.after)
    scans: list[str] = []
    world.store.before = lambda call: scans.append(call) if call == "scan" else None
    *_, last = reconcile(world.store, world, middle)
    assert len(scans) == len(pages) - 1
    assert (last.tags, last.behind) == (len(TAGS), 0)


def test_a_pass_of_an_earlier_total_starts_over() -> None:
    world = run_without_note(SOME_TAGS)
    middle = next(page for page in reconcile(world.store, world, None) if page.after)
    world.take_over()
    first = next(reconcile(world.store, world, middle))
    assert (first.tags, first.entries > 0) == (0, True)


def test_every_item_that_a_pass_writes_is_paced() -> None:
    world = run_without_note(SOME_TAGS)
    world.take_over()
    world.store.put(world.table, {"ID": {"S": "lost"}, "Count": {"N": "5"}})
    world.lose(1)
    written: list[int] = []
    pass_ = Reconciliation(world.store, world.table, world.ledger, written.append)
    *_, last = pass_.run(ample_budget())
    assert (sum(written), last.behind) == (len(TAGS) + 1, 1)


def test_each_page_of_the_ledger_and_of_the_table_is_reported() -> None:
    world = run_without_note(SOME_TAGS)
    pages = [(page.entries, page.tags) for page in reconcile(world.store, world, None)]
    assert pages == [(2, 0), (5, 0), (5, 0), (5, 1), (5, 3), (5, 5)]


def test_a_pass_that_was_stopped_while_it_read_the_ledger_reads_all_of_it_again() -> None:
    world = run_without_note([*SOME_TAGS, delete("ä")])
    world.take_over()
    first = next(reconcile(world.store, world, None))
    assert (first.after, first.epoch) == ("", world.counter["Epoch"]["S"])
    *_, last = reconcile(world.store, world, first)
    # Only the ledger knows the visits of the deleted tag.
    assert (last.behind, world.total) == (0, world.visits)


def test_a_pass_during_which_the_total_was_taken_over_does_not_end_with_nothing_behind() -> None:
    world = run_without_note(SOME_TAGS)
    pages = []
    for page in reconcile(world.store, world, None):
        pages.append(page)
        if page.tags == len(TAGS) and "Rebuilding" not in world.counter:
            world.take_over()
    assert (pages[-2].behind, pages[-1].behind) == (0, 1)
    assert world.counter["Rebuilding"] == {"BOOL": True}
    assert {page.drift for page in pages} == {0}
    check(world)


@pytest.mark.parametrize("damage", ["Stream", "Sequence", "Epoch"])
def test_a_damaged_entry_is_counted_again_and_a_foreign_one_is_left_alone(damage: str) -> None:
    world = run_without_note(SOME_TAGS)
    entries = world.store.items(world.ledger)
    foreign = entries["b"] | {"ID": {"S": "elsewhere"}, "Epoch": {"S": "another-epoch"}}
    world.store.put(world.ledger, foreign)
    world.store.put(world.ledger, {name: value for name, value in entries["a"].items() if name != damage})
    assert world.settle().behind == 0
    assert world.total == world.visits
    assert entries["elsewhere"] == foreign


def test_a_pass_leaves_alone_what_is_no_tags_count() -> None:
    world = run_without_note(SOME_TAGS)
    world.store.put(world.table, {"ID": {"S": "note"}, "Text": {"S": "x"}})
    world.store.put(world.table, {"ID": {"S": "text"}, "Count": {"S": "many"}})
    world.store.put(world.table, {"ID": {"S": "COUNTER"}, **world.counter, "Count": {"N": "5"}})
    *_, last = reconcile(world.store, world, None)
    assert (last.tags, last.behind, last.visits) == (len(TAGS), 0, 0)


def test_a_pass_that_may_not_write_fails() -> None:
    world = World()
    world.visit("a")

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            if name == "update_item":
                raise client_error("AccessDeniedException")
            return getattr(world.store, name)

    with pytest.raises(ClientError, match="AccessDenied"):
        list(reconcile(Refusing(), world, None))


def run_without_note(steps: list[Step]) -> World:
    """Return a world after the steps, with everything delivered."""
    world = World()
    for step in steps:
        step.happen(world)
    world.drain()
    return world
