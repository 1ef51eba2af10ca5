"""Every alarm goes off when its cause is provoked on the local cloud, and not before.

The emulator does not evaluate alarms as CloudWatch does, so `tests/alarm_evaluation.py` does, with the inputs of the
deployed alarm. The values are real: the emulator's own metrics where it has them, otherwise what AWS documents to be
the metric's source, such as the time that a request took. `tests/causes.py` has the causes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest

from components import StreamTriggeredCounter
from components.alarms import ALARMS
from components.testing import Result, run
from tests.alarm_evaluation import goes_off
from tests.causes import CAUSES
from tests.interposer import Interposer
from tests.running import RunningCloud
from tests.share import ci_only
from tests.watched import Watched


@pytest.fixture(scope="module")
def watched(cloud: RunningCloud) -> Iterator[Watched]:
    database = Interposer(cloud.outputs["endpointUrl"])
    watched = Watched(cloud, database)
    watched.configure(AWS_ENDPOINT_URL_DYNAMODB=database.url)
    try:
        yield watched
    finally:
        watched.configure(AWS_ENDPOINT_URL_DYNAMODB=None)
        database.stop()


def _counter(arguments: Any) -> Result:
    return run(lambda: StreamTriggeredCounter("counter", arguments))


_default = cache(partial(_counter, {}))


@ci_only("provokes every failure")
@pytest.mark.parametrize("name", [alarm.name for alarm in ALARMS])
def test_an_alarm_goes_off_when_its_cause_is_provoked_and_not_before(watched: Watched, name: str) -> None:
    assert name in CAUSES, f"{name} has no cause here: add what provokes it"
    observed = CAUSES[name](watched)
    # The emulator's copy of an alarm lacks what it ignores.
    inputs = (_counter(observed.arguments) if observed.arguments else _default()).one(f"counter-{name}").inputs
    assert not goes_off(inputs, observed.calm)
    assert goes_off(inputs, observed.provoked)


@pytest.mark.parametrize("name", [alarm.name for alarm in ALARMS])
def test_a_deployed_alarm_watches_resources_that_are_there(watched: Watched, name: str) -> None:
    cloud, outputs, deployed = watched.cloud, watched.outputs, watched.deployed(name)
    dimensions = {one["Name"]: one["Value"] for one in deployed["Dimensions"]}
    if not dimensions:
        # The emulator ignores metric math; its dashboard has the same metrics.
        [dashboard] = cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]
        body = cloud.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])["DashboardBody"]
        charts = {one["properties"]["title"]: one["properties"]["metrics"] for one in json.loads(body)["widgets"][1:]}
        _, (_, _, *first, _), (_, _, *second, _) = charts[name]
        recorder = outputs["functionNames"]["recordVisit"]
        assert first == (["FunctionName", recorder] if name == "stream-unread" else second)
        dimensions = dict(zip(second[::2], second[1::2], strict=True))
    assert dimensions
    output = name.partition("-")[0] if name.endswith("throttled") else ""
    [stage] = cloud.client("apigatewayv2").get_stages(ApiId=dimensions.get("ApiId", "00000001"))["Items"]
    there = {
        "FunctionName": watched.processor,
        "TableName": outputs.get({"table": "tableName"}.get(output, f"{output}TableName")),
        "QueueName": outputs["deadLetterQueueUrl"].rpartition("/")[2],
        "EventSourceMappingUUID": outputs["eventSourceMappingId"],
        "ApiId": cloud.client("apigatewayv2").get_apis()["Items"][0]["ApiId"],
        "Stage": stage["StageName"],
    }
    assert dimensions == {dimension: there[dimension] for dimension in dimensions}


def test_the_stage_has_its_access_log(cloud: RunningCloud) -> None:
    api = cloud.client("apigatewayv2")
    [found] = api.get_apis()["Items"]
    settings = api.get_stage(ApiId=found["ApiId"], StageName="$default")["AccessLogSettings"]
    group = settings["DestinationArn"].partition(":log-group:")[2]
    assert group.startswith("/aws/vendedlogs/counter-api-")
    logs = cloud.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [one["retentionInDays"] for one in logs] == [30]
    assert json.loads(settings["Format"])["route"] == "$context.routeKey"
