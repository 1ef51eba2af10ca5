"""The formula: what each kind of change adds to the total, to `Ended` and to the sum of a rebuild."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.total.generation import Change, Generation, Image, add_up

NOW = "2026-11-28T10:00:00.000000Z"
BEGINS = "2026-11-28T09:00:00.000000Z"
PRESENT = Generation("mark", BEGINS, frozenset({"mark", "next"}))
FOLLOWING = Generation("next", "2026-11-28T09:30:00.000000Z", frozenset({"next"}))

OLD, NEW = "2026-11-28T08:00:00.000000Z", "2026-11-28T09:15:00.000000Z"
NEWEST, FUTURE = "2026-11-28T09:45:00.000000Z", "2026-11-28T10:00:00.000001Z"


def marked(visits: int | None) -> Image:
    return Image(visits, "mark", OLD)


def born(visits: int | None) -> Image:
    return Image(visits, "", NEW)


def bare(visits: int | None) -> Image:
    return Image(visits, "", OLD)


def change(old: Image | None, new: Image | None, key: str = "a", sequence: int = 1) -> Change:
    return Change(sequence, 0.0, key, old, new)


CASES: dict[str, tuple[Image | None, Image | None, int, int, bool]] = {
    # old, new, total, ended, whether the item is then marked
    "first visit of an included item": (None, born(1), 1, 0, False),
    "first visit of another item": (None, bare(1), 0, 0, True),
    "item put with many visits": (None, born(50), 50, 0, False),
    "visit of an included item": (born(4), born(5), 1, 0, False),
    "visit of a marked item": (marked(4), marked(5), 1, 0, False),
    "visit of an item that is not included": (bare(4), bare(5), 0, 0, True),
    "several visits at once": (born(4), born(9), 5, 0, False),
    "mark of an item that was not included": (bare(5), marked(5), 5, 0, False),
    "mark of an item that was included by its birth": (born(5), born(5)._replace(mark="mark"), 0, 0, False),
    "mark that comes with a visit": (bare(5), marked(6), 6, 0, False),
    "mark of an unknown generation": (bare(5), Image(5, "other", OLD), 0, 0, True),
    "loss of the mark": (marked(5), bare(5), -5, 0, True),
    "deletion of an included item": (born(5), None, 0, 5, False),
    "deletion of another item": (bare(5), None, 5, 5, False),
    "re-creation": (None, born(2), 2, 0, False),
    "count lowered by hand": (born(10), born(4), 0, 6, False),
    "count lowered by hand, not included": (bare(10), bare(4), 6, 6, True),
    "count set to zero": (born(10), born(0), 0, 10, False),
    "count raised by hand": (born(4), born(10), 6, 0, False),
    "replaced by PutItem, birth lost": (born(5), bare(5), -5, 0, True),
    "replaced by PutItem with less, birth lost": (born(5), bare(3), -3, 2, True),
    "replaced by PutItem with more, birth kept": (marked(5), marked(8), 3, 0, False),
    "count removed": (born(5), None, 0, 5, False),
    "count added": (None, marked(7), 7, 0, False),
    "negative first count": (None, born(-3), 0, 3, False),
    "negative count raised": (born(-3), born(-2), 1, 0, False),
    "count lowered below zero": (born(2), born(-3), 0, 5, False),
    "deletion of a negative count": (born(-3), None, 0, -3, False),
    "deletion of a negative count, not included": (bare(-3), None, -3, -3, False),
    "malformed first count": (None, born(None), 0, 0, False),
    "count that becomes malformed": (born(5), born(None), -5, 0, False),
    "malformed count that is mended": (born(None), born(7), 7, 0, False),
    "malformed count that stays malformed": (born(None), born(None), 0, 0, False),
    "malformed count that is deleted": (born(None), None, 0, 0, False),
    "malformed count of an item that is not included": (None, bare(None), 0, 0, True),
    "birth in the future": (None, Image(5, "", FUTURE), 0, 0, True),
    "birth now": (None, Image(5, "", NOW), 5, 0, False),
    "birth at the beginning": (None, Image(5, "", BEGINS), 5, 0, False),
    "birth in another format": (None, Image(5, "", "9"), 0, 0, True),
}


@pytest.mark.parametrize("case", CASES)
def test_change_adds_exactly(case: str) -> None:
    old, new, total, ended, unmarked = CASES[case]
    added = add_up([change(old, new)], PRESENT, None, NOW, 1)
    assert (added.total, added.ended, added.following, bool(added.unmarked)) == (total, ended, 0, unmarked)
    assert (added.used, added.last) == (1, change(old, new))


BESIDE: dict[str, tuple[Image | None, Image | None, int, int, int, bool]] = {
    # old, new, total, ended, the following generation's sum, whether the item is then marked
    "visit of an item that only the present one includes": (marked(4), marked(5), 1, 0, 0, True),
    "mark of the following one": (marked(5), Image(5, "next", OLD), 0, 0, 5, False),
    "mark that both lacked": (bare(5), Image(5, "next", OLD), 5, 0, 5, False),
    "visit of an item that both include": (Image(5, "next", OLD), Image(6, "next", OLD), 1, 0, 1, False),
    "birth before the following one": (None, born(1), 1, 0, 0, True),
    "birth after both": (None, Image(1, "", NEWEST), 1, 0, 1, False),
    "deletion of an item that only the present one includes": (marked(5), None, 0, 5, 5, False),
    "deletion of an item that both include": (Image(5, "next", OLD), None, 0, 5, 0, False),
    "deletion of an item that none includes": (bare(5), None, 5, 5, 5, False),
    "count lowered, only in the present one": (marked(5), marked(3), 0, 2, 2, True),
    "mark of the present one comes back": (Image(5, "next", OLD), marked(5), 0, 0, -5, True),
    "malformed count": (Image(5, "next", OLD), Image(None, "next", OLD), -5, 0, -5, False),
}


@pytest.mark.parametrize("case", BESIDE)
def test_change_adds_exactly_during_a_rebuild(case: str) -> None:
    old, new, total, ended, beside, unmarked = BESIDE[case]
    added = add_up([change(old, new)], PRESENT, FOLLOWING, NOW, 1)
    assert (added.total, added.ended, added.following, bool(added.unmarked)) == (total, ended, beside, unmarked)


def test_unmarked_items_are_those_that_end_up_so() -> None:
    included, not_included = born(1), bare(1)
    added = add_up(
        [
            change(None, Image(1, "other", OLD), "marked later"),
            change(Image(1, "other", OLD), marked(1), "marked later"),
            change(None, not_included, "deleted"),
            change(not_included, None, "deleted"),
            change(included, not_included, "stripped"),
            change(None, Image(2, "other", OLD), "marked otherwise"),
        ],
        PRESENT,
        None,
        NOW,
        4,
    )
    assert added.unmarked == {"stripped": "", "marked otherwise": "other"}


def test_marks_of_the_rebuild_are_counted() -> None:
    mark = marked(5)._replace(mark="next+")
    changes = [
        change(marked(5), mark),
        change(mark, mark._replace(visits=6)),
        change(None, mark),
        change(mark, None),
        change(marked(5), marked(5)._replace(mark="next")),
    ]
    assert add_up(changes, PRESENT, FOLLOWING, NOW, 9).marks == 1
    assert add_up(changes, PRESENT, None, NOW, 9).marks == 0


def test_batch_stops_before_one_unmarked_item_too_many() -> None:
    changes = [
        change(None, bare(1), "a", 1),
        change(bare(1), bare(2), "a", 2),
        change(None, born(1), "b", 3),
        change(None, bare(1), "c", 4),
        change(bare(2), bare(3), "a", 5),
        change(None, bare(1), "d", 6),
        change(None, born(1), "e", 7),
    ]
    used = [add_up(changes, PRESENT, None, NOW, limit).used for limit in (1, 2, 3)]
    assert used == [3, 5, 7]
    assert add_up(changes, PRESENT, None, NOW, 2).last.sequence == 5


def test_item_that_was_marked_makes_room_for_another() -> None:
    changes = [change(None, bare(1), "a"), change(bare(1), marked(1), "a"), change(None, bare(1), "b")]
    added = add_up(changes, PRESENT, None, NOW, 1)
    assert (added.used, added.total, added.unmarked) == (3, 1, {"b": ""})


IMAGES = st.builds(
    Image, st.none() | st.integers(-5, 20), st.sampled_from(["", "mark", "next", "other"]), st.sampled_from([OLD, NEW])
)
HISTORIES = st.lists(st.none() | IMAGES, min_size=1, max_size=8)


@given(HISTORIES, st.booleans())
def test_total_is_what_ended_and_the_included_count(states: list[Image | None], rebuild: bool) -> None:
    history = [change(old, new) for old, new in zip([None, *states], states, strict=False)]
    added = add_up(history, PRESENT, FOLLOWING if rebuild else None, NOW, 10)

    def value(includes: Callable[[Image, str], bool]) -> int:
        last = states[-1]
        return last.visits or 0 if last is not None and includes(last, NOW) else 0

    assert added.total == added.ended + value(PRESENT.includes)
    if rebuild:
        assert added.following == added.ended + value(FOLLOWING.includes)
