"""Trying again while there is time: full jitter, so that those who collided do not collide again."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .items import DynamoDB, Item
from .tables import KEY

BASE = 0.02
"""Seconds the first pause may last at most; each further one may last twice as long."""

LONGEST = 1.0
"""Seconds any pause may last at most."""

MARGIN = 0.5
"""Seconds kept back for ending the invocation in order."""


LIMIT = 100
"""Keys that one BatchGetItem takes at most."""


@dataclass(frozen=True)
class Patience:
    """How long an operation may go on trying. `remaining` gives the seconds left; the rest is for tests to hand in."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int) -> bool:
        """Wait before the next try, `attempt` being the number of those made; False where no time is left for one."""
        delay = self.jitter() * min(LONGEST, BASE * 2 ** min(attempt - 1, 16))
        if self.remaining() < delay + MARGIN:
            return False
        self.sleep(delay)
        return True


def patience(seconds: float) -> Patience:
    """Return the patience that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return Patience(lambda: end - time.monotonic())


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
