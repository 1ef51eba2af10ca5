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

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """TransactWriteItems."""
        ...

    def scan(self, **request: Any) -> dict[str, Any]:
        """Scan."""
        ...

    def describe_table(self, **request: Any) -> dict[str, Any]:
        """DescribeTable."""
        ...


MAX_COUNT = 10**30 - 1
"""The largest count. DynamoDB's numbers have 38 digits, so no sum of the counts in a table leaves them."""

ALLOWED_COUNT = "a whole number of at most 30 digits"
"""The allowed counts, as a phrase for error messages."""

MAX_TOTAL = 10**36
"""The largest total, to which the counts of a whole batch may still be added."""

MAX_DIGITS = 38
"""The precision of DynamoDB's numbers (DynamoDB Developer Guide, "Supported data types")."""


def parse_whole_number(value: object, largest: int = MAX_COUNT) -> int | None:
    """Return a number in DynamoDB's text format, None if it is not a whole number from -`largest` to `largest`."""
    if not isinstance(value, str):
        return None
    try:
        number = int(value)
    except ValueError:
        try:
            exact = Decimal(value)
        except InvalidOperation:
            return None
        # The size comes first: an exponent may stand for a number that does not fit in memory.
        if not exact.is_finite() or exact.adjusted() > MAX_DIGITS or exact != exact.to_integral_value():
            return None
        number = int(exact)
    return number if -largest <= number <= largest else None


def whole_number(item: Item | None, attribute: str, largest: int = MAX_COUNT) -> int | None:
    """Return the whole number in `attribute` of `item`, None if it is missing, malformed or too large."""
    return parse_whole_number((item or {}).get(attribute, {}).get("N"), largest)


def text(item: Item | None, attribute: str) -> str | None:
    """Return the string in `attribute` of `item`, None if it is missing or not a string."""
    value = (item or {}).get(attribute, {}).get("S")
    return value if isinstance(value, str) else None


def timestamp() -> str:
    """Return the current time as most items store it: ISO 8601, UTC, in milliseconds."""
    return _format(datetime.now(UTC), "milliseconds")


def format_time(at: datetime) -> str:
    """Return a time in the format of `Since`: ISO 8601, UTC, in microseconds."""
    return _format(at.astimezone(UTC), "microseconds")


def _format(at: datetime, precision: str) -> str:
    return at.isoformat(timespec=precision).replace("+00:00", "Z")
