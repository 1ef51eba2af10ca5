"""Consistent reads of several items at once, complete or failed."""

from collections.abc import Sequence
from typing import Any

from .database import DynamoDB, Item
from .items import KEY
from .retry import Patience

LIMIT = 100
"""Keys that one BatchGetItem takes at most."""


class UnreadItemsError(Exception):
    """DynamoDB left keys of a batch unread, for lack of throughput, for as long as there was time to ask again."""


def read_items(client: DynamoDB, table: str, keys: Sequence[str], patience: Patience) -> dict[str, Item]:
    """Read the items under `keys` (at most 100, each once) with consistent reads; missing ones are left out.

    Raises UnreadItemsError where `patience` ends before DynamoDB has given them all.
    """
    pending: dict[str, Any] = {table: {"Keys": [{KEY: {"S": key}} for key in keys], "ConsistentRead": True}}
    found: dict[str, Item] = {}
    attempt = 0
    while pending:
        answer = client.batch_get_item(RequestItems=pending)
        found.update((item[KEY]["S"], item) for item in answer.get("Responses", {}).get(table, []))
        pending = answer.get("UnprocessedKeys") or {}
        attempt += 1
        if pending and not patience.pause(attempt):
            unread = len(pending[table]["Keys"])
            raise UnreadItemsError(f"DynamoDB left {unread} of {len(keys)} keys of {table} unread, {attempt} times.")
    return found
