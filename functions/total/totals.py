"""Adding batches to the total: in one transaction, the ledger's entries and the sum of what they add."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from .. import metrics
from ..dynamodb.client import cancellation_reasons, is_transient, is_transient_cancellation
from ..dynamodb.items import DynamoDB
from ..dynamodb.retries import RetryBudget, read_items
from ..dynamodb.tables import COUNTER
from .ledger import Change, fold
from .ownership import LedgerClaim, StaleReadError, TableDescription
from .stored import entry_update, read_entry, read_marker, total_update

logger = logging.getLogger(__name__)

T = TypeVar("T")

TAGS_PER_TRANSACTION = 99
"""A transaction takes 100 actions, one of them the total's; a batch read takes 100 keys, one of them the marker's."""

CONFLICT_REASONS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
"""Reasons for a cancelled transaction that mean that something else wrote an item, or was writing it."""


class Applied(NamedTuple):
    """The result of `Total.apply`: entries written, the increase of the total, and transactions attempted."""

    entries: int = 0
    delta: int = 0
    attempts: int = 0


class TotalNotWrittenError(Exception):
    """The retry budget was used up before the total was written. Delivering the batch again is harmless."""


class Total:
    """The running total of one table, maintained with one ledger.

    A warm process remembers the epoch and the table's identity. Every batch reads the ledger's marker along with its
    entries, which confirms the epoch; any failure makes the next batch check both again.

    The total may be spread over several `items`. A transaction adds to a random one of them.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str, items: int = 1) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._items = items
        self._claim = LedgerClaim(client, table, ledger, items)
        self._streams: set[str] = set()
        self._epoch = ""

    def apply(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> Applied:
        """Add `changes` to the total, with at most 99 tags per transaction.

        A tag without changes is brought into the current epoch. Records of another table's stream are skipped, with a
        warning. Raises TotalNotWrittenError if `budget` is used up, TotalOwnershipError if the total is not this
        ledger's, and DynamoDB's own errors that are not retryable. Transactions completed before the error remain in
        effect, and their changes are skipped if they are delivered again.
        """
        own = self._own(changes, budget)
        tags, applied = list(own), Applied()
        for start in range(0, len(tags), TAGS_PER_TRANSACTION):
            chunk = {tag: own[tag] for tag in tags[start : start + TAGS_PER_TRANSACTION]}
            (entries, delta), attempts = _retry(partial(self._apply_once, chunk, budget), budget)
            applied = Applied(applied.entries + entries, applied.delta + delta, applied.attempts + attempts)
        return applied

    def confirm(self, budget: RetryBudget) -> str:
        """Return the total's epoch; take the total over first if no ledger vouches for it."""
        return _retry(self._claim.confirm, budget)[0]

    def take_over(self, budget: RetryBudget, reason: str) -> None:
        """Start the total anew with this ledger, whichever ledger maintained it; `reason` is logged."""
        _retry(partial(self._claim.take_over, reason), budget)

    def description(self, budget: RetryBudget) -> TableDescription:
        """Return the table's description."""
        return _retry(self._claim.description, budget)[0]

    def _own(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> dict[str, list[Change]]:
        """Return the changes that this table's stream recorded."""
        # One change of each stream stands for all of them.
        streams = {(change.table, change.position.stream): change for each in changes.values() for change in each}
        labels = {label for _, label in streams}
        if not labels <= self._streams:
            # An unknown stream may belong to a table that was created again under the same name.
            self._claim.forget_description()
        table = self.description(budget)
        self._streams |= labels
        if all(map(table.owns, streams.values())):
            return {tag: list(each) for tag, each in changes.items()}
        own = {tag: [change for change in each if table.owns(change)] for tag, each in changes.items()}
        skipped = sum(map(len, changes.values())) - sum(map(len, own.values()))
        sources = {change.table for change in streams.values() if not table.owns(change)}
        facts = {"skipped": skipped, "streamsOf": sorted(sources), "table": table.identity}
        logger.warning("records of another table skipped", extra=facts)
        return {tag: each for tag, each in own.items() if each or not changes[tag]}

    def _apply_once(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> tuple[int, int]:
        """Apply `changes` in one transaction; return the entries written and the increase of the total."""
        # Cleared first, so the next attempt reads the epoch again after any failure.
        epoch, self._epoch = self._epoch, ""
        description = self._claim.description()
        identity, table = description.identity, description.fingerprint
        stored = read_items(self._client, self._ledger, [COUNTER, *changes], budget)
        if not epoch or read_marker(stored.get(COUNTER)) != (epoch, identity):
            epoch = self._claim.confirm()
        index = random.randrange(self._items)  # noqa: S311 - any distribution of load will do
        actions, delta, overwrites = [], 0, False
        for tag, tag_changes in changes.items():
            before = read_entry(stored.get(tag))
            after, added = fold(before, tag_changes, epoch, table)
            if after is not before:
                delta += added
                actions.append({"Update": entry_update(self._ledger, tag, after, stored.get(tag))})
                # A further item of the total may have been put back with an old epoch, which its condition accepts.
                overwrites |= bool(before.table) and (before.table != table or (index > 0 and before.epoch != epoch))
        if overwrites and self._claim.marker() != (epoch, identity):
            raise StaleReadError("the total was taken over, or the ledger moved to another table")
        if actions:
            total = total_update(self._table, index, self._ledger, epoch, delta)
            self._client.transact_write_items(TransactItems=[*actions, {"Update": total}])
        self._epoch = epoch
        return len(actions), delta


def _retry(attempt: Callable[[], T], budget: RetryBudget) -> tuple[T, int]:
    """Call `attempt` until it succeeds; return its result and the number of calls."""
    attempts = 0
    while True:
        attempts += 1
        try:
            return attempt(), attempts
        except Exception as error:
            if not _is_retryable(error):
                raise
            if CONFLICT_REASONS & {reason.get("Code") for reason in cancellation_reasons(error)}:
                metrics.emit(metrics.CONFLICTS)
            if not budget.pause(attempts):
                raise TotalNotWrittenError(f"The total was not written in {attempts} attempts: {error}") from error


def _is_retryable(error: Exception) -> bool:
    return isinstance(error, StaleReadError) or is_transient_cancellation(error) or is_transient(error)
