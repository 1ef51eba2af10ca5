"""The alarms: what each watches, when it goes off, whom it tells, and its section of the runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.alarms import ALARMS
from components.monitoring import key_policy
from components.testing import Resource, Result
from tests.alarm_evaluation import Points, goes_off

from .conftest import Build

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
RUNBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"

PROCESSOR = ("AWS/Lambda", {"FunctionName": "counter-process-stream"})
TABLES = {name: ("AWS/DynamoDB", {"TableName": f"counter-{name}"}) for name in ("table", "idempotency")}
EXPECTED: dict[str, tuple[tuple[str, dict[str, str]], str, str, int, int, str, float]] = {
    "total-stale": (PROCESSOR, "IteratorAge", "Maximum", 60, 5, ">", 61_000),
    "records-at-risk": (PROCESSOR, "IteratorAge", "Maximum", 300, 1, ">=", 42_300_000),
    "processor-errors": (PROCESSOR, "Errors", "Sum", 60, 3, ">", 0),
    "processor-throttled": (PROCESSOR, "Throttles", "Sum", 60, 5, ">=", 1),
    "processor-slow": (PROCESSOR, "Duration", "p90", 60, 15, ">", 24_000),
    "batch-discarded": (
        ("AWS/SQS", {"QueueName": "counter-process-stream-failures"}),
        "ApproximateNumberOfMessagesVisible", "Maximum", 60, 1, ">=", 1,
    ),
    "records-dropped": (
        ("AWS/Lambda", {"EventSourceMappingUUID": "counter-process-stream"}),
        "DroppedEventCount", "Sum", 60, 1, ">=", 1,
    ),
    "total-restarted": (
        ("StreamTriggeredCounter", {"FunctionName": "counter-process-stream"}),
        "GenerationsStarted", "Sum", 60, 1, ">=", 1,
    ),
    "records-uncounted": (
        ("StreamTriggeredCounter", {"FunctionName": "counter-process-stream"}),
        "UncountedRecords", "Sum", 60, 1, ">=", 1,
    ),
    "api-slow": (
        ("AWS/ApiGateway", {"ApiId": "counter-api", "Stage": "$default"}),
        "Latency", "p99", 60, 5, ">=", 2_500,
    ),
    **{
        f"{name}-{kind.lower()}s-throttled": (metric, f"{kind}ThrottleEvents", "Sum", 60, 5, ">", 0)
        for name, metric in TABLES.items()
        for kind in ("Read", "Write")
    },
}  # fmt: skip
"""Metric, statistic, period, data points and threshold, with logical names in the place of physical ones."""

EXPRESSIONS = ("stream-unread", "api-errors")
"""The alarms on an expression of several metrics."""

OPERATORS = {">": "GreaterThanThreshold", ">=": "GreaterThanOrEqualToThreshold"}


def alarm(result: Result, name: str) -> Resource:
    return result.one(ALARM, f"counter-{name}")


def dimensions(result: Result, named: dict[str, str]) -> dict[str, str]:
    """Replace the logical names of resources by their physical ones."""
    types = {
        "FunctionName": ("aws:lambda/function:Function", "name"),
        "TableName": ("aws:dynamodb/table:Table", "name"),
        "QueueName": ("aws:sqs/queue:Queue", "name"),
        "EventSourceMappingUUID": ("aws:lambda/eventSourceMapping:EventSourceMapping", "uuid"),
    }

    def physical(dimension: str, name: str) -> str:
        if dimension == "ApiId":
            return result.one("aws:apigatewayv2/api:Api", name).id
        if dimension not in types:
            return name
        kind, attribute = types[dimension]
        return str(result.one(kind, name).state[attribute])

    return {dimension: physical(dimension, name) for dimension, name in named.items()}


def test_every_alarm_is_expected_here(counter: Result) -> None:
    made = {resource.name.removeprefix("counter-") for resource in counter.all(ALARM)}
    assert made == {*EXPECTED, *EXPRESSIONS} == {each.name for each in ALARMS}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_alarm_watches_its_metric(counter: Result, name: str) -> None:
    (namespace, named), metric, statistic, period, periods, comparison, threshold = EXPECTED[name]
    inputs = alarm(counter, name).inputs
    assert (inputs["namespace"], inputs["metricName"]) == (namespace, metric)
    assert inputs["dimensions"] == dimensions(counter, named)
    percentile = statistic.startswith("p")
    assert inputs["extendedStatistic" if percentile else "statistic"] == statistic
    # A percentile of a handful of requests is their slowest one; slow batches are as bad if they are few.
    assert inputs.get("evaluateLowSampleCountPercentiles") == ("ignore" if name == "api-slow" else None)
    assert (inputs["period"], inputs["evaluationPeriods"], inputs["datapointsToAlarm"]) == (period, periods, periods)
    assert (inputs["comparisonOperator"], inputs["threshold"]) == (OPERATORS[comparison], threshold)


def test_the_share_of_server_errors_is_calculated(counter: Result) -> None:
    inputs = alarm(counter, "api-errors").inputs
    api = counter.one("aws:apigatewayv2/api:Api").id
    common = {"namespace": "AWS/ApiGateway", "dimensions": {"ApiId": api, "Stage": "$default"}, "period": 60}
    assert inputs["metricQueries"] == [
        {"id": "m0", "metric": {**common, "metricName": "5xx", "stat": "Sum"}},
        {"id": "m1", "metric": {**common, "metricName": "Count", "stat": "Sum"}},
        {"id": "result", "expression": "IF(m1>0,100*m0/m1,0)", "label": "api-errors", "returnData": True},
    ]
    assert not {"metricName", "namespace", "dimensions", "period", "statistic"} & set(inputs)
    assert (inputs["comparisonOperator"], inputs["threshold"]) == ("GreaterThanThreshold", 5)
    assert (inputs["evaluationPeriods"], inputs["datapointsToAlarm"]) == (3, 3)


def test_visits_are_compared_with_invocations(counter: Result) -> None:
    inputs = alarm(counter, "stream-unread").inputs
    recorder, processor = (
        counter.one("aws:lambda/function:Function", f"counter-{name}").state["name"]
        for name in ("record-visit", "process-stream")
    )
    assert inputs["metricQueries"] == [
        {
            "id": "m0",
            "metric": {
                "namespace": "StreamTriggeredCounter",
                "metricName": "Visits",
                "dimensions": {"FunctionName": recorder},
                "period": 300,
                "stat": "Sum",
            },
        },
        {
            "id": "m1",
            "metric": {
                "namespace": "AWS/Lambda",
                "metricName": "Invocations",
                "dimensions": {"FunctionName": processor},
                "period": 300,
                "stat": "Sum",
            },
        },
        {
            "id": "result",
            "expression": "IF(m0>0,IF(FILL(m1,0)>0,0,1),0)",
            "label": "stream-unread",
            "returnData": True,
        },
    ]
    assert (inputs["comparisonOperator"], inputs["threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (inputs["evaluationPeriods"], inputs["datapointsToAlarm"]) == (3, 3)


def test_unread_stream_alarm_outlasts_the_batching_window(build: Build) -> None:
    result = build({"stream": {"maximum_batching_window_in_seconds": 300}})
    mapping = result.one("aws:lambda/eventSourceMapping:EventSourceMapping")
    inputs = alarm(result, "stream-unread").inputs
    [visits, *_] = inputs["metricQueries"]
    waited = visits["metric"]["period"] * (inputs["evaluationPeriods"] - 1)
    assert waited > mapping.inputs["maximumBatchingWindowInSeconds"]


def test_an_idle_counter_raises_no_alarm_and_tells_nobody(counter: Result) -> None:
    for resource in counter.all(ALARM):
        assert resource.inputs["treatMissingData"] == "notBreaching"
        assert not goes_off(resource.inputs, {})
        assert not resource.inputs.get("alarmActions")
        assert not resource.inputs.get("okActions")


RUNS: list[tuple[str, dict[str, Points], bool]] = [
    ("total-stale", {"IteratorAge": [61_001] * 5}, True),
    ("total-stale", {"IteratorAge": [61_000] * 5}, False),
    ("total-stale", {"IteratorAge": [None, None, None, 90_000, 90_000, 90_000, 90_000]}, False),
    ("records-at-risk", {"IteratorAge": [42_300_000]}, True),
    ("records-at-risk", {"IteratorAge": [42_299_999]}, False),
    ("stream-unread", {"Visits": [1, 1, 1]}, True),
    ("stream-unread", {"Visits": [9, 9, 9], "Invocations": [None, None, None]}, True),
    ("stream-unread", {"Visits": [9, 9, 9], "Invocations": [0, 0, 0]}, True),
    ("stream-unread", {"Visits": [9, 9, 9], "Invocations": [None, None, 1]}, False),
    ("stream-unread", {"Visits": [9, 9, 9], "Invocations": [3, None, None]}, False),
    ("stream-unread", {"Visits": [9, 9, 9, 9], "Invocations": [3, None, None, None]}, True),
    ("stream-unread", {"Visits": [9, None, 9]}, False),
    ("stream-unread", {"Visits": [0, 0, 0]}, False),
    ("stream-unread", {"Invocations": [1, 1, 1]}, False),
    ("processor-errors", {"Errors": [1, 1, 1]}, True),
    ("processor-errors", {"Errors": [1, 0, 9]}, False),
    ("processor-throttled", {"Throttles": [1] * 5}, True),
    ("processor-throttled", {"Throttles": [1, 1, 0, 1, 1]}, False),
    ("processor-slow", {"Duration": [24_001] * 15}, True),
    ("processor-slow", {"Duration": [24_000] * 15}, False),
    ("batch-discarded", {"ApproximateNumberOfMessagesVisible": [0, 1]}, True),
    ("batch-discarded", {"ApproximateNumberOfMessagesVisible": [1, 0]}, False),
    ("records-dropped", {"DroppedEventCount": [1]}, True),
    ("records-dropped", {"DroppedEventCount": [1, 0]}, False),
    ("total-restarted", {"GenerationsStarted": [1]}, True),
    ("total-restarted", {"GenerationsStarted": [1, None]}, True),
    ("total-restarted", {"GenerationsStarted": [0]}, False),
    ("records-uncounted", {"UncountedRecords": [1]}, True),
    ("records-uncounted", {"UncountedRecords": [0]}, False),
    ("api-errors", {"5xx": [6, 6, 6], "Count": [100, 100, 100]}, True),
    ("api-errors", {"5xx": [5, 5, 5], "Count": [100, 100, 100]}, False),
    ("api-errors", {"5xx": [1, 1, 0], "Count": [1, 1, 0]}, False),
    ("api-slow", {"Latency": [2_500] * 5}, True),
    ("api-slow", {"Latency": [9_999, 9_999, 2_499, 9_999, 9_999]}, False),
    ("table-writes-throttled", {"WriteThrottleEvents": [1] * 5}, True),
    ("table-writes-throttled", {"WriteThrottleEvents": [1, None, None, None, 1]}, False),
]


@pytest.mark.parametrize(("name", "points", "expected"), RUNS)
def test_an_alarm_goes_off_beyond_its_threshold_and_not_at_it(
    counter: Result, name: str, points: dict[str, Points], expected: bool
) -> None:
    assert goes_off(alarm(counter, name).inputs, points) is expected


def test_thresholds_follow_the_arguments(build: Build) -> None:
    arguments = {
        "lag_alarm_seconds": 100,
        "server_error_alarm_percent": 10,
        "latency_alarm_milliseconds": 900,
        "duration_alarm_percent": 50,
    }
    stream = {"maximum_batching_window_in_seconds": 20, "maximum_record_age_in_seconds": 600}
    result = build({"monitoring": arguments, "stream": stream, "functions": {"timeout": 10}})
    assert {name: alarm(result, name).inputs["threshold"] for name in (*EXPECTED, *EXPRESSIONS)} == {
        **{name: expected[-1] for name, expected in EXPECTED.items()},
        "stream-unread": 1,
        "total-stale": 120_000,
        "records-at-risk": 300_000,
        "processor-slow": 5_000,
        "api-slow": 900,
        "api-errors": 10,
    }


@pytest.mark.parametrize("age", [-1, 604_800])
def test_records_are_at_risk_before_the_stream_drops_them(build: Build, age: int) -> None:
    result = build({"stream": {"maximum_record_age_in_seconds": age}})
    assert alarm(result, "records-at-risk").inputs["threshold"] == 43_200_000


def test_no_alarm_waits_for_a_metric_that_is_switched_off(build: Build) -> None:
    result = build({"stream": {"mapping_metrics": False}, "monitoring": {"metrics": False}})
    assert {resource.name.removeprefix("counter-") for resource in result.all(ALARM)} == (
        {each.name for each in ALARMS} - {"records-dropped", "records-uncounted", "stream-unread", "total-restarted"}
    )


def test_alarms_can_be_switched_off(build: Build) -> None:
    result = build({"monitoring": {"alarms": False, "notification_email": "on-call@example.org"}})
    assert [resource for resource in result.resources if resource.type.split("/")[0] in ("aws:sns", "aws:kms")] == []
    assert result.all(ALARM) == []


def test_an_alarm_and_its_end_go_to_the_topic_and_to_the_address(build: Build) -> None:
    result = build({"monitoring": {"notification_topic_arn": TOPIC, "notification_email": "on-call@example.org"}})
    own = result.one("aws:sns/topic:Topic")
    for resource in result.all(ALARM):
        assert resource.inputs["alarmActions"] == resource.inputs["okActions"] == [TOPIC, own.state["arn"]]
    subscription = result.one("aws:sns/topicSubscription:TopicSubscription").inputs
    assert subscription == {"topic": own.state["arn"], "protocol": "email", "endpoint": "on-call@example.org"}
    key = result.one("aws:kms/key:Key")
    assert own.inputs["kmsMasterKeyId"] == key.state["arn"]
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["policy"] == key_policy(result.one("aws:dynamodb/table:Table", "counter-table").state["arn"])


def test_the_topics_key_lets_the_accounts_alarms_encrypt_and_nobody_else() -> None:
    administration, alarms = json.loads(key_policy("arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t"))["Statement"]
    assert administration["Principal"] == {"AWS": "arn:aws-cn:iam::123456789012:root"}
    assert alarms == {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": "arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:*"},
        },
    }


def sections() -> list[str]:
    """List the subsections of the runbook's section on alarms."""
    part = re.split(r"^## ", RUNBOOK.partition("\n## Alarms\n")[2], flags=re.MULTILINE)[0]
    return re.findall(r"^### (.+)$", part, re.MULTILINE)


