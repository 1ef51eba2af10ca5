"""The reconcile command's answers; tests/e2e has it repair a real total."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from cli.commands import reconcile
from cli.main import main


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make a table and a ledger, which no stream connects."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(reconcile, "_FIRST_PAUSE_SECONDS", 0.0)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        for table in ("visits", "ledger"):
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def call(*arguments: str) -> int:
    return main(["reconcile", "--table", "visits", "--ledger", "ledger", "--region", "eu-west-1", *arguments])


def visit(client: Any, tag: str, count: int) -> None:
    client.put_item(TableName="visits", Item={"ID": {"S": tag}, "Count": {"N": str(count)}})


def test_nothing_to_do_is_status_0(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert call() == 0
    assert capsys.readouterr().out == "Every visit of 0 tags is in the total.\n"


def test_what_stays_missing_is_told_and_status_1(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    visit(client, "a", 3)
    visit(client, "b", 4)
    assert call("--passes", "2") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("7 visits of 2 tags are not in the total yet.")
    assert "pass 2 [##############################] 2 tags, 7 visits missing" in captured.err
    assert "Reconciled" in client.get_item(TableName="visits", Key={"ID": {"S": "a"}})["Item"]


def test_an_unknown_table_is_a_sentence(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["reconcile", "--table", "nowhere", "--ledger", "ledger", "--region", "eu-west-1"])
    assert status == 1
    assert "counter: An error occurred (ResourceNotFoundException)" in capsys.readouterr().err


def test_a_missing_region_is_a_sentence(
    client: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert main(["reconcile", "--table", "visits", "--ledger", "ledger"]) == 1
    assert "counter: You must specify a region." in capsys.readouterr().err


@pytest.mark.parametrize("passes", ["0", "-1", "many"])
def test_a_number_of_passes_that_is_none_is_refused(passes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call(f"--passes={passes}")
    assert f"{passes!r} is no number of passes; allowed is 1 or more" in capsys.readouterr().err


def test_the_bar_is_left_out_where_the_size_is_unknown() -> None:
    assert reconcile._bar(5, 0) == ""
    assert reconcile._bar(15, 30) == "[" + "#" * 15 + "." * 15 + "]"
    assert reconcile._bar(99, 30) == "[" + "#" * 30 + "]"
