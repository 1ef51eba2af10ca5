"""Deleting a tag. The stream's record of it adds the tag's visits to `Ended`, missing ones included."""

from __future__ import annotations

from typing import Any

from .. import core
from .table import CounterTable

MAX_ATTEMPTS = 20
"""How often a tag is read and deleted again because a visit came in between."""


class BusyTagError(Exception):
    """The tag was not deleted, because it was visited again each time after it was read."""


def delete_tag(table: CounterTable, tag: str, budget: core.RetryBudget) -> int | None:
    """Delete all items of a tag at once, and return its visits; None if there is no such tag.

    Raises MalformedCountError if a count is malformed: its visits would be lost. Raises BusyTagError.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        items = core.read_spread_singly(table.client, table.name, tag)
        if not any("Count" in item for item in items):
            return None
        visits = core.counts_of(items)
        deletions = [
            {"Delete": _deletion(table.name, key, item)}
            for key, item in zip(core.item_keys(tag, range(len(items))), items, strict=True)
        ]
        try:
            table.client.transact_write_items(TransactItems=deletions)
        except Exception as error:
            if not core.is_transient_cancellation(error):
                raise
            budget.pause(attempt)
        else:
            return visits
    raise BusyTagError(f"{tag!r} was not deleted: it was visited again each of the {MAX_ATTEMPTS} times it was read")


def _deletion(table: str, key: str, item: core.Item) -> dict[str, Any]:
    """Return the deletion of an item that is still as it was read. One that did not exist must not exist."""
    terms, values = core.unchanged(item, ("Count", core.SPREAD))
    deletion: dict[str, Any] = {
        "TableName": table,
        "Key": {core.KEY: {"S": key}},
        "ConditionExpression": terms,
        "ExpressionAttributeNames": {f"#{name}": name for name in ("Count", core.SPREAD)},
    }
    return {**deletion, **({"ExpressionAttributeValues": values} if values else {})}
