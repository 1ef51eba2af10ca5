"""SQS queues and their policies."""

from __future__ import annotations

import json
from typing import Any

from components.engine.answers import Computed

from ..inputs import Inputs, Shape, same
from ..site import Site

_ATTRIBUTES: Shape = {
    **same("contentBasedDeduplication", "deduplicationScope", "delaySeconds", "fifoQueue", "fifoThroughputLimit"),
    **same("kmsMasterKeyId", "policy", "redriveAllowPolicy", "redrivePolicy"),
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def create_queue(site: Site, inputs: Inputs) -> Computed:
    """Make a queue."""
    suffix = ".fifo" if inputs.resource.inputs.get("fifoQueue") else ""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"), suffix=suffix)
    tags = site.all_tags(inputs.take("tags"))
    attributes = {key: _text(value) for key, value in inputs.shape(_ATTRIBUTES).items()}
    inputs.finish()
    client = site.client("sqs")
    url = client.create_queue(QueueName=name, Attributes=attributes, tags=tags)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"name": name, "url": url, "arn": arn, "tagsAll": tags}


def create_queue_policy(site: Site, inputs: Inputs) -> Computed:
    """Give a queue its policy."""
    url, policy = inputs.take("queueUrl"), inputs.take("policy")
    inputs.finish()
    site.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": _text(policy)})
    return url, {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
