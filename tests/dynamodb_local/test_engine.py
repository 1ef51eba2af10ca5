"""The properties of DynamoDB Local that tests rely on: ordered records, conditions, and no access from the network."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from tests.dynamodb_local.engine import (
    MAX_TABLES,
    Engine,
    StreamReader,
)
from tests.running import ROOT, eventually
from tests.share import ci_only


def increment(table: str, key: str) -> dict[str, Any]:
    """Return the update that adds 1 to an item's count."""
    return {
        "TableName": table,
        "Key": {"ID": {"S": key}},
        "UpdateExpression": "ADD #count :one",
        "ExpressionAttributeNames": {"#count": "Count"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }


def add_one(client: Any, table: str, key: str) -> None:
    client.update_item(**increment(table, key))


def test_stream_record_of_each_write(engine: Engine) -> None:
    arn = engine.create_table("Records")
    reader = StreamReader(engine, "Records")
    add_one(engine.client, "Records", "tech")
    assert [record["eventName"] for record in reader.take()] == ["INSERT"]
    add_one(engine.client, "Records", "tech")
    engine.client.put_item(TableName="Records", Item={"ID": {"S": "raw"}, "Bytes": {"B": b"\x00\xff"}})
    engine.client.delete_item(TableName="Records", Key={"ID": {"S": "tech"}})
    # Writes that change nothing leave no record.
    engine.client.delete_item(TableName="Records", Key={"ID": {"S": "tech"}})
    engine.client.put_item(TableName="Records", Item={"ID": {"S": "raw"}, "Bytes": {"B": b"\x00\xff"}})

    one, two = ({"ID": {"S": "tech"}, "Count": {"N": count}} for count in "12")
    images = [
        (record["eventName"], record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage"))
        for record in reader.take()
    ]
    assert images == [
        ("MODIFY", one, two),
        ("INSERT", None, {"ID": {"S": "raw"}, "Bytes": {"B": "AP8="}}),
        ("REMOVE", two, None),
    ]
    assert reader.take() == []
    records = reader.read()
    assert len(records) == 4
    assert records == StreamReader(engine, "Records").read()
    sequence = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert sequence == sorted(set(sequence))
    for record in records:
        assert record["eventSourceARN"].startswith(f"{arn}/stream/")
        assert abs(record["dynamodb"]["ApproximateCreationDateTime"] - time.time()) < 3600


def test_records_of_concurrent_writers_are_read_once(engine: Engine) -> None:
    engine.create_table("Busy", "NEW_IMAGE")
    reader = StreamReader(engine, "Busy")
    found: list[dict[str, Any]] = []

    def write(number: int) -> None:
        client = engine.make_client()
        for _ in range(50):
            add_one(client, "Busy", f"tag {number}")

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        while not all(writer.done() for writer in writers):
            found += reader.take()
    assert [writer.exception() for writer in writers] == [None] * 4
    found += reader.take()
    assert found == reader.read()
    for number in range(4):
        images = [record["dynamodb"]["NewImage"] for record in found if "OldImage" not in record["dynamodb"]]
        counts = [int(image["Count"]["N"]) for image in images if image["ID"] == {"S": f"tag {number}"}]
        assert counts == list(range(1, 51))


def test_one_of_concurrent_transactions_takes_effect(engine: Engine) -> None:
    engine.create_table("Races", None)
    reasons: Counter[str] = Counter()
    rounds = 20

    def transact(_: int) -> None:
        client = engine.make_client()
        for state in range(rounds):
            barrier.wait()
            condition = "#count = :state" if state else "attribute_not_exists(#count)"
            free, conditional = increment("Races", "free"), increment("Races", "conditional")
            conditional["ConditionExpression"] = condition
            if state:
                conditional["ExpressionAttributeValues"][":state"] = {"N": str(state)}
            try:
                client.transact_write_items(TransactItems=[{"Update": free}, {"Update": conditional}])
            except ClientError as error:
                reasons.update(reason["Code"] for reason in error.response["CancellationReasons"])

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(transact, range(4)))
    items = engine.client.scan(TableName="Races", ConsistentRead=True)["Items"]
    assert {item["ID"]["S"]: item["Count"]["N"] for item in items} == {"free": str(rounds), "conditional": str(rounds)}
    # Unlike AWS, the engine runs transactions one after another, so there is no TransactionConflict.
    assert reasons == {"None": 3 * rounds, "ConditionalCheckFailed": 3 * rounds}


def test_transaction_with_repeated_token_takes_effect_once(engine: Engine) -> None:
    engine.create_table("Tokens", None)
    for _ in range(2):
        actions = [{"Update": increment("Tokens", "tech")}]
        engine.client.transact_write_items(TransactItems=actions, ClientRequestToken="token")
    item = engine.client.get_item(TableName="Tokens", Key={"ID": {"S": "tech"}})["Item"]
    assert item["Count"] == {"N": "1"}


UPDATE: dict[str, Any] = {
    "TableName": "Updates",
    "Key": {"ID": {"S": "COUNTER"}},
    "UpdateExpression": "SET #positions.#shard = :position ADD #total :one, #held :one",
    "ConditionExpression": "#total = #held AND #positions.#shard = :seen",
    "ExpressionAttributeNames": {"#total": "Total", "#held": "Held", "#positions": "Positions", "#shard": "1-a"},
    "ExpressionAttributeValues": {":one": {"N": "1"}, ":position": {"S": "2@9"}, ":seen": {"S": "1@9"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
STORED: dict[str, Any] = {
    "ID": {"S": "COUNTER"},
    "Total": {"N": "7"},
    "Held": {"N": "7"},
    "Positions": {"M": {"1-a": {"S": "1@9"}, "2-b": {"S": "5@9"}}},
}


@pytest.fixture
def update(engine: Engine) -> Iterator[Any]:
    """Return a function that sends UPDATE to an item, and returns the error's code and item, and the item after it."""
    engine.create_table("Updates", None)

    def send(stored: Mapping[str, Any], **changes: Any) -> tuple[str, Any, Any]:
        engine.client.put_item(TableName="Updates", Item={**stored, "ID": {"S": "COUNTER"}})
        code, shown = "", None
        try:
            request = {name: value for name, value in (UPDATE | changes).items() if value is not None}
            engine.client.update_item(**request)
        except ClientError as error:
            code, shown = error.response["Error"]["Code"], error.response.get("Item")
        return code, shown, engine.client.get_item(TableName="Updates", Key=UPDATE["Key"]).get("Item")

    yield send
    engine.delete_table("Updates")


def test_update_compares_attributes_and_nested_values(update: Any) -> None:
    after = {**STORED, "Total": {"N": "8"}, "Held": {"N": "8"}}
    after["Positions"] = {"M": {"1-a": {"S": "2@9"}, "2-b": {"S": "5@9"}}}
    assert update(STORED) == ("", None, after)


@pytest.mark.parametrize(
    "change",
    [
        {"Total": {"N": "8"}},
        {"Total": {"S": "7"}},
        {"Positions": {"M": {"1-a": {"S": "3@9"}}}},
        {"Positions": {"M": {}}},
        {"Positions": {"S": "1@9"}},
    ],
)
def test_failed_condition_returns_the_item(update: Any, change: dict[str, Any]) -> None:
    found = STORED | change
    assert update(found) == ("ConditionalCheckFailedException", found, found)


def test_missing_attributes_are_not_equal(update: Any) -> None:
    found = {"ID": STORED["ID"], "Positions": STORED["Positions"]}
    assert update(found) == ("ConditionalCheckFailedException", found, found)


@pytest.mark.parametrize("change", [{"Positions": {"S": "x"}}, {"Total": {"S": "x"}, "Held": {"S": "x"}}])
def test_invalid_update_changes_nothing(update: Any, change: dict[str, Any]) -> None:
    found = STORED | change
    values = {name: value for name, value in UPDATE["ExpressionAttributeValues"].items() if name != ":seen"}
    condition = "#total = #held AND attribute_not_exists(#positions.#shard)"
    if "Total" in change:
        condition = condition.replace("attribute_not_exists", "attribute_exists")
    sent = update(found, ConditionExpression=condition, ExpressionAttributeValues=values)
    assert sent == ("ValidationException", None, found)


def test_attribute_is_set_to_another_one(update: Any) -> None:
    changes = {
        "UpdateExpression": "SET #total = #next REMOVE #next",
        "ConditionExpression": "#next >= #total",
        "ExpressionAttributeNames": {"#total": "Total", "#next": "Next"},
        "ExpressionAttributeValues": None,
    }
    assert update(STORED | {"Next": {"N": "9"}}, **changes) == ("", None, STORED | {"Total": {"N": "9"}})
    less = STORED | {"Next": {"N": "6"}}
    assert update(less, **changes) == ("ConditionalCheckFailedException", less, less)


def test_condition_that_never_holds_returns_the_item(update: Any) -> None:
    never = "attribute_exists(#total) AND attribute_not_exists(#total)"
    values = {name: UPDATE["ExpressionAttributeValues"][name] for name in (":one", ":position")}
    sent = update(STORED, ConditionExpression=never, ExpressionAttributeValues=values)
    assert sent == ("ConditionalCheckFailedException", STORED, STORED)


def test_shard_that_rolls_over_is_read_before_its_successor(engine: Engine) -> None:
    engine.create_table("Rolling")
    for _ in range(3):
        add_one(engine.client, "Rolling", "tech")
        add_one(engine.client, "Rolling", "tech")
        engine.roll_over()
    reader = StreamReader(engine, "Rolling")
    records = reader.read()
    assert [record["dynamodb"]["NewImage"]["Count"]["N"] for record in records] == list("123456")
    shards = [reader.shards[record["dynamodb"]["SequenceNumber"]] for record in records]
    assert shards[::2] == shards[1::2] == sorted(set(shards))
    described = engine.streams.describe_stream(StreamArn=reader.arn)["StreamDescription"]["Shards"]
    assert {shard["ShardId"]: shard.get("ParentShardId") for shard in described[1:]} == {
        child["ShardId"]: parent["ShardId"] for parent, child in pairwise(described)
    }
    assert all("EndingSequenceNumber" in shard["SequenceNumberRange"] for shard in described[:-1])


def test_stream_of_a_deleted_table_stays_readable(engine: Engine) -> None:
    engine.create_table("Deleted")
    reader = StreamReader(engine, "Deleted")
    add_one(engine.client, "Deleted", "tech")
    engine.delete_table("Deleted")
    engine.create_table("Deleted")
    add_one(engine.client, "Deleted", "other")
    assert [record["dynamodb"]["Keys"]["ID"]["S"] for record in reader.read()] == ["tech"]
    again = StreamReader(engine, "Deleted")
    assert again.arn != reader.arn
    assert [record["dynamodb"]["Keys"]["ID"]["S"] for record in again.read()] == ["other"]


@ci_only("makes many tables")
def test_engine_restarts_empty_after_many_tables(engine: Engine) -> None:
    engine.restart()
    for number in range(MAX_TABLES - 1):
        engine.create_table(f"Table{number}", None)
    engine.renew()
    assert len(engine.client.list_tables()["TableNames"]) == MAX_TABLES - 1
    engine.delete_table("Table0")
    engine.create_table("Table0", None)
    engine.renew()
    assert engine.client.list_tables()["TableNames"] == []


def test_engine_listens_only_on_the_loopback_address(engine: Engine) -> None:
    port = urlsplit(engine.endpoint).port
    assert port
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    # Another address of this machine: a server on all interfaces would answer.
    with pytest.raises(OSError, match=r"refused|assign|unreachable"):
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


def test_engine_ends_with_the_process_that_started_it(engine: Engine) -> None:
    code = (
        "import os, pathlib\n"
        "from tests.dynamodb_local.engine import Engine, install\n"
        "print(Engine(install()).endpoint, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == -9, done.stderr
    address = urlsplit(done.stdout.strip())
    assert address.port

    def is_gone() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", address.port)) != 0

    eventually(is_gone, 10, "the end of the engine")
