"""The tables: the environment variables that name them, and the key and attribute names that the component shares.

DynamoDB writes at most 1,000 units a second to one item. So a tag may be spread over several items, whose numbers add
up. Item 0 has the tag as its key; the others have keys that no tag can have.
"""

import os
from collections.abc import Iterable
from functools import cache

TABLE_NAME = "TABLE_NAME"
IDEMPOTENCY_TABLE_NAME = "IDEMPOTENCY_TABLE_NAME"
"""The environment variables that hold the tables' names."""

ITEMS_PER_TAG = "ITEMS_PER_TAG"
"""The environment variable that holds the number of items that a tag is written to. The default is 1."""

MAX_ITEMS = 50
"""The maximum: one BatchGetItem, of at most 100 keys, reads a tag and the total."""

KEY = "ID"
"""The partition key of every table."""

COUNTER = "COUNTER"
"""The key of the item that holds the total. It is reserved: no tag may use it."""

MARK = "Reconciled"
"""The attribute that includes an item in a generation of the total; see `functions/total/generation.py`."""

SPREAD = "Spread"
"""The attribute of an item 0 that says how many items there are. Without it, there is only this one."""

SEPARATOR = "/%/"
"""Stands between a name and an item's number in a key. A tag cannot contain it, and neither can the path of a URL,
which another program may have used as a key."""

NUMBERS = frozenset(map(str, range(1, MAX_ITEMS)))

EXPIRES_AT = "ExpiresAt"
"""The TTL attribute of an idempotency key: when DynamoDB may delete it, in seconds since 1970."""


def item_key(name: str, index: int) -> str:
    """Return the key of an item of a tag: `tech`, `tech/%/1`, `tech/%/2`, and so on."""
    return f"{name}{SEPARATOR}{index}" if index else name


def item_keys(name: str, numbers: Iterable[int]) -> list[str]:
    """Return the keys of several items of a tag."""
    return [item_key(name, index) for index in numbers]


ORIGIN = item_key(COUNTER, 1)
"""The key of the item that records that a table's total was started. It tells a new table from one whose `COUNTER` was
deleted."""


def name_of(key: str) -> str:
    """Return the tag, or `COUNTER`, that the item with this key belongs to."""
    name, found, number = key.rpartition(SEPARATOR)
    return name if found and number in NUMBERS else key


def is_total(key: str) -> bool:
    """Whether the item with this key belongs to the total, and not to a tag."""
    return name_of(key) == COUNTER


@cache
def setting(name: str) -> str:
    """Return the environment variable `name`, read once per process.

    Raises RuntimeError, naming the variable, if it is missing or empty: the function was deployed without it.
    """
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"The environment variable {name} is {value!r}; it must hold the name of a DynamoDB table.")
    return value


def table_name() -> str:
    """Return the name of the main table, which holds the tags and the total."""
    return setting(TABLE_NAME)


def idempotency_table_name() -> str:
    """Return the name of the table that holds idempotency keys and the numbers of their visits."""
    return setting(IDEMPOTENCY_TABLE_NAME)


@cache
def items_per_tag() -> int:
    """Return the environment variable ITEMS_PER_TAG, read once per process.

    Raises RuntimeError, naming the variable, if the component did not write it.
    """
    value = os.environ.get(ITEMS_PER_TAG, "1")
    if value not in NUMBERS and value != str(MAX_ITEMS):
        raise RuntimeError(f"The environment variable {ITEMS_PER_TAG} is {value!r}; it must be 1 to {MAX_ITEMS}.")
    return int(value)
