"""Lambda function that reads counts and the total."""

from collections.abc import Mapping
from typing import Any

from .counting.listing import parse_paging, read_page
from .dynamodb import tables
from .dynamodb.client import client, create_in_init_phase
from .dynamodb.items import MAX_TOTAL, DynamoDB, Item, text, whole_number
from .dynamodb.retries import RetryBudget, retry_budget
from .dynamodb.spread import counts_of, read_spread
from .dynamodb.tables import COUNTER
from .http import routes
from .http.dispatch import Operation, Operations, dispatch, head_of_read
from .http.requests import Request
from .http.responses import Response, data, page

RETRY_SECONDS = 3.0
"""How long keys that DynamoDB left unprocessed are requested again."""


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request for a tag's count or the total."""
    return dispatch(event, OPERATIONS)


def view_total(database: DynamoDB, table: str, budget: RetryBudget) -> dict[str, Any]:
    """Return the total and the time of its last change, or 0 and None if there is no total yet."""
    return shown_total(read_spread(database, table, {COUNTER: 1}, budget)[COUNTER][0])


def view_count(database: DynamoDB, table: str, tag: str, budget: RetryBudget, items: int = 1) -> dict[str, Any]:
    """Return the count of `tag`, 0 if it was never visited, with the total and the time of its last change.

    `items` is the number of items that the tag is probably spread over. Raises MalformedCountError.
    """
    found = read_spread(database, table, {tag: items, COUNTER: 1}, budget)
    return {"tag": tag, "count": counts_of(found[tag]), **shown_total(found[COUNTER][0])}


def view_tags(database: DynamoDB, table: str, limit: int, start: str | None, budget: RetryBudget) -> dict[str, Any]:
    """Return the total, and the next `limit` tags after the key `start` with their counts."""
    total, listed = view_total(database, table, budget), read_page(database, table, limit, start, budget)
    return {**total, "tags": listed.tags, "nextCursor": listed.next_cursor}


def shown_total(item: Item) -> dict[str, Any]:
    """Return the total's public fields, from `COUNTER`; `rebuilding` is among them if the total may be too low.

    Something else may have written the item, such as the tutorial.
    """
    total = whole_number(item, "TotalViews", MAX_TOTAL)
    if "Held" in item or "Generation" in item:
        exact = total is not None and total == whole_number(item, "Held", MAX_TOTAL)
    else:
        exact = total is not None or "TotalViews" not in item
    shown = {"total": total or 0, "asOf": text(item, "UpdatedAt")}
    return shown if exact and "Rebuilding" not in item else shown | {"rebuilding": True}


def _count(request: Request) -> Response:
    budget = retry_budget(RETRY_SECONDS)
    counted = view_count(client(), tables.table_name(), request.tag, budget, tables.items_per_tag())
    if request.wants_html:
        from .pages.templates import count_page  # noqa: PLC0415 - most requests need no page

        return page(count_page(**counted))
    return data(counted)


def _total_or_tags(request: Request) -> Response:
    listing = parse_paging(request.query, listing=routes.FEATURES.listing)
    return _only_total(request) if listing is None else _tags(request, *listing)


def _only_total(request: Request) -> Response:
    totalled = view_total(client(), tables.table_name(), retry_budget(RETRY_SECONDS))
    if request.wants_html:
        from .pages.templates import total_page  # noqa: PLC0415 - most requests need no page

        return page(total_page(**totalled))
    return data(totalled)


def _tags(request: Request, limit: int, start: str | None) -> Response:
    listed = view_tags(client(), tables.table_name(), limit, start, retry_budget(RETRY_SECONDS))
    if request.wants_html:
        from .pages.templates import tags_page  # noqa: PLC0415 - most requests need no page

        rebuilding = "rebuilding" in listed
        return page(tags_page(listed["total"], listed["tags"], limit, listed["nextCursor"], rebuilding=rebuilding))
    return data(listed)


def _head_of_total_or_tags(request: Request) -> Response:
    parse_paging(request.query, listing=routes.FEATURES.listing)
    return head_of_read(request)


OPERATIONS: Operations = {
    "viewCounts": Operation(_count),
    "viewCount": Operation(_count),
    "viewTotal": Operation(_total_or_tags, _head_of_total_or_tags),
}
"""The operations of this function, by the OpenAPI document's `operationId`."""

create_in_init_phase(client)
