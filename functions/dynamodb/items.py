"""DynamoDB items: their types and values, and the client interface. Pure: this module imports no SDK."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

AttributeValue = dict[str, Any]
Item = Mapping[str, AttributeValue]


class DynamoDB(Protocol):
    """The part of boto3's low-level DynamoDB client that the functions use."""

    def get_item(self, **request: Any) -> dict[str, Any]:
        """GetItem."""
        ...

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """BatchGetItem."""
        ...

    def update_item(self, **request: Any) -> dict[str, Any]:
        """UpdateItem."""
        ...

    def delete_item(self, **request: Any) -> dict[str, Any]:
        """DeleteItem."""
        ...

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """TransactWriteItems."""
        ...

    def scan(self, **request: Any) -> dict[str, Any]:
        """Scan."""
        ...

    def describe_table(self, **request: Any) -> dict[str, Any]:
        """DescribeTable."""
        ...


def whole_number(item: Item | None, attribute: str) -> int | None:
    """Return the whole number in `attribute` of `item`, None if it is missing or not a whole number."""
    text = (item or {}).get(attribute, {}).get("N")
    if not isinstance(text, str):
        return None
    try:
        if text.isdecimal():
            return int(text)
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else None
    except (InvalidOperation, OverflowError, ValueError):
        return None


def text(item: Item | None, attribute: str) -> str | None:
    """Return the string in `attribute` of `item`, None if it is missing or not a string."""
    value = (item or {}).get(attribute, {}).get("S")
    return value if isinstance(value, str) else None


def timestamp(precision: str = "milliseconds") -> str:
    """Return the current time as stored in items: ISO 8601, UTC, in milliseconds or microseconds."""
    return datetime.now(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
