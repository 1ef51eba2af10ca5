"""Writing the total: one conditional update of `COUNTER` for a batch, and marks for items that are not included yet.

A warm process remembers what it wrote last, so a batch takes one request. If the update's condition fails, the answer
has the item as it is, from which the batch is added up again.
"""

import logging
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from operator import add
from typing import Any, NamedTuple, TypeVar

from .. import metrics
from ..dynamodb.client import error_code, is_transient, is_transient_cancellation
from ..dynamodb.description import TableDescription
from ..dynamodb.items import DynamoDB, Item
from ..dynamodb.retries import RetryBudget, read_item
from ..dynamodb.tables import COUNTER, KEY, MARK, ORIGIN
from ..dynamodb.updates import update_request
from .counter import Counter, begin_time, commit, flag, read_counter, start
from .generation import NOT_A_MARK, Sum, add_up
from .records import Batch

logger = logging.getLogger(__name__)

T = TypeVar("T")

MARKS_PER_COMMIT = 100
"""The maximum number of items that are marked before the records that show them are committed. Marks take a request
each, so a batch full of unmarked items is committed in parts, and goes on from there if the time runs out."""


class TotalNotWrittenError(Exception):
    """The retry budget was used up before the total was written. Delivering the batch again is harmless."""


class StaleReadError(Exception):
    """`COUNTER` changed after it was read. Reading it again helps."""


class Applied(NamedTuple):
    """The result of a batch: how many records the total lacked, by how much it rose, and how many items were marked.

    `position` is the shard's before the batch: the sequence number of the last record that the total included, or -1.
    """

    position: int = -1
    records: int = 0
    delta: int = 0
    marked: int = 0


