"""The design of Powertools for AWS Lambda (Python) 3.37.0: a batch processor whose record handler is idempotent.

As the documentation combines the two: `process_partial_response` hands over record by record, `idempotent_function`
stores each record's event ID, first as in progress, then as completed, in a table of its own, and the record handler
adds 1 to the total: three writes a record. Stored IDs expire after an hour by default; here it is the day for which a
stream keeps its records. If a function dies between the update and the last write, the record counts twice: the two are
not one transaction. Records that are lost stay lost.
"""

import os
from collections.abc import Mapping
from typing import Any

import boto3  # type: ignore[import-untyped]
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

client = boto3.client("dynamodb")
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
config = IdempotencyConfig(event_key_jmespath="eventID", expires_after_seconds=24 * 60 * 60)
# The key has this project's name, so that one kind of table serves every baseline.
store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE_NAME"], key_attr="ID", boto3_client=client)


def handler(event: Mapping[str, Any], context: Any) -> Any:
    """Process a batch, and report the records that failed."""
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)


def record_handler(record: DynamoDBRecord) -> None:
    """Count one record, unless it is the total's own."""
    if record.dynamodb.keys["ID"] != "COUNTER" and record.event_name.name in {"INSERT", "MODIFY"}:
        count_once(record=record.raw_event)


def count(record: Mapping[str, Any]) -> None:  # noqa: ARG001 - the wrapper takes its key from it
    """Add 1 to the total."""
    client.update_item(
        TableName=os.environ["TABLE_NAME"],
        Key={"ID": {"S": "COUNTER"}},
        UpdateExpression="ADD TotalViews :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


count_once = idempotent_function(count, data_keyword_argument="record", persistence_store=store, config=config)
