"""Reads tags and the total, which may be spread over several items.

Item 0 says how many items there are, and is written in one transaction with each new one. So whoever reads it knows of
all items, whatever number the deployment has now: the number may be raised and lowered while visits continue.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .items import DynamoDB, Item, text, whole_number
from .retries import MAX_BATCH_KEYS, RetryBudget, read_item, read_items
from .tables import MAX_ITEMS, SPREAD, item_key, item_keys


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


def counts_of(items: Iterable[Item]) -> int:
    """Return the sum of the counts of a tag's items."""
    return sum(whole_number(item, "Count") or 0 for item in items)


class Sum(NamedTuple):
    """The total as its items hold it.

    `visits` is None if there is none that can be read. It may be wrong if the items are not `intact`.
    """

    visits: int | None
    updated: str | None
    intact: bool


def sum_total(items: Sequence[Item]) -> Sum:
    """Add up the items of the total, in their order, as `read_spread` returns them."""
    first, count = items[0], spread_of(items[0])
    parts = [part for part in items[1:count] if is_part(part, first) and is_consistent(part)]
    visits = whole_number(first, "TotalViews")
    if visits is not None:
        visits += sum(whole_number(part, "TotalViews") or 0 for part in parts)
    updated = max(text(item, "UpdatedAt") or "" for item in (first, *parts))
    # A total that no ledger has started, such as the tutorial's, is what it says.
    intact = is_intact(items) if "Held" in first else not any(items[1:])
    return Sum(visits, updated or None, intact)


def is_intact(items: Sequence[Item]) -> bool:
    """Whether the items of a total, in their order, are those that a ledger has written.

    An item of this epoch that the first does not count means that the first is an older copy.
    """
    first = items[0]
    parts = [index for index, part in enumerate(items) if index and is_part(part, first)]
    return (
        has_valid_spread(first)
        and parts == list(range(1, spread_of(first)))
        and all(is_consistent(items[index]) for index in (0, *parts))
    )


def is_part(part: Item, first: Item) -> bool:
    """Whether a further item of the total belongs to the same ledger and epoch as its item 0."""
    return bool(part) and all(part.get(name) == first.get(name) for name in ("Ledger", "Epoch"))


def is_consistent(item: Item) -> bool:
    """Whether an item of the total has a number that only a ledger has written."""
    visits = whole_number(item, "TotalViews")
    return visits is not None and visits == whole_number(item, "Held")


def has_valid_spread(first: Item) -> bool:
    """Whether the number of items in the total's item 0 is one that a ledger writes."""
    return SPREAD not in first or 1 < (whole_number(first, SPREAD) or 0) <= MAX_ITEMS


def _keys(counts: Mapping[str, int], starts: Mapping[str, int]) -> list[str]:
    return [item_key(name, index) for name, count in counts.items() for index in range(starts[name], count)]


def _read(
    client: DynamoDB, table: str, keys: Sequence[str], known: Mapping[str, Item], budget: RetryBudget
) -> dict[str, Item]:
    missing, found = [key for key in keys if key not in known], dict[str, Item]()
    for start in range(0, len(missing), MAX_BATCH_KEYS):
        found |= read_items(client, table, missing[start : start + MAX_BATCH_KEYS], budget)
    return found
