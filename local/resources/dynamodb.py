"""DynamoDB tables."""

from __future__ import annotations

from typing import Any

from components.engine.answers import Computed
from components.functions_package import PARTITION_KEY

from ..inputs import Inputs, Shape, same
from ..site import Site

_PROJECTION: Shape = same("name", "hashKey", "rangeKey", "projectionType", "nonKeyAttributes")
_TABLE: Shape = {
    **same("billingMode", "tableClass", "deletionProtectionEnabled"),
    "attributes": ("AttributeDefinitions", {"name": "AttributeName", "type": "AttributeType"}),
}
_RECOVERY: Shape = {"enabled": "PointInTimeRecoveryEnabled", "recoveryPeriodInDays": "RecoveryPeriodInDays"}
_ENCRYPTION: Shape = {"enabled": "Enabled", "kmsKeyArn": "KMSMasterKeyId"}
_TTL: Shape = {"enabled": "Enabled", "attributeName": "AttributeName"}
_GLOBAL_INDEX: Shape = {**_PROJECTION, **same("readCapacity", "writeCapacity")}


def create_table(site: Site, inputs: Inputs) -> Computed:
    """Make a table with its stream, indexes, encryption, recovery and time to live; wait until it is active."""
    name = site.physical_name(inputs.resource, inputs.take("name"))
    tags = site.all_tags(inputs.take("tags"))
    capacity = _capacity(inputs.take("readCapacity"), inputs.take("writeCapacity"))
    keys = _keys(inputs.take("hashKey"), inputs.take("rangeKey"))
    streamed, view = inputs.take("streamEnabled"), inputs.take("streamViewType")
    encryption = inputs.take("serverSideEncryption")
    recovery = inputs.take("pointInTimeRecovery")
    time_to_live = inputs.take("ttl")
    indexes = {
        "GlobalSecondaryIndexes": [_index(inputs, one) for one in inputs.take("globalSecondaryIndexes", [])],
        "LocalSecondaryIndexes": [_index(inputs, one) for one in inputs.take("localSecondaryIndexes", [])],
    }
    arguments: dict[str, Any] = {
        **inputs.shape(_TABLE),
        **{key: value for key, value in indexes.items() if value},
        "TableName": name,
        "KeySchema": keys,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    inputs.finish()
    if arguments.get("BillingMode", "PROVISIONED") == "PROVISIONED":
        arguments["ProvisionedThroughput"] = capacity
    if streamed:
        arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    if encryption:
        arguments["SSESpecification"] = _encryption(inputs, encryption)
    client = site.client("dynamodb")
    client.create_table(**arguments)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    if recovery:
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification=inputs.rename(recovery, _RECOVERY, "pointInTimeRecovery.")
        )
    if time_to_live:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=inputs.rename(time_to_live, _TTL, "ttl."))
    table = client.describe_table(TableName=name)["Table"]
    state = {"name": name, "arn": table["TableArn"], "tagsAll": tags}
    if streamed:
        state |= {"streamArn": table["LatestStreamArn"], "streamLabel": table["LatestStreamLabel"]}
    return name, state


def find_or_create_table(site: Site, name: str) -> tuple[dict[str, Any], bool]:
    """Describe a table as the provider's `getTable` does, and say whether it had to be made for that.

    It is made as a counter could adopt it: empty, with the key `ID` (S) and a stream of both images.
    """
    client, made = site.client("dynamodb"), False
    try:
        client.describe_table(TableName=name)
    except client.exceptions.ResourceNotFoundException:
        made = True
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
            KeySchema=_keys(PARTITION_KEY, None),
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    table = client.describe_table(TableName=name)["Table"]
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    stream = table.get("StreamSpecification", {})
    return {
        "id": name,
        "name": name,
        "arn": table["TableArn"],
        "region": site.region,
        "attributes": [
            {"name": one["AttributeName"], "type": one["AttributeType"]} for one in table["AttributeDefinitions"]
        ],
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE", ""),
        "streamEnabled": stream.get("StreamEnabled", False),
        "streamViewType": stream.get("StreamViewType", ""),
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
    }, made


def _keys(partition: str | None, sort: str | None) -> list[dict[str, str | None]]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": sort, "KeyType": "RANGE"}] if sort else keys


def _capacity(read: int | None, write: int | None) -> dict[str, int | None]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def _encryption(inputs: Inputs, given: dict[str, Any]) -> dict[str, Any]:
    renamed = inputs.rename(given, _ENCRYPTION, "serverSideEncryption.")
    return {**renamed, "SSEType": "KMS"} if renamed.get("Enabled") else renamed


def _index(inputs: Inputs, given: dict[str, Any]) -> dict[str, Any]:
    one = inputs.rename(given, _GLOBAL_INDEX, "secondaryIndexes.")
    projection = {"ProjectionType": one["ProjectionType"]}
    if "NonKeyAttributes" in one:
        projection["NonKeyAttributes"] = one["NonKeyAttributes"]
    index = {
        "IndexName": one["Name"],
        "KeySchema": _keys(one.get("HashKey"), one.get("RangeKey")),
        "Projection": projection,
    }
    if "ReadCapacity" in one:
        index["ProvisionedThroughput"] = _capacity(one["ReadCapacity"], one["WriteCapacity"])
    return index
