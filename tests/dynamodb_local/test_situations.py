"""Situations that users get into, on AWS's own engine, through the handlers and the command that they would use."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from cli.commands import reconcile
from cli.main import main
from functions import process_stream
from functions.dynamodb import client as database
from functions.dynamodb import tables
from functions.total.totals import TotalKeptElsewhereError
from tests.dynamodb_local.engine import Engine, StreamReader
from tests.functions.gateway import request


class Context:
    """Lambda's context of an invocation with time left."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def forget() -> None:
    """Let the functions start cold."""
    for cached in (database.client, database.single_attempt_client, tables.setting, process_stream._total):
        cached.cache_clear()


@dataclass
class Stack:
    """One deployment: a table with its stream, a ledger, and the functions that use them."""

    engine: Engine
    monkeypatch: pytest.MonkeyPatch
    table: str
    ledger: str
    read: int = 0

    def deploy(self, **changes: str) -> Stack:
        """Deploy the stack, on other tables if these are given: functions that run start anew."""
        for name, value in changes.items():
            setattr(self, name, value)
        forget()
        self.use()
        return self

    def use(self) -> None:
        self.monkeypatch.setenv("TABLE_NAME", self.table)
        self.monkeypatch.setenv("LEDGER_TABLE_NAME", self.ledger)

    def visit(self, tag: str, times: int) -> None:
        for _ in range(times):
            assert request("POST", f"/tag/{tag}").status == 200

    def records(self) -> list[dict[str, Any]]:
        """Return the stream's records since the last call."""
        records = StreamReader(self.engine, self.table).read()
        new, self.read = records[self.read :], len(records)
        return new

    def deliver(self) -> None:
        """Hand the stream's new records over, batch by batch, as the event source mapping does."""
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

    def call_reconcile(self, *more: str) -> int:
        tables = ("--table", self.table, "--ledger", self.ledger, "--endpoint-url", self.engine.endpoint)
        return main(["reconcile", *tables, *more])

    def reconcile(self) -> None:
        """Reconcile as an operator does, while the mapping goes on delivering, until the command is content."""
        for _ in range(4):
            if self.call_reconcile("--passes", "1") == 0:
                return
            self.deliver()
        pytest.fail("reconcile did not come to an end")

    @property
    def total(self) -> int:
        return int(request("GET", "/counts").json["total"])


