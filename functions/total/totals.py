"""Writing the total: the ledger's entries and the sum of what they add, in transactions complete in themselves.

Table and ledger know each other. `COUNTER` in the table names its ledger and an epoch; the marker in the ledger names
the same epoch and the table. As long as they agree, the total is exactly what the entries of that epoch gave. When
they do not, the total is taken over: both are written anew in one transaction, from 0 and with a fresh epoch, and every
entry gives again what its tag ever gave. A total that a living ledger keeps is not taken over, but refused.
"""

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from ..dynamodb.client import is_transient, is_transient_cancellation
from ..dynamodb.items import AttributeValue, DynamoDB, Item, text, timestamp, whole_number
from ..dynamodb.retries import RetryBudget, read_items
from ..dynamodb.tables import COUNTER, KEY
from .ledger import Change, Counter, Entry, Marker, Position, Standing, fold, standing

logger = logging.getLogger(__name__)

T = TypeVar("T")

TAGS_PER_TRANSACTION = 99
"""A transaction takes 100 actions, one of them the total's; a batch read takes 100 keys, one of them the marker's."""

ENTRY_VERSION = ("Sequence", "Epoch")
"""The attributes of an entry of which every write changes at least one."""

MARKER_ATTRIBUTES = ("Table", "Epoch")
COUNTER_ATTRIBUTES = ("TotalViews", "Held", "Ledger", "Epoch")

STREAM_RETENTION = timedelta(hours=24)
"""How long a stream keeps its records (DynamoDB Developer Guide, Streams): a younger table's whole history is in it."""

CLOCK_TOLERANCE = timedelta(minutes=1)
"""How much earlier than its table a stream's label may be for the stream to be the table's own."""


class Applied(NamedTuple):
    """The result of `Total.apply`: tags whose entry was written, the increase of the total, transactions attempted."""

    tags: int = 0
    delta: int = 0
    attempts: int = 0


@dataclass(frozen=True)
class Described:
    """What identifies a table: names can be used again, so its creation time belongs to it."""

    arn: str
    created: datetime
    stream: str
    items: int

    @cached_property
    def identity(self) -> str:
        """The text under which the ledger knows the table."""
        return f"{self.arn}@{self.created.astimezone(UTC).isoformat(timespec='milliseconds')}"

    @cached_property
    def fingerprint(self) -> str:
        """A short form of the identity. Every epoch begins with it, and so every ledger entry names its table."""
        return sha256(self.identity.encode()).hexdigest()[:16]

    def owns(self, change: Change) -> bool:
        """Whether `change` comes from a stream of this table, not of another one or of an earlier one of its name."""
        if change.table != self.arn:
            return False
        if change.position.stream == self.stream:
            return True
        try:
            enabled = datetime.fromisoformat(change.position.stream).replace(tzinfo=UTC)
        except ValueError:
            return True
        return enabled >= self.created - CLOCK_TOLERANCE

    def is_wholly_streamed(self) -> bool:
        """Whether nothing was written to the table before what its stream holds, as far as that can be told."""
        # The number of items is six hours old at most, so that it is 0 for a table whose first visit just came.
        return self.items == 0 or datetime.now(UTC) - self.created < STREAM_RETENTION


class TotalNotWrittenError(Exception):
    """The retry budget was used up before the total was written. Delivering the batch again is harmless."""


class TotalKeptElsewhereError(Exception):
    """The total is another ledger's, or the ledger another table's, and taking over needs a decision."""


class _StaleReadError(Exception):
    """What was read belongs to different moments; reading again helps."""


