"""Provokes the cause of each alarm on the local cloud, and returns the data that its metrics then have.

Each function repairs what it breaks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from tests.alarm_evaluation import Points, Samples
from tests.causes_unread import unread
from tests.e2e.test_visits import settled_total, visit
from tests.interposer import DENIED, Request, throttle
from tests.running import eventually
from tests.watched import Watched


class Observed(NamedTuple):
    """The data of an alarm's metrics, by name: without the cause, and while it lasts."""

    calm: Mapping[str, Points | Samples]
    provoked: Mapping[str, Points | Samples]
    arguments: Mapping[str, Mapping[str, int]] = {}
    """The component's arguments that the alarm is judged with, if its default threshold takes long to reach."""


@cache
def _failing(watched: Watched) -> tuple[float, list[float]]:
    """Let batches fail; return the age of a record while they do, and the errors that Lambda counted."""
    settled_total(watched.cloud)
    mapping = partial(watched.functions.get_event_source_mapping, UUID=watched.outputs["eventSourceMappingId"])
    with watched.database.rule(lambda request: DENIED if _processes(request) else None):
        started = time.time()
        visit(watched.cloud, "failing")
        eventually(lambda: "FAILED" in mapping()["LastProcessingResult"], 20, "a failed batch")
        age = 1_000 * (time.time() - started)
        watched.invoke()
        errors = watched.measured("processor-errors")
    settled_total(watched.cloud)
    return age, errors


def _processes(request: Request) -> bool:
    """Whether the stream processor writes the total: no other function does."""
    return request.operation == "UpdateItem" and request.mentions("COUNTER")


def stale(watched: Watched) -> Observed:
    age, _ = _failing(watched)
    # The oldest record gets older all the time.
    lasting: Points = [age + 60_000 * minute for minute in range(1, 7)]
    return Observed({"IteratorAge": [age, *lasting[:4]]}, {"IteratorAge": lasting})


def at_risk(watched: Watched) -> Observed:
    age, _ = _failing(watched)
    return Observed({"IteratorAge": [age + 11 * 3_600_000]}, {"IteratorAge": [age + 12 * 3_600_000]})


def errors(watched: Watched) -> Observed:
    _, counted = _failing(watched)
    # Failing once a minute is enough; a batch is retried more often.
    return Observed({"Errors": [0.0] * 3}, {"Errors": [counted[-1]] * 3})


