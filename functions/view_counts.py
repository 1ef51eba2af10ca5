"""Lambda function that reads counts and the total."""

from collections.abc import Mapping
from typing import Any

from .counting.listing import asked, read_page
from .dynamodb import tables
from .dynamodb.client import client
from .dynamodb.items import DynamoDB, Item, text, whole_number
from .dynamodb.retries import Patience, patience, read_items
from .dynamodb.tables import COUNTER
from .http.dispatch import Operation, Operations, answer, headers_of_read
from .http.requests import Request
from .http.responses import Response, data, page

PATIENCE = 3.0
"""Seconds for which keys left unread are asked for again."""


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request for a tag's count or the total."""
    return answer(event, OPERATIONS)


def view_total(database: DynamoDB, table: str, patience: Patience) -> dict[str, Any]:
    """Return the total and when it last changed; 0 and None while there is none."""
    return _total(read_items(database, table, [COUNTER], patience).get(COUNTER))


def view_count(database: DynamoDB, table: str, tag: str, patience: Patience) -> dict[str, Any]:
    """Return the count of `tag`, 0 if it was never visited, with the total and when that last changed."""
    found = read_items(database, table, [tag, COUNTER], patience)
    return {"tag": tag, "count": whole_number(found.get(tag), "Count") or 0, **_total(found.get(COUNTER))}


def view_tags(database: DynamoDB, table: str, limit: int, start: str | None, patience: Patience) -> dict[str, Any]:
    """Return the total, and the next `limit` tags after the key `start` with their counts."""
    total, listed = view_total(database, table, patience), read_page(database, table, limit, start)
    return {**total, "tags": listed.tags, "nextCursor": listed.next_cursor}


def _total(counter: Item | None) -> dict[str, Any]:
    """Return what clients may know of the total; `rebuilding` only while it is short because it was taken over."""
    total = {"total": whole_number(counter, "TotalViews") or 0, "asOf": text(counter, "UpdatedAt")}
    return total | ({"rebuilding": True} if counter and "Rebuilding" in counter else {})


def _count(request: Request) -> Response:
    counted = view_count(client(), tables.table_name(), request.tag, patience(PATIENCE))
    if request.wants_html:
        from .pages.templates import count_page  # noqa: PLC0415 - most requests need no page

        return page(count_page(**counted))
    return data(counted)


def _total_or_tags(request: Request) -> Response:
    listing = asked(request.query)
    return _only_total(request) if listing is None else _tags(request, *listing)


def _only_total(request: Request) -> Response:
    totalled = view_total(client(), tables.table_name(), patience(PATIENCE))
    if request.wants_html:
        from .pages.templates import total_page  # noqa: PLC0415 - most requests need no page

        return page(total_page(**totalled))
    return data(totalled)


def _tags(request: Request, limit: int, start: str | None) -> Response:
    listed = view_tags(client(), tables.table_name(), limit, start, patience(PATIENCE))
    if request.wants_html:
        from .pages.templates import tags_page  # noqa: PLC0415 - most requests need no page

        rebuilding = "rebuilding" in listed
        return page(tags_page(listed["total"], listed["tags"], limit, listed["nextCursor"], rebuilding=rebuilding))
    return data(listed)


def _head_of_total_or_tags(request: Request) -> Response:
    asked(request.query)
    return headers_of_read(request)


OPERATIONS: Operations = {
    "viewCounts": Operation(_count),
    "viewCount": Operation(_count),
    "viewTotal": Operation(_total_or_tags, _head_of_total_or_tags),
}
"""What this function answers, by the OpenAPI document's `operationId`."""
