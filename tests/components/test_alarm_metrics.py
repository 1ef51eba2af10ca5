"""Every alarm's metric is one that AWS publishes, and it goes off just beyond its threshold."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest

from components.alarms import ALARMS, Alarm, Metric
from components.functions_package import DIMENSION, NAMESPACE
from components.testing import Result
from tests.alarm_evaluation import Points, Samples, enough, goes_off, statistic

LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
GATEWAY = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"
DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"


class Published(NamedTuple):
    """A metric in AWS's documentation: the page, its unit, the sets of dimensions it comes with, and its statistics."""

    page: str
    unit: str
    dimensions: tuple[frozenset[str], ...]
    statistics: str


FUNCTION = (frozenset({"FunctionName"}), frozenset({"FunctionName", "Resource"}))
MAPPING = (frozenset({"EventSourceMappingUUID"}),)
API = (frozenset({"ApiId"}), frozenset({"ApiId", "Stage"}), frozenset({"ApiId", "Stage", "Method", "Resource"}))
TABLE = (frozenset({"TableName"}), frozenset({"TableName", "GlobalSecondaryIndexName"}))
PUBLISHED = {
    ("AWS/Lambda", "Invocations"): Published(LAMBDA, "count", FUNCTION, "Sum"),
    ("AWS/Lambda", "Errors"): Published(LAMBDA, "count", FUNCTION, "Sum"),
    ("AWS/Lambda", "Throttles"): Published(LAMBDA, "count", FUNCTION, "Sum"),
    ("AWS/Lambda", "Duration"): Published(LAMBDA, "milliseconds", FUNCTION, "Average, Maximum, percentiles"),
    ("AWS/Lambda", "IteratorAge"): Published(LAMBDA, "milliseconds", FUNCTION, "Average, Maximum"),
    ("AWS/Lambda", "DroppedEventCount"): Published(LAMBDA, "count", MAPPING, "Sum"),
    ("AWS/ApiGateway", "5xx"): Published(GATEWAY, "count", API, "Sum, Average"),
    ("AWS/ApiGateway", "Count"): Published(GATEWAY, "count", API, "SampleCount, Sum"),
    ("AWS/ApiGateway", "Latency"): Published(GATEWAY, "milliseconds", API, "Average, Maximum, percentiles"),
    ("AWS/DynamoDB", "ReadThrottleEvents"): Published(DYNAMODB, "count", TABLE, "Sum, SampleCount"),
    ("AWS/DynamoDB", "WriteThrottleEvents"): Published(DYNAMODB, "count", TABLE, "Sum, SampleCount"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): Published(
        SQS, "count", (frozenset({"QueueName"}),), "Average, Minimum, Maximum, Sum, SampleCount"
    ),
}

UNITS = {
    "total-stale": "milliseconds",
    "records-at-risk": "milliseconds",
    "processor-slow": "milliseconds",
    "api-slow": "milliseconds",
    "api-errors": "percent",
}
"""The unit of each threshold; the others are counts."""

named = pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)


@named
def test_an_alarm_watches_a_metric_that_aws_publishes(alarm: Alarm) -> None:
    for metric in alarm.metrics:
        if metric.namespace == NAMESPACE:
            # The functions' own; tests/e2e/test_alarms.py reads it out of their logs.
            assert set(metric.dimensions) == {DIMENSION}
            continue
        published = PUBLISHED[metric.namespace, metric.name]
        assert published.page.startswith("https://docs.aws.amazon.com/")
        assert frozenset(metric.dimensions) in published.dimensions
        assert _kind(metric) in published.statistics.split(", ")
        if not alarm.expression:
            assert UNITS.get(alarm.name, "count") == published.unit


def _kind(metric: Metric) -> str:
    return "percentiles" if metric.statistic.startswith("p") else metric.statistic


@named
def test_an_alarm_goes_off_just_beyond_its_threshold_and_not_just_before(counter: Result, alarm: Alarm) -> None:
    inputs = counter.one("aws:cloudwatch/metricAlarm:MetricAlarm", f"counter-{alarm.name}").inputs
    threshold, periods = inputs["threshold"], inputs["evaluationPeriods"]
    beyond, before = math.nextafter(threshold, math.inf), math.nextafter(threshold, -math.inf)

    def data(values: list[float]) -> dict[str, Points]:
        if alarm.name == "api-errors":
            return {"5xx": values, "Count": [100.0] * len(values)}
        if alarm.name == "stream-unread":
            # The expression is 1 or 0: a period without invocations is just beyond the threshold.
            return {"Visits": [1.0] * len(values), "Invocations": [None if one >= 1 else 1.0 for one in values]}
        return {inputs["metricName"]: values}

    assert goes_off(inputs, data([beyond] * periods))
    assert goes_off(inputs, data([threshold] * periods)) is (alarm.comparison == ">=")
    assert not goes_off(inputs, data([before] * periods))
    assert not goes_off(inputs, data([beyond] * (periods - 1)))
    assert not goes_off(inputs, data([*[beyond] * (periods - 1), before]))
    assert not goes_off(inputs, data([before, *[beyond] * (periods - 1)]))


@pytest.mark.parametrize(
    ("name", "samples", "expected"),
    [
        ("Sum", [1, 2, 3], 6),
        ("Maximum", [1, 3, 2], 3),
        ("Minimum", [2, 1, 3], 1),
        ("p50", [1, 2, 3, 4], 2),
        ("p90", list(range(1, 11)), 9),
        ("p99", [0] * 990 + [1] * 10, 0),
        ("p99", [0] * 989 + [1] * 11, 1),
        ("p99", [7], 7),
        ("p100", [1, 2], 2),
    ],
)
def test_a_statistic_of_samples(name: str, samples: list[float], expected: float) -> None:
    assert statistic(name, samples) == expected
    assert statistic(name, samples[::-1]) == expected


def test_a_percentile_needs_ten_samples_beyond_it() -> None:
    assert [enough(each) for each in ("p50", "p90", "p99", "p99.9")] == [20, 100, 1_000, 10_000]


@pytest.mark.parametrize(
    ("ignored", "count", "expected"), [("ignore", 1_000, True), ("ignore", 999, False), (None, 999, True)]
)
def test_periods_with_few_samples_are_ignored_if_the_alarm_says_so(
    ignored: str | None, count: int, expected: bool
) -> None:
    inputs: dict[str, Any] = {
        "metricName": "m", "extendedStatistic": "p99", "evaluateLowSampleCountPercentiles": ignored,
        "evaluationPeriods": 1, "threshold": 5, "comparisonOperator": "GreaterThanThreshold",
        "treatMissingData": "notBreaching",
    }  # fmt: skip
    assert goes_off(inputs, {"m": Samples([[9.0] * count])}) is expected
    assert not goes_off(inputs, {"m": Samples([[]])})
