"""What the status calls a problem; tests/e2e/test_status.py reads a real one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cli.health import belongs, problems
from tests.cli.counted import Counted

FUNCTION = {"name": "f", "state": "Active", "lastUpdate": "Successful", "modified": "", "runtime": ""}
HEALTHY: dict[str, Any] = {
    "api": {"endpoint": "https://api", "status": 200, "milliseconds": 5},
    "counts": {"endpoint": "https://api/counts", "status": 200, "milliseconds": 5},
    "total": {"visits": 1, "updatedAt": "", "rebuilding": False, "damage": None},
    "tables": {"t": {"status": "ACTIVE", "items": 1, "bytes": 1, "stream": None}},
    "mapping": {"state": "Enabled", "reason": None, "lastResult": "OK - 3 records"},
    "lag": {"milliseconds": 5, "at": ""},
    "queue": {"url": "q", "messages": 0, "inFlight": 0},
    "functions": {"welcome": FUNCTION},
    "alarms": {"alarms": [{"name": "stale", "state": "OK", "reason": ""}]},
}


def test_healthy_deployment_without_problems() -> None:
    assert problems(HEALTHY) == []
    assert problems({}) == []


@pytest.mark.parametrize(
    ("part", "change", "sentence"),
    [
        ("api", {"status": 503, "reason": "status 503: busy"}, "The start page is answered with status 503: busy."),
        ("counts", {"status": 401, "reason": "status 401: no"}, "Reading counts is answered with status 401: no."),
        ("total", {"rebuilding": True}, "The total is marked as too low (`Rebuilding`); run `counter reconcile`."),
        ("total", {"damage": "COUNTER is missing"}, "There is no total: COUNTER is missing; run `counter reconcile`."),
        ("tables", {"t": {"status": "ARCHIVED"}}, "Table t is ARCHIVED."),
        ("mapping", {"state": "Disabled", "reason": "by hand"}, "The event source mapping is Disabled: by hand."),
        ("mapping", {"lastResult": "PROBLEM: x"}, "The last batch failed (PROBLEM: x); see `counter logs`."),
        ("queue", {"messages": 2}, "The dead-letter queue holds 2 messages; see `counter failures`."),
        ("functions", {"welcome": FUNCTION | {"state": "Failed"}}, "Function f is Failed, its update Successful."),
        ("alarms", {"alarms": [{"name": "stale", "state": "ALARM", "reason": "old"}]}, "Alarm stale: old"),
        ("lag", {"error": "AccessDenied"}, "lag: AccessDenied"),
    ],
)
def test_problem_sentence(part: str, change: dict[str, Any], sentence: str) -> None:
    assert problems({**HEALTHY, part: {**HEALTHY[part], **change}}) == [sentence]


def test_status_of_the_total(counted: Counted) -> None:
    assert counted.json("status")["total"]["damage"] is None
    assert "total:   no visits yet\n" in counted.call("status")
    counted.visit("a", 2)
    sentence = "There is no total: COUNTER is missing; run `counter reconcile`."
    assert counted.json("status", status=1)["problems"] == [sentence]
    counted.deliver()
    found = counted.json("status")
    assert (found["problems"], found["total"]["visits"], found["total"]["rebuild"]) == ([], 2, None)
    [shard] = found["total"]["shards"]
    assert (shard["shard"], int(shard["position"]) > 0, shard["secondsAgo"] < 60) == ("1-1", True, True)
    text = counted.call("status")
    assert f"generation {found['total']['generation']['mark']}, since 20" in text
    assert "         shard 1-1 at " in text


def test_status_names_the_newest_shards(counted: Counted) -> None:
    counted.visit("a")
    counted.deliver()
    now = int(time.time())
    positions = {f"{number}-x": {"S": f"7@{now - 60 * number}"} for number in range(20)}
    counted.client.update_item(
        TableName=counted.table,
        Key={"ID": {"S": "COUNTER"}},
        UpdateExpression="SET Positions = :positions",
        ExpressionAttributeValues={":positions": {"M": positions}},
    )
    lines = counted.call("status").splitlines()
    assert [line.split()[1] for line in lines if " at 7" in line] == [f"{number}-x" for number in range(8)]
    assert "         and 12 shards more" in lines


def test_alarm_of_a_resource() -> None:
    dimension = [{"Name": "FunctionName", "Value": "mine"}]
    computed = {"Metrics": [{"Id": "share", "Expression": "a"}, {"MetricStat": {"Metric": {"Dimensions": dimension}}}]}
    assert belongs({"Dimensions": dimension}, {"mine"})
    assert belongs(computed, {"mine"})
    assert not belongs(computed, {"theirs"})
    assert not belongs({}, {"mine"})
