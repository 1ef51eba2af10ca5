"""Repairing or back-filling the total while visits go on: the stream is made to tell every missing tag's count again.

A scan sees what a tag has, but not where in the stream that stands; and deletions still on their way would make any
number written from it a guess. So nothing is written from the scan. A tag whose count is not wholly in the total gets
a fresh mark, `Reconciled`. That puts a record with its count into the stream, in order with all others of the tag, and
`process_stream` brings it in through the same fold as every visit.

What is guaranteed: each tag that a pass marked is wholly in the total once its record is processed, whatever happens
at the same time, and nothing is counted twice. What is not: a deletion whose own record was lost hides the tag's new
visits until they outnumber the old; and the visits of deleted tags, which only the total held, go where it goes.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .database import DynamoDB, error_code
from .items import COUNTER, KEY, text, whole_number
from .reads import LIMIT, read_items
from .retry import Patience
from .totals import is_kept_with, read_entry


class Progress(NamedTuple):
    """How far a pass has come: tags seen, those not wholly in the total, and how many visits that makes.

    Visits still on their way through the stream are among them; a further pass tells these from those that were lost.
    """

    tags: int = 0
    behind: int = 0
    visits: int = 0


def reconcile(client: DynamoDB, table: str, ledger: str, patience: Patience) -> Iterator[Progress]:
    """Make one pass over `table`, and yield the progress after each page; the last is the whole pass's.

    A pass that ends with `behind` 0 found every visit in the total. Needs `dynamodb:Scan`, `dynamodb:GetItem` and
    `dynamodb:UpdateItem` on the table and `dynamodb:BatchGetItem` on the ledger. Safe at any time, alongside any number
    of processors and of other passes. `patience` bounds the whole pass.
    """
    progress = Progress()
    for counts in _pages(client, table):
        missing = _missing(client, table, ledger, counts, patience)
        for tag in missing:
            _mark(client, table, tag)
        progress = Progress(
            progress.tags + len(counts), progress.behind + len(missing), progress.visits + sum(missing.values())
        )
        yield progress


def _pages(client: DynamoDB, table: str) -> Iterator[dict[str, int]]:
    request: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "Limit": LIMIT,
        "ProjectionExpression": "#ID, #Count",
        "ExpressionAttributeNames": {"#ID": KEY, "#Count": "Count"},
    }
    while True:
        answer = client.scan(**request)
        yield {
            item[KEY]["S"]: count
            for item in answer.get("Items", [])
            if item[KEY]["S"] != COUNTER and (count := whole_number(item, "Count") or 0) > 0
        }
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _missing(
    client: DynamoDB, table: str, ledger: str, counts: Mapping[str, int], patience: Patience
) -> dict[str, int]:
    if not counts:
        return {}
    counter = client.get_item(TableName=table, Key={KEY: {"S": COUNTER}}, ConsistentRead=True).get("Item")
    kept = is_kept_with(ledger, counter)
    epoch, entries = text(counter, "Epoch"), read_items(client, ledger, list(counts), patience)
    missing = {}
    for tag, count in counts.items():
        entry = read_entry(entries.get(tag))
        counted = entry.counted if kept and entry.epoch == epoch else 0
        if count > counted:
            missing[tag] = count - counted
    return missing


def _mark(client: DynamoDB, table: str, tag: str) -> None:
    try:
        client.update_item(
            TableName=table,
            Key={KEY: {"S": tag}},
            UpdateExpression="SET #Reconciled = :mark",
            ConditionExpression="attribute_exists(#Count)",
            ExpressionAttributeNames={"#Reconciled": "Reconciled", "#Count": "Count"},
            # Never the value it had: an update that changes nothing writes no stream record.
            ExpressionAttributeValues={":mark": {"S": uuid.uuid4().hex}},
        )
    except Exception as error:
        # Deleted since the scan saw it: there is nothing to bring back.
        if error_code(error) != "ConditionalCheckFailedException":
            raise
