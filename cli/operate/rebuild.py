"""Rebuilding the total while visits go on: a following generation is summed up beside the present one, and replaces it.

Every item gets the mark of the following generation. The mark puts a record with the item's count into the stream, in
order with its other records, and `process_stream` adds the count to the following generation's sum. Visitors see the
present total until one update puts the other in its place.

A total that is intact is never lowered. Visits that it has and the tags do not show may be those of deleted tags whose
records were lost; if the operator says so, they become a part of `Ended`. Nothing in the table can prove it: the total
is also ahead while marks or deletions are on their way through the stream. What can be seen is required: all marks have
come through, and a further pass over the table has found no item that lacks one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from .. import core
from .table import CounterTable, includes


@dataclass(frozen=True)
class Progress:
    """The progress of a rebuild, enough to go on with it in another process.

    `mark` is its generation's. This pass has read `tags` with `visits` in all, up to the key `after`, and `lacking` of
    their items had no mark. The items with the keys `malformed` count as 0 until they are mended. `marked` items have
    been marked in all, among them items with `added` visits that the present total did not include. `surplus` is how
    far the total was ahead of the following sum before a further pass.
    """

    mark: str
    tags: int = 0
    visits: int = 0
    lacking: int = 0
    malformed: tuple[str, ...] = ()
    after: str = ""
    marked: int = 0
    added: int = 0
    surplus: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Whether a further pass has found no item that lacks a mark, so that `surplus` is not that of such items."""
        return self.surplus > 0 and not (self.lacking or self.after)


class Outcome(NamedTuple):
    """The end of a rebuild: the total before and after it, and visits that only the present total knew of.

    `flagged` says whether the total was marked as too low until then.
    """

    before: int
    total: int
    ended: int
    flagged: bool