class Total:
    """The running total of one table, kept with one ledger.

    The epoch and the table's identity are remembered between batches. The epoch is confirmed by the ledger's marker,
    which every batch reads along with its entries, and forgotten after any failure.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._described: Described | None = None
        self._streams: set[str] = set()
        self._epoch: str | None = None

    def apply(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> Applied:
        """Bring `changes` into the total, at most 99 tags a transaction.

        A tag without changes is brought into the present epoch. Records of another table's stream are skipped, with a
        warning. Raises TotalNotWrittenError if `budget` is used up, TotalKeptElsewhereError if the total is not this
        ledger's, and DynamoDB's own errors that are not retryable. What was written until then stays, and is skipped
        when the same changes are delivered again.
        """
        own = self._own(changes, budget)
        tags, done = list(own), Applied()
        for start in range(0, len(tags), TAGS_PER_TRANSACTION):
            chunk = {tag: own[tag] for tag in tags[start : start + TAGS_PER_TRANSACTION]}
            (written, delta), attempts = _retry(partial(self._try, chunk, budget), budget)
            done = Applied(done.tags + written, done.delta + delta, done.attempts + attempts)
        return done

    def confirm(self, budget: RetryBudget) -> str:
        """Return the total's epoch once this ledger keeps it, which may mean to take it over."""
        self._epoch = None
        return _retry(self._confirmed, budget)[0]

    def take_over(self, budget: RetryBudget, why: str) -> None:
        """Start the total anew with this ledger, whoever kept it so far; `why` is for the log."""
        self._epoch = None
        _retry(lambda: self._take_over(*self._read_standing(), why), budget)

    def described(self, budget: RetryBudget) -> Described:
        """Return what identifies the table."""
        return _retry(self._describe, budget)[0]

    def _own(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> dict[str, list[Change]]:
        labels = {change.position.stream for each in changes.values() for change in each}
        if not labels <= self._streams:
            # A stream not seen before may belong to a table that was made anew under its name.
            self._described = None
        described = self.described(budget)
        self._streams |= labels
        own = {tag: [change for change in each if described.owns(change)] for tag, each in changes.items()}
        foreign = sum(map(len, changes.values())) - sum(map(len, own.values()))
        if foreign:
            sources = {change.table for each in changes.values() for change in each if not described.owns(change)}
            facts = {"skipped": foreign, "streamsOf": sorted(sources), "table": described.identity}
            logger.warning("records of another table skipped", extra=facts)
        return {tag: each for tag, each in own.items() if each or not changes[tag]}

    def _try(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> tuple[int, int]:
        # Forgotten first, so that whatever ends this attempt, the next one reads the epoch again.
        epoch, self._epoch = self._epoch, None
        described = self._describe()
        identity, table = described.identity, described.fingerprint
        stored = read_items(self._client, self._ledger, [COUNTER, *changes], budget)
        if epoch is None or read_marker(stored.get(COUNTER)) != (epoch, identity):
            epoch = self._confirmed()
        actions, delta, overwritten = [], 0, False
        for tag, tag_changes in changes.items():
            before = read_entry(stored.get(tag))
            after, added = fold(before, tag_changes, epoch, table)
            if after is not before:
                delta += added
                actions.append({"Update": self._entry_update(tag, after, stored.get(tag))})
                overwritten |= bool(before.table) and before.table != table
        if overwritten and self._read_marker() != (epoch, identity):
            # The ledger went on to another table, and these entries may be that one's already.
            raise _StaleReadError("the ledger went on to another table")
        if actions:
            self._client.transact_write_items(TransactItems=[*actions, {"Update": self._total_update(delta, epoch)}])
        self._epoch = epoch
        return len(actions), delta

    def _confirmed(self) -> str:
        marker, counter = self._read_standing()
        found = standing(read_marker(marker), read_counter(counter), self._ledger, self._describe().identity)
        if found is Standing.OTHER_TABLE and read_marker(self._read_marker_item()) != read_marker(marker):
            raise _StaleReadError("the ledger was moved while it was read")
        if found in (Standing.OTHER_LEDGER, Standing.OTHER_TABLE):
            raise TotalKeptElsewhereError(self._refusal(found, marker, counter))
        if found is Standing.KEPT:
            return text(counter, "Epoch") or ""
        return self._take_over(marker, counter, found.value)

    def _refusal(self, found: Standing, marker: Item | None, counter: Item | None) -> str:
        if found is Standing.OTHER_LEDGER:
            kept = f"The total in table {self._table} is kept by the ledger {text(counter, 'Ledger')!r}"
        else:
            kept = f"The ledger {self._ledger} keeps the total of {text(marker, 'Table')!r} by now"
        return (
            f"{kept}, so the ledger {self._ledger} does not touch the total in table {self._table}. If nothing else "
            "counts there any more, take the total over: "
            f"./counter reconcile --table {self._table} --ledger {self._ledger} --take-over. "
            "If something does, remove one of the two event source mappings."
        )

    def _take_over(self, marker: Item | None, counter: Item | None, why: str) -> str:
        """Write marker and total anew, if both are still as they were read; return the new epoch."""
        described = self._describe()
        epoch = f"{described.fingerprint}-{uuid.uuid4().hex}"
        fresh = marker is None and counter is None and described.is_wholly_streamed()
        marker_update = self._put(
            self._ledger, MARKER_ATTRIBUTES, marker, {"Table": {"S": described.identity}, "Epoch": {"S": epoch}}
        )
        started: dict[str, AttributeValue] = {"TotalViews": {"N": "0"}, "Held": {"N": "0"}}
        started |= {"Ledger": {"S": self._ledger}, "Epoch": {"S": epoch}, "UpdatedAt": {"S": timestamp()}}
        if not fresh:
            started["Rebuilding"] = {"BOOL": True}
        counter_update = self._put(self._table, COUNTER_ATTRIBUTES, counter, started)
        self._client.transact_write_items(TransactItems=[{"Update": marker_update}, {"Update": counter_update}])
        facts: dict[str, object] = {"table": described.identity, "ledger": self._ledger, "epoch": epoch, "why": why}
        facts |= {"before": text(counter, "Ledger"), "totalBefore": whole_number(counter, "TotalViews")}
        if fresh:
            logger.info("total started", extra=facts)
        else:
            logger.warning("total taken over; it is short until reconcile has run", extra=facts)
        return epoch

    def _put(
        self, table: str, attributes: Sequence[str], stored: Item | None, written: Mapping[str, AttributeValue]
    ) -> dict[str, Any]:
        condition, names, values = as_read(stored, attributes)
        return {
            "TableName": table,
            "Key": {KEY: {"S": COUNTER}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :new{name}" for name in written),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names | {f"#{name}": name for name in written},
            "ExpressionAttributeValues": values | {f":new{name}": value for name, value in written.items()},
        }

    def _describe(self) -> Described:
        if self._described is None:
            table = self._client.describe_table(TableName=self._table)["Table"]
            self._described = Described(
                table["TableArn"],
                table["CreationDateTime"],
                table.get("LatestStreamLabel", ""),
                table.get("ItemCount", 0),
            )
        return self._described

    def _read_standing(self) -> tuple[Item | None, Item | None]:
        counter = self._client.get_item(TableName=self._table, Key={KEY: {"S": COUNTER}}, ConsistentRead=True)
        return self._read_marker_item(), counter.get("Item")

    def _read_marker_item(self) -> Item | None:
        answer = self._client.get_item(TableName=self._ledger, Key={KEY: {"S": COUNTER}}, ConsistentRead=True)
        return answer.get("Item")

    def _read_marker(self) -> Marker:
        return read_marker(self._read_marker_item())

    def _entry_update(self, tag: str, entry: Entry, stored: Item | None) -> dict[str, Any]:
        condition, names, values = as_read(stored, ENTRY_VERSION)
        position = entry.position or Position("", 0)
        written: dict[str, AttributeValue | None] = {
            "Counted": {"N": str(entry.counted)},
            "Given": {"N": str(entry.given)},
            "Stream": {"S": position.stream},
            "Sequence": {"S": entry.sequence},
            "Epoch": {"S": entry.epoch},
            # What most entries do not have is left out: a batch writes 99 of them.
            "Since": {"S": entry.since} if entry.since else None,
            "Ended": {"BOOL": True} if entry.ended else None,
        }
        sets = ", ".join(f"#{name} = :{name}" for name, value in written.items() if value)
        removes = ", ".join(f"#{name}" for name, value in written.items() if not value)
        return {
            "TableName": self._ledger,
            "Key": {KEY: {"S": tag}},
            "UpdateExpression": f"SET {sets}" + (f" REMOVE {removes}" if removes else ""),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names | {f"#{name}": name for name in written},
            "ExpressionAttributeValues": values | {f":{name}": value for name, value in written.items() if value},
        }

    def _total_update(self, delta: int, epoch: str) -> dict[str, Any]:
        """Add to the total if it is still this ledger's; 0 too, so that no entry is written in an epoch gone by.

        `Held` moves with `TotalViews`, so that a number written by anything else shows.
        """
        names = {f"#{name}": name for name in COUNTER_ATTRIBUTES}
        values: dict[str, AttributeValue] = {":delta": {"N": str(delta)}, ":ledger": {"S": self._ledger}}
        values[":epoch"] = {"S": epoch}
        update = "ADD #TotalViews :delta, #Held :delta"
        if delta:
            update += " SET #UpdatedAt = :now"
            values[":now"], names["#UpdatedAt"] = {"S": timestamp()}, "UpdatedAt"
        return {
            "TableName": self._table,
            "Key": {KEY: {"S": COUNTER}},
            "UpdateExpression": update,
            "ConditionExpression": "#Ledger = :ledger AND #Epoch = :epoch AND #TotalViews = #Held",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


def _retry(attempt: Callable[[], T], budget: RetryBudget) -> tuple[T, int]:
    """Call `attempt` until it succeeds; return its result and the number of calls."""
    attempts = 0
    while True:
        attempts += 1
        try:
            return attempt(), attempts
        except Exception as error:
            if not _is_transient(error):
                raise
            if not budget.pause(attempts):
                raise TotalNotWrittenError(f"The total was not written in {attempts} attempts: {error}") from error


def read_marker(stored: Item | None) -> Marker:
    """Read the ledger's marker; one that is missing or damaged names nothing."""
    return Marker(text(stored, "Epoch") or "", text(stored, "Table") or "")


def read_counter(stored: Item | None) -> Counter | None:
    """Read the item that holds the total; None if there is none."""
    if stored is None:
        return None
    total = whole_number(stored, "TotalViews")
    intact = total is not None and total == whole_number(stored, "Held")
    return Counter(text(stored, "Ledger") or "", text(stored, "Epoch") or "", intact)


def read_entry(stored: Item | None) -> Entry:
    """Read a ledger entry; if there is none, or a part is missing, that of a tag never seen stands in."""
    stream, sequence, epoch = text(stored, "Stream"), text(stored, "Sequence") or "", text(stored, "Epoch") or ""
    table = epoch.partition("-")[0]
    if stored is None or not stream or not sequence.isdigit():
        return Entry(table=table)
    return Entry(
        counted=whole_number(stored, "Counted") or 0,
        since=text(stored, "Since") or "",
        ended=stored.get("Ended", {}).get("BOOL") is True,
        given=whole_number(stored, "Given") or 0,
        position=Position(stream, int(sequence)),
        sequence=sequence,
        table=table,
        epoch=epoch,
    )


def as_read(stored: Item | None, attributes: Sequence[str]) -> tuple[str, dict[str, str], dict[str, AttributeValue]]:
    """Return a condition that the item is still as it was read, with its names and values."""
    names = {f"#{attribute}": attribute for attribute in attributes}
    terms, values = [], {}
    for index, attribute in enumerate(attributes):
        if stored is not None and attribute in stored:
            terms.append(f"#{attribute} = :read{index}")
            values[f":read{index}"] = stored[attribute]
        else:
            terms.append(f"attribute_not_exists(#{attribute})")
    return " AND ".join(terms), names, values


def _is_transient(error: Exception) -> bool:
    return isinstance(error, _StaleReadError) or is_transient_cancellation(error) or is_transient(error)
