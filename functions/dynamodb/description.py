"""A table's identity and age, as its description shows them. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .items import format_time

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far clocks may differ."""

STREAM_RETENTION = timedelta(hours=24)
"""How long a stream keeps records (DynamoDB Developer Guide, Streams). It has all records of a younger table."""


class TableDescription:
    """A table's identity and age. A name alone does not identify a table: it can be used again."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        """Read the `Table` of DescribeTable's answer."""
        self.arn: str = described["TableArn"]
        self.items: int = described.get("ItemCount", 0)
        self._created: datetime = described["CreationDateTime"].astimezone(UTC)
        self._label: str = described.get("LatestStreamLabel", "")
        self.identity = f"{self.arn.rpartition('/')[2]}@{self._created.isoformat(timespec='milliseconds')}"
        self.begins = format_time(self._created - CLOCK_TOLERANCE)

    def owns(self, stream: str) -> bool:
        """Whether the stream with this ARN is this table's, not another table's or an earlier one's of this name."""
        table, _, label = stream.partition("/stream/")
        is_older = label != self._label and (_time_of(label) or self._created) < self._created - CLOCK_TOLERANCE
        return table == self.arn and not is_older

    def is_fully_streamed(self, now: datetime) -> bool:
        """Whether the stream still has a record of every write to the table, as the description shows."""
        enabled = _time_of(self._label) or self._created
        # The number of items may be six hours old, so it is 0 for a table that has just received its first visit.
        is_new = self.items == 0 or now - self._created < STREAM_RETENTION
        return is_new and enabled < self._created + timedelta(minutes=1)


def _time_of(label: str) -> datetime | None:
    try:
        return datetime.fromisoformat(label).replace(tzinfo=UTC)
    except ValueError:
        return None
