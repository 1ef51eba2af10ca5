"""The causes of alarms, provoked on a local cloud: what is observed becomes the data that AWS documents for the metric.

The emulator does not evaluate alarms as CloudWatch does, so the tests do that, with the inputs that the alarms have.
Each test repairs what it breaks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from components import StreamTriggeredCounter
from components.testing import run
from tests.alarm_evaluation import Points, goes_off
from tests.running import RunningCloud, eventually


class Watched(RunningCloud):
    """A local cloud of its own, which the tests may break."""

    def alarm(self, name: str) -> dict[str, Any]:
        """Return an alarm's inputs, as the provider spells them."""
        alarms = self.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"counter-{name}-")["MetricAlarms"]
        [found] = alarms
        return {key[0].lower() + key[1:]: value for key, value in found.items()}

    def dimensions(self, name: str) -> dict[str, str]:
        return {one["Name"]: one["Value"] for one in self.alarm(name)["dimensions"]}

    def function(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("lambda").get_function_configuration(
            FunctionName=self.outputs["functionNames"][key]
        )
        return found

    def mapping(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("lambda").get_event_source_mapping(
            UUID=self.outputs["eventSourceMappingId"]
        )
        return found

    def messages(self) -> int:
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["deadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def emitted(self, key: str, metric: str) -> list[float]:
        """Return the values of a metric in a function's log, as CloudWatch reads them out of it."""
        group = self.function(key)["LoggingConfig"]["LogGroup"]
        events = self.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [line for event in events for line in event["message"].splitlines() if '"_aws"' in line]
        return [json.loads(line)[metric] for line in lines if metric in json.loads(line)]

    @contextmanager
    def variable(self, key: str, name: str, value: str) -> Iterator[None]:
        """Give a function another value of an environment variable for a while."""
        before = self.function(key)["Environment"]["Variables"]
        self._configure(key, {**before, name: value})
        try:
            yield
        finally:
            self._configure(key, before)

    def _configure(self, key: str, variables: dict[str, str]) -> None:
        name = self.outputs["functionNames"][key]
        self.client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    cloud = Watched("--port", "0")
    try:
        yield cloud
    finally:
        cloud.kill()


def test_a_processor_that_fails_raises_the_alarms_for_errors_and_for_lag(watched: Watched) -> None:
    processor = watched.outputs["functionNames"]["processStream"]
    assert watched.dimensions("processor-errors") == {"FunctionName": processor}
    assert watched.dimensions("total-stale") == watched.dimensions("records-at-risk") == {"FunctionName": processor}
    started = time.time()
    with watched.variable("processStream", "LEDGER_TABLE_NAME", "missing"):
        assert watched.request("/tag/failing", "POST").status == 200
        eventually(lambda: "FAILED" in watched.mapping()["LastProcessingResult"], 20, "a failed batch")
        age = 1_000 * (time.time() - started)
    # One failure a minute is enough, and the oldest record gets older all the time.
    assert goes_off(watched.alarm("processor-errors"), {"Errors": [1, 1, 1]})
    lasting: Points = [age + 60_000 * minutes for minutes in range(1, 7)]
    assert goes_off(watched.alarm("total-stale"), {"IteratorAge": lasting})
    assert not goes_off(watched.alarm("total-stale"), {"IteratorAge": [age]})
    assert not goes_off(watched.alarm("records-at-risk"), {"IteratorAge": lasting})
    assert goes_off(watched.alarm("records-at-risk"), {"IteratorAge": [age + 12 * 3_600_000]})
    eventually(lambda: watched.request("/counts").json["total"] >= 1, 20, "the batch, delivered again")


def test_a_discarded_batch_raises_the_alarm_of_the_queue(watched: Watched) -> None:
    queue = watched.outputs["deadLetterQueueUrl"]
    assert watched.dimensions("batch-discarded") == {"QueueName": queue.rpartition("/")[2]}
    client, uuid = watched.client("lambda"), watched.outputs["eventSourceMappingId"]
    before = watched.messages()
    assert not goes_off(watched.alarm("batch-discarded"), {"ApproximateNumberOfMessagesVisible": [before]})
    client.update_event_source_mapping(UUID=uuid, MaximumRecordAgeInSeconds=1)
    with watched.variable("processStream", "LEDGER_TABLE_NAME", "missing"):
        assert watched.request("/tag/discarded", "POST").status == 200
        eventually(lambda: watched.messages() > before, 30, "a message in the dead-letter queue")
    client.update_event_source_mapping(UUID=uuid, MaximumRecordAgeInSeconds=84_600)
    assert goes_off(watched.alarm("batch-discarded"), {"ApproximateNumberOfMessagesVisible": [watched.messages()]})
    watched.client("sqs").purge_queue(QueueUrl=queue)
    eventually(lambda: watched.messages() == 0, 10, "the empty queue")


def test_a_throttled_processor_raises_its_alarm(watched: Watched) -> None:
    name, client = watched.outputs["functionNames"]["processStream"], watched.client("lambda")
    assert watched.dimensions("processor-throttled") == {"FunctionName": name}
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    throttles = 0
    for _ in range(2):
        try:
            client.invoke(FunctionName=name, Payload=b'{"Records": []}')
        except ClientError as error:
            throttles += error.response["Error"]["Code"] == "TooManyRequestsException"
    client.delete_function_concurrency(FunctionName=name)
    assert throttles == 2
    assert goes_off(watched.alarm("processor-throttled"), {"Throttles": [throttles] * 5})


def test_server_errors_of_the_api_raise_its_alarm(watched: Watched) -> None:
    recorded = run(lambda: StreamTriggeredCounter("counter")).one("counter-api-errors").inputs
    with watched.variable("recordVisit", "TABLE_NAME", "missing"):
        broken = [watched.request("/tag/broken", "POST").status for _ in range(3)]
    healthy = [watched.request("/tag/healthy", "POST").status for _ in range(3)]
    assert healthy == [200, 200, 200]

    def points(statuses: list[int]) -> dict[str, Points]:
        return {"5xx": [sum(status >= 500 for status in statuses)] * 3, "Count": [len(statuses)] * 3}

    assert goes_off(recorded, points(broken))
    assert not goes_off(recorded, points(healthy))


def test_a_damaged_total_raises_the_alarm_for_a_takeover(watched: Watched) -> None:
    assert watched.dimensions("total-taken-over") == {"FunctionName": watched.outputs["functionNames"]["processStream"]}
    table = watched.client("dynamodb")
    watched.request("/tag/taken", "POST")
    eventually(lambda: watched.request("/counts").json["total"] >= 1, 20, "the total")
    before = watched.emitted("processStream", "Takeovers")
    assert not goes_off(watched.alarm("total-taken-over"), {"Takeovers": [None]})
    table.put_item(TableName=watched.outputs["tableName"], Item={"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}})
    watched.request("/tag/taken", "POST")
    # The emulator stores what a function printed late with its next invocation.
    eventually(lambda: _visited(watched) and len(watched.emitted("processStream", "Takeovers")) > len(before), 20, "it")
    assert goes_off(watched.alarm("total-taken-over"), {"Takeovers": watched.emitted("processStream", "Takeovers")})
    assert watched.emitted("recordVisit", "Visits")
    assert watched.emitted("processStream", "BatchTags")


def _visited(watched: Watched) -> bool:
    time.sleep(0.5)
    return watched.request("/tag/taken", "POST").status == 200


def test_the_stage_has_its_access_log(watched: Watched) -> None:
    api = watched.client("apigatewayv2")
    [found] = api.get_apis()["Items"]
    settings = api.get_stage(ApiId=found["ApiId"], StageName="$default")["AccessLogSettings"]
    group = settings["DestinationArn"].partition(":log-group:")[2]
    assert group.startswith("/aws/vendedlogs/counter-api-")
    logs = watched.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [one["retentionInDays"] for one in logs] == [30]
    assert json.loads(settings["Format"])["route"] == "$context.routeKey"
