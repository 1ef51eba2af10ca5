"""Recording a visit, and reading a count."""

from dataclasses import dataclass
from typing import Any

from ..dynamodb.client import had_no_effect, is_transient
from ..dynamodb.items import DynamoDB, timestamp, whole_number
from ..dynamodb.retries import RetryBudget, read_item
from ..dynamodb.tables import KEY
from ..http.problems import unavailable

NOT_COUNTED = "The database is busy. The visit was not counted; repeat the request."
UNKNOWN_OUTCOME = (
    "The database did not answer in time. The visit may not have been counted; retrying may count it twice."
)


def one_visit() -> dict[str, Any]:
    """Return the expressions that count a visit in an update of a tag's item.

    `Since` identifies the tag's current life. It is the time of the life's first visit, in microseconds, so no two
    lives have the same value.
    """
    return {
        "UpdateExpression": "SET #Since = if_not_exists(#Since, :now) ADD #Count :one",
        "ExpressionAttributeNames": {"#Count": "Count", "#Since": "Since"},
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":now": {"S": timestamp("microseconds")}},
    }


@dataclass(frozen=True)
class Recorded:
    """The tag's count including the visit, and whether an earlier request had already recorded the visit."""

    count: int
    replayed: bool = False


def record(database: DynamoDB, table: str, tag: str, budget: RetryBudget) -> Recorded:
    """Count one visit of `tag`.

    `database` must not retry by itself, because a retry after a lost response would count the visit twice. Only
    rejected requests are retried here, until `budget` is used up. Raises a 503 that says whether the visit may have
    been counted.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            updated = database.update_item(
                TableName=table, Key={KEY: {"S": tag}}, **one_visit(), ReturnValues="UPDATED_NEW"
            )
        except Exception as error:
            if not is_transient(error):
                raise
            if not had_no_effect(error):
                raise unavailable(UNKNOWN_OUTCOME) from error
            if not budget.pause(attempt):
                raise unavailable(NOT_COUNTED) from error
        else:
            return Recorded(whole_number(updated["Attributes"], "Count") or 0)


def read_count(database: DynamoDB, table: str, tag: str) -> int:
    """Return the count of `tag` from a consistent read, 0 if it was never visited."""
    return whole_number(read_item(database, table, tag), "Count") or 0
