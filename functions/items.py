"""What is stored under which name, and reading numbers out of items."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from .database import Item

KEY = "ID"
"""Partition key of both tables."""

COUNTER = "COUNTER"
"""Key of the item that holds the total, and of the ledger's marker; reserved, so no tag may have it."""


def whole_number(item: Item | None, attribute: str) -> int | None:
    """Return the whole number that `item` holds under `attribute`; None where it holds no such number."""
    text = (item or {}).get(attribute, {}).get("N")
    if text is None:
        return None
    try:
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else None
    except (InvalidOperation, OverflowError, TypeError, ValueError):
        return None


def text(item: Item | None, attribute: str) -> str | None:
    """Return the string that `item` holds under `attribute`; None if it holds none."""
    value = (item or {}).get(attribute, {}).get("S")
    return value if isinstance(value, str) else None


def timestamp(precision: str = "milliseconds") -> str:
    """Return the present moment as it is stored: ISO 8601, UTC, in milliseconds or microseconds."""
    return datetime.now(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
