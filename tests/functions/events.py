"""Stream records of the table on moto, made up or real, and the stream processor that gets them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from components.testing.stream_events import StreamEvents
from functions import process_stream
from functions.dynamodb.items import format_time
from tests.doubles import Context
from tests.functions.conftest import TABLE
from tests.stream_records import as_lambda_record

LABEL = "2099-01-02T03:04:05.678"
SHARD = "shardId-00000001795856760000-1a2b3c4d"


class Stream(StreamEvents):
    """A stream of the table. Its records were created now, or at `created`, and their items when the stream was made.

    With `since`, the items were born then; with "", they do not show when.
    """

    def __init__(
        self, label: str = LABEL, first_sequence: int = 100, *, created: float = 0.0, since: str | None = None
    ) -> None:
        super().__init__(TABLE, region="eu-west-1", label=label, first_sequence=first_sequence)
        self.since = format_time(datetime.now(UTC)) if since is None else since
        self._created = created

    def record(self, name: str, tag: str, **images: Mapping[str, Any] | None) -> dict[str, Any]:
        """Make any record."""
        born = {"Since": {"S": self.since}} if self.since else {}
        made = super().record(name, tag, **{image: item and {**born, **item} for image, item in images.items()})
        made["dynamodb"]["ApproximateCreationDateTime"] = self._created or time.time()
        return made


def batch(*records: dict[str, Any], shard: str | None = SHARD, **more: Any) -> dict[str, Any]:
    """Return the event of a mapping with a tumbling window; without a shard, that of a mapping without a window."""
    arn = records[0]["eventSourceARN"] if records else Stream().stream_arn
    event: dict[str, Any] = {**StreamEvents().window(records), "shardId": shard, "eventSourceARN": arn}
    return (event if shard is not None else {**StreamEvents.batch(records)}) | more


def process(*records: dict[str, Any], seconds: float = 30.0, **more: Any) -> Any:
    """Pass records to the stream processor, in an invocation that has so many seconds."""
    return process_stream.handler(batch(*records, **more), Context(seconds, step=0.6))


def take() -> list[dict[str, Any]]:
    """Take the records that moto's own stream of the table has."""
    table = dynamodb_backends["123456789012"]["eu-west-1"].tables[TABLE]
    shard, arn = table.stream_shard, f"{table.table_arn}/stream/{table.latest_stream_label}"
    assert shard is not None
    records = [as_lambda_record(item.to_json(), arn) for item in shard.items]
    # moto numbers records by the length of this list.
    shard.starting_sequence_number += len(records)
    shard.items.clear()
    return records


def deliver() -> None:
    """Pass the records of moto's own stream to the stream processor, until it causes no more of them."""
    while records := take():
        process(*records)


def stored(client: Any, key: str = "COUNTER") -> Any:
    """Return an item, None if there is none."""
    return client.get_item(TableName=TABLE, Key={"ID": {"S": key}}).get("Item")


def total(client: Any) -> int:
    """Return the stored total."""
    return int(stored(client)["TotalViews"]["N"])


def put(client: Any, tag: str, count: object = 1, **more: Any) -> None:
    """Write a tag's item; the count is a number or an attribute value. Without `Since`, it was born now."""
    value = count if isinstance(count, dict) else {"N": str(count)}
    since = {"Since": {"S": format_time(datetime.now(UTC))}}
    client.put_item(TableName=TABLE, Item={"ID": {"S": tag}, "Count": value, **since, **more})


def identity(client: Any) -> str:
    """Return the text by which COUNTER identifies the table."""
    created = client.describe_table(TableName=TABLE)["Table"]["CreationDateTime"]
    return f"{TABLE}@{created.astimezone(UTC).isoformat(timespec='milliseconds')}"
