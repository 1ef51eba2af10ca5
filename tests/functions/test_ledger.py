"""Every branch of the fold."""

import pytest

from functions.ledger import Change, Entry, Position, fold

EARLY, LATE = "2026-01-01T00:00:00.000", "2026-06-01T00:00:00.000"


def change(sequence: int, visits: int | None, stream: str = EARLY, removed: bool = False) -> Change:
    return Change("tag", Position(stream, sequence), str(sequence), visits, removed)


def entry(counted: int, sequence: int, epoch: str | None = None) -> Entry:
    return Entry(counted, Position(EARLY, sequence), str(sequence), epoch)


@pytest.mark.parametrize(
    ("before", "changes", "after", "delta"),
    [
        pytest.param(Entry(), [change(1, 1)], entry(1, 1), 1, id="first visit"),
        pytest.param(Entry(), [change(9, 5)], entry(5, 9), 5, id="a tag seen late brings its history"),
        pytest.param(entry(1, 1), [change(2, 2), change(3, 3)], entry(3, 3), 2, id="two visits"),
        pytest.param(entry(1, 1), [change(4, 4)], entry(4, 4), 3, id="the next record heals lost ones"),
        pytest.param(entry(3, 3), [change(1, 1), change(2, 2), change(3, 3)], entry(3, 3), 0, id="a replay"),
        pytest.param(
            entry(2, 2), [change(2, 2), change(3, 3), change(3, 3)], entry(3, 3), 1, id="a replay that goes on"
        ),
        pytest.param(entry(5, 5), [change(6, 5)], entry(5, 6), 0, id="a mark, without a visit"),
        pytest.param(entry(5, 5), [change(6, 2)], entry(5, 6), 0, id="a count set back by hand takes nothing away"),
        pytest.param(entry(5, 5), [change(6, 2), change(7, 6)], entry(6, 7), 1, id="nor is it counted on the way up"),
        pytest.param(entry(5, 5), [change(6, None)], entry(5, 6), 0, id="no count at all"),
        pytest.param(entry(5, 5), [change(6, None, removed=True)], entry(0, 6), 0, id="a deletion"),
        pytest.param(
            entry(5, 5), [change(6, None, removed=True), change(7, 1)], entry(1, 7), 1, id="a deletion and a new life"
        ),
        pytest.param(entry(9, 9), [change(1, 1, LATE)], Entry(9, Position(LATE, 1), "1"), 0, id="a stream made later"),
        pytest.param(
            Entry(1, Position(LATE, 1), "1"), [change(99, 7)], Entry(1, Position(LATE, 1), "1"), 0, id="one made before"
        ),
        pytest.param(entry(1, 10), [change(9, 2)], entry(1, 10), 0, id="positions are numbers, not text"),
        pytest.param(entry(1, 1), [], entry(1, 1), 0, id="nothing"),
    ],
)
def test_fold(before: Entry, changes: list[Change], after: Entry, delta: int) -> None:
    assert fold(before, changes, None) == (after, delta)


def test_an_entry_to_which_nothing_new_came_is_the_same_object() -> None:
    before = entry(3, 3, "old")
    assert fold(before, [change(3, 3)], "new")[0] is before


def test_what_was_counted_in_another_epoch_counts_anew_from_a_new_position_on() -> None:
    assert fold(entry(3, 3, "old"), [change(2, 2), change(4, 4)], "new") == (entry(4, 4, "new"), 4)
    assert fold(entry(3, 3, "old"), [change(4, 4)], None) == (entry(4, 4), 4)
    assert fold(entry(3, 3), [change(4, 4)], "new") == (entry(4, 4, "new"), 4)
    assert fold(entry(3, 3, "new"), [change(4, 4)], "new") == (entry(4, 4, "new"), 1)


def test_a_deletion_in_a_new_epoch_leaves_nothing_behind() -> None:
    assert fold(entry(3, 3, "old"), [change(4, None, removed=True)], "new") == (entry(0, 4, "new"), 0)
