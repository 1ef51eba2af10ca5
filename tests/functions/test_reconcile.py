"""A reconciling pass on moto. tests/total has its effects on the total."""

from collections.abc import Callable
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from functions.dynamodb.retries import retry_budget
from functions.process_stream import process
from functions.total.ownership import TotalOwnershipError
from functions.total.reconciliation import Progress, Reconciliation
from functions.total.totals import Total, TotalNotWrittenError
from tests.functions.conftest import LEDGER, TABLE


@pytest.fixture
def stream(tables: Any) -> Any:
    """Return a function that delivers the stream's new records."""
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
        process({"Records": records}, total, retry_budget(10))

    return deliver


def put(tables: Any, tag: str, count: int) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": tag}, "Count": {"N": str(count)}})


def reconcile(tables: Any) -> list[Progress]:
    return [progress._replace(epoch="") for progress in Reconciliation(tables, TABLE, LEDGER).run(retry_budget(10))]


def test_an_empty_table_needs_no_reconciliation(tables: Any) -> None:
    # The total becomes an item of the table, too.
    assert reconcile(tables)[-1] == Progress()
    assert reconcile(tables)[-1] == Progress(expected=1)


def test_a_pass_brings_a_tables_history_into_the_total_page_by_page(tables: Any, stream: Any) -> None:
    for number in range(110):
        put(tables, f"tag {number}", 2)
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "note"}, "Text": {"S": "not a tag"}})
    pages = reconcile(tables)
    assert [progress.tags for progress in pages if progress.tags][-1] == 110
    assert len([progress for progress in pages if progress.tags]) == 2
    assert pages[-1] == Progress(entries=0, tags=110, behind=110, visits=220, expected=111)
    stream()
    total = tables.get_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})["Item"]["TotalViews"]
    assert total == {"N": "220"}
    assert reconcile(tables)[-1] == Progress(entries=111, tags=110, expected=112)


def test_a_tag_deleted_after_the_scan_is_not_restored(tables: Any, refuse: Any) -> None:
    put(tables, "gone", 3)

    class Deleting:
        """A client that deletes the tag between scan and mark."""

        def __getattr__(self, name: str) -> Any:
            if name == "update_item":
                tables.delete_item(TableName=TABLE, Key={"ID": {"S": "gone"}})
            return getattr(tables, name)

    assert list(Reconciliation(Deleting(), TABLE, LEDGER).run(retry_budget(10)))[-1].behind == 1
    assert [item["ID"]["S"] for item in tables.scan(TableName=TABLE)["Items"]] == ["COUNTER"]


def counter(tables: Any) -> Any:
    return tables.get_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})["Item"]


def test_a_total_that_is_not_the_sum_of_the_ledger_is_rebuilt(tables: Any, stream: Any) -> None:
    put(tables, "a", 3)
    put(tables, "b", 4)
    stream()
    older = {"TotalViews": {"N": "5"}, "Held": {"N": "5"}}
    tables.put_item(TableName=TABLE, Item=counter(tables) | older)
    assert reconcile(tables)[-1] == Progress(entries=2, tags=2, expected=3)
    assert counter(tables)["TotalViews"] == {"N": "7"}
    assert "Rebuilding" not in counter(tables)


def test_visits_of_deleted_tags_come_back_from_the_ledger(tables: Any, stream: Any) -> None:
    put(tables, "a", 3)
    put(tables, "b", 4)
    tables.delete_item(TableName=TABLE, Key={"ID": {"S": "b"}})
    stream()
    tables.delete_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})
    assert reconcile(tables)[-1].behind == 0
    assert counter(tables)["TotalViews"] == {"N": "7"}


def test_rebuilding_ends_only_when_no_tag_is_behind(tables: Any, stream: Any) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "COUNTER"}, "TotalViews": {"N": "100"}})
    put(tables, "a", 3)
    assert reconcile(tables)[-1].behind == 1
    assert counter(tables)["Rebuilding"] == {"BOOL": True}
    stream()
    assert reconcile(tables)[-1].behind == 0
    assert "Rebuilding" not in counter(tables)


class AfterScans:
    """A client that runs an action after every scan of the ledger."""

    def __init__(self, tables: Any, act: Callable[[], None]) -> None:
        self._tables = tables
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tables, name)

    def scan(self, **request: Any) -> Any:
        answer = self._tables.scan(**request)
        if request["TableName"] == LEDGER:
            self._act()
        return answer


def test_a_total_that_rises_during_the_pass_is_compared_within_that_rise(tables: Any, stream: Any) -> None:
    put(tables, "a", 3)
    stream()

    def visit() -> None:
        put(tables, "a", 5)
        stream()

    last = list(Reconciliation(AfterScans(tables, visit), TABLE, LEDGER).run(retry_budget(10)))[-1]
    assert (last.behind, last.drift) == (0, 2)


def test_a_takeover_during_a_pass_is_followed_and_not_repeated(tables: Any, stream: Any) -> None:
    put(tables, "a", 3)
    stream()
    epochs: list[Any] = []

    def take_over_once() -> None:
        if not epochs:
            Reconciliation(tables, TABLE, LEDGER).take_over(retry_budget(10))
            epochs.append(counter(tables)["Epoch"])

    last = list(Reconciliation(AfterScans(tables, take_over_once), TABLE, LEDGER).run(retry_budget(10)))[-1]
    assert last.behind == 0
    assert (counter(tables)["Epoch"], counter(tables)["TotalViews"]) == (epochs[0], {"N": "3"})


def test_the_pass_fails_if_something_else_keeps_writing_the_total(tables: Any, stream: Any) -> None:
    put(tables, "a", 3)
    stream()

    def set_back() -> None:
        tables.put_item(TableName=TABLE, Item=counter(tables) | {"TotalViews": {"N": "1"}, "Held": {"N": "1"}})

    with pytest.raises(TotalNotWrittenError, match="did not match the sum of ledger visits-ledger in 6 attempts"):
        list(Reconciliation(AfterScans(tables, set_back), TABLE, LEDGER).run(retry_budget(10)))


def test_another_ledgers_total_is_refused_until_it_is_taken_over(tables: Any, stream: Any) -> None:
    theirs = {"TotalViews": {"N": "9"}, "Held": {"N": "9"}, "Ledger": {"S": "theirs"}, "Epoch": {"S": "then"}}
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "COUNTER"}, **theirs})
    put(tables, "a", 3)
    with pytest.raises(TotalOwnershipError):
        reconcile(tables)
    Reconciliation(tables, TABLE, LEDGER).take_over(retry_budget(10))
    assert reconcile(tables)[-1].behind == 1
    stream()
    assert reconcile(tables)[-1].behind == 0
    assert counter(tables)["TotalViews"] == {"N": "3"}
