"""The reconcile command's answers; tests/e2e has it repair a real total."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from cli.commands import reconcile
from cli.main import main


class Tables:
    """A table and a ledger, which no stream connects."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb", region_name="eu-west-1")
        # Other tests of this process may mock AWS as well, and then all share what there is.
        suffix = uuid.uuid4().hex
        self.table, self.ledger = f"visits-{suffix}", f"ledger-{suffix}"
        for name in (self.table, self.ledger):
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
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(reconcile, "_FIRST_PAUSE_SECONDS", 0.0)
    with mock_aws():
        yield Tables()


def test_nothing_to_do_is_status_0(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.call() == 0
    assert capsys.readouterr().out == "Every visit of 0 tags is in the total.\n"


def test_what_stays_missing_is_told_and_status_1(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.visit("a", 3)
    tables.visit("b", 4)
    assert tables.call("--region", "eu-west-1", "--passes", "2") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("7 visits of 2 tags are not in the total yet.")
    assert "pass 2 [##############################] 2 tags, 7 visits missing" in captured.err
    assert "Reconciled" in tables.client.get_item(TableName=tables.table, Key={"ID": {"S": "a"}})["Item"]


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
    assert "counter: You must specify a region." in capsys.readouterr().err


@pytest.mark.parametrize("passes", ["0", "-1", "many"])
def test_a_number_of_passes_that_is_none_is_refused(passes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["reconcile", "--table", "t", "--ledger", "l", f"--passes={passes}"])
    assert f"{passes!r} is no number of passes; allowed is 1 or more" in capsys.readouterr().err


def test_the_bar_is_left_out_where_the_size_is_unknown() -> None:
    assert reconcile._bar(5, 0) == ""
    assert reconcile._bar(15, 30) == "[" + "#" * 15 + "." * 15 + "]"
    assert reconcile._bar(99, 30) == "[" + "#" * 30 + "]"
