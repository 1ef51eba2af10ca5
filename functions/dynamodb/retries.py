"""Retries within a time budget, with full jitter, so requests that collided are unlikely to collide again."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .items import DynamoDB, Item
from .tables import KEY

BASE_DELAY_SECONDS = 0.02
"""The maximum first pause. The maximum doubles with each attempt."""

MAX_DELAY_SECONDS = 1.0
"""The maximum of every pause."""

RESERVED_SECONDS = 0.5
"""Time reserved for completing the invocation."""

MAX_BATCH_KEYS = 100
"""The maximum number of keys in one BatchGetItem request."""


class RetryBudget(NamedTuple):
    """The time for retries of an operation. `remaining` returns the seconds left; tests replace the other two."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int) -> bool:
        """Pause after `attempt` attempts. Returns False at once if too little time is left."""
        delay = self.jitter() * min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** min(attempt - 1, 16))
        if self.remaining() < delay + RESERVED_SECONDS:
            return False
        self.sleep(delay)
        return True


def retry_budget(seconds: float) -> RetryBudget:
    """Return a budget that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return RetryBudget(lambda: end - time.monotonic())


class UnreadItemsError(Exception):
    """DynamoDB left keys of a batch unprocessed, for lack of throughput, until the retry budget was used up."""


def read_item(client: DynamoDB, table: str, key: str) -> Item | None:
    """Read the item under `key` with a consistent read; None if there is none."""
    return client.get_item(TableName=table, Key={KEY: {"S": key}}, ConsistentRead=True).get("Item")


def read_items(client: DynamoDB, table: str, keys: Sequence[str], budget: RetryBudget) -> dict[str, Item]:
    """Read the items under `keys` (at most 100, no duplicates) with consistent reads; omit those that do not exist.

    Raises UnreadItemsError if `budget` is used up before DynamoDB has returned them all.
    """
    pending: dict[str, Any] = {table: {"Keys": [{KEY: {"S": key}} for key in keys], "ConsistentRead": True}}
    found: dict[str, Item] = {}
    attempt = 0
    while pending:
        answer = client.batch_get_item(RequestItems=pending)
        found.update((item[KEY]["S"], item) for item in answer.get("Responses", {}).get(table, []))
        pending = answer.get("UnprocessedKeys", {})
        attempt += 1
        if pending and not budget.pause(attempt):
            unread = len(pending[table]["Keys"])
            raise UnreadItemsError(
                f"DynamoDB left {unread} of {len(keys)} keys of table {table} unprocessed in {attempt} attempts."
            )
    return found
