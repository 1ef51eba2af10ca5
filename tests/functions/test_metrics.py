"""The functions' own metrics: lines on standard output that CloudWatch's specification allows."""

import json
import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions import metrics
from tests.doubles import cancelled
from tests.functions.conftest import TABLE
from tests.functions.gateway import request
from tests.functions.test_process_stream import process, stream

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


def test_each_visit_is_counted_and_a_replay_is_not(lines: Any) -> None:
    for _ in range(2):
        assert request("POST", "/tag/secret").status == 200
    assert lines() == [("Visits", 1)] * 2
    for _ in range(2):
        request("POST", "/tag/secret", {"Idempotency-Key": "key"})
    assert lines() == [("Visits", 1)]


def test_what_is_not_counted_is_no_visit(lines: Any) -> None:
    request("GET", "/tag/a", {"Sec-Purpose": "prefetch"})
    request("GET", "/badge/a?count=false")
    request("HEAD", "/tag/a")
    request("GET", "/counts")
    assert lines() == []
    request("GET", "/badge/a")
    assert lines() == [("Visits", 1)]


def test_a_batch_has_its_number_of_tags(lines: Any) -> None:
    events = stream()
    process(events.insert("a"), events.modify("a", 2), events.insert("b"))
    assert lines() == [("BatchTags", 2)]


@pytest.mark.parametrize(
    ("reasons", "conflicts"),
    [(("ConditionalCheckFailed", "None"), 1), (("TransactionConflict",), 1), (("ThrottlingError", "None"), 0)],
)
def test_conflicts_are_counted_and_throttles_are_not(
    lines: Any, refuse: Any, reasons: tuple[str, ...], conflicts: int
) -> None:
    process(stream().insert("a"))
    refuse("transact_write_items", cancelled(*reasons))
    lines()
    process(stream(first_sequence=200).modify("a", 2))
    assert lines() == [("TransactionConflicts", 1)] * conflicts + [("BatchTags", 1)]


def test_a_takeover_is_counted_and_the_start_of_a_new_total_is_not(lines: Any, tables: Any) -> None:
    events = stream()
    process(events.insert("a"))
    assert ("Takeovers", 1) not in lines()
    tables.delete_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})
    process(events.modify("a", 2))
    assert lines().count(("Takeovers", 1)) == 1


def test_nothing_is_written_without_a_namespace(
    tables: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("METRICS_NAMESPACE", raising=False)
    request("POST", "/tag/a")
    process(stream().insert("a"))
    for value in (metrics.VISITS, metrics.TAKEOVERS):
        metrics.emit(value)
    assert capsys.readouterr().out == ""
