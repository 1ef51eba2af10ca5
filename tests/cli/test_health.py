"""What the status calls a problem; tests/e2e/test_status.py reads a real one."""

from __future__ import annotations

from typing import Any

import pytest

from cli.health import belongs, problems

FUNCTION = {"name": "f", "state": "Active", "lastUpdate": "Successful", "modified": "", "runtime": ""}
HEALTHY: dict[str, Any] = {
    "api": {"endpoint": "https://api", "status": 200, "milliseconds": 5},
    "counts": {"endpoint": "https://api/counts", "status": 200, "milliseconds": 5},
    "total": {"visits": 1, "updatedAt": "", "rebuilding": False, "ledger": "l", "maintainedBy": "l"},
    "tables": {"t": {"status": "ACTIVE", "items": 1, "bytes": 1, "stream": None}},
    "mapping": {"state": "Enabled", "reason": None, "lastResult": "OK - 3 records"},
    "lag": {"milliseconds": 5, "at": ""},
    "queue": {"url": "q", "messages": 0, "inFlight": 0},
    "functions": {"welcome": FUNCTION},
    "alarms": {"alarms": [{"name": "stale", "state": "OK", "reason": ""}]},
}


def test_a_healthy_deployment_has_no_problem() -> None:
    assert problems(HEALTHY) == []
    assert problems({}) == []


@pytest.mark.parametrize(
    ("part", "change", "sentence"),
    [
        ("api", {"status": 503, "reason": "status 503: busy"}, "The start page is answered with status 503: busy."),
        ("counts", {"status": 401, "reason": "status 401: no"}, "Reading counts is answered with status 401: no."),
        ("total", {"rebuilding": True}, "The total is being rebuilt, so it is too low; run `counter reconcile`."),
        (
            "total",
            {"maintainedBy": "other"},
            "Ledger 'other' maintains the total, not 'l'; if it is no longer used, run `counter take-over`.",
        ),
        ("tables", {"t": {"status": "ARCHIVED"}}, "Table t is ARCHIVED."),
        ("mapping", {"state": "Disabled", "reason": "by hand"}, "The event source mapping is Disabled: by hand."),
        ("mapping", {"lastResult": "PROBLEM: x"}, "The last batch failed (PROBLEM: x); see `counter logs`."),
        ("queue", {"messages": 2}, "The dead-letter queue holds 2 messages; see `counter failures`."),
        ("functions", {"welcome": FUNCTION | {"state": "Failed"}}, "Function f is Failed, its update Successful."),
        ("alarms", {"alarms": [{"name": "stale", "state": "ALARM", "reason": "old"}]}, "Alarm stale: old"),
        ("lag", {"error": "AccessDenied"}, "lag: AccessDenied"),
    ],
)
def test_each_problem_is_a_sentence(part: str, change: dict[str, Any], sentence: str) -> None:
    assert problems({**HEALTHY, part: {**HEALTHY[part], **change}}) == [sentence]


def test_an_alarm_belongs_to_the_resources_of_its_metrics() -> None:
    dimension = [{"Name": "FunctionName", "Value": "mine"}]
    computed = {"Metrics": [{"Id": "share", "Expression": "a"}, {"MetricStat": {"Metric": {"Dimensions": dimension}}}]}
    assert belongs({"Dimensions": dimension}, {"mine"})
    assert belongs(computed, {"mine"})
    assert not belongs(computed, {"theirs"})
    assert not belongs({}, {"mine"})
