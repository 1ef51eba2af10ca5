"""The dashboard shows what the alarms watch, with their thresholds, and the traffic; its address is an output."""

import json
from typing import Any

import pytest

from components.alarms import ALARMS
from components.dashboard import TRAFFIC, console_address
from components.testing import Result

from .conftest import Build

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


def widgets(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.one(DASHBOARD).inputs["dashboardBody"])["widgets"]
    return found


def charts(result: Result) -> dict[str, dict[str, Any]]:
    return {one["properties"]["title"]: one["properties"] for one in widgets(result) if one["type"] == "metric"}


def test_every_alarms_metric_is_drawn_with_its_threshold(counter: Result) -> None:
    drawn = charts(counter)
    for alarm in ALARMS:
        inputs, chart = counter.one(ALARM, f"counter-{alarm.name}").inputs, drawn[alarm.section or alarm.name]
        assert chart["annotations"] == {"horizontal": [{"label": "alarm", "value": inputs["threshold"]}]}
        assert chart["region"] == "us-east-1"
        assert chart["yAxis"] == {"left": {"min": 0}}
        assert chart["period"] == inputs.get(
            "period", inputs.get("metricQueries", [{}])[0].get("metric", {}).get("period")
        )
        if "metricQueries" in inputs:
            continue
        [options] = [
            line[-1]
            for line in chart["metrics"]
            if line[:2] == [inputs["namespace"], inputs["metricName"]]
            and dict(zip(line[2:-1:2], line[3:-1:2], strict=True)) == inputs["dimensions"]
        ]
        assert options["stat"] == inputs.get("statistic", inputs.get("extendedStatistic"))
        assert options["visible"] is True


def test_an_expression_is_drawn_and_its_metrics_are_not(counter: Result) -> None:
    expression, *metrics = charts(counter)["api-errors"]["metrics"]
    assert expression == [{"id": "result", "expression": "IF(m1>0,100*m0/m1,0)", "label": "api-errors"}]
    assert [(line[1], line[-1]["id"], line[-1]["visible"]) for line in metrics] == [
        ("5xx", "m0", False),
        ("Count", "m1", False),
    ]


def test_traffic_is_drawn_unless_its_metrics_are_off(counter: Result, build: Build) -> None:
    drawn = charts(counter)
    assert {drawn[chart.title]["period"] for chart in TRAFFIC} == {60}
    recorder = counter.one("aws:lambda/function:Function", "counter-record-visit").state["name"]
    [visits] = drawn["visits"]["metrics"]
    assert visits[:-1] == ["StreamTriggeredCounter", "Visits", "FunctionName", recorder]
    assert [line[1] for line in drawn["stream records"]["metrics"]] == [
        "PolledEventCount",
        "FilteredOutEventCount",
        "InvokedEventCount",
    ]
    assert "annotations" not in drawn["visits"]
    off = charts(build({"monitoring": {"metrics": False}, "stream": {"mapping_metrics": False}}))
    assert set(drawn) - set(off) == {
        *("visits", "stream records"),
        *("records-dropped", "records-uncounted", "stream-unread", "total-restarted"),
    }


def test_the_states_of_all_alarms_come_first(counter: Result, build: Build) -> None:
    first = widgets(counter)[0]
    assert first["type"] == "alarm"
    arns = {alarm.name: alarm.state["arn"] for alarm in counter.all(ALARM)}
    assert first["properties"]["alarms"] == [arns[f"counter-{alarm.name}"] for alarm in ALARMS]
    without = widgets(build({"monitoring": {"alarms": False}}))
    assert [one["type"] for one in without] == ["metric"] * (len(widgets(counter)) - 1)


def test_no_widget_covers_another_and_none_leaves_a_gap(counter: Result) -> None:
    cells: set[tuple[int, int]] = set()
    for one in widgets(counter):
        covered = {
            (x, y) for x in range(one["x"], one["x"] + one["width"]) for y in range(one["y"], one["y"] + one["height"])
        }
        assert not covered & cells
        assert one["x"] + one["width"] <= 24
        assert one["y"] == 0 or (one["x"], one["y"] - 1) in cells
        cells |= covered


def test_its_name_is_the_stacks_own_and_its_address_an_output(counter: Result, build: Build) -> None:
    name = f"counter-{counter.one('aws:apigatewayv2/api:Api').id}"
    assert counter.one(DASHBOARD).inputs["dashboardName"] == name
    outputs = counter.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs
    assert outputs is not None
    address = f"https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/{name}"
    assert outputs["dashboardUrl"] == address
    off = build({"monitoring": {"dashboard": False}})
    assert off.all(DASHBOARD) == []
    outputs = off.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs
    assert outputs is not None
    assert outputs["dashboardUrl"] == ""


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_its_console(partition: str, region: str, host: str) -> None:
    address = console_address(f"arn:{partition}:dynamodb:{region}:123456789012:table/t", "shown")
    assert address == f"https://{host}/cloudwatch/home?region={region}#dashboards/dashboard/shown"
