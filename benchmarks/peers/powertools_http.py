"""The HTTP functions with the event handler of Powertools for AWS Lambda (Python) 3.37.0, as its documentation has it.

One function serves every route through `APIGatewayHttpResolver`. Visits and reads make the same requests to DynamoDB
as this project's do, so that what differs is the work around them.
"""

import os
from typing import Any

import boto3  # type: ignore[import-untyped]
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

client = boto3.client("dynamodb")
app = APIGatewayHttpResolver()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer a request."""
    return app.resolve(event, context)


def record_visit(tag: str) -> dict[str, Any]:
    """Count a visit."""
    updated = client.update_item(
        TableName=os.environ["TABLE_NAME"],
        Key={"ID": {"S": tag}},
        UpdateExpression="ADD #count :one",
        ExpressionAttributeNames={"#count": "Count"},
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return {"tag": tag, "count": int(updated["Attributes"]["Count"]["N"])}


def view_counts(tag: str) -> dict[str, Any]:
    """Return a tag's count and the total, read together."""
    table = os.environ["TABLE_NAME"]
    keys = [{"ID": {"S": tag}}, {"ID": {"S": "COUNTER"}}]
    read = client.batch_get_item(RequestItems={table: {"Keys": keys}})["Responses"][table]
    items = {item["ID"]["S"]: item for item in read}
    count, total = items.get(tag, {}).get("Count"), items.get("COUNTER", {}).get("TotalViews")
    return {"tag": tag, "count": int(count["N"]) if count else 0, "total": int(total["N"]) if total else 0}


# What the decorators @app.post and @app.get do.
app.post("/tag/<tag>")(record_visit)
app.get("/counts/<tag>")(view_counts)
