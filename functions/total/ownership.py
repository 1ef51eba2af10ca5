"""Which ledger maintains a table's total: checking it, taking the total over, and refusing to.

Table and ledger name each other. `COUNTER` in the table names its ledger and an epoch; the marker in the ledger names
the same epoch and the table. As long as they agree, the total is exactly the sum of the visits that the entries of that
epoch have given to it. If they do not agree, the total is taken over: one transaction writes both items anew, with a
total of 0 and a new epoch, and every entry then gives all its tag's visits again. A total that another ledger maintains
is refused.

The items of a total that is spread belong together in the same way: `COUNTER` says how many there are, each names the
ledger and the epoch, and a takeover writes all of them anew. A missing item is never replaced by one that holds 0,
since that would make the total too low.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from .. import metrics
from ..dynamodb.items import DynamoDB, Item, text
from ..dynamodb.retries import read_item
from ..dynamodb.spread import read_spread_singly, spread_of, sum_total
from ..dynamodb.tables import COUNTER, MAX_ITEMS, item_keys
from .ledger import Change, Marker, Ownership, ownership
from .stored import extension_updates, marker_update, new_total_updates, read_counter, read_marker

logger = logging.getLogger(__name__)

STREAM_RETENTION = timedelta(hours=24)
"""How long a stream retains records (DynamoDB Developer Guide, Streams). It has all records of a younger table."""

CLOCK_TOLERANCE = timedelta(minutes=1)
"""How much earlier than its table's creation time a stream's label may be."""


class TotalOwnershipError(Exception):
    """Another ledger maintains the total, or this ledger maintains another table's: an operator has to decide."""


class StaleReadError(Exception):
    """Items that were read do not belong together because one of them changed meanwhile. Reading again helps."""


@dataclass(frozen=True)
class TableDescription:
    """A table's identity and age. A name alone does not identify a table: it can be used again."""

    arn: str
    created: datetime
    stream: str
    items: int

    @cached_property
    def identity(self) -> str:
        """The text by which the ledger identifies the table: ARN and creation time."""
        return f"{self.arn}@{self.created.astimezone(UTC).isoformat(timespec='milliseconds')}"

    @cached_property
    def fingerprint(self) -> str:
        """A checksum of the identity. Every epoch begins with it, so every ledger entry identifies its table."""
        return sha256(self.identity.encode()).hexdigest()[:16]

    def owns(self, change: Change) -> bool:
        """Whether `change` is from this table's stream, not from another table or an earlier one of this name."""
        if change.table != self.arn:
            return False
        if change.position.stream == self.stream:
            return True
        try:
            enabled = datetime.fromisoformat(change.position.stream).replace(tzinfo=UTC)
        except ValueError:
            return True
        return enabled >= self.created - CLOCK_TOLERANCE

    def is_fully_streamed(self) -> bool:
        """Whether the stream still has a record of every write to the table, as far as the description shows."""
        # The number of items may be six hours old, so it is 0 for a table that has just received its first visit.
        return self.items == 0 or datetime.now(UTC) - self.created < STREAM_RETENTION


class Claim(NamedTuple):
    """What table and ledger say of each other, as it was read: who maintains the total, and the total itself.

    `ledger` is the ledger that the total names. `epoch` is "" and `total` None if there is none that can be read.
    """

    ownership: Ownership
    ledger: str
    epoch: str
    total: int | None
    updated: str
    rebuilding: bool


