"""Situations in production on AWS's own engine, through the handlers and the command that operators use."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from cli import passes
from cli.main import main
from functions import process_stream
from functions.total.ownership import TotalOwnershipError
from tests.doubles import Context
from tests.dynamodb_local.engine import Engine, StreamReader
from tests.functions.conftest import forget, forget_clients
from tests.functions.gateway import request


@dataclass
class Stack:
    """One deployment: a table with its stream, a ledger, and the functions that use them."""

    engine: Engine
    monkeypatch: pytest.MonkeyPatch
    table: str
    ledger: str
    read: int = 0

    def deploy(self, **changes: str) -> Stack:
        """Deploy the stack, with the table or ledger in `changes`: the functions start cold."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.monkeypatch.setenv("TABLE_NAME", self.table)
        self.monkeypatch.setenv("LEDGER_TABLE_NAME", self.ledger)
        forget()
        return self

    def visit(self, tag: str, times: int) -> None:
        for _ in range(times):
            assert request("POST", f"/tag/{tag}").status == 200

    def count(self, tag: str, times: int) -> None:
        """Visit a tag and apply the visits."""
        self.visit(tag, times)
        self.deliver()

    def records(self) -> list[dict[str, Any]]:
        """Return the stream's records since the last call."""
        records = StreamReader(self.engine, self.table).read()
        new, self.read = records[self.read :], len(records)
        return new

    def deliver(self) -> None:
        """Deliver the stream's new records in batches, as the event source mapping does."""
        while batch := self.records()[:100]:
            process_stream.handler({"Records": batch}, Context())

    def lose(self) -> None:
        """Let the stream's new records expire."""
        self.records()

    def delete(self, tag: str) -> None:
        self.engine.client.delete_item(TableName=self.table, Key={"ID": {"S": tag}})

    def put(self, item: Mapping[str, Any]) -> None:
        self.engine.client.put_item(TableName=self.table, Item=dict(item))

    def item(self, key: str) -> dict[str, Any]:
        found = self.engine.client.get_item(TableName=self.table, Key={"ID": {"S": key}}, ConsistentRead=True)
        return dict(found.get("Item", {}))

    def call(self, command: str, *more: str) -> int:
        tables = ("--table", self.table, "--ledger", self.ledger, "--endpoint-url", self.engine.endpoint)
        return main([command, *tables, *more])

    def call_reconcile(self, *more: str) -> int:
        return self.call("reconcile", *more)

    def reconcile(self) -> None:
        """Reconcile until the command succeeds, while the mapping delivers the stream."""
        for _ in range(4):
            if self.call_reconcile("--passes", "1") == 0:
                return
            self.deliver()
        pytest.fail("reconcile did not succeed in four passes")

    @property
    def total(self) -> int:
        return int(request("GET", "/counts").json["total"])


