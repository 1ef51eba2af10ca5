"""The rules that keep the total exact: how much stream records add to it, and which ledger maintains it.

Pure: nothing here reads or writes a table. A stream delivers every record at least once and may lose some, so records
are not counted. Each is evidence of its tag's count, and the tag's ledger entry says how much of it is in the total.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Position(NamedTuple):
    """The position of a record in a table's streams. Positions of one tag only increase.

    `stream` is the label from the stream's ARN, a timestamp: a stream that was enabled later comes after the others.
    """

    stream: str
    sequence: int


class Image(NamedTuple):
    """A tag's item as a stream record or a scan shows it.

    `visits` is its count, or None if that is not a whole number. `since` identifies the tag's life: the first visit of
    a life writes it, and no two lives have the same. It is "" if the item has none.
    """

    visits: int | None
    since: str = ""


class Change(NamedTuple):
    """One stream record of a tag. `old` is None in a stream without old images, `new` is None in a removal.

    `table` is the ARN of the record's table, and `sequence` the record's sequence number as text.
    """

    tag: str
    table: str
    position: Position
    sequence: str
    event: str
    old: Image | None
    new: Image | None


class Entry(NamedTuple):
    """A tag's entry in the ledger. Without arguments, it is that of an unknown tag.

    `counted` visits of the life `since` are in the total; `ended` says that the life's removal was applied. `given` is
    how many visits the tag gave to the total over all its lives in `table`, and `epoch` the epoch of that total.
    `position` and `sequence` are those of the last record applied.
    """

    counted: int = 0
    since: str = ""
    ended: bool = False
    given: int = 0
    position: Position | None = None
    sequence: str = ""
    table: str = ""
    epoch: str = ""


class Life(NamedTuple):
    """How much of a tag's current life is in the total."""

    counted: int
    since: str
    ended: bool


def entry_for(entry: Entry, table: str) -> Entry:
    """Return `entry` if it belongs to `table`, else that of an unknown tag.

    Positions and lives are comparable only within one table. Without a position, a replay would look like a new life.
    """
    return entry if entry.table == table and entry.position is not None else Entry()


def fold(entry: Entry, changes: Iterable[Change], epoch: str, table: str) -> tuple[Entry, int]:
    """Apply a tag's `changes`, in stream order, to its `entry`; return the new entry and the increase of the total.

    Returns `entry` itself if there is nothing to write. If the entry belongs to an earlier epoch, that total is gone,
    and everything the tag ever gave is added again; the rest of the entry stays valid.
    """
    before = entry_for(entry, table)
    life, position, sequence = Life(before.counted, before.since, before.ended), before.position, before.sequence
    gained = 0
    for change in changes:
        if position is not None and change.position <= position:
            continue
        position, sequence = change.position, change.sequence
        old, new = change.old, change.new
        if change.event == "MODIFY" and old == (life.counted, life.since) and new and new.visits and not life.ended:
            # The usual visit, of which nothing was lost: what `_apply` does, in a third of the time.
            gained += max(0, new.visits - life.counted)
            life = Life(new.visits, new.since, ended=False)
        else:
            life, more = _apply(life, change)
            gained += more
    if position == before.position and (position is None or before.epoch == epoch):
        return entry, 0
    after = Entry(*life, before.given + gained, position, sequence, table, epoch)
    return after, gained if before.epoch == epoch else after.given


def is_current(entry: Entry, image: Image, epoch: str, table: str) -> bool:
    """Whether the total contains exactly the life and the visits in `image`, which was read just now."""
    is_valid = entry.table == table and entry.epoch == epoch and not entry.ended
    return is_valid and entry.counted == image.visits and entry.since == image.since


def missing(entry: Entry, image: Image, epoch: str, table: str) -> int:
    """Return how many visits of the item in `image` are not in the total."""
    if entry.epoch != epoch:
        return image.visits or 0
    known = entry_for(entry, table)
    return _observe(Life(known.counted, known.since, known.ended), image)[1]


def _apply(life: Life, change: Change) -> tuple[Life, int]:
    if change.new is None:
        # A removal.
        life, gained = _observe(life, change.old) if change.old else (life, 0)
        return life._replace(ended=True), gained
    if change.event == "INSERT":
        # The same `since` means that the deletion was undone, for example from a backup.
        restored = bool(change.new.since) and change.new.since == life.since
        return _observe(life if restored else Life(0, change.new.since, ended=False), change.new)
    if change.old is None or change.old.visits is None:
        return _observe(life, change.new, lowered=True)
    # Both images of one record belong to the same life, so only visits before the old image may be missing.
    life, gained = _observe(life, change.old)
    if change.new.visits is None:
        return life, gained
    gained += max(0, change.new.visits - change.old.visits)
    return Life(change.new.visits, change.new.since, ended=False), gained


def _observe(life: Life, image: Image, *, lowered: bool = False) -> tuple[Life, int]:
    """Bring `life` up to the item in `image`; return the new state and how many visits that adds.

    Different values of `since` are different lives. If the life or the item has none, the item belongs to another life
    if the life has ended or the count is lower. With `lowered`, a lower count was lowered by hand in the same life.
    """
    if image.visits is None:
        return life, 0
    if life.since and image.since:
        same = life.since == image.since
    else:
        same = not life.ended and (lowered or image.visits >= life.counted)
    gained = max(0, image.visits - (life.counted if same else 0))
    return Life(image.visits, image.since, ended=False), gained


class Marker(NamedTuple):
    """The ledger's own item: the table whose total it maintains, and that total's epoch."""

    epoch: str
    table: str


class Counter(NamedTuple):
    """The item that holds the total: the ledger and epoch that it names, and whether its number can be trusted.

    `intact` is False if the number is damaged, or was changed by anything other than a ledger.
    """

    ledger: str
    epoch: str
    intact: bool


class Ownership(Enum):
    """The relation between a ledger and a table's total."""

    OWNED = "this ledger maintains the total"
    UNOWNED = "no ledger vouches for the total"
    OTHER_LEDGER = "another ledger maintains the total"
    OTHER_TABLE = "this ledger maintains the total of another table"


def ownership(marker: Marker, counter: Counter | None, ledger: str, table: str) -> Ownership:
    """Decide who maintains the total of `table`, by comparing the `marker` of `ledger` with the total."""
    if counter is None or not counter.ledger:
        return Ownership.UNOWNED
    if counter.ledger != ledger:
        return Ownership.OTHER_LEDGER
    if marker == (counter.epoch, table):
        return Ownership.OWNED if counter.intact else Ownership.UNOWNED
    # A total with the marker's epoch, but in another table, is a copy restored from a backup. If the epoch differs as
    # well, the ledger moved to another table after it had started this total.
    if marker.table and marker.table != table and marker.epoch != counter.epoch:
        return Ownership.OTHER_TABLE
    return Ownership.UNOWNED
