"""Two designs of AWS's article "Implement resource counters with Amazon DynamoDB" (AWS Database Blog), for a stream.

`client_token`: a transaction whose client request token is made of the batch's records adds their number to the total.
DynamoDB recognizes a token for 10 minutes, but a stream can deliver records again for 24 hours. So the same records
count twice if they come back later, or in a batch that is split differently.

`idempotency_item`: one transaction per record puts an item under the record's event ID, on condition that there is
none, and adds 1 to the total. It counts every record once for as long as the items are kept. Records that are
lost stay lost, and a transaction of two items is four write units a visit, all of them on the total's item in turn.
"""

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import boto3  # type: ignore[import-untyped]

client = boto3.client("dynamodb")
SECONDS_KEPT = 2 * 24 * 60 * 60


def client_token(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001
    """Add the batch to the total in one transaction, whose token is the digest of its event IDs."""
    ids = [record["eventID"] for record in _visits(event)]
    if ids:
        # A token has at most 36 characters.
        token = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:36]
        client.transact_write_items(TransactItems=[_addition(len(ids))], ClientRequestToken=token)


def idempotency_item(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001
    """Add each record to the total in a transaction of its own, unless it was added before."""
    for record in _visits(event):
        put = {
            "TableName": os.environ["IDEMPOTENCY_TABLE_NAME"],
            "Item": {"ID": {"S": record["eventID"]}, "ExpiresAt": {"N": str(int(time.time()) + SECONDS_KEPT)}},
            "ConditionExpression": "attribute_not_exists(ID)",
        }
        try:
            client.transact_write_items(TransactItems=[{"Put": put}, _addition(1)])
        except client.exceptions.TransactionCanceledException as error:
            if error.response["CancellationReasons"][0].get("Code") != "ConditionalCheckFailed":
                raise


def _visits(event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [
        record
        for record in event["Records"]
        if record["eventName"] in {"INSERT", "MODIFY"} and record["dynamodb"]["Keys"]["ID"]["S"] != "COUNTER"
    ]


def _addition(number: int) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": os.environ["TABLE_NAME"],
            "Key": {"ID": {"S": "COUNTER"}},
            "UpdateExpression": "ADD TotalViews :number",
            "ExpressionAttributeValues": {":number": {"N": str(number)}},
        }
    }
