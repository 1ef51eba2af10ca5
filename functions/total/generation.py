"""The formula: how much a stream record adds to the total. Pure.

The total is the sum of the counts of all items that are *included*, plus `Ended`: the visits that are no longer in any
count, because their item was deleted or its count was lowered. As far as the stream has been read,

    total = Ended + the counts of the included items

and every record, with the item's old and new image, keeps it so:

    vanished = max(0, old count - new count), or the old count if the item was deleted
    Ended   += vanished
    total   += vanished + V(new) - V(old)        where V is the image's count if it is included, else 0

An item is included in a *generation* of the total if it carries the generation's mark, or if it was born (`Since`)
after the generation began. A generation begins with the table, or when `COUNTER` has to be started anew, or with a
rebuild. The record of an item that gets its mark brings its whole count in.

A rebuild marks every item with a mark of its own, and the records that show these marks are counted. So the rebuild
knows when all of them have come through the stream, however many visits come through with them.
"""

from collections.abc import Sequence
from typing import NamedTuple

NOT_A_MARK = "?"
"""Stands for the mark of an item if something else has written a value that is not a mark."""


class Image(NamedTuple):
    """An item as a stream record or a scan shows it. An item without a count has no image.

    `visits` is its count, or None if the count is malformed; such an image counts as 0 visits until it is mended.
    `mark` and `since` are "" if the item has none.
    """

    visits: int | None
    mark: str = ""
    since: str = ""


class Change(NamedTuple):
    """A stream record of an item: its sequence number, when it was created (seconds since 1970), and both images."""

    sequence: int
    created: float
    key: str
    old: Image | None
    new: Image | None


class Generation(NamedTuple):
    """A generation of the total: its mark, when it began, and all the marks that it accepts.

    Times are text in the format of `Since`, which sorts by time. A generation accepts its own mark and those of the
    rebuilds that were begun during it, each as `process_stream` writes it and as a rebuild does.
    """

    mark: str
    begins: str
    accepts: frozenset[str]

    def includes(self, image: Image, latest: str) -> bool:
        """Whether the image is included. A `Since` after `latest` is not a time at which the item was born.

        No clock that writes `Since` may be ahead of `latest`, so that an image is always included or never.
        """
        return image.mark in self.accepts or self.begins <= image.since <= latest

    def visits(self, image: Image | None, latest: str) -> int:
        """Return V(image)."""
        return (image.visits or 0) if image is not None and self.includes(image, latest) else 0


def rebuild_mark(mark: str) -> str:
    """Return the mark that the rebuild of the generation with the mark `mark` writes to items."""
    return f"{mark}+"


class Sum(NamedTuple):
    """What changes add up to: the first `used` of them, up to the sequence number of the `last`.

    `total`, `ended` and `following` are the increases of the total, of `Ended`, and of the following generation's sum.
    `unmarked` has the items that exist but are not included in a generation, with the mark they carry. `marks` is how
    many changes show that an item got the mark of the rebuild.
    """

    used: int
    last: Change
    total: int
    ended: int
    following: int
    unmarked: dict[str, str]
    marks: int = 0


def add_up(
    changes: Sequence[Change], present: Generation, following: Generation | None, latest: str, max_unmarked: int
) -> Sum:
    """Apply the formula to `changes`, of which there is at least one, in stream order.

    Stops before the change that would leave more than `max_unmarked` items unmarked.
    """
    used = total = ended = beside = marks = 0
    mark = rebuild_mark(following.mark) if following else ""
    unmarked: dict[str, str] = {}
    for _, _, key, old, new in changes:
        if new is not None and not (
            present.includes(new, latest) and (following is None or following.includes(new, latest))
        ):
            if len(unmarked) == max_unmarked and key not in unmarked:
                break
            unmarked[key] = new.mark
        elif unmarked:
            unmarked.pop(key, None)
        before, after = (0 if image is None else image.visits for image in (old, new))
        # A malformed count has not vanished: it comes back when it is mended.
        vanished = 0 if before is None or after is None else before - after
        # Not even the deletion of a negative count changes the total.
        vanished = vanished if new is None else max(0, vanished)
        total += vanished + present.visits(new, latest) - present.visits(old, latest)
        ended += vanished
        if following is not None:
            beside += vanished + following.visits(new, latest) - following.visits(old, latest)
            marks += new is not None and old is not None and new.mark == mark != old.mark
        used += 1
    return Sum(used, changes[used - 1], total, ended, beside, unmarked, marks)
