"""Writing the total: the ledger's entries and the sum of what they add, in transactions complete in themselves."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .database import AttributeValue, DynamoDB, Item, error_code, is_passing
from .items import COUNTER, KEY, text, whole_number
from .ledger import Change, Entry, Position, fold
from .reads import read_items
from .retry import Patience
from .transactions import was_cancelled_in_passing

TAGS_PER_TRANSACTION = 99
"""A transaction takes 100 actions at most; one of them is the total's."""

ENTRY_ATTRIBUTES = ("Counted", "Stream", "Sequence", "Epoch")


class Applied(NamedTuple):
    """What one call of `Total.apply` did: tags whose entry was written, what the total rose by, transactions tried."""

    tags: int = 0
    delta: int = 0
    attempts: int = 0


class TotalNotWrittenError(Exception):
    """There was no time left to write the total; the batch has to come again, which is harmless."""


class Total:
    """The running total of one table, kept with one ledger.

    The epoch is remembered between batches and read again only when a condition fails, so a batch costs no extra read.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._known = False
        self._epoch: str | None = None

    def apply(self, changes: Mapping[str, Sequence[Change]], patience: Patience) -> Applied:
        """Bring `changes` into the total, at most 99 tags a transaction.

        Raises TotalNotWrittenError when `patience` ends first, and what DynamoDB answers where trying again is no use.
        What was written until then stays, and is skipped when the same changes come again.
        """
        tags, done = list(changes), Applied()
        for start in range(0, len(tags), TAGS_PER_TRANSACTION):
            chunk = {tag: changes[tag] for tag in tags[start : start + TAGS_PER_TRANSACTION]}
            part = self._apply_chunk(chunk, patience)
            done = Applied(*(before + now for before, now in zip(done, part, strict=True)))
        return done

    def _apply_chunk(self, changes: Mapping[str, Sequence[Change]], patience: Patience) -> Applied:
        attempt = 0
        while True:
            attempt += 1
            try:
                tags, delta = self._try(changes, patience)
            except Exception as error:
                if not _may_pass(error):
                    raise
                # If it was a condition, what is remembered of the total may be out of date.
                self._known = False
                if not patience.pause(attempt):
                    raise TotalNotWrittenError(f"The total was not written in {attempt} attempts: {error}") from error
            else:
                return Applied(tags, delta, attempt)

    def _try(self, changes: Mapping[str, Sequence[Change]], patience: Patience) -> tuple[int, int]:
        stored = read_items(self._client, self._ledger, list(changes), patience)
        epoch = self._current_epoch()
        actions, delta = [], 0
        for tag, tag_changes in changes.items():
            before = read_entry(stored.get(tag))
            after, added = fold(before, tag_changes, epoch)
            if after is not before:
                delta += added
                actions.append({"Update": self._entry_update(tag, after, stored.get(tag))})
        if actions:
            self._client.transact_write_items(TransactItems=[*actions, {"Update": self._total_update(delta, epoch)}])
        return len(actions), delta

    def _current_epoch(self) -> str | None:
        if not self._known:
            self._epoch = self._epoch_or_takeover()
            self._known = True
        return self._epoch

    def _epoch_or_takeover(self) -> str | None:
        request = {"TableName": self._table, "Key": {KEY: {"S": COUNTER}}}
        counter: Item | None = self._client.get_item(**request, ConsistentRead=True).get("Item")
        if is_kept_with(self._ledger, counter):
            return text(counter, "Epoch")
        epoch = uuid.uuid4().hex
        condition, names, values = as_read(counter, ("Ledger", "TotalViews"))
        self._client.update_item(
            **request,
            UpdateExpression="SET #TotalViews = :zero, #Ledger = :ledger, #Epoch = :epoch, #UpdatedAt = :now",
            ConditionExpression=condition,
            ExpressionAttributeNames={**names, "#Epoch": "Epoch", "#UpdatedAt": "UpdatedAt"},
            ExpressionAttributeValues={
                **values,
                ":zero": {"N": "0"},
                ":ledger": {"S": self._ledger},
                ":epoch": {"S": epoch},
                ":now": {"S": now()},
            },
        )
        return epoch

    def _entry_update(self, tag: str, entry: Entry, stored: Item | None) -> dict[str, Any]:
        condition, names, values = as_read(stored, ENTRY_ATTRIBUTES)
        written: dict[str, AttributeValue] = {":counted": {"N": str(entry.counted)}}
        update = "SET #Counted = :counted, #Stream = :stream, #Sequence = :sequence"
        if entry.position is not None:
            written |= {":stream": {"S": entry.position.stream}, ":sequence": {"S": entry.sequence}}
        if entry.epoch is not None:
            written[":epoch"] = {"S": entry.epoch}
        return {
            "TableName": self._ledger,
            "Key": {KEY: {"S": tag}},
            "UpdateExpression": update + (" REMOVE #Epoch" if entry.epoch is None else ", #Epoch = :epoch"),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {**values, **written},
        }

    def _total_update(self, delta: int, epoch: str | None) -> dict[str, Any]:
        """Add to the total where it is still this ledger's; 0 too, so that no entry is written in an epoch gone by."""
        same_epoch = "attribute_not_exists(#Epoch)" if epoch is None else "#Epoch = :epoch"
        values: dict[str, AttributeValue] = {":delta": {"N": str(delta)}, ":ledger": {"S": self._ledger}}
        names = {"#TotalViews": "TotalViews", "#Ledger": "Ledger", "#Epoch": "Epoch"}
        update = "ADD #TotalViews :delta"
        if epoch is not None:
            values[":epoch"] = {"S": epoch}
        if delta:
            update += " SET #UpdatedAt = :now"
            values[":now"], names["#UpdatedAt"] = {"S": now()}, "UpdatedAt"
        return {
            "TableName": self._table,
            "Key": {KEY: {"S": COUNTER}},
            "UpdateExpression": update,
            "ConditionExpression": f"#Ledger = :ledger AND {same_epoch}",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


def is_kept_with(ledger: str, counter: Item | None) -> bool:
    """Whether `counter` holds a total that is exactly what `ledger` has counted; where not, it is to be taken over."""
    return text(counter, "Ledger") == ledger and whole_number(counter, "TotalViews") is not None


def read_entry(stored: Item | None) -> Entry:
    """Read a ledger entry; where there is none, or a part is missing, that of a tag never seen stands in."""
    stream, sequence = text(stored, "Stream"), text(stored, "Sequence") or ""
    position = Position(stream, int(sequence)) if stream and sequence.isdigit() else None
    counted = whole_number(stored, "Counted") or 0
    return Entry(counted, position, sequence if position else "", text(stored, "Epoch"))


def as_read(stored: Item | None, attributes: Sequence[str]) -> tuple[str, dict[str, str], dict[str, AttributeValue]]:
    """Return condition, names and values that hold only while the item is still as it was read."""
    names = {f"#{attribute}": attribute for attribute in attributes}
    terms, values = [], {}
    for index, attribute in enumerate(attributes):
        if stored is not None and attribute in stored:
            terms.append(f"#{attribute} = :read{index}")
            values[f":read{index}"] = stored[attribute]
        else:
            terms.append(f"attribute_not_exists(#{attribute})")
    return " AND ".join(terms), names, values


def now() -> str:
    """Return the present moment as the total's `UpdatedAt` has it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _may_pass(error: Exception) -> bool:
    is_condition = error_code(error) == "ConditionalCheckFailedException"
    return is_condition or was_cancelled_in_passing(error) or is_passing(error)
