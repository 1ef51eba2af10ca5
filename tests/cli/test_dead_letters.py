"""Reports of discarded batches, and `failures`; tests/e2e/test_failures.py has a real batch discarded."""

from __future__ import annotations

import copy
import json
import sys
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3  # type: ignore[import-untyped]
import click
import pytest
from hypothesis import given, strategies

from cli import options
from cli.dead_letters import InvalidReportError, read_report
from cli.main import main
from tests.cli.counted import REGION, Counted

BODY: dict[str, Any] = {
    "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
    "responseContext": {"functionError": "Unhandled"},
    "DDBStreamBatchInfo": {
        "shardId": "shardId-00000001576646731897-1a2b3c4d",
        "startSequenceNumber": f"{100:021}",
        "endSequenceNumber": f"{300:021}",
        "approximateArrivalOfFirstRecord": "2026-03-01T10:00:00.5Z",
        "approximateArrivalOfLastRecord": "2026-03-01T10:00:00.5Z",
        "batchSize": 3,
        "streamArn": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026-01-01T00:00:00.000",
    },
}
REPORT = read_report(json.dumps(BODY))


def test_report_description() -> None:
    now = datetime(2026, 3, 1, 13, 30, tzinfo=UTC)
    assert REPORT.describe(now) == (
        f"3 records of shard {REPORT.shard}, sequence numbers {REPORT.first} to {REPORT.last}, which "
        "arrived at 2026-03-01 10:00:00 UTC, 3 h 30 min ago. Discarded: RetryAttemptsExhausted after 1 attempt "
        "(Unhandled)."
    )


@pytest.mark.parametrize("field", ["shardId", "startSequenceNumber", "streamArn", "batchSize"])
def test_report_without_a_field(field: str) -> None:
    body = copy.deepcopy(BODY)
    del body["DDBStreamBatchInfo"][field]
    with pytest.raises(InvalidReportError, match=f"'{field}' is missing"):
        read_report(json.dumps(body))


@pytest.mark.parametrize("body", ["", "[]", "null", "5", "{", '{"DDBStreamBatchInfo": 1, "requestContext": 2}'])
def test_message_that_is_not_a_report(body: str) -> None:
    with pytest.raises(InvalidReportError, match="not the report of a discarded batch"):
        read_report(body)


@given(strategies.recursive(strategies.none() | strategies.text() | strategies.integers(), strategies.lists))
def test_report_with_any_value(value: Any) -> None:
    for part in ("DDBStreamBatchInfo", "requestContext", "responseContext"):
        for field in BODY[part]:
            body = copy.deepcopy(BODY)
            body[part][field] = value
            with suppress(InvalidReportError):
                read_report(json.dumps(body))


class Queue:
    """A dead-letter queue on moto, and the command that reads it."""

    def __init__(self, counted: Counted) -> None:
        self._client = boto3.client("sqs", region_name=REGION)
        self._url = self._client.create_queue(QueueName="letters")["QueueUrl"]
        self._counted = counted

    def send(self, body: str) -> None:
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def call(self, *arguments: str, status: int) -> tuple[str, str]:
        self._counted.read()
        assert main(["failures", "--queue", self._url, "--region", REGION, *arguments]) == status
        return self._counted.read()


@pytest.fixture
def queue(counted: Counted) -> Queue:
    return Queue(counted)


def test_failures_of_an_empty_queue(queue: Queue) -> None:
    assert queue.call(status=0)[0] == "0 messages in the dead-letter queue.\n"
    assert queue.call("--clear", "--yes", status=0)[0] == "0 messages in the dead-letter queue; 0 messages deleted.\n"


def test_failures_until_they_are_cleared(queue: Queue) -> None:
    queue.send(json.dumps(BODY))
    queue.send("hello")
    for _ in range(2):
        # Looking does not take the messages away.
        out, _ = queue.call(status=1)
        assert "3 records of shard shardId-00000001576646731897-1a2b3c4d, sequence numbers " in out
        assert "not the report of a discarded batch" in out
        assert "\n2 messages in the dead-letter queue.\nThe total lacks visits of these batches until `counter" in out
    found = json.loads(queue.call("--json", status=1)[0])
    assert {message.get("condition") for message in found["messages"]} == {"RetryAttemptsExhausted", None}
    assert "Confirm with --yes." in queue.call("--clear", status=2)[1]
    assert json.loads(queue.call("--clear", "--yes", "--json", status=0)[0])["deleted"] == 2
    queue.call(status=0)


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1), (None, 1)])
def test_confirmation(queue: Queue, monkeypatch: pytest.MonkeyPatch, answer: str | None, status: int) -> None:
    def prompt(_: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr(options, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr(click.termui, "visible_prompt_func", prompt)
    monkeypatch.setattr(sys, "stdin", sys.__stdin__)
    queue.send("hello")
    errors = queue.call("--clear", status=status)[1]
    assert errors.endswith("Nothing was changed.\n") is bool(status)
    queue.call(status=status)
