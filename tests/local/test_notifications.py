"""Alarms, dashboards, topics and keys are made on the emulator as the program asks; an alarm reaches a subscriber."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws

from local.environment import ACCOUNT
from tests.local.conftest import REGION, Cloud
from tests.running import eventually


def described(cloud: Cloud, name: str) -> Any:
    [found] = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found


def test_an_alarm_on_a_metric(cloud: Cloud) -> None:
    def program() -> None:
        aws.cloudwatch.MetricAlarm(
            "a",
            alarm_description="d",
            namespace="AWS/Lambda",
            metric_name="Duration",
            dimensions={"FunctionName": "f"},
            extended_statistic="p90",
            evaluate_low_sample_count_percentiles="ignore",
            period=60,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            threshold=1.5,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=["arn:aws:sns:eu-west-1:000000000000:on"],
            ok_actions=["arn:aws:sns:eu-west-1:000000000000:off"],
            tags={"team": "a"},
        )

    made = cloud.deploy(program).one("a")
    alarm = described(cloud, made.id)
    assert made.id.startswith("a-")
    assert made.state["arn"] == alarm["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{made.id}"
    expected = {
        "AlarmDescription": "d",
        "Namespace": "AWS/Lambda",
        "MetricName": "Duration",
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
        "ExtendedStatistic": "p90",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 1.5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": ["arn:aws:sns:eu-west-1:000000000000:on"],
        "OKActions": ["arn:aws:sns:eu-west-1:000000000000:off"],
    }
    assert {key: alarm.get(key) for key in expected} == expected
    tags = cloud.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_an_alarm_on_an_expression(cloud: Cloud) -> None:
    def program() -> None:
        aws.cloudwatch.MetricAlarm(
            "e",
            metric_queries=[
                {
                    "id": "m0",
                    "metric": {
                        "namespace": "N",
                        "metric_name": "M",
                        "dimensions": {"A": "b"},
                        "period": 60,
                        "stat": "Sum",
                    },
                },
                {"id": "result", "expression": "2*m0", "label": "twice", "return_data": True},
            ],
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanThreshold",
        )

    # The emulator forgets the metrics of an expression, so look at what it is sent; botocore checks the structure.
    sent: list[Any] = []
    events = cloud.client("cloudwatch").meta.events
    note = "provide-client-params.cloudwatch.PutMetricAlarm"
    events.register(note, lambda params, **_: sent.append(params["Metrics"]), unique_id="test")
    try:
        made = cloud.deploy(program).one("e")
    finally:
        events.unregister(note, unique_id="test")
    assert described(cloud, made.id)["Threshold"] == 1
    counted = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "A", "Value": "b"}]}
    assert sent == [
        [
            {"Id": "m0", "MetricStat": {"Metric": counted, "Period": 60, "Stat": "Sum"}},
            {"Id": "result", "Expression": "2*m0", "Label": "twice", "ReturnData": True},
        ]
    ]


def test_a_dashboard(cloud: Cloud) -> None:
    body = json.dumps({"widgets": []})
    made = cloud.deploy(lambda: aws.cloudwatch.Dashboard("d", dashboard_name="shown", dashboard_body=body)).one("d")
    assert made.id == "shown"
    assert made.state["dashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/shown"
    assert cloud.client("cloudwatch").get_dashboard(DashboardName="shown")["DashboardBody"] == body


def test_a_key(cloud: Cloud) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    made = cloud.deploy(
        lambda: aws.kms.Key("k", description="d", enable_key_rotation=True, policy=policy, tags={"a": "b"})
    ).one("k")
    client = cloud.client("kms")
    key = client.describe_key(KeyId=made.id)["KeyMetadata"]
    assert (made.state["keyId"], made.state["arn"], key["Description"]) == (made.id, key["Arn"], "d")
    assert client.get_key_rotation_status(KeyId=made.id)["KeyRotationEnabled"] is True
    assert json.loads(client.get_key_policy(KeyId=made.id, PolicyName="default")["Policy"]) == json.loads(policy)
    assert client.list_resource_tags(KeyId=made.id)["Tags"] == [{"TagKey": "a", "TagValue": "b"}]


def test_an_alarm_and_its_end_reach_a_subscriber_of_its_topic(cloud: Cloud) -> None:
    def program() -> None:
        topic = aws.sns.Topic("t", kms_master_key_id="alias/key", display_name="Alarms", tags={"a": "b"})
        queue = aws.sqs.Queue("q", policy=_everybody_sends())
        aws.sns.TopicSubscription("s", topic=topic.arn, protocol="sqs", endpoint=queue.arn, endpoint_auto_confirms=True)
        aws.sns.TopicSubscription("m", topic=topic.arn, protocol="email", endpoint="on-call@example.org")
        aws.cloudwatch.MetricAlarm(
            "w",
            # Nothing on this cloud has such a metric, which would have set a state already.
            namespace="Tests",
            metric_name="None",
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
        )

    result = cloud.deploy(program)
    topic, queue, name = result.one("t"), result.one("q"), result.one("w").id
    attributes = cloud.client("sns").get_topic_attributes(TopicArn=topic.state["arn"])["Attributes"]
    assert (attributes["KmsMasterKeyId"], attributes["DisplayName"]) == ("alias/key", "Alarms")
    subscriptions = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic.id)["Subscriptions"]
    assert {one["Endpoint"] for one in subscriptions} == {queue.state["arn"], "on-call@example.org"}
    received: list[tuple[str, str]] = []

    def arrived(state: str) -> bool:
        client = cloud.client("sqs")
        for message in client.receive_message(QueueUrl=queue.id, MaxNumberOfMessages=10).get("Messages", []):
            sent = json.loads(json.loads(message["Body"])["Message"])
            received.append((sent["AlarmName"], sent["NewStateValue"]))
            client.delete_message(QueueUrl=queue.id, ReceiptHandle=message["ReceiptHandle"])
        return (name, state) in received

    for state in ("ALARM", "OK"):
        cloud.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="tested")
        eventually(lambda state=state: arrived(state), 10, f"the message that it is in the state {state}")  # type: ignore[misc]


def _everybody_sends() -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": "*",
                }
            ],
        }
    )
