"""The properties of DynamoDB Local that tests rely on: ordered records, conditions, and no access from the network."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from tests.dynamodb_local.conftest import install_or_skip
from tests.dynamodb_local.engine import (
    MAX_TABLES,
    Engine,
    InstallError,
    MissingToolError,
    StreamReader,
    install,
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


def test_each_write_gives_a_record_in_the_form_of_lambda(engine: Engine) -> None:
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


def test_records_of_concurrent_writers_are_read_once_each(engine: Engine) -> None:
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


def test_of_concurrent_transactions_on_one_state_exactly_one_takes_effect(engine: Engine) -> None:
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


def test_a_transaction_sent_twice_with_one_token_takes_effect_once(engine: Engine) -> None:
    engine.create_table("Tokens", None)
    for _ in range(2):
        actions = [{"Update": increment("Tokens", "tech")}]
        engine.client.transact_write_items(TransactItems=actions, ClientRequestToken="token")
    item = engine.client.get_item(TableName="Tokens", Key={"ID": {"S": "tech"}})["Item"]
    assert item["Count"] == {"N": "1"}


def test_the_stream_of_a_deleted_table_stays_readable(engine: Engine) -> None:
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
def test_the_engine_restarts_empty_after_many_tables(engine: Engine) -> None:
    engine.restart()
    for number in range(MAX_TABLES - 1):
        engine.create_table(f"Table{number}", None)
    engine.renew()
    assert len(engine.client.list_tables()["TableNames"]) == MAX_TABLES - 1
    engine.delete_table("Table0")
    engine.create_table("Table0", None)
    engine.renew()
    assert engine.client.list_tables()["TableNames"] == []


def test_it_listens_only_on_the_loopback_address(engine: Engine) -> None:
    port = urlsplit(engine.endpoint).port
    assert port
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    # Another address of this machine: a server on all interfaces would answer.
    with pytest.raises(OSError, match=r"refused|assign|unreachable"):
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


def test_it_ends_with_the_process_that_started_it(engine: Engine) -> None:
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


@pytest.fixture
def fake_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the whole search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return folder


def add_tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f'#!/bin/sh\necho {name} >> "$LOG"\n{script}\n', encoding="utf-8")
    (folder / name).chmod(0o755)


def test_without_a_network_the_tests_are_skipped_but_not_in_ci(
    fake_tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tool(fake_tools, "java", "exit 0")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="javac is missing"):
        install_or_skip(tmp_path / "cache")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception, match="javac is missing"):
        install_or_skip(tmp_path / "cache")
    for name in ("javac", "mvn"):
        add_tool(fake_tools, name, "echo offline; exit 1")
    with pytest.raises(InstallError, match="mvn failed: offline"):
        install_or_skip(tmp_path / "cache")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="mvn failed: offline"):
        install_or_skip(tmp_path / "cache")


@pytest.mark.parametrize("missing", ["java", "javac", "mvn"])
def test_the_error_names_the_missing_tool_and_the_packages(fake_tools: Path, tmp_path: Path, missing: str) -> None:
    for name in {"java", "javac", "mvn"} - {missing}:
        add_tool(fake_tools, name, "exit 1")
    with pytest.raises(MissingToolError, match=rf"JDK of 17 or later and Maven .*; {missing} is missing"):
        install(tmp_path / "cache")


def test_a_failed_installation_leaves_nothing_and_can_be_repeated(fake_tools: Path, tmp_path: Path) -> None:
    for name in ("java", "javac"):
        add_tool(fake_tools, name, "exit 0")
    add_tool(fake_tools, "mvn", "echo '[ERROR] no network'; exit 1")
    cache = tmp_path / "cache"
    with pytest.raises(InstallError, match=r"mvn failed: \[ERROR\] no network"):
        install(cache)
    assert [path.name for path in cache.iterdir()] == ["lock"]
    add_tool(fake_tools, "mvn", "/bin/mkdir -p done/lib; /bin/sleep 0.2")
    with ThreadPoolExecutor(3) as pool:
        folders = set(pool.map(lambda _: install(cache), range(3)))
    assert len(folders) == 1
    assert (folders.pop() / "lib").is_dir()
    # One failure and one installation: concurrent processes did not install it again.
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["mvn", "mvn", "javac"]