def throttled(watched: Watched) -> Observed:
    client = watched.functions
    client.put_function_concurrency(FunctionName=watched.processor, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(ClientError, match="TooManyRequestsException"):
            client.invoke(FunctionName=watched.processor, Payload=b'{"Records": []}')
    finally:
        client.delete_function_concurrency(FunctionName=watched.processor)
    counted = watched.measured("processor-throttled")[-1]
    return Observed({"Throttles": [*[counted] * 4, 0.0]}, {"Throttles": [counted] * 5})


def slow(watched: Watched) -> Observed:
    group = watched.functions.get_function_configuration(FunctionName=watched.processor)["LoggingConfig"]["LogGroup"]
    logs = watched.cloud.client("logs")

    def duration_of_batch() -> float:
        watched.invoke()
        events = logs.filter_log_events(logGroupName=group)["events"]
        lines = [line for event in events for line in event["message"].splitlines() if line.startswith("REPORT")]
        return float(lines[-1].partition("\tDuration: ")[2].partition(" ")[0])

    usual = duration_of_batch()
    with watched.database.rule(lambda request: 1.9 if _processes(request) else None):
        duration = duration_of_batch()
    # The emulator's metric of the same invocation, which includes what it takes to reach the process.
    assert watched.measured("processor-slow", "Maximum")[-1] >= duration > 1_900
    arguments = {"functions": {"timeout": 2}, "monitoring": {"duration_alarm_percent": 90}}
    return Observed({"Duration": [usual] * 15}, {"Duration": [duration] * 15}, arguments)


def discarded(watched: Watched) -> Observed:
    before = watched.messages()
    assert _discard(watched, {"MaximumRecordAgeInSeconds": 1}) == 1
    after = watched.messages()
    watched.cloud.client("sqs").purge_queue(QueueUrl=watched.outputs["deadLetterQueueUrl"])
    eventually(lambda: watched.messages() == 0, 10, "the empty queue")
    name = "ApproximateNumberOfMessagesVisible"
    return Observed({name: [before]}, {name: [before, after]})


def dropped(watched: Watched) -> Observed:
    before = watched.messages()
    lost = _discard(watched, {"MaximumRecordAgeInSeconds": 1, "DestinationConfig": {"OnFailure": {}}})
    assert watched.messages() == before
    return Observed({"DroppedEventCount": [0.0]}, {"DroppedEventCount": [float(lost)]})


def _discard(watched: Watched, settings: Mapping[str, Any]) -> int:
    """Let the mapping give up on a visit and go on; return how many visits the total then lacks."""
    uuid, total = watched.outputs["eventSourceMappingId"], settled_total(watched.cloud)
    before = watched.functions.get_event_source_mapping(UUID=uuid)
    watched.functions.update_event_source_mapping(UUID=uuid, **settings)
    try:
        with watched.database.rule(lambda request: DENIED if _processes(request) else None):
            visit(watched.cloud, "given up")
            mapping = partial(watched.functions.get_event_source_mapping, UUID=uuid)
            eventually(lambda: "FAILED" in mapping()["LastProcessingResult"], 20, "a failed batch")
            # The record is older than the limit at the next attempt.
            time.sleep(3)
        visit(watched.cloud, "later")
        eventually(lambda: _shown(watched) > total, 30, "the later visit")
    finally:
        watched.functions.update_event_source_mapping(UUID=uuid, **{name: before[name] for name in settings})
    lost = total + 2 - _shown(watched)
    _reconcile(watched)
    return lost


def _shown(watched: Watched) -> int:
    return int(watched.cloud.request("/counts").json["total"])


def restarted(watched: Watched) -> Observed:
    settled_total(watched.cloud)
    item = {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}}
    found = _emitted(watched, "GenerationsStarted", item)
    _reconcile(watched)
    return found


def uncounted(watched: Watched) -> Observed:
    item = {"ID": {"S": "malformed"}, "Count": {"S": "many"}}
    found = _emitted(watched, "UncountedRecords", item)
    watched.cloud.client("dynamodb").delete_item(TableName=watched.outputs["tableName"], Key={"ID": item["ID"]})
    settled_total(watched.cloud)
    return found


def _emitted(watched: Watched, metric: str, item: Mapping[str, Any]) -> Observed:
    """Write an item, and wait for the metric that `process_stream` then emits."""
    before = len(watched.emitted(metric))
    watched.cloud.client("dynamodb").put_item(TableName=watched.outputs["tableName"], Item=item)

    def is_emitted() -> bool:
        # What a function prints late, the emulator stores with its next invocation.
        visit(watched.cloud, "emitting")
        time.sleep(0.3)
        return len(watched.emitted(metric)) > before

    eventually(is_emitted, 20, metric)
    line = watched.emitted(metric)[-1]
    [directive] = line["_aws"]["CloudWatchMetrics"]
    [deployed] = [alarm for alarm in map(watched.deployed, CAUSES) if alarm.get("MetricName") == metric]
    assert (directive["Namespace"], directive["Dimensions"]) == (deployed["Namespace"], [["FunctionName"]])
    assert [each["Name"] for each in directive["Metrics"]] == [metric]
    assert deployed["Dimensions"] == [{"Name": "FunctionName", "Value": line["FunctionName"]}]
    assert watched.emitted("Visits", "recordVisit")
    return Observed({metric: [None]}, {metric: [float(line[metric])]})


