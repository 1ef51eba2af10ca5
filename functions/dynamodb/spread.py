"""Reads tags, which may be spread over several items.

Item 0 says how many items there are, and is written in one transaction with each new one. So whoever reads it knows of
all items, whatever number the deployment has now: the number may be raised and lowered while visits continue.
"""

from collections.abc import Iterable, Mapping, Sequence

from .items import ALLOWED_COUNT, AttributeValue, DynamoDB, Item, whole_number
from .retries import MAX_BATCH_KEYS, RetryBudget, read_item, read_items
from .tables import MAX_ITEMS, SPREAD, item_key, item_keys

MAX_SHOWN_LENGTH = 100
"""The maximum number of characters of a malformed count that an error quotes."""

MEND = "The tag has no count until it is mended."


def spread_of(first: Item | None) -> int:
    """Return how many items there are according to item 0, `first`."""
    return min(max(1, whole_number(first, SPREAD) or 1), MAX_ITEMS)


def read_spread(
    client: DynamoDB,
    table: str,
    expected: Mapping[str, int],
    budget: RetryBudget,
    known: Mapping[str, Item] | None = None,
) -> dict[str, list[Item]]:
    """Read all items of each name, with consistent reads; an item that does not exist is empty.

    `expected` has the number of items that each name probably has. One request reads these, and a second one reads the
    others if item 0 says that there are more. Items that are `known`, by their keys, are not read again.
    """
    found = dict(known or {})
    found |= _read(client, table, _keys(expected, dict.fromkeys(expected, 0)), found, budget)
    actual = {name: max(count, spread_of(found.get(name))) for name, count in expected.items()}
    found |= _read(client, table, _keys(actual, expected), found, budget)
    return {name: [found.get(key, {}) for key in item_keys(name, range(count))] for name, count in actual.items()}


def read_spread_singly(client: DynamoDB, table: str, name: str, expected: int = 1) -> list[Item]:
    """Read all items of a name, at least as many as `expected`, one by one; an item that does not exist is empty.

    Item 0 is read before the others. It takes more requests than `read_spread`, but only the right to GetItem.
    """
    first = read_item(client, table, name) or {}
    others = item_keys(name, range(1, max(expected, spread_of(first))))
    return [first, *(read_item(client, table, key) or {} for key in others)]


class MalformedCountError(ValueError):
    """A stored count is not a whole number, or too large. The message names it, and says what became of a visit."""

    def __init__(self, stored: AttributeValue, outcome: str = "") -> None:
        shown = str(stored)
        shown = shown if len(shown) <= MAX_SHOWN_LENGTH else f"{shown[:MAX_SHOWN_LENGTH]}…"
        super().__init__(f"A stored count of the tag is {shown}; it must be {ALLOWED_COUNT}. {MEND}{outcome}")
        self.stored = stored


def counts_of(items: Iterable[Item]) -> int:
    """Return the sum of the counts of a tag's items. Raises MalformedCountError if one of them is malformed."""
    total = 0
    for item in items:
        if "Count" in item:
            count = whole_number(item, "Count")
            if count is None:
                raise MalformedCountError(item["Count"])
            total += count
    return total


def _keys(counts: Mapping[str, int], starts: Mapping[str, int]) -> list[str]:
    return [item_key(name, index) for name, count in counts.items() for index in range(starts[name], count)]


def _read(
    client: DynamoDB, table: str, keys: Sequence[str], known: Mapping[str, Item], budget: RetryBudget
) -> dict[str, Item]:
    missing, found = [key for key in keys if key not in known], dict[str, Item]()
    for start in range(0, len(missing), MAX_BATCH_KEYS):
        found |= read_items(client, table, missing[start : start + MAX_BATCH_KEYS], budget)
    return found
