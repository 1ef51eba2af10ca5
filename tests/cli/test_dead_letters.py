"""Reports of discarded batches and their records; tests/e2e/test_failures.py redrives a real batch."""

from __future__ import annotations

import copy
import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies

from cli.dead_letters import InvalidReportError, invoke, payloads, read_batch, read_report
from tests.doubles import client_error

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


def test_a_report_is_put_into_words() -> None:
    now = datetime(2026, 3, 1, 13, 30, tzinfo=UTC)
    assert REPORT.describe(now) == (
        f"3 records of shard {REPORT.shard}, sequence numbers {REPORT.first} to {REPORT.last}, which "
        "arrived at 2026-03-01 10:00:00 UTC, 3 h 30 min ago. Discarded: RetryAttemptsExhausted after 1 attempt "
        "(Unhandled)."
    )


@pytest.mark.parametrize("field", ["shardId", "startSequenceNumber", "streamArn", "batchSize"])
def test_a_report_without_a_field_names_it(field: str) -> None:
    body = copy.deepcopy(BODY)
    del body["DDBStreamBatchInfo"][field]
    with pytest.raises(InvalidReportError, match=f"'{field}' is missing"):
        read_report(json.dumps(body))


@pytest.mark.parametrize("body", ["", "[]", "null", "5", "{", '{"DDBStreamBatchInfo": 1, "requestContext": 2}'])
def test_another_message_is_no_report(body: str) -> None:
    with pytest.raises(InvalidReportError, match="not the report of a discarded batch"):
        read_report(body)


@given(strategies.recursive(strategies.none() | strategies.text() | strategies.integers(), strategies.lists))
def test_any_value_in_a_report_is_read_or_refused(value: Any) -> None:
    for part in ("DDBStreamBatchInfo", "requestContext", "responseContext"):
        for field in BODY[part]:
            body = copy.deepcopy(BODY)
            body[part][field] = value
            with suppress(InvalidReportError):
                read_report(json.dumps(body))


class Stream:
    """A stream's shard with records at 100, 200, …, of which those before `start` have expired; two on a page."""

    def __init__(self, start: int, *, code: str = "TrimmedDataAccessException") -> None:
        self._start = start
        self._code = code

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        if request["ShardIteratorType"] == "TRIM_HORIZON":
            return {"ShardIterator": str(self._start)}
        if int(request["SequenceNumber"]) < self._start:
            raise client_error(self._code, "GetShardIterator")
        return {"ShardIterator": request["SequenceNumber"]}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        if ShardIterator.startswith("empty "):
            return {"Records": [], "NextShardIterator": ShardIterator.removeprefix("empty ")}
        place = int(ShardIterator)
        found = [
            {"dynamodb": {"SequenceNumber": str(at), "ApproximateCreationDateTime": datetime(2026, 1, 1, tzinfo=UTC)}}
            for at in (place, place + 100)
            if at <= 500
        ]
        return {"Records": found, "NextShardIterator": f"empty {place + 200}" if place <= 500 else None}


@pytest.mark.parametrize(
    ("start", "records", "complete"), [(0, [100, 200, 300], True), (200, [200, 300], False), (400, [], False)]
)
def test_the_records_that_the_stream_has_are_read(start: int, records: list[int], *, complete: bool) -> None:
    batch = read_batch(Stream(start), REPORT)
    assert [int(each["dynamodb"]["SequenceNumber"]) for each in batch.records] == records
    assert batch.is_complete is complete
    for each in batch.records:
        assert each["eventSourceARN"] == REPORT.stream
        assert json.dumps(each)


def test_other_errors_of_the_stream_are_passed_on() -> None:
    with pytest.raises(Exception, match="AccessDenied"):
        read_batch(Stream(200, code="AccessDenied"), REPORT)


@given(strategies.lists(strategies.text(max_size=60), max_size=20), strategies.integers(20, 300))
def test_events_hold_every_record_in_order_and_are_small_enough(texts: list[str], limit: int) -> None:
    records = [{"text": text} for text in texts]
    packed = list(payloads(records, limit))
    events = [json.loads(each)["Records"] for each in packed]
    assert [record for event in events for record in event] == records
    assert all(events)
    for payload, event in zip(packed, events, strict=True):
        assert len(payload) <= limit or len(event) == 1


def test_a_failing_function_ends_the_redrive_with_its_message() -> None:
    calls: list[Any] = []

    class Lambda:
        def invoke(self, **request: Any) -> dict[str, Any]:
            calls.append(request)
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no table"}')}

    assert invoke(Lambda(), "f", [{"a": 1}]) == "Unhandled: no table"
    assert (len(calls), calls[0]["FunctionName"]) == (1, "f")
