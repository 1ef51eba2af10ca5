"""Every branch of the fold and of the ownership of a total."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.total.ledger import (
    Change,
    Counter,
    Entry,
    Image,
    Life,
    Marker,
    Ownership,
    Position,
    _apply,
    fold,
    is_current,
    missing,
    ownership,
)
from functions.total.stored import read_entry

EARLY, LATE = "2026-01-01T00:00:00.000", "2026-06-01T00:00:00.000"
ONE, TWO = "2026-01-01T10:00:00.000001Z", "2026-01-02T10:00:00.000001Z"
HERE, THERE = "arn:here@2026", "arn:there@2026"
NONE: Any = None


def test_the_entry_of_an_unknown_tag_holds_nothing() -> None:
    assert Entry() == read_entry(None) == (0, "", False, 0, None, "", "", "")


@pytest.mark.parametrize("lost", ["Stream", "Sequence"])
def test_an_entry_without_its_position_is_that_of_an_unknown_tag(lost: str) -> None:
    stored = {"Stream": {"S": EARLY}, "Sequence": {"S": "1"}, "Counted": {"N": "3"}, "Epoch": {"S": "here-1"}}
    assert read_entry(stored).counted == 3
    del stored[lost]
    assert read_entry(stored) == Entry(table="here")


def test_numbers_that_an_entry_does_not_have_are_0() -> None:
    entry = read_entry({"Stream": {"S": EARLY}, "Sequence": {"S": "1"}})
    assert (entry.counted, entry.given, entry.position) == (0, 0, Position(EARLY, 1))


def insert(sequence: int, new: int | None, since: str = ONE) -> Change:
    return Change("tag", "arn:here", Position(EARLY, sequence), str(sequence), "INSERT", None, Image(new, since))


def modify(  # noqa: PLR0917 - one record on one line
    sequence: int, old: int | None, new: int | None, since: str = ONE, stream: str = EARLY, before: str = NONE
) -> Change:
    images = Image(old, since if before is None else before), Image(new, since)
    return Change("tag", "arn:here", Position(stream, sequence), str(sequence), "MODIFY", *images)


def reached(sequence: int, new: int | None, since: str = ONE) -> Change:
    """Return a change from a stream without old images."""
    return modify(sequence, 0, new, since)._replace(old=None)


def remove(sequence: int, old: int | None, since: str = ONE) -> Change:
    image = None if old is None else Image(old, since)
    return Change("tag", "arn:here", Position(EARLY, sequence), str(sequence), "REMOVE", image, None)


def entry(counted: int, sequence: int, *, given: int = NONE, since: str = ONE, **more: Any) -> Entry:
    position = Position(EARLY, sequence)
    made = Entry(counted, since, given=counted if given is None else given, position=position, sequence=str(sequence))
    return made._replace(**({"table": HERE, "epoch": "now"} | more))


@pytest.mark.parametrize(
    ("before", "changes", "after", "delta"),
    [
        pytest.param(Entry(), [insert(1, 1)], entry(1, 1), 1, id="first visit"),
        pytest.param(Entry(), [modify(9, 4, 5)], entry(5, 9), 5, id="a tag's first record brings its history"),
        pytest.param(entry(1, 1), [modify(2, 1, 2), modify(3, 2, 3)], entry(3, 3), 2, id="two visits"),
        pytest.param(entry(1, 1), [modify(4, 3, 4)], entry(4, 4), 3, id="the next record recovers lost visits"),
        pytest.param(entry(3, 3), [insert(1, 1), modify(2, 1, 2), modify(3, 2, 3)], entry(3, 3), 0, id="a replay"),
        pytest.param(
            entry(2, 2), [modify(2, 1, 2), modify(3, 2, 3), modify(3, 2, 3)], entry(3, 3), 1, id="a replay and more"
        ),
        pytest.param(entry(5, 5), [modify(6, 5, 5)], entry(5, 6), 0, id="a mark, without a visit"),
        pytest.param(entry(1, 10), [modify(9, 1, 2)], entry(1, 10), 0, id="positions are numbers, not text"),
        pytest.param(entry(1, 1), [], entry(1, 1), 0, id="no records"),
        # Counts edited by hand.
        pytest.param(entry(5, 5), [modify(6, 5, 2)], entry(2, 6, given=5), 0, id="a lowered count takes nothing away"),
        pytest.param(
            entry(5, 5), [modify(6, 5, 2), modify(7, 2, 3)], entry(3, 7, given=6), 1, id="a visit after it counts"
        ),
        pytest.param(entry(5, 5), [modify(6, 5, 9)], entry(9, 6), 4, id="a raised count counts"),
        pytest.param(
            entry(5, 5), [modify(7, 2, 3)], entry(3, 7, given=6), 1, id="a lowering whose record was lost, same life"
        ),
        pytest.param(
            entry(5, 5, since=""), [modify(7, 2, 3, since="")], entry(3, 7, given=8, since=""), 3,
            id="without Since, a lower old image is another life",
        ),
        pytest.param(entry(5, 5), [modify(6, 5, 0)], entry(0, 6, given=5), 0, id="lowered to zero"),
        pytest.param(entry(5, 5), [modify(6, 5, None)], entry(5, 6), 0, id="an unreadable count is ignored"),
        pytest.param(entry(5, 5), [modify(6, 7, None)], entry(7, 6), 2, id="but the old image counts"),
        pytest.param(entry(5, 5), [modify(6, None, 7)], entry(7, 6), 2, id="an unreadable old image is ignored"),
        pytest.param(entry(5, 5), [modify(6, None, 2)], entry(2, 6, given=5), 0, id="and does not begin a life"),
        # Lives.
        pytest.param(entry(5, 5), [remove(6, 5)], entry(5, 6, ended=True), 0, id="a removal"),
        pytest.param(entry(5, 5), [remove(9, 8)], entry(8, 9, ended=True), 3, id="a removal shows what was lost"),
        pytest.param(Entry(), [remove(9, 10)], entry(10, 9, ended=True), 10, id="even if no other record arrived"),
        pytest.param(entry(5, 5), [remove(6, None)], entry(5, 6, ended=True), 0, id="a removal without an old image"),
        pytest.param(
            entry(5, 5), [remove(6, 5), insert(7, 1, TWO)], entry(1, 7, given=6, since=TWO), 1, id="a new life"
        ),
        pytest.param(
            entry(5, 5), [insert(7, 9, TWO)], entry(9, 7, given=14, since=TWO), 9,
            id="a new life whose removal was lost",
        ),
        pytest.param(
            entry(5, 5), [modify(8, 8, 9, TWO)], entry(9, 8, given=14, since=TWO), 9,
            id="a new life whose start was lost",
        ),
        pytest.param(
            entry(5, 5), [remove(9, 7, TWO)], entry(7, 9, given=12, since=TWO, ended=True), 7,
            id="a life of which only the end arrived",
        ),
        pytest.param(
            entry(5, 5, ended=True), [modify(8, 8, 9, "")], entry(9, 8, given=14, since=""), 9,
            id="after a removal, even without Since",
        ),
        pytest.param(
            entry(5, 5, since=""), [insert(8, 7, "")], entry(7, 8, given=12, since=""), 7,
            id="an insertion without Since begins a life",
        ),
        pytest.param(entry(5, 5, ended=True), [insert(8, 5)], entry(5, 8), 0, id="a restored item continues its life"),
        pytest.param(
            entry(5, 5, ended=True), [insert(8, 3), modify(9, 3, 4)], entry(4, 9, given=6), 1,
            id="from its restored count",
        ),
        pytest.param(
            entry(5, 5, ended=True), [insert(8, 7)], entry(7, 8), 2,
            id="including visits whose records were lost",
        ),
        pytest.param(
            entry(5, 5, since=""), [modify(6, 5, 6, before="")], entry(6, 6), 1, id="a visit writes Since once"
        ),
        pytest.param(
            entry(5, 5), [modify(6, 5, 6, "", before=ONE)], entry(6, 6, since=""), 1,
            id="Since may be removed",
        ),
        pytest.param(
            entry(5, 5), [modify(8, 7, 8, "")], entry(8, 8, since=""), 3,
            id="also if the record of its removal was lost",
        ),
        pytest.param(entry(0, 5), [insert(6, None, TWO)], entry(0, 6, since=TWO), 0, id="a life without a count"),
        # Streams without old images.
        pytest.param(entry(5, 5), [reached(6, 8)], entry(8, 6), 3, id="the new image alone"),
        pytest.param(entry(5, 5), [reached(6, 3)], entry(3, 6, given=5), 0, id="lowered, the same life"),
        pytest.param(entry(5, 5), [reached(6, 3, TWO)], entry(3, 6, given=8, since=TWO), 3, id="another life"),
        pytest.param(
            entry(5, 5, since=""), [reached(6, 3, "")], entry(3, 6, given=5, since=""), 0,
            id="without Since, nothing is counted twice",
        ),
        # Streams and tables.
        pytest.param(
            entry(9, 9), [modify(1, 9, 10, stream=LATE)],
            entry(10, 9)._replace(position=Position(LATE, 1), sequence="1"), 1, id="a stream enabled later",
        ),
        pytest.param(
            entry(9, 9)._replace(position=Position(LATE, 1), sequence="1"), [modify(99, 9, 10)],
            entry(9, 9)._replace(position=Position(LATE, 1), sequence="1"), 0, id="a stream enabled earlier",
        ),
        pytest.param(
            entry(9, 9, table=THERE), [modify(1, 1, 2)], entry(2, 1), 2,
            id="an entry of another table is replaced",
        ),
        pytest.param(entry(9, 9, table=THERE), [], entry(9, 9, table=THERE), 0, id="but not before a record arrives"),
        pytest.param(
            entry(9, 9)._replace(position=None), [modify(1, 1, 2)], entry(2, 1), 2, id="an entry without a position"
        ),
        # Epochs.
        pytest.param(
            entry(3, 3, given=8, epoch="then"), [modify(4, 3, 4)], entry(4, 4, given=9), 9,
            id="an entry of an earlier epoch gives everything again",
        ),
        pytest.param(entry(3, 3, given=8, epoch="then"), [], entry(3, 3, given=8), 8, id="even without a record"),
        pytest.param(
            entry(3, 3, given=8, epoch="then"), [modify(2, 1, 2)], entry(3, 3, given=8), 8, id="and after a replay"
        ),
    ],
)  # fmt: skip
def test_fold(before: Entry, changes: list[Change], after: Entry, delta: int) -> None:
    assert fold(before, changes, "now", HERE) == (after, delta)


def test_an_entry_without_new_records_is_the_same_object() -> None:
    for before in (entry(3, 3), entry(3, 3, table=THERE), Entry()):
        assert fold(before, [], "now", HERE)[0] is before
    before = entry(3, 3)
    assert fold(before, [modify(3, 2, 3)], "now", HERE)[0] is before


@pytest.mark.parametrize(
    ("known", "image", "visits"),
    [
        (entry(5, 5), Image(5, ONE), None),
        (entry(5, 5, since=""), Image(5), None),
        (entry(0, 5), Image(0, ONE), None),
        (entry(5, 5), Image(7, ONE), 2),
        (entry(5, 5), Image(4, ONE), 0),
        (entry(5, 5), Image(3, TWO), 3),
        (entry(5, 5), Image(5, TWO), 5),
        (entry(5, 5, since=""), Image(5, ONE), 0),
        (entry(5, 5, ended=True), Image(5, ONE), 0),
        (entry(5, 5, ended=True), Image(6, ""), 6),
        (entry(5, 5, epoch="then"), Image(5, ONE), 5),
        (entry(5, 5, epoch="then"), Image(None, ONE), 0),
        (entry(5, 5), Image(None, ONE), 0),
        (entry(5, 5), Image(7, ""), 2),
        (entry(5, 5, table=THERE), Image(5, ONE), 5),
        (Entry(), Image(5, ONE), 5),
        (Entry(), Image(0, ONE), 0),
    ],
)
def test_an_item_is_current_only_if_the_total_contains_exactly_it(
    known: Entry, image: Image, visits: int | None
) -> None:
    assert is_current(known, image, "now", HERE) == (visits is None)
    assert missing(known, image, "now", HERE) == (visits or 0)


MINE = Marker("now", HERE)


@pytest.mark.parametrize(
    ("marker", "counter", "expected"),
    [
        (Marker("", ""), None, Ownership.UNOWNED),
        (MINE, None, Ownership.UNOWNED),
        (Marker("then", THERE), None, Ownership.UNOWNED),
        (MINE, Counter("", "", True), Ownership.UNOWNED),
        (Marker("then", THERE), Counter("", "", True), Ownership.UNOWNED),
        (MINE, Counter("mine", "now", True), Ownership.OWNED),
        (MINE, Counter("mine", "now", False), Ownership.UNOWNED),
        (MINE, Counter("mine", "then", True), Ownership.UNOWNED),
        (Marker("", ""), Counter("mine", "now", True), Ownership.UNOWNED),
        (Marker("now", THERE), Counter("mine", "now", True), Ownership.UNOWNED),
        (Marker("then", THERE), Counter("mine", "now", True), Ownership.OTHER_TABLE),
        (Marker("then", THERE), Counter("mine", "now", False), Ownership.OTHER_TABLE),
        (Marker("now", ""), Counter("mine", "then", True), Ownership.UNOWNED),
        (MINE, Counter("theirs", "now", True), Ownership.OTHER_LEDGER),
        (Marker("", ""), Counter("theirs", "now", False), Ownership.OTHER_LEDGER),
    ],
)
def test_ownership_of_the_total(marker: Marker, counter: Counter | None, expected: Ownership) -> None:
    assert ownership(marker, counter, "mine", HERE) is expected


COUNTS, LIVES = st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from(["", ONE, TWO])
MODIFICATIONS = st.builds(modify, st.just(0), COUNTS, COUNTS, LIVES, before=LIVES)
REMOVALS = st.builds(remove, st.just(0), COUNTS, LIVES)


@given(st.integers(0, 3), LIVES, st.booleans(), st.lists(MODIFICATIONS | REMOVALS, max_size=6))
def test_the_usual_visit_is_folded_as_any_change_is(
    counted: int, since: str, ended: bool, changes: list[Change]
) -> None:
    before = entry(counted, 1, since=since, ended=ended)
    numbered = [change._replace(position=Position(EARLY, place)) for place, change in enumerate(changes, 2)]
    life, gained = Life(counted, since, ended), 0
    for change in numbered:
        life, more = _apply(life, change)
        gained += more
    after, delta = fold(before, numbered, "now", HERE)
    assert (Life(after.counted, after.since, after.ended), delta) == (life, gained)