def _reconcile(watched: Watched) -> None:
    """Bring every visit into the total, as the other tests of the shared cloud expect."""
    from cli.main import main  # noqa: PLC0415

    where = ("--region", watched.cloud.region, "--endpoint-url", watched.outputs["endpointUrl"])
    assert main(["reconcile", "--table", watched.outputs["tableName"], *where]) == 0
    settled_total(watched.cloud)


def failing_api(watched: Watched) -> Observed:
    def statuses(tag: str) -> list[int]:
        return [watched.cloud.request(f"/tag/{tag}", "POST").status for _ in range(3)]

    healthy = statuses("broken")
    with watched.database.rule(lambda request: DENIED if request.mentions("broken") else None):
        broken = statuses("broken")

    def points(found: list[int]) -> dict[str, Points]:
        return {"5xx": [float(sum(status >= 500 for status in found))] * 3, "Count": [float(len(found))] * 3}

    return Observed(points(healthy), points(broken))


def slow_api(watched: Watched) -> Observed:
    def latency() -> float:
        started = time.monotonic()
        visit(watched.cloud, "slow")
        return 1_000 * (time.monotonic() - started)

    usual = latency()
    with watched.database.rule(lambda request: 1.0 if request.operation == "UpdateItem" else None):
        delayed = latency()
    # One in a hundred is not yet beyond the 99th percentile.
    few, many = [delayed] * 10 + [usual] * 990, [delayed] * 11 + [usual] * 989
    arguments = {"monitoring": {"latency_alarm_milliseconds": 1_000}}
    return Observed({"Latency": Samples([few] * 5)}, {"Latency": Samples([many] * 5)}, arguments)


def busy_table(watched: Watched, *, output: str, kind: str) -> Observed:
    """Let DynamoDB throttle the next two requests of a kind to a table, and count what it rejects."""
    table, rejected = watched.outputs[output], 0

    def rule(request: Request) -> Any:
        nonlocal rejected
        if request.kind != kind or table not in request.tables or rejected == 2:
            return None
        rejected += 1
        return throttle(request, table)

    tag = f"busy {output} {kind}"
    with watched.database.rule(rule):
        if (output, kind) == ("idempotencyTableName", "Read"):
            # No function reads this table, but others may, such as an operator who looks at it.
            client = watched.cloud.client("dynamodb")
            client.meta.events.register("before-send.*", lambda request, **_: _redirect(request, watched.database.url))
            with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
                client.scan(TableName=table)
        else:
            headers = {"Idempotency-Key": "busy"} if output == "idempotencyTableName" else {}
            path = f"/tag/{tag.replace(' ', '%20')}"
            assert watched.cloud.request(path, "POST", headers=headers).status == 200
            assert watched.cloud.request(f"/counts/{tag.replace(' ', '%20')}").json["count"] == 1
            eventually(lambda: rejected > 0, 10, "a throttled request")
            settled_total(watched.cloud)
    name = f"{kind}ThrottleEvents"
    return Observed({name: [0.0, *[float(rejected)] * 4]}, {name: [float(rejected)] * 5})


def _redirect(request: Any, url: str) -> None:
    request.url = f"{url}/"


CAUSES: Mapping[str, Callable[[Watched], Observed]] = {
    "total-stale": stale,
    "records-at-risk": at_risk,
    "stream-unread": unread,
    "processor-errors": errors,
    "processor-throttled": throttled,
    "processor-slow": slow,
    "batch-discarded": discarded,
    "records-dropped": dropped,
    "total-restarted": restarted,
    "records-uncounted": uncounted,
    "api-errors": failing_api,
    "api-slow": slow_api,
    **{
        f"{name}-{kind.lower()}s-throttled": partial(busy_table, output=output, kind=kind)
        for name, output in (
            ("table", "tableName"),
            ("idempotency", "idempotencyTableName"),
        )
        for kind in ("Read", "Write")
    },
}
"""The function that provokes each alarm, by the alarm's name."""
