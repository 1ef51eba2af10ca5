"""The rules that keep the total exact: what stream records add to it, and which ledger keeps which table.

Pure: nothing here reads or writes. A stream delivers every record at least once and may lose some, so records are not
counted. Each is evidence of how far its tag has come, and the tag's ledger entry says how much of that the total holds.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Position(NamedTuple):
    """Where in a table's stream a record stands. Positions of one tag only grow.

    `stream` is the label from the stream's ARN, a timestamp, so a stream that was enabled later is further on.
    """

    stream: str
    sequence: int


class Image(NamedTuple):
    """A tag's item as a stream record or a scan shows it.

    `visits` is its count, None if that is not a whole number. `since` identifies the tag's life: the first visit of
    every life writes it once, and no two lives share one. It is "" if the item has none.
    """

    visits: int | None
    since: str = ""


class Change(NamedTuple):
    """What one stream record says of its tag. `old` is None in a stream without old images, `new` in a removal.

    `table` is the ARN of the table whose stream holds the record, `sequence` its sequence number as text.
    """

    tag: str
    table: str
    position: Position
    sequence: str
    event: str
    old: Image | None
    new: Image | None


class Entry(NamedTuple):
    """What the ledger remembers of a tag. Without arguments, it is the entry of a tag never seen.

    `counted` visits of the life `since` are in the total; `ended` says that the life's removal was applied. `given` is
    what the tag gave over all its lives in `table`, and `epoch` that of the total that holds it. `position` and
    `sequence` are those of the last record applied.
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
    """How far the total follows a tag's present life."""

    counted: int
    since: str
    ended: bool


def entry_for(entry: Entry, table: str) -> Entry:
    """Return `entry` if it speaks of `table`, and the entry of a tag never seen if it does not.

    Positions and lives compare only within one table, and without a position a replay would look like a new life.
    """
    return entry if entry.table == table and entry.position is not None else Entry()


def fold(entry: Entry, changes: Iterable[Change], epoch: str, table: str) -> tuple[Entry, int]:
    """Apply a tag's `changes`, in stream order, to its `entry`; return the new entry and what to add to the total.

    The entry is `entry` itself if there is nothing to write. If it was in the total of another epoch, which is gone,
    all that the tag ever gave is added again; the rest of the entry stays valid.
    """
    before = entry_for(entry, table)
    life, position, sequence = Life(before.counted, before.since, before.ended), before.position, before.sequence
    gained = 0
    for change in changes:
        if position is not None and change.position <= position:
            continue
        position, sequence = change.position, change.sequence
        life, more = _apply(life, change)
        gained += more
    if position == before.position and (position is None or before.epoch == epoch):
        return entry, 0
    after = Entry(*life, before.given + gained, position, sequence, table, epoch)
    return after, gained if before.epoch == epoch else after.given


def is_current(entry: Entry, image: Image, epoch: str, table: str) -> bool:
    """Whether the total holds exactly what `image`, read just now, shows."""
    in_force = entry.table == table and entry.epoch == epoch and not entry.ended
    return in_force and entry.counted == image.visits and entry.since == image.since


def missing(entry: Entry, image: Image, epoch: str, table: str) -> int:
    """Return how many visits of the item in `image` are not in the total."""
    if entry.epoch != epoch:
        return image.visits or 0
    known = entry_for(entry, table)
    return _observe(Life(known.counted, known.since, known.ended), image)[1]


def _apply(life: Life, change: Change) -> tuple[Life, int]:
    if change.event == "REMOVE":
        life, gained = _observe(life, change.old) if change.old else (life, 0)
        return life._replace(ended=True), gained
    if change.new is None:  # pragma: no cover - records without a new image are refused when they are read
        return life, 0
    if change.event == "INSERT":
        # The very same life again is an item put back, from a backup for example.
        back = bool(change.new.since) and change.new.since == life.since
        return _observe(life if back else Life(0, change.new.since, ended=False), change.new)
    if change.old is None or change.old.visits is None:
        return _observe(life, change.new, lowered=True)
    # Nothing begins or ends between the two images of one record: only what came before the old one may be missing.
    life, gained = _observe(life, change.old)
    if change.new.visits is None:
        return life, gained
    gained += max(0, change.new.visits - change.old.visits)
    return Life(change.new.visits, change.new.since, ended=False), gained


def _observe(life: Life, image: Image, *, lowered: bool = False) -> tuple[Life, int]:
    """Follow `life` to the item in `image`, and return how many visits that adds.

    The item is in another life if its `since` says so. If one of the two has none, it is in another life after a
    removal, or if its count fell, unless counts that fall are to be taken as `lowered` by hand.
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
    """The ledger's note of which table it keeps, and since which epoch."""

    epoch: str = ""
    table: str = ""


class Counter(NamedTuple):
    """The item that holds the total: the ledger and epoch that it names, and whether its number can be trusted.

    `intact` is False if the number is damaged or was changed by anything but a ledger.
    """

    ledger: str
    epoch: str
    intact: bool


class Standing(Enum):
    """How a ledger stands to a table's total."""

    KEPT = "the total is what this ledger counted"
    UNKEPT = "no ledger vouches for the total"
    OTHER_LEDGER = "another ledger keeps the total"
    OTHER_TABLE = "this ledger keeps the total of another table"


def standing(marker: Marker, counter: Counter | None, ledger: str, table: str) -> Standing:
    """Decide from what `ledger` and the total of `table` say of each other."""
    if counter is None or not counter.ledger:
        return Standing.UNKEPT
    if counter.ledger != ledger:
        return Standing.OTHER_LEDGER
    if marker == (counter.epoch, table):
        return Standing.KEPT if counter.intact else Standing.UNKEPT
    # The same epoch in another table is a copy of the total, restored from a backup. Another epoch as well means that
    # the ledger went on to another table after it had begun this total.
    if marker.table and marker.table != table and marker.epoch != counter.epoch:
        return Standing.OTHER_TABLE
    return Standing.UNKEPT
