"""The units that DynamoDB charges, by AWS's published rules, and the size of `COUNTER`. Pure.

The rules are those of "DynamoDB read and write operations" and "DynamoDB item sizes and formats" in the Amazon DynamoDB
Developer Guide, read on 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.total.counter import POSITION_RETENTION

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4 * WRITE_UNIT_BYTES

SHARD_HOURS = 4
"""About how long a shard takes records until its children follow. AWS does not document it."""

COUNTER = {
    "ID": {"S": "COUNTER"},
    "TotalViews": {"N": "123456789"},
    "Held": {"N": "123456789"},
    "Ended": {"N": "0"},
    "Generation": {"S": "0123456789abcdef"},
    "GenerationTime": {"S": "2026-01-01T00:00:00.000000Z"},
    "Table": {"S": "stream-triggered-counter-0123456@2026-01-01T00:00:00.000+00:00"},
    "UpdatedAt": {"S": "2026-01-01T00:00:00.000Z"},
}
"""A typical `COUNTER` without its positions."""

POSITION = {"1767225600000-0a1b2c3d": {"S": "4000000000000000000000000@1767225600"}}
"""The position of a shard, with ids as long as DynamoDB's."""

Item = Mapping[str, Mapping[str, Any]]


def item_size(item: Item) -> int:
    """Return the bytes of an item: its attributes' names, and their values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Return the bytes of an attribute's value, of the types in `COUNTER`."""
    [(kind, content)] = value.items()
    if kind == "S":
        return len(str(content).encode())
    if kind == "N":
        digits = str(content).lstrip("-").strip("0") or "0"
        # About one byte for two significant digits, one more, and one for the sign.
        return (len(digits) + 1) // 2 + 1 + str(content).startswith("-")
    if kind == "BOOL":
        return 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_size(inner) for name, inner in content.items())
    raise ValueError(f"attribute type: {kind!r} is not supported; allowed: S, N, BOOL, M")


def counter_bytes(positions: float) -> float:
    """Return the bytes of `COUNTER` with this number of positions, which may be a mean."""
    empty = item_size(COUNTER | {"Positions": {"M": {}}})
    return empty + positions * (value_size({"M": POSITION}) - value_size({"M": {}}))


def positions_of(shards: float) -> float:
    """Return how many positions `COUNTER` has for this number of shards at a time, once it is more than a day old."""
    return shards * (1 + POSITION_RETENTION.total_seconds() / 3600 / SHARD_HOURS)


def write_units(size: float) -> int:
    """Return the units of one write of an item that has `size` bytes, of the larger of before and after."""
    return max(1, int(-(-size // WRITE_UNIT_BYTES)))


def read_units(size: float) -> int:
    """Return the units of one consistent read of an item that has `size` bytes."""
    return max(1, int(-(-size // READ_UNIT_BYTES)))
