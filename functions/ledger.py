"""The fold that keeps the total exact: what a tag's stream records add to what the ledger remembers of it.

Pure: nothing here reads or writes. A stream delivers every record at least once, so the records themselves are not
counted; each one only states how far its tag has come, and the ledger entry how much of that the total holds.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Position(NamedTuple):
    """Where in the stream a record stands. Positions of one tag only grow.

    `stream` is the label out of the stream's ARN, a timestamp, so that a stream made later is further on.
    """

    stream: str
    sequence: int


class Change(NamedTuple):
    """What one stream record says of its tag: the visits it now has; None where the item holds no count."""

    tag: str
    position: Position
    sequence: str
    visits: int | None
    removed: bool


class Entry(NamedTuple):
    """What the ledger remembers of a tag. Without arguments, it is that of a tag never seen.

    `counted` visits of the tag's present life are in the total of `epoch`; `position` is that of the last record
    applied, and `sequence` its sequence number as the stream wrote it.
    """

    counted: int = 0
    position: Position | None = None
    sequence: str = ""
    epoch: str | None = None


def fold(entry: Entry, changes: Iterable[Change], epoch: str | None) -> tuple[Entry, int]:
    """Apply a tag's `changes`, in the order of the stream, to its `entry`, under the total's `epoch`.

    Returns the new entry and what to add to the total; the entry is `entry` itself where every change had been
    applied before. What was counted in another epoch is in a total that no longer exists, so it counts anew; the
    position stays, so that a replay stays harmless.
    """
    counted = entry.counted if entry.epoch == epoch else 0
    position, sequence, delta = entry.position, entry.sequence, 0
    for change in changes:
        if position is not None and change.position <= position:
            continue
        position, sequence = change.position, change.sequence
        if change.removed:
            counted = 0
        elif change.visits is not None and change.visits > counted:
            delta += change.visits - counted
            counted = change.visits
    if position == entry.position:
        return entry, 0
    return Entry(counted, position, sequence, epoch), delta