@pytest.fixture
def stack(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(reconcile, "_FIRST_PAUSE_SECONDS", 0.0)
    made = Stack(engine, monkeypatch, f"visits-{uuid.uuid4().hex[:8]}", f"ledger-{uuid.uuid4().hex[:8]}")
    engine.create_table(made.table)
    engine.create_table(made.ledger, None)
    yield made.deploy()
    forget()


def test_a_tag_visited_again_after_its_removal_was_lost(stack: Stack) -> None:
    stack.visit("a", 10)
    stack.deliver()
    stack.delete("a")
    stack.lose()
    stack.visit("a", 6)
    stack.deliver()
    assert stack.total == 16


def test_a_removal_shows_the_visits_whose_records_were_lost(stack: Stack) -> None:
    stack.visit("a", 10)
    stack.lose()
    stack.delete("a")
    stack.deliver()
    assert stack.total == 10


def test_a_life_of_which_no_record_came_is_reconciled(stack: Stack) -> None:
    stack.visit("a", 5)
    stack.deliver()
    stack.delete("a")
    stack.visit("a", 3)
    stack.lose()
    stack.reconcile()
    assert stack.total == 8


def test_a_count_set_to_zero_by_hand_takes_nothing_away(stack: Stack) -> None:
    stack.visit("a", 10)
    stack.deliver()
    stack.put(stack.item("a") | {"Count": {"N": "0"}})
    stack.visit("a", 6)
    stack.deliver()
    assert stack.total == 16


def test_a_table_restored_from_a_backup_and_adopted_with_its_ledger(stack: Stack) -> None:
    stack.visit("a", 5)
    stack.deliver()
    backup = [stack.item("a"), stack.item("COUNTER")]
    stack.visit("a", 10)
    stack.deliver()
    restored = f"{stack.table}-restored"
    stack.engine.create_table(restored)
    stack.deploy(table=restored)
    for item in backup:
        stack.put(item)
    # Streams are enabled once a table has been restored, so its own items are in none.
    stack.lose()
    stack.visit("a", 7)
    stack.deliver()
    stack.reconcile()
    assert stack.total == 12


def test_a_stack_that_adopts_an_older_table_of_the_tutorial(stack: Stack) -> None:
    older, own = f"{stack.table}-older", f"{stack.table}-own"
    stack.engine.create_table(older)
    # Its stream, too, is older, so its records stand before those of the stack's own table.
    stack.engine.create_table(own)
    stack.deploy(table=own)
    stack.visit("a", 2)
    stack.deliver()
    stack.read = 0
    stack.deploy(table=older)
    stack.put({"ID": {"S": "a"}, "Count": {"N": "50"}})
    stack.put({"ID": {"S": "COUNTER"}, "TotalViews": {"N": "50"}})
    stack.lose()
    stack.visit("a", 3)
    stack.deliver()
    stack.visit("a", 1)
    stack.deliver()
    stack.reconcile()
    assert stack.total == 54


@pytest.mark.parametrize("how", ["emptied", "made anew"])
def test_a_ledger_that_lost_everything(stack: Stack, how: str) -> None:
    stack.visit("a", 6)
    stack.visit("b", 4)
    stack.deliver()
    if how == "emptied":
        for item in stack.engine.client.scan(TableName=stack.ledger)["Items"]:
            stack.engine.client.delete_item(TableName=stack.ledger, Key={"ID": item["ID"]})
    else:
        stack.engine.delete_table(stack.ledger)
        stack.engine.create_table(stack.ledger, None)
    stack.visit("a", 1)
    stack.deliver()
    stack.reconcile()
    assert stack.total == 11


def test_two_stacks_that_adopt_one_table(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    other = Stack(stack.engine, stack.monkeypatch, stack.table, f"{stack.ledger}-other")
    stack.engine.create_table(other.ledger, None)
    for _ in range(4):
        stack.use()
        tables.setting.cache_clear()
        stack.visit("a", 3)
        process_stream._total.cache_clear()
        stack.deliver()
        other.use()
        tables.setting.cache_clear()
        process_stream._total.cache_clear()
        with pytest.raises(TotalKeptElsewhereError, match=f"kept by the ledger '{stack.ledger}'.*--take-over"):
            process_stream.handler({"Records": other.records()}, Context())
    stack.deploy()
    assert stack.total == 12
    assert other.call_reconcile() == 1
    assert "--take-over" in capsys.readouterr().err
    stack.reconcile()
    assert stack.total == 12


@pytest.mark.parametrize("value", [{"S": "many"}, {"N": "3"}, {"BOOL": True}, {"NULL": True}])
def test_a_total_overwritten_while_the_processor_is_warm(stack: Stack, value: dict[str, Any]) -> None:
    stack.visit("a", 10)
    stack.deliver()
    stack.put(stack.item("COUNTER") | {"TotalViews": value})
    stack.visit("a", 2)
    stack.deliver()
    assert stack.total == 12


def test_a_ledger_is_taken_over_on_purpose(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.visit("a", 4)
    stack.deliver()
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
    stack.visit("a", 1)
    stack.deliver()
    assert stack.total == 5


def test_a_table_made_anew_under_its_name(stack: Stack) -> None:
    stack.visit("a", 5)
    stack.deliver()
    backup = stack.item("a") | {"Count": {"N": "3"}}
    stack.engine.delete_table(stack.table)
    stack.engine.create_table(stack.table)
    stack.read = 0
    stack.put(backup)
    stack.lose()
    stack.visit("a", 1)
    stack.deliver()
    stack.reconcile()
    assert stack.total == 4


def test_deleted_tags_stay_in_a_total_that_is_rebuilt(stack: Stack) -> None:
    stack.visit("gone", 5)
    stack.visit("a", 2)
    stack.delete("gone")
    stack.deliver()
    stack.delete("COUNTER")
    stack.lose()
    stack.reconcile()
    assert stack.total == 7