def test_every_alarm_has_a_section_of_the_runbook_and_every_section_an_alarm() -> None:
    wanted = [each.section or each.name for each in ALARMS]
    assert sections() == list(dict.fromkeys(wanted))


def test_a_description_says_what_to_do_and_ends_with_the_section(counter: Result, build: Build) -> None:
    page = "https://wiki.example.org/counter"
    elsewhere = build({"monitoring": {"runbook_url": page}})
    for each in ALARMS:
        said = alarm(counter, each.name).inputs["alarmDescription"]
        assert said == f"{each.cause} {each.response} Runbook: docs/operations.md#{each.section or each.name}"
        assert re.fullmatch(r"[A-Z][^.]+\.", each.cause)
        assert re.fullmatch(r"[A-Z][^.]+\.", each.response)
        moved = alarm(elsewhere, each.name).inputs["alarmDescription"]
        assert moved == said.replace("docs/operations.md", page)
        assert len(moved) < 1_024


@pytest.mark.parametrize(
    ("points", "treatment", "expected"),
    [
        ("0-X-X", "notBreaching", False),
        ("----0", "notBreaching", False),
        ("-----", "notBreaching", False),
        ("0XX-X", "notBreaching", True),
        ("--X--", "notBreaching", False),
        ("-----", "breaching", True),
        ("--X--", "breaching", True),
        ("----0", "breaching", False),
    ],
)
def test_the_evaluation_follows_the_examples_of_the_user_guide(points: str, treatment: str, expected: bool) -> None:
    inputs: dict[str, Any] = {
        "metricName": "m", "evaluationPeriods": 3, "datapointsToAlarm": 3, "threshold": 0,
        "comparisonOperator": "GreaterThanThreshold", "treatMissingData": treatment,
    }  # fmt: skip
    values = {"0": 0, "X": 1, "-": None}
    assert goes_off(inputs, {"m": [values[each] for each in points]}) is expected