class Pace:
    """Lets at most `rate` items be written in a second, evenly. Unused time does not accumulate."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free = clock()

    def __call__(self, writes: int) -> None:
        """Wait until `writes` items may be written."""
        now = self._clock()
        if self._free > now:
            self._sleep(self._free - now)
        self._free = max(self._free, now) + writes / self._rate


class Rebuild:
    """A rebuild of one table's total. `pace` may wait; it is called before every item that is marked."""

    def __init__(self, table: CounterTable, pace: Callable[[int], None] = lambda _: None) -> None:
        self._table = table
        self._pace = pace

    def begin(self, budget: core.RetryBudget) -> Progress:
        """Begin a rebuild, in place of one that is under way. If `COUNTER` cannot be trusted, it is started first."""
        total, attempts = core.Total(self._table.client, self._table.name), 0
        while True:
            counter, mark = total.ensure(budget), core.new_mark()
            values: dict[str, Any] = {":generation": {"S": counter.present.mark}, ":mark": {"S": mark}}
            values |= {":marks": {"SS": [mark]}, ":none": {"N": "0"}}
            values[":begins"] = {"S": core.begin_time(self._now())}
            condition = "#Generation = :generation AND #TotalViews = #Held"
            update = "SET #Next = :mark, #NextTime = :begins, #NextViews = #Ended, #NextMarks = :none"
            if self._update(update + " ADD #Accepted :marks", condition, values):
                return Progress(mark)
            attempts += 1
            if not budget.pause(attempts):
                raise core.TotalNotWrittenError("COUNTER keeps changing, so no rebuild could begin")

    def mark_items(self, progress: Progress) -> Iterator[Progress]:
        """Mark every item. Yields the progress after each page, and can go on from any of the first pass."""
        mark, counter = core.rebuild_mark(progress.mark), self._table.counter()
        for page in self._table.scan(progress.after):
            lacking = {key: image for key, image in page.images.items() if image.mark != mark}
            written = added = 0
            for key, image in lacking.items():
                self._pace(1)
                # An item that was deleted after it was read stays deleted.
                if self._update(f"SET #{core.MARK} = :mark", "attribute_exists(#Count)", {":mark": {"S": mark}}, key):
                    written += 1
                    added += 0 if includes(counter, image) else image.visits or 0
            # In the first pass, a call that was stopped has marked the others.
            known = 0 if progress.surplus else len(page.images) - len(lacking)
            progress = replace(
                progress,
                tags=progress.tags + page.tags,
                visits=progress.visits + page.visits,
                lacking=progress.lacking + len(lacking),
                malformed=(*progress.malformed, *page.malformed),
                after=page.after,
                marked=progress.marked + written + known,
                added=progress.added + added,
            )
            yield progress

    def missing(self, progress: Progress) -> int | None:
        """Return how many of the marks have not come through the stream; None if the rebuild was replaced."""
        counter = self._current(progress)
        return None if counter is None else max(0, progress.marked - counter.marks)

    def again(self, progress: Progress) -> Progress:
        """Return the progress with which `mark_items` makes a further pass over the table."""
        counter = self._current(progress)
        known = counter is not None and counter.marks >= progress.marked
        surplus = max(0, counter.total - counter.beside) if counter is not None and known else 0
        marked = progress.marked if surplus else 0
        return Progress(progress.mark, marked=marked, added=progress.added, surplus=surplus)

    def finish(self, progress: Progress, *, lower: bool = False, keep: bool = False) -> Outcome | None:
        """Put the following generation in the present one's place.

        Returns None if `COUNTER` changed, so try again; or if the total is ahead of the following sum. With `keep`,
        the difference becomes a part of `Ended` once a further pass has been made; with `lower`, the total becomes
        what the tags show.
        """
        counter = self._current(progress)
        if counter is None or counter.following is None:
            return None
        rest = 0 if lower else max(0, counter.total - counter.beside)
        is_known = progress.is_confirmed and counter.marks >= progress.marked
        if rest > (progress.surplus if keep and is_known else 0):
            return None
        condition = "#Generation = :generation AND #Next = :mark"
        values: dict[str, Any] = {":generation": {"S": counter.present.mark}, ":mark": {"S": progress.mark}}
        values[":begins"] = {"S": counter.following.begins}
        if rest:
            # Every visit changes both sums, so this holds only between two batches.
            condition += " AND #TotalViews = :total AND #NextViews = :beside"
            values |= {":total": {"N": str(counter.total)}, ":beside": {"N": str(counter.beside)}}
            values[":rest"] = {"N": str(rest)}
            sums = "#Ended = #Ended + :rest"
        else:
            condition += "" if lower else " AND #NextViews >= #TotalViews"
            values[":now"] = {"S": core.timestamp()}
            sums = "#TotalViews = #NextViews, #Held = #NextViews, #UpdatedAt = :now"
        removed = ", ".join(f"#{name}" for name in core.REBUILD)
        update = f"SET #Generation = :mark, #GenerationTime = :begins, {sums} REMOVE {removed}"
        done = self._update(update, condition, values)
        return Outcome(counter.total, counter.beside + rest, rest, counter.rebuilding) if done else None

    def _current(self, progress: Progress) -> core.Counter | None:
        """Read `COUNTER`; None if it is not that of this rebuild."""
        counter = self._table.counter()
        is_current = not isinstance(counter, str) and counter.following and counter.following.mark == progress.mark
        return counter if is_current and not isinstance(counter, str) else None

    def _update(self, update: str, condition: str, values: Any, key: str = core.TOTAL_KEY) -> bool:
        """Update an item if the condition holds; return whether it does."""
        try:
            self._table.client.update_item(**core.update_request(self._table.name, key, update, condition, values))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _now(self) -> datetime:
        """Return the time by DynamoDB's clock, if it says: the clock of an operator's machine may be hours off."""
        answer = self._table.client.get_item(TableName=self._table.name, Key={core.KEY: {"S": core.TOTAL_KEY}})
        try:
            return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        except (KeyError, TypeError, ValueError):
            return datetime.now(UTC)