class LedgerClaim:
    """One ledger's claim to the total of one table. Errors of DynamoDB are not retried here.

    `items` is the number of items that the total is spread over. It may only grow: a total that has more keeps them.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str, items: int = 1) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._items = items
        self._description: TableDescription | None = None

    def description(self) -> TableDescription:
        """Return the table's description, read on first use."""
        if self._description is None:
            table = self._client.describe_table(TableName=self._table)["Table"]
            self._description = TableDescription(
                table["TableArn"],
                table["CreationDateTime"],
                table.get("LatestStreamLabel", ""),
                table.get("ItemCount", 0),
            )
        return self._description

    def forget_description(self) -> None:
        """Read the description again on next use."""
        self._description = None

    def marker(self) -> Marker:
        """Read the ledger's marker."""
        return read_marker(self._read_marker())

    def confirm(self) -> str:
        """Return the total's epoch; take the total over first if no ledger vouches for it.

        The total then has at least the number of items that it is to be spread over.

        Raises TotalOwnershipError if another ledger maintains the total, or this ledger maintains another table's.
        """
        total, marker = self._read_total(), self._read_marker()
        found = ownership(read_marker(marker), read_counter(total), self._ledger, self.description().identity)
        if found is Ownership.OTHER_TABLE and self.marker() != read_marker(marker):
            raise StaleReadError("the ledger moved to this table while it was read")
        if found in (Ownership.OTHER_LEDGER, Ownership.OTHER_TABLE):
            raise TotalOwnershipError(self._refusal(found, marker, total[0]))
        if found is not Ownership.OWNED:
            return self._restart(marker, total, found.value)
        epoch = text(total[0], "Epoch") or ""
        if len(total) > spread_of(total[0]):
            self._write(extension_updates(self._table, total, self._ledger, epoch))
            logger.info("total spread", extra={"epoch": epoch, "items": len(total)})
        return epoch

    def inspect(self) -> Claim:
        """Read who maintains the total, without taking it over."""
        total, marker = self._read_total(), self._read_marker()
        found = ownership(read_marker(marker), read_counter(total), self._ledger, self.description().identity)
        counter, added = total[0], sum_total(total)
        return Claim(
            found,
            text(counter, "Ledger") or "",
            text(counter, "Epoch") or "",
            added.visits,
            added.updated or "",
            counter.get("Rebuilding", {}).get("BOOL") is True,
        )

    def take_over(self, reason: str) -> str:
        """Start the total anew with this ledger, whichever ledger maintained it."""
        total, marker = self._read_total(), self._read_marker()
        return self._restart(marker, total, reason)

    def _read_marker(self) -> Item | None:
        return read_item(self._client, self._ledger, COUNTER)

    def _read_total(self) -> list[Item]:
        return read_spread_singly(self._client, self._table, COUNTER, self._items)

    def _write(self, updates: list[dict[str, Any]]) -> None:
        self._client.transact_write_items(TransactItems=[{"Update": update} for update in updates])

    def _refusal(self, found: Ownership, marker: Item | None, counter: Item) -> str:
        if found is Ownership.OTHER_LEDGER:
            owner = text(counter, "Ledger")
            conflict = f"Ledger {owner!r}, not {self._ledger!r}, maintains the total in table {self._table!r}"
            condition = f"If {owner!r} is no longer used with this table"
        else:
            owner = text(marker, "Table")
            conflict = f"Ledger {self._ledger!r} now maintains the total of {owner!r}, not of table {self._table!r}"
            condition = "If the ledger is no longer used with that table"
        return (
            f"{conflict}; nothing was written. {condition}, take the total over: "
            f"./counter reconcile --table {self._table} --ledger {self._ledger} --take-over. "
            "Otherwise, remove one of the two event source mappings."
        )

    def _restart(self, marker: Item | None, total: list[Item], reason: str) -> str:
        """Write marker and total anew, if neither has changed since it was read; return the new epoch."""
        description = self.description()
        epoch = f"{description.fingerprint}-{uuid.uuid4().hex}"
        counter = total[0]
        fresh = marker is None and not any(total) and description.is_fully_streamed()
        if not fresh:
            total = [*total, *self._read_forgotten(len(total))]
        self._write(
            [
                marker_update(self._ledger, marker, description.identity, epoch),
                *new_total_updates(self._table, total, self._ledger, epoch, rebuilding=not fresh),
            ]
        )
        facts: dict[str, object] = {
            "table": description.identity,
            "ledger": self._ledger,
            "epoch": epoch,
            "why": reason,
        }
        facts |= {"before": text(counter, "Ledger"), "totalBefore": sum_total(total).visits}
        if fresh:
            logger.info("total started", extra=facts)
        else:
            logger.warning("total taken over; it is too low until reconcile has run", extra=facts)
            metrics.emit(metrics.TAKEOVERS)
        return epoch

    def _read_forgotten(self, start: int) -> list[Item]:
        """Read the items of the total from number `start` on, up to the last one that exists.

        `COUNTER` may be gone, and with it their number. If one of them kept its epoch, a processor that has read its
        entries before the takeover could still add to it, and no one would know of these visits.
        """
        keys = item_keys(COUNTER, range(start, MAX_ITEMS))
        found = [read_item(self._client, self._table, key) or {} for key in keys]
        return found[: max((index for index, item in enumerate(found, 1) if item), default=0)]
