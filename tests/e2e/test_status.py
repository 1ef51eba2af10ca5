"""`status`, `smoke-test` and `doctor` on the running local cloud: whether a deployment works."""

from __future__ import annotations

import json

from cli.main import main
from tests.e2e.test_visits import settled_total, visit
from tests.operator import Operator, Output, stopped_stream
from tests.running import RunningCloud, eventually


def test_the_status_shows_every_part(operator: Operator) -> None:
    outputs = operator.cloud.outputs
    visit(operator.cloud, "status")
    visits = settled_total(operator.cloud)
    shown = operator.json("status")
    assert shown["problems"] == []
    assert shown["api"]["status"] == 200
    assert (shown["total"]["visits"], shown["total"]["damage"], shown["total"]["rebuilding"]) == (visits, None, False)
    assert shown["total"]["shards"][0]["secondsAgo"] < 60
    assert {outputs["tableName"], outputs["idempotencyTableName"]} == set(shown["tables"])
    mapping = shown["mapping"]
    assert (mapping["uuid"], mapping["state"]) == (outputs["eventSourceMappingId"], "Enabled")
    assert (mapping["startingPosition"], mapping["batchSize"]) == ("TRIM_HORIZON", 1_000)
    assert mapping["lastResult"].startswith("OK")
    assert (shown["queue"]["messages"], shown["lag"]["milliseconds"]) == (0, None)
    assert {one["name"] for one in shown["functions"].values()} == set(outputs["functionNames"].values())
    names = [one["name"] for one in shown["alarms"]["alarms"]]
    # By the API's id, which is not in a custom domain's address.
    assert len([name for name in names if name.startswith(("counter-api-slow-", "counter-total-stale-"))]) == 2
    text = operator.call("status")
    assert f"mapping:    {outputs['eventSourceMappingId']}, Enabled\n" in text
    assert text.endswith("\nNothing needs attention.\n")


def test_the_status_names_a_message_and_an_alarm_that_fires(operator: Operator) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    sqs, cloudwatch = cloud.client("sqs"), cloud.client("cloudwatch")
    dimensions = [{"Name": "FunctionName", "Value": outputs["functionNames"]["processStream"]}]
    rule = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "Threshold": 0.0}
    for name, watched in (("operated", dimensions), ("theirs", [{"Name": "FunctionName", "Value": "other"}])):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Dimensions=watched,
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            **rule,
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="tried")
    sqs.send_message(QueueUrl=outputs["deadLetterQueueUrl"], MessageBody="{}")
    try:
        text = operator.call("status", status=1)
    finally:
        sqs.purge_queue(QueueUrl=outputs["deadLetterQueueUrl"])
        cloudwatch.delete_alarms(AlarmNames=["operated", "theirs"])
    assert "ALARM  operated\n" in text
    assert "Alarm operated: tried\n" in text
    assert "theirs" not in text
    assert "The dead-letter queue holds 1 message; see `counter failures`.\n" in text


def test_a_part_that_cannot_be_read_does_not_hide_the_others(operator: Operator) -> None:
    text = operator.call("status", "--table", "nowhere", status=1)
    assert "\ntotal:      cannot be read\n" in text
    assert "\nqueue:      " in text
    assert "total: An error occurred (ResourceNotFoundException)" in text


def test_the_local_cloud_of_this_machine_is_found(cloud: RunningCloud, capsys: Output) -> None:
    assert main(["verify", "--local", "--endpoint-url", cloud.outputs["endpointUrl"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drift"] == []


def test_a_smoke_test_follows_its_visit_into_the_total(operator: Operator) -> None:
    before = settled_total(operator.cloud)
    first = operator.json("smoke-test")
    assert (first["tag"], first["before"], first["total"]) == ("smoke-test", before, before + 1)
    text = operator.call("smoke-test")
    counted = f"Visit {first['count'] + 1} of 'smoke-test' is counted"
    assert text.startswith(f"{counted}, and the total rose from {before + 1:,} to {before + 2:,} within ")
    operator.call("smoke-test", "--tag", "a b/c", status=1)
    assert "did not record a visit: status 404: " in operator.errors


def test_a_smoke_test_fails_with_the_cause_if_the_total_does_not_follow(operator: Operator) -> None:
    with stopped_stream(operator.cloud):
        operator.call("smoke-test", "--tag", "stuck", "--timeout", "1s", status=1)
        assert "counter: visit 1 of 'stuck' is counted, but the total has not risen from " in operator.errors
        assert "the event source mapping is Disabled" in operator.errors
        assert "The event source mapping is Disabled" in operator.call("status", status=1)
    eventually(lambda: operator.cloud.request("/counts/stuck").json["count"] == 1, 5, "the visit")
    settled_total(operator.cloud)


def test_a_smoke_test_of_an_api_that_is_gone_is_a_sentence(operator: Operator) -> None:
    operator.call("smoke-test", "--api-endpoint", "http://127.0.0.1:1", status=1)
    assert operator.errors.startswith("counter: http://127.0.0.1:1/tag/smoke-test does not respond: ")


def test_the_doctor_examines_the_credentials(operator: Operator, capsys: Output) -> None:
    where = ("--region", operator.cloud.region, "--endpoint-url", operator.cloud.outputs["endpointUrl"])
    main(["doctor", *where, "--json"])
    findings = {one["subject"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["AWS region"]["found"] == operator.cloud.region
    assert findings["AWS credentials"]["remedy"] == ""
    assert findings["Python"]["remedy"] == ""