@pytest.fixture
def stack(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(passes, "FIRST_PAUSE_SECONDS", 0.0)
    stack = Stack(engine, monkeypatch, f"visits-{uuid.uuid4().hex[:8]}", f"ledger-{uuid.uuid4().hex[:8]}")
    engine.create_table(stack.table)
    engine.create_table(stack.ledger, None)
    forget_clients()
    yield stack.deploy()
    forget()
    forget_clients()


def test_visits_count_after_a_deletion_whose_record_was_lost(stack: Stack) -> None:
    stack.count("a", 10)
    stack.delete("a")
    stack.lose()
    stack.count("a", 6)
    assert stack.total == 16


def test_a_hot_tag_and_the_total_are_spread_damaged_repaired_and_deleted(stack: Stack) -> None:
    stack.count("a", 5)
    for numbers in ({"ITEMS_PER_TAG": "4", "ITEMS_PER_TOTAL": "3"}, {"ITEMS_PER_TAG": "2", "ITEMS_PER_TOTAL": "1"}):
        for name, value in numbers.items():
            stack.monkeypatch.setenv(name, value)
        stack.deploy()
        for _ in range(5):
            stack.count("a", 3)
    answer = request("GET", "/counts/a").json
    assert (answer["count"], answer["total"]) == (35, 35)
    assert request("GET", "/counts?limit=9").json["tags"] == [{"tag": "a", "count": 35}]
    assert (stack.item("a")["Spread"], stack.item("COUNTER")["Spread"]) == ({"N": "4"}, {"N": "3"})

    stack.delete("COUNTER/%/2")
    assert request("GET", "/counts").json["rebuilding"] is True
    stack.reconcile()
    assert stack.total == 35
    assert "rebuilding" not in request("GET", "/counts").json
    assert stack.call("delete", "a", "--yes") == 0
    assert not any(stack.item(key) for key in ("a", "a/%/1", "a/%/2", "a/%/3"))
    stack.lose()
    stack.count("a", 1)
    stack.reconcile()
    assert (request("GET", "/counts/a").json["count"], stack.total) == (1, 36)


def test_the_record_of_a_deletion_brings_back_lost_visits(stack: Stack) -> None:
    stack.visit("a", 10)
    stack.lose()
    stack.delete("a")
    stack.deliver()
    assert stack.total == 10


def test_reconcile_finds_a_tag_deleted_and_created_again_without_records(stack: Stack) -> None:
    stack.count("a", 5)
    stack.delete("a")
    stack.visit("a", 3)
    stack.lose()
    stack.reconcile()
    assert stack.total == 8


def test_a_count_set_to_zero_by_hand_does_not_lower_the_total(stack: Stack) -> None:
    stack.count("a", 10)
    stack.put(stack.item("a") | {"Count": {"N": "0"}})
    stack.count("a", 6)
    assert stack.total == 16


def test_a_table_restored_from_a_backup_continues_with_the_same_ledger(stack: Stack) -> None:
    stack.count("a", 5)
    backup = [stack.item("a"), stack.item("COUNTER")]
    stack.count("a", 10)
    restored = f"{stack.table}-restored"
    stack.engine.create_table(restored)
    stack.deploy(table=restored)
    for item in backup:
        stack.put(item)
    # Streams are enabled once a table has been restored, so its own items are in none.
    stack.lose()
    stack.count("a", 7)
    stack.reconcile()
    assert stack.total == 12


def test_a_running_stack_adopts_an_older_table_of_the_tutorial(stack: Stack) -> None:
    older, own = f"{stack.table}-older", f"{stack.table}-own"
    stack.engine.create_table(older)
    # Its stream is older, too, so its positions come before those of the stack's own table.
    stack.engine.create_table(own)
    stack.deploy(table=own)
    stack.count("a", 2)
    stack.read = 0
    stack.deploy(table=older)
    stack.put({"ID": {"S": "a"}, "Count": {"N": "50"}})
    stack.put({"ID": {"S": "COUNTER"}, "TotalViews": {"N": "50"}})
    stack.lose()
    stack.count("a", 3)
    stack.count("a", 1)
    stack.reconcile()
    assert stack.total == 54


@pytest.mark.parametrize("how", ["emptied", "recreated"])
def test_a_ledger_that_lost_all_entries_is_rebuilt(stack: Stack, how: str) -> None:
    stack.visit("a", 6)
    stack.count("b", 4)
    if how == "emptied":
        for item in stack.engine.client.scan(TableName=stack.ledger)["Items"]:
            stack.engine.client.delete_item(TableName=stack.ledger, Key={"ID": item["ID"]})
    else:
        stack.engine.delete_table(stack.ledger)
        stack.engine.create_table(stack.ledger, None)
    stack.count("a", 1)
    stack.reconcile()
    assert stack.total == 11


def test_the_second_of_two_stacks_that_adopt_one_table_is_refused(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Stack(stack.engine, stack.monkeypatch, stack.table, f"{stack.ledger}-other")
    stack.engine.create_table(other.ledger, None)
    for _ in range(4):
        stack.deploy().count("a", 3)
        other.deploy()
        with pytest.raises(
            TotalOwnershipError, match=f"Ledger '{stack.ledger}', not '{other.ledger}', maintains.*--take-over"
        ):
            process_stream.handler({"Records": other.records()}, Context())
    stack.deploy()
    assert stack.total == 12
    assert other.call_reconcile() == 1
    assert "--take-over" in capsys.readouterr().err
    stack.reconcile()
    assert stack.total == 12


@pytest.mark.parametrize("value", [{"S": "many"}, {"N": "3"}, {"BOOL": True}, {"NULL": True}])
def test_a_warm_processor_replaces_an_overwritten_total(stack: Stack, value: dict[str, Any]) -> None:
    stack.count("a", 10)
    stack.put(stack.item("COUNTER") | {"TotalViews": value})
    stack.count("a", 2)
    assert stack.total == 12


def test_an_operator_takes_a_total_over(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.count("a", 4)
    ledger = f"{stack.ledger}-other"
    stack.engine.create_table(ledger, None)
    stack.deploy(ledger=ledger)
    with caplog.at_level(logging.WARNING):
        assert stack.call_reconcile("--take-over", "--passes", "1") == 1
    assert "total taken over" in caplog.text
    assert "Rebuilding" in stack.item("COUNTER")
    stack.reconcile()
    assert stack.total == 4
    assert "Rebuilding" not in stack.item("COUNTER")
    stack.count("a", 1)
    assert stack.total == 5


def test_a_table_created_again_under_its_name_is_another_table(stack: Stack) -> None:
    stack.count("a", 5)
    backup = stack.item("a") | {"Count": {"N": "3"}}
    stack.engine.delete_table(stack.table)
    stack.engine.create_table(stack.table)
    stack.read = 0
    stack.put(backup)
    stack.lose()
    stack.count("a", 1)
    stack.reconcile()
    assert stack.total == 4


def test_a_rebuilt_total_includes_deleted_tags(stack: Stack) -> None:
    stack.visit("gone", 5)
    stack.visit("a", 2)
    stack.delete("gone")
    stack.deliver()
    stack.delete("COUNTER")
    stack.lose()
    stack.reconcile()
    assert stack.total == 7