class Total:
    """The running total of one table. Methods raise TotalNotWrittenError once `budget` is used up."""

    def __init__(self, client: DynamoDB, table: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._description: TableDescription | None = None
        self._stream = ""
        self._known: Counter | None = None

    def apply(self, batch: Batch, budget: RetryBudget) -> Applied:
        """Add a batch to the total. Records of another table's stream are skipped, with a warning.

        Raises DynamoDB's own errors that are not retryable. What was committed before an error stays, and is skipped if
        it is delivered again.
        """
        if not batch.changes or not self._owns(batch, budget):
            return Applied()
        applied = Applied(self._counter(budget).position(batch.shard))
        sequences = [change.sequence for change in batch.changes]
        while self._counter(budget).position(batch.shard) < sequences[-1]:
            before, *parts = _retry(lambda: self._apply_part(batch, sequences, budget), budget)
            # What this process knew of the shard may have been out of date until its first commit.
            applied = Applied(applied.position if applied.records else before, *map(add, applied[1:], parts))
        return applied

    def flag(self, budget: RetryBudget) -> None:
        """Mark the total as too low until it has been rebuilt."""

        def attempt() -> None:
            counter = self._counter(budget)
            if not counter.rebuilding or counter.following:
                self._update(flag(self._table, counter))
                self._known = counter._replace(rebuilding=True, following=None)

        _retry(attempt, budget)

    def ensure(self, budget: RetryBudget) -> Counter:
        """Return `COUNTER` as it is now; start a generation if there is none that can be trusted."""
        self._known = None
        return self._counter(budget)

    def _owns(self, batch: Batch, budget: RetryBudget) -> bool:
        if batch.stream != self._stream:
            # An unknown stream may belong to a table that was created again under the same name.
            self._description = self._known = None
            description = _retry(self._describe, budget)
            if not description.owns(batch.stream):
                facts = {"skipped": len(batch.changes), "stream": batch.stream, "table": description.arn}
                logger.warning("records of another table skipped", extra=facts)
                return False
            self._stream = batch.stream
        return True

    def _apply_part(self, batch: Batch, sequences: list[int], budget: RetryBudget) -> tuple[int, int, int, int]:
        """Add up the part of a batch that the total lacks, as far as it can be committed at once, and commit it.

        Returns the shard's position before, how many records that were, by how much the total rose, and how many items
        were marked.
        """
        counter, now = self._counter(budget), self._clock()
        added = _add_up(counter, batch, sequences, now)
        if added and added.unmarked:
            # A rebuild that has begun meanwhile has a mark that this process does not know.
            counter = self.ensure(budget)
            added = _add_up(counter, batch, sequences, now)
        if added is None:
            return counter.position(batch.shard), 0, 0, 0
        for key, seen in added.unmarked.items():
            self._mark(key, seen, (counter.following or counter.present).mark)
        request, after = commit(self._table, counter, batch.shard, added, now)
        self._update(request)
        self._known = after
        return counter.position(batch.shard), added.used, added.total, len(added.unmarked)

    def _mark(self, key: str, seen: str, mark: str) -> None:
        """Include an item in every generation; its own record then brings its count in.

        An item that was deleted, or that carries another mark than was `seen`, is left alone: it has a newer record.
        """
        # The right to write the mark covers these two attributes alone.
        condition = f"attribute_exists(#{KEY}) AND "
        present = {"": f"attribute_not_exists(#{MARK})", NOT_A_MARK: f"attribute_exists(#{MARK})"}
        condition += present.get(seen, f"#{MARK} = :seen")
        values = {":mark": {"S": mark}, **({} if seen in present else {":seen": {"S": seen}})}
        try:
            self._client.update_item(**update_request(self._table, key, f"SET #{MARK} = :mark", condition, values))
        except Exception as error:
            code = error_code(error)
            if code == "ValidationException":
                # The item is full, or the record was made up. Neither may hold up the other items.
                logger.error("item %r could not be included in the total: %s", key, error)  # noqa: TRY400
            elif code != "ConditionalCheckFailedException":
                raise

    def _update(self, request: dict[str, Any]) -> None:
        """Update `COUNTER`. Raises StaleReadError if that shows that it is not what it was known to be."""
        known, self._known = self._known, None
        try:
            self._client.update_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except Exception as error:
            code = error_code(error)
            if code == "ConditionalCheckFailedException":
                item = getattr(error, "response", {}).get("Item") or {}
                found = read_counter(item, self._describe().identity)
                if (
                    isinstance(found, Counter)
                    and known
                    and not found.rebuilding
                    and found.is_older(known, self._clock())
                ):
                    self._start(item, "COUNTER was replaced by an older copy")
                elif isinstance(found, Counter):
                    self._known = found
                raise StaleReadError("COUNTER has changed") from error
            # An attribute has another type than the update expects.
            if code == "ValidationException" and isinstance(self._read()[1], str):
                raise StaleReadError("COUNTER is damaged") from error
            raise

    def _counter(self, budget: RetryBudget) -> Counter:
        if self._known is None:
            self._known = _retry(self._read_or_start, budget)
        return self._known

    def _read_or_start(self) -> Counter:
        item, found = self._read()
        if isinstance(found, str):
            self._start(item, found)
            raise StaleReadError(found)
        return found

    def _read(self) -> tuple[Item, Counter | str]:
        item = read_item(self._client, self._table, COUNTER) or {}
        return item, read_counter(item, self._describe().identity)

    def _describe(self) -> TableDescription:
        if self._description is None:
            self._description = TableDescription(self._client.describe_table(TableName=self._table)["Table"])
        return self._description

    def _start(self, item: Item, reason: str) -> None:
        """Start a generation, unless `COUNTER` has changed since it was read as `item`."""
        now, description = self._clock(), self._describe()
        is_new = not item and description.is_fully_streamed(now) and not read_item(self._client, self._table, ORIGIN)
        updates = start(self._table, item, description, now, is_new=is_new)
        try:
            self._client.transact_write_items(TransactItems=[{"Update": update} for update in updates])
        except Exception as error:
            if is_transient_cancellation(error):
                raise StaleReadError("COUNTER changed while a generation was started") from error
            raise
        facts = {"table": description.identity, "reason": reason}
        if is_new:
            logger.info("total started", extra=facts)
        else:
            logger.warning("generation started; the total is too low until reconcile has run", extra=facts)
            metrics.emit(metrics.GENERATIONS)


def _add_up(counter: Counter, batch: Batch, sequences: list[int], now: datetime) -> Sum | None:
    first = bisect_right(sequences, counter.position(batch.shard))
    changes = batch.changes[first:] if first else batch.changes
    if not changes:
        return None
    return add_up(changes, counter.present, counter.following, begin_time(now), MARKS_PER_COMMIT)


def _retry(attempt: Callable[[], T], budget: RetryBudget) -> T:
    """Call `attempt` until it succeeds; return its result."""
    attempts = 0
    while True:
        attempts += 1
        try:
            return attempt()
        except Exception as error:
            if not (isinstance(error, StaleReadError) or is_transient(error)):
                raise
            # What a failed condition has just shown needs no pause.
            is_fresh = isinstance(error, StaleReadError) and attempts == 1
            if not is_fresh and not budget.pause(attempts):
                raise TotalNotWrittenError(f"The total was not written in {attempts} attempts: {error}") from error
