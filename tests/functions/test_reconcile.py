"""A reconciling pass on moto; what it does to the total is in tests/total."""

from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from functions.process_stream import process
from functions.reconcile import Progress, reconcile
from functions.retry import patience
from functions.totals import Total
from tests.functions.conftest import LEDGER, TABLE


@pytest.fixture
def stream(tables: Any) -> Any:
    """Return what delivers the records that the table's stream has had since."""
    arn = tables.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    client, total = boto3.client("dynamodbstreams"), Total(tables, TABLE, LEDGER)
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST"}
    iterator = client.get_shard_iterator(**place)["ShardIterator"]

    def deliver() -> None:
        nonlocal iterator
        answer = client.get_records(ShardIterator=iterator)
        iterator = answer["NextShardIterator"]
        records = [record | {"eventSourceARN": arn} for record in answer["Records"]]
        process({"Records": records}, total, patience(10))

    return deliver


def put(tables: Any, tag: str, count: int) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": tag}, "Count": {"N": str(count)}})


def passed(tables: Any) -> list[Progress]:
    return list(reconcile(tables, TABLE, LEDGER, patience(10)))


def test_an_empty_table_is_in_order(tables: Any) -> None:
    assert passed(tables) == [Progress()]


def test_a_pass_brings_a_tables_history_into_the_total_page_by_page(tables: Any, stream: Any) -> None:
    for number in range(110):
        put(tables, f"tag {number}", 2)
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "note"}, "Text": {"S": "no tag"}})
    pages = passed(tables)
    assert [progress.tags for progress in pages][-1] == 110
    assert len(pages) == 2
    assert pages[-1] == Progress(110, 110, 220)
    stream()
    total = tables.get_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})["Item"]["TotalViews"]
    assert total == {"N": "220"}
    assert passed(tables)[-1] == Progress(110, 0, 0)


def test_a_tag_deleted_since_it_was_seen_is_not_brought_back(tables: Any, refuse: Any) -> None:
    put(tables, "gone", 3)

    class Deleting:
        """A client under which the tag is deleted between being read and being marked."""

        def __getattr__(self, name: str) -> Any:
            if name == "update_item":
                tables.delete_item(TableName=TABLE, Key={"ID": {"S": "gone"}})
            return getattr(tables, name)

    assert list(reconcile(Deleting(), TABLE, LEDGER, patience(10)))[-1].behind == 1
    assert tables.scan(TableName=TABLE)["Count"] == 0
