"""SNS topics and their subscriptions, and the KMS keys that encrypt them."""

from __future__ import annotations

import json
from typing import Any

from components.engine.answers import Computed

from ..inputs import Inputs, Shape, same
from ..site import Site

_TOPIC: Shape = same("deliveryPolicy", "displayName", "kmsMasterKeyId", "policy", "signatureVersion", "tracingConfig")
_SUBSCRIPTION: Shape = same(
    "deliveryPolicy", "filterPolicy", "filterPolicyScope", "rawMessageDelivery", "redrivePolicy"
)
_KEY: Shape = {**same("description", "keyUsage", "multiRegion", "policy"), "customerMasterKeySpec": "KeySpec"}


def create_topic(site: Site, inputs: Inputs) -> Computed:
    """Make a topic."""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"))
    tags = site.all_tags(inputs.take("tags"))
    attributes = {key: _text(value) for key, value in inputs.shape(_TOPIC).items()}
    inputs.finish()
    made = site.client("sns").create_topic(Name=name, Attributes=attributes, Tags=_listed(tags, "Key", "Value"))
    return made["TopicArn"], {"name": name, "arn": made["TopicArn"], "owner": site.place.account, "tagsAll": tags}


def subscribe(site: Site, inputs: Inputs) -> Computed:
    """Subscribe to a topic. No e-mail leaves the local cloud; queues and functions receive messages."""
    topic, protocol, endpoint = inputs.take("topic"), inputs.take("protocol"), inputs.take("endpoint")
    # They only say how long the provider waits for a confirmation.
    inputs.take("confirmationTimeoutInMinutes")
    inputs.take("endpointAutoConfirms")
    attributes = {key: _text(value) for key, value in inputs.shape(_SUBSCRIPTION).items()}
    inputs.finish()
    made = site.client("sns").subscribe(
        TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes, ReturnSubscriptionArn=True
    )
    return made["SubscriptionArn"], {"arn": made["SubscriptionArn"], "ownerId": site.place.account}


def create_key(site: Site, inputs: Inputs) -> Computed:
    """Make a KMS key. The emulator stores it, and encrypts nothing with it."""
    tags = site.all_tags(inputs.take("tags"))
    rotated = inputs.take("enableKeyRotation")
    inputs.take("deletionWindowInDays")  # It only matters when the key is deleted.
    arguments = inputs.shape(_KEY)
    inputs.finish()
    client = site.client("kms")
    made = client.create_key(Tags=_listed(tags, "TagKey", "TagValue"), **arguments)["KeyMetadata"]
    if rotated:
        client.enable_key_rotation(KeyId=made["KeyId"])
    return made["KeyId"], {"keyId": made["KeyId"], "arn": made["Arn"], "tagsAll": tags}


def _listed(tags: dict[str, str], key: str, value: str) -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tags.items()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
