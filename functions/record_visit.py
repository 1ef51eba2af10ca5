"""Lambda function that records visits: one request, one visit."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from . import settings
from .database import DynamoDB, cautious_client, had_no_effect, is_passing
from .items import KEY, whole_number
from .problems import ProblemError, unavailable
from .requests import Request
from .responses import Response, answer, data, page
from .retry import Patience, patience

PATIENCE = 3.0
"""Seconds for which a visit is tried again while the database refuses it."""

NOT_COUNTED = "The database is busy, so the visit was not counted; send it again."
OPEN = (
    "The database did not answer in time, so the visit was not counted as far as is known; "
    "send it again, at the risk of counting it twice."
)


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request to record a visit."""
    return answer(event, _respond)


def record(database: DynamoDB, table: str, tag: str, patience: Patience) -> int:
    """Count one visit of `tag` and return the tag's new count.

    `database` must not send a request again by itself: after a lost answer that would count the visit twice. It is
    sent again here, while `patience` lasts, after refusals alone. Raises a 503 that says what became of the visit.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            updated = database.update_item(
                TableName=table,
                Key={KEY: {"S": tag}},
                UpdateExpression="ADD #Count :one",
                ExpressionAttributeNames={"#Count": "Count"},
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        except Exception as error:
            if not is_passing(error):
                raise
            if not had_no_effect(error):
                raise unavailable(OPEN) from error
            if not patience.pause(attempt):
                raise unavailable(NOT_COUNTED) from error
        else:
            return whole_number(updated["Attributes"], "Count") or 0


def _respond(request: Request) -> Response:
    tag = request.tag
    if request.is_prefetch:
        # Not a 2xx: the browser would show it later, when the person comes, and the visit would never be recorded.
        raise ProblemError(HTTPStatus.FORBIDDEN, "A prefetch is no visit, so nothing was counted; ask when it is one.")
    count = record(cautious_client(), settings.table_name(), tag, patience(PATIENCE))
    if request.wants_html:
        from .pages import visit_page  # noqa: PLC0415 - most requests need no page

        return page(visit_page(tag, count))
    return data({"tag": tag, "count": count})
