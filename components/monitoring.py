"""Alarms as resources, and the topic that sends them to an e-mail address."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from .alarms import ALARMS, Alarm, Metric, Watched

RUNBOOK = "docs/operations.md"
"""The runbook, as a path in this project's repository."""

OPERATORS = {">": "GreaterThanThreshold", ">=": "GreaterThanOrEqualToThreshold"}


def create_alarms(
    name: str, watched: Watched, tags: Mapping[str, pulumi.Input[str]], parent: pulumi.Resource
) -> list[aws.cloudwatch.MetricAlarm]:
    """Create the alarms, and the topic for the e-mail address if one is given."""
    if not watched.settings.alarms:
        return []
    topics = _topics(name, watched, tags, parent)
    runbook = pulumi.Output.from_input(watched.settings.runbook_url).apply(lambda url: url or RUNBOOK)
    return [
        aws.cloudwatch.MetricAlarm(
            f"{name}-{alarm.name}",
            alarm_description=runbook.apply(alarm.description),
            **_what(alarm, watched),
            threshold=alarm.threshold(watched),
            comparison_operator=OPERATORS[alarm.comparison],
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.periods,
            treat_missing_data="notBreaching",
            alarm_actions=topics,
            ok_actions=topics,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for alarm in ALARMS
        if alarm.is_possible(watched)
    ]


def _what(alarm: Alarm, watched: Watched) -> dict[str, Any]:
    """Return the inputs that name an alarm's metric, or its metrics and their expression."""
    if not alarm.expression:
        [metric] = alarm.metrics
        statistic = "extended_statistic" if metric.statistic.startswith("p") else "statistic"
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": _dimensions(metric, watched),
            "period": alarm.period,
            statistic: metric.statistic,
            "evaluate_low_sample_count_percentiles": "ignore" if alarm.ignores_few_samples else None,
        }
    queries: list[dict[str, Any]] = [
        {
            "id": f"m{index}",
            "metric": {
                "namespace": metric.namespace,
                "metric_name": metric.name,
                "dimensions": _dimensions(metric, watched),
                "period": alarm.period,
                "stat": metric.statistic,
            },
        }
        for index, metric in enumerate(alarm.metrics)
    ]
    result = {"id": "result", "expression": alarm.expression, "label": alarm.name, "return_data": True}
    return {"metric_queries": [*queries, result]}


def _dimensions(metric: Metric, watched: Watched) -> dict[str, pulumi.Input[str]]:
    return {dimension: watched.names[key] for dimension, key in metric.dimensions.items()}


def _topics(
    name: str, watched: Watched, tags: Mapping[str, pulumi.Input[str]], parent: pulumi.Resource
) -> list[pulumi.Input[str]]:
    settings, child = watched.settings, pulumi.ResourceOptions(parent=parent)
    topics = [settings.notification_topic_arn] if settings.notification_topic_arn else []
    if settings.notification_email:
        # Alarms cannot publish to a topic with the key that AWS manages for SNS, whose policy does not let CloudWatch.
        table_arn: pulumi.Output[Any] = pulumi.Output.from_input(watched.names["table_arn"])
        key = aws.kms.Key(
            f"{name}-notifications",
            description=f"Encrypts the alarms of {name} on their way to subscribers.",
            enable_key_rotation=True,
            # Pulumi's own mocks know no ARN.
            policy=table_arn.apply(lambda known: key_policy(known) if known else ""),
            tags=tags,
            opts=child,
        )
        topic = aws.sns.Topic(f"{name}-notifications", kms_master_key_id=key.arn, tags=tags, opts=child)
        aws.sns.TopicSubscription(
            f"{name}-notifications", topic=topic.arn, protocol="email", endpoint=settings.notification_email, opts=child
        )
        topics.append(topic.arn)
    return topics


def key_policy(neighbour_arn: str) -> str:
    """Make the policy of a key that alarms may encrypt with, in the account and region of another resource's ARN."""
    _, partition, _, region, account, *_ = neighbour_arn.split(":")
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": account},
                        "ArnLike": {"aws:SourceArn": f"arn:{partition}:cloudwatch:{region}:{account}:alarm:*"},
                    },
                },
            ],
        }
    )
