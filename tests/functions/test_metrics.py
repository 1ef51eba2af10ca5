"""The functions' own metrics: lines on standard output that CloudWatch's specification allows."""

import json
import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions import metrics
from tests.functions.conftest import TABLE
from tests.functions.events import Stream, process
from tests.functions.gateway import request

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30, "items": {"type": "string", "minLength": 1}},
                            },
                            "Metrics": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {"Name": {"type": "string"}, "Unit": {"enum": ["Count"]}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
"""The structure that the specification demands; its references to values are checked by `values`."""


@pytest.fixture
def lines(tables: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Switch the metrics on; return a function that reads what was emitted since the last call, by metric."""
    monkeypatch.setenv("METRICS_NAMESPACE", "StreamTriggeredCounter")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "counter-function-1a2b3c4")
    return lambda: [values(json.loads(line)) for line in capsys.readouterr().out.splitlines()]


def values(line: dict[str, Any]) -> tuple[str, int]:
    """Check a line, and return the name and the value of its metric."""
    Draft202012Validator(SCHEMA).validate(line)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "StreamTriggeredCounter"
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["FunctionName"] == "counter-function-1a2b3c4"
    assert abs(line["_aws"]["Timestamp"] - time.time() * 1000) < 60_000
    [metric] = directive["Metrics"]
    return metric["Name"], line[metric["Name"]]


def test_visits_are_counted_without_replays(lines: Any) -> None:
    for _ in range(2):
        assert request("POST", "/tag/secret").status == 200
    assert lines() == [("Visits", 1)] * 2
    for _ in range(2):
        request("POST", "/tag/secret", {"Idempotency-Key": "key"})
    assert lines() == [("Visits", 1)]


def test_visits_exclude_requests_that_count_nothing(lines: Any, tables: Any) -> None:
    request("GET", "/tag/a", {"Sec-Purpose": "prefetch"})
    request("GET", "/badge/a?count=false")
    request("HEAD", "/tag/a")
    request("GET", "/counts")
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "text"}, "Count": {"S": "7"}})
    assert request("POST", "/tag/text").status == 409
    assert lines() == []
    request("GET", "/badge/a")
    assert lines() == [("Visits", 1)]


def test_uncounted_records_are_counted_by_cause(lines: Any) -> None:
    events = Stream()
    bad = {"ID": {"S": "bad"}, "Count": {"N": "2.5"}}
    process(events.insert("a"), events.record("INSERT", "bad", new=bad), events.record("UPSERT", "b"))
    assert lines() == [("UncountedRecords", 2)]
    late, last = events.insert("c"), events.insert("d")
    state = process(last, state={"floor": "-1", "batches": []})["state"]
    process(late, state=state)
    assert lines() == [("UncountedRecords", 1)]


def test_generations_started_exclude_that_of_a_new_table(lines: Any, tables: Any) -> None:
    events = Stream()
    process(events.insert("a"))
    assert lines() == []
    tables.delete_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})
    process(events.modify("a", 2))
    assert lines() == [("GenerationsStarted", 1)]


def test_nothing_is_written_without_a_namespace(
    tables: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("METRICS_NAMESPACE", raising=False)
    request("POST", "/tag/a")
    process(Stream().insert("a"))
    metrics.emit(metrics.GENERATIONS)
    assert capsys.readouterr().out == ""
