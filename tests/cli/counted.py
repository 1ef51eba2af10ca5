"""A counter's table on moto, whose stream is delivered when a test says so, and the commands of an operator."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from cli.main import main
from functions.counting.visits import one_visit
from functions.dynamodb.retries import RetryBudget
from functions.process_stream import process
from functions.total.total import Total
from tests.stream_records import as_lambda_record

REGION = "eu-west-1"


class Counted:
    """A table with a stream, and one processor of it. A command that waits calls `waits`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.client: Any = boto3.client("dynamodb", region_name=REGION)
        self._streams: Any = boto3.client("dynamodbstreams", region_name=REGION)
        # Other tests of this process may mock AWS as well, and then all share what there is.
        self.table = f"visits-{uuid.uuid4().hex}"
        created = self.create(self.table, "NEW_AND_OLD_IMAGES")
        self._arn: str = created["LatestStreamArn"]
        self._total = Total(self.client, self.table)
        self._capsys = capsys
        self._position = 0
        self._held: list[dict[str, Any]] = []
        self.late: tuple[str, ...] = ()
        self.waits: Callable[[], object] = self.deliver
        self.errors = ""

    def create(self, name: str, view: str = "") -> Any:
        """Create a table with this project's key."""
        stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
        return self.client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream,
        )["TableDescription"]

    def visit(self, tag: str, times: int = 1) -> None:
        """Record visits."""
        for _ in range(times):
            self.client.update_item(TableName=self.table, Key={"ID": {"S": tag}}, **one_visit(1, 1))

    def put(self, key: str, **attributes: Any) -> None:
        """Write an item as another program would: a number is a count or a total, and a text is a text."""
        values = {name: {"S" if isinstance(value, str) else "N": str(value)} for name, value in attributes.items()}
        self.client.put_item(TableName=self.table, Item={"ID": {"S": key}, **values})

    def change(self, key: str, **attributes: int) -> None:
        """Set numbers of an item."""
        self.client.update_item(
            TableName=self.table,
            Key={"ID": {"S": key}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in attributes.items()},
        )

    def delete(self, key: str) -> None:
        """Delete an item."""
        self.client.delete_item(TableName=self.table, Key={"ID": {"S": key}})

    def item(self, key: str = "COUNTER") -> Any:
        """Read an item; empty if there is none."""
        return self.client.get_item(TableName=self.table, Key={"ID": {"S": key}}, ConsistentRead=True).get("Item", {})

    @property
    def total(self) -> int:
        """The total that is shown."""
        return int(self.item()["TotalViews"]["N"])

    def lose(self) -> list[dict[str, Any]]:
        """Take the records that the stream has got, so that they are delivered to nobody."""
        [shard] = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        place = {"StreamArn": self._arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = self._streams.get_shard_iterator(**place)["ShardIterator"]
        records = self._streams.get_records(ShardIterator=iterator)["Records"]
        new, self._position = records[self._position :], len(records)
        return [as_lambda_record(record, self._arn) for record in new]

    def deliver(self) -> None:
        """Deliver what the stream has got, and what that puts into it."""
        while records := self.lose():
            late = [record for record in records if record["dynamodb"]["Keys"]["ID"]["S"] in self.late]
            self._held += late
            self._process("1", [record for record in records if record not in late])

    def deliver_late(self) -> None:
        """Deliver the records of the tags that are `late`, which are in a shard of their own."""
        self._process("2", self._held)
        self._held = []

    def _process(self, shard: str, records: list[dict[str, Any]]) -> None:
        if records:
            event = {"Records": records, "shardId": f"shardId-{shard:0>20}-1", "eventSourceARN": self._arn}
            process(event, self._total, RetryBudget(lambda: 9.0, sleep=lambda _: None))

    def call(self, *arguments: str, status: int = 0) -> str:
        """Call a command, check its exit status, and return its standard output."""
        self.read()
        assert main([*arguments, "--table", self.table, "--region", REGION]) == status, self.read()
        out, self.errors = self.read()
        return out

    def read(self) -> tuple[str, str]:
        """Return what was printed since the last call: the standard output, and the errors."""
        out, errors = self._capsys.readouterr()
        return out, errors

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Call a command with --json and return what it printed, parsed."""
        return json.loads(self.call(*arguments, "--json", status=status))
