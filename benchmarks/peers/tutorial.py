"""The design of AWS's tutorial "Build a Basic Serverless Application" (the Lambda and DynamoDB workshop of 2021).

A visit adds 1 to its tag. The stream's function adds the number of records in a batch to the total, so it makes one
request for each batch, whatever is in it. A batch that is delivered twice, for example after a timeout, counts twice. A
lost record is never made up for. The tutorial is written in JavaScript and returns pages; this module makes the same
requests in Python.
"""

import os
from collections.abc import Mapping
from typing import Any

import boto3  # type: ignore[import-untyped]

client = boto3.client("dynamodb")


def record_visit(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Count a visit of the tag in the path."""
    tag = event["pathParameters"]["tag"]
    _add(tag, "Count", 1)
    return _page(f"<h1>Your visit counts.</h1><a href='/counts/{tag}'>{tag}</a>")


def view_counts(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Show the tag's count and the total: two reads, eventually consistent."""
    tag = event["pathParameters"]["tag"]
    return _page(f"<h1>{tag}: {_read(tag, 'Count')} visits</h1><h2>{_read('COUNTER', 'TotalViews')} in all</h2>")


def process_stream(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001
    """Add the number of records that are not the total's own."""
    records = [
        record
        for record in event["Records"]
        if record["eventName"] in {"INSERT", "MODIFY"} and record["dynamodb"]["Keys"]["ID"]["S"] != "COUNTER"
    ]
    _add("COUNTER", "TotalViews", len(records))


def _add(key: str, attribute: str, number: int) -> None:
    client.update_item(
        TableName=os.environ["TABLE_NAME"],
        Key={"ID": {"S": key}},
        UpdateExpression="SET #attribute = if_not_exists(#attribute, :zero) + :number",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":number": {"N": str(number)}, ":zero": {"N": "0"}},
    )


def _read(key: str, attribute: str) -> int:
    item = client.get_item(TableName=os.environ["TABLE_NAME"], Key={"ID": {"S": key}}).get("Item", {})
    return int(item.get(attribute, {}).get("N", "0"))


def _page(body: str) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": body}
