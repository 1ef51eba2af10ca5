"""DynamoDB stream events as Lambda receives them, for tests of functions that consume the counter's stream."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from ..functions_package import PARTITION_KEY

StreamRecord = dict[str, Any]
StreamEvent = dict[str, Any]


class StreamEvents:
    """Makes the records of one table's stream; each record's sequence number is higher than the one before.

    `table`, `label`, `region` and `account` make up the stream's ARN. The label is the time at which the stream
    was enabled, so a stream that was disabled and enabled again has another.
    """

    def __init__(
        self,
        table: str = "visits",
        *,
        label: str = "2026-01-01T00:00:00.000",
        region: str = "us-east-1",
        account: str = "123456789012",
        first_sequence: int = 100_000_000_000_000_000_001,
    ) -> None:
        self.stream_arn = f"arn:aws:dynamodb:{region}:{account}:table/{table}/stream/{label}"
        self._region = region
        self._sequence = itertools.count(first_sequence)

    def insert(self, tag: str, count: int = 1) -> StreamRecord:
        """Record the first visit of a tag."""
        return self.record("INSERT", tag, new=tag_item(tag, count))

    def modify(self, tag: str, count: int, *, before: int | None = None) -> StreamRecord:
        """Record a later visit; `before` is the count that it found, one less unless given."""
        old = count - 1 if before is None else before
        return self.record("MODIFY", tag, new=tag_item(tag, count), old=tag_item(tag, old))

    def remove(self, tag: str, count: int) -> StreamRecord:
        """Record the deletion of a tag that had this count."""
        return self.record("REMOVE", tag, old=tag_item(tag, count))

    def record(
        self, name: str, tag: str, *, new: Mapping[str, Any] | None = None, old: Mapping[str, Any] | None = None
    ) -> StreamRecord:
        """Make any record: `name` is INSERT, MODIFY or REMOVE; the images are items in DynamoDB's JSON."""
        sequence = next(self._sequence)
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": 1_767_225_600.0,
            "Keys": {PARTITION_KEY: {"S": tag}},
            "SequenceNumber": str(sequence),
            "SizeBytes": 64,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if new is not None:
            change["NewImage"] = dict(new)
        if old is not None:
            change["OldImage"] = dict(old)
        return {
            "eventID": f"{sequence:032x}",
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._region,
            "dynamodb": change,
            "eventSourceARN": self.stream_arn,
        }

    @staticmethod
    def batch(records: Iterable[StreamRecord]) -> StreamEvent:
        """Make the event that hands these records to a function."""
        return {"Records": list(records)}

    def window(
        self,
        records: Iterable[StreamRecord] = (),
        state: Mapping[str, Any] | None = None,
        *,
        shard_id: str = "shardId-00000001767225600000-1a2b3c4d",
        final: bool = False,
    ) -> StreamEvent:
        """Make the event that a mapping with a tumbling window hands to a function.

        `state` is what the function answered last in this window, and `final` says that the window ends.
        """
        return {
            **self.batch(records),
            "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:15:00Z"},
            "state": dict(state or {}),
            "shardId": shard_id,
            "eventSourceARN": self.stream_arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }


def tag_item(tag: str, count: int) -> dict[str, Any]:
    """Return a tag's item in DynamoDB's JSON."""
    return {PARTITION_KEY: {"S": tag}, "Count": {"N": str(count)}}
