"""Retries within a time budget, with full jitter, so that requests that collided do not collide again."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .items import DynamoDB, Item
from .tables import KEY

BASE_DELAY_SECONDS = 0.02
"""The longest first pause; each further pause may be twice as long."""

MAX_DELAY_SECONDS = 1.0
"""The longest pause."""

RESERVED_SECONDS = 0.5
"""Time reserved for completing the invocation in order."""


MAX_BATCH_KEYS = 100
"""The most keys that one BatchGetItem takes."""


class RetryBudget(NamedTuple):
    """How long an operation may be retried. `remaining` returns the seconds left; tests replace the other two."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int) -> bool:
        """Wait before the next attempt, after `attempt` of them; return False at once if no time is left for it."""
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
    """DynamoDB left keys of a batch unread, for lack of throughput, until the retry budget was used up."""


def read_items(client: DynamoDB, table: str, keys: Sequence[str], budget: RetryBudget) -> dict[str, Item]:
    """Read the items under `keys` (at most 100, each once) with consistent reads; missing ones are left out.

    Raises UnreadItemsError if `budget` is used up before DynamoDB has returned them all.
    """
    pending: dict[str, Any] = {table: {"Keys": [{KEY: {"S": key}} for key in keys], "ConsistentRead": True}}
    found: dict[str, Item] = {}
    attempt = 0
    while pending:
        answer = client.batch_get_item(RequestItems=pending)
        found.update((item[KEY]["S"], item) for item in answer.get("Responses", {}).get(table, []))
        pending = answer.get("UnprocessedKeys") or {}
        attempt += 1
        if pending and not budget.pause(attempt):
            unread = len(pending[table]["Keys"])
            raise UnreadItemsError(f"DynamoDB left {unread} of {len(keys)} keys of {table} unread, {attempt} times.")
    return found
