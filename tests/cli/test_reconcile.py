"""The reconcile command's answers; tests/e2e has it repair a real total."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from cli import passes
from cli.main import main
from components.stream_consumer import StreamSettings


class Tables:
    """A table and a ledger, which no stream connects."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb", region_name="eu-west-1")
        # Other tests of this process may mock AWS as well, and then all share what there is.
        suffix = uuid.uuid4().hex
        self.table, self.ledger, self.spare = f"visits-{suffix}", f"ledger-{suffix}", f"spare-{suffix}"
        for name in (self.table, self.ledger, self.spare):
            self.client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )

    def visit(self, tag: str, count: int) -> None:
        self.client.put_item(TableName=self.table, Item={"ID": {"S": tag}, "Count": {"N": str(count)}})

    def call(self, *arguments: str) -> int:
        tables = ("--table", self.table, "--ledger", self.ledger)
        return main(["reconcile", *tables, *(arguments or ("--region", "eu-west-1"))])


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Tables]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(passes, "FIRST_PAUSE_SECONDS", 0.0)
    with mock_aws():
        yield Tables()


def test_nothing_to_do_is_status_0(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.call() == 0
    expected = "Every visit of 0 tags is in the total, and the total is the sum of the ledger.\n"
    assert capsys.readouterr().out == expected


def test_visits_that_stay_missing_end_in_status_1(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.visit("a", 3)
    tables.visit("b", 4)
    assert tables.call("--region", "eu-west-1", "--passes", "2") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("2 tags are not wholly in the total yet (7 visits).")
    seen = "0 ledger entries, 2 tags, 7 visits of 2 tags missing\n"
    assert f"pass 1: {seen}" in captured.err
    assert f"pass 2: {seen}" in captured.err
    assert "\x1b" not in captured.err
    assert "Reconciled" in tables.client.get_item(TableName=tables.table, Key={"ID": {"S": "a"}})["Item"]


def test_one_is_singular(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.visit("a", 1)
    assert tables.call("--region", "eu-west-1", "--passes", "1") == 1
    assert capsys.readouterr().out.startswith(
        "1 tag is not wholly in the total yet (1 visit). The stream re-emits its count."
    )


def test_the_pauses_allow_for_the_batching_window(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("cli.passes.time.sleep", slept.append)
    monkeypatch.setattr(passes, "FIRST_PAUSE_SECONDS", 1.0)
    tables.visit("a", 3)
    assert tables.call("--region", "eu-west-1", "--passes", "4", "--batching-window", "20") == 1
    assert slept == [21, 22, 24]
    assert tables.call("--region", "eu-west-1", "--passes", "2", "--restart") == 1
    assert slept[3:] == [1 + StreamSettings().maximum_batching_window_in_seconds]


def test_a_total_that_another_ledger_keeps_is_a_sentence_until_it_is_taken_over(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tables.call() == 0
    mine, tables.ledger = tables.ledger, tables.spare
    assert tables.call() == 1
    refused = capsys.readouterr().err
    assert f"counter: Ledger '{mine}', not '{tables.spare}', maintains the total in table '{tables.table}'" in refused
    assert f"./counter reconcile --table {tables.table} --ledger {tables.spare} --take-over" in refused
    assert tables.call("--region", "eu-west-1", "--take-over") == 0
    captured = capsys.readouterr()
    assert f"The ledger {tables.spare} keeps the total of table {tables.table} from now on.\n" in captured.err
    assert captured.out.startswith("Every visit of 0 tags is in the total")
    tables.ledger = mine
    assert tables.call() == 1


@pytest.mark.parametrize("window", ["-1", "301", "1.5", "soon"])
def test_an_invalid_batching_window_is_refused(window: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--table", "t", "--ledger", "l", f"--batching-window={window}"]) == 2
    expected = f"Invalid value for '--batching-window': {window!r} is not a batching window; allowed: 0 to 300"
    assert expected in capsys.readouterr().err


def test_a_rising_total_is_compared_within_limits() -> None:
    assert passes._reservation(0) == ", and the total is the sum of the ledger"
    assert "only to within 1,200 visits" in passes._reservation(1200)


def test_an_unknown_table_is_a_sentence(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.table = "nowhere"
    assert tables.call() == 1
    assert "counter: An error occurred (ResourceNotFoundException)" in capsys.readouterr().err


def test_a_missing_region_is_a_sentence(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert tables.call("--passes", "1") == 1
    assert "counter: the region is not known; give --region, or set AWS_REGION" in capsys.readouterr().err


@pytest.mark.parametrize("passes", ["0", "-1", "many", "²", "9" * 5000])
def test_an_invalid_number_of_passes_is_refused(passes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--table", "t", "--ledger", "l", f"--passes={passes}"]) == 2
    expected = f"Invalid value for '--passes': {passes!r} is not a number of passes; allowed: 1 or more"
    assert expected in capsys.readouterr().err


def test_a_call_that_is_stopped_is_continued_by_the_next(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(passes, "_SAVE_SECONDS", 0.0)
    for number in range(150):
        tables.visit(f"tag {number}", 2)
    paced: list[int] = []

    def stop(_: object, writes: int) -> None:
        paced.append(writes)
        if len(paced) == 120:
            raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(passes.Pace, "__call__", stop)
        assert tables.call() == 130
    assert "counter: stopped;" in capsys.readouterr().err
    arguments = ("--region", "eu-west-1", "--passes", "1", "--json")
    assert tables.call(*arguments) == 1
    captured = capsys.readouterr()
    # A page of 100 items, one of which is the total.
    assert captured.err.startswith("Continuing the pass that was stopped after 99 tags.\n")
    found = {"exact": False, "passes": 1, "entries": 0, "tags": 150, "behind": 150, "visits": 300, "drift": 0}
    assert json.loads(captured.out) == found
    # It is complete, so the next call starts over.
    assert tables.call(*arguments) == 1
    assert "Continuing" not in capsys.readouterr().err


def test_a_restart_does_not_continue(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(passes.Checkpoint, "load", lambda self: started.append("load"))
    monkeypatch.setattr(passes.Checkpoint, "clear", lambda self: started.append("clear"))
    assert tables.call("--region", "eu-west-1", "--restart") == 0
    assert started == ["clear", "load", "clear"]


def test_taking_over_is_confirmed(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.call() == 0
    mine, tables.ledger = tables.ledger, tables.spare
    take_over = ["take-over", "--table", tables.table, "--ledger", tables.ledger, "--region", "eu-west-1"]
    for more in ([], ["--json"]):
        assert main([*take_over, *more]) == 2
        question = f"Let ledger {tables.spare} keep the total of table {tables.table}, and rebuild it from 0?"
        assert f"Error: {question} Confirm with --yes.\n" in capsys.readouterr().err
    assert tables.call() == 1
    capsys.readouterr()
    assert main([*take_over, "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exact"]
    tables.ledger = mine
    assert tables.call() == 1


@pytest.mark.parametrize("rate", ["0", "-5", "fast"])
def test_an_invalid_rate_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--table", "t", "--ledger", "l", f"--rate={rate}"]) == 2
    assert f"{rate!r} is not a rate; allowed: 1 to 100000" in capsys.readouterr().err
