"""Lambda function that reads counts and the total."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .counting.listing import parse_paging, read_page
from .dynamodb import tables
from .dynamodb.client import client, create_in_init_phase
from .dynamodb.items import DynamoDB, Item
from .dynamodb.retries import RetryBudget, retry_budget
from .dynamodb.spread import counts_of, read_spread, sum_total
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


class Expected(NamedTuple):
    """The numbers of items that a tag and the total probably have."""

    tag: int = 1
    total: int = 1


ONE_EACH = Expected()


def view_total(database: DynamoDB, table: str, budget: RetryBudget, expected: Expected = ONE_EACH) -> dict[str, Any]:
    """Return the total and the time of its last change, or 0 and None if there is no total yet."""
    return _total(read_spread(database, table, {COUNTER: expected.total}, budget)[COUNTER])


def view_count(
    database: DynamoDB, table: str, tag: str, budget: RetryBudget, expected: Expected = ONE_EACH
) -> dict[str, Any]:
    """Return the count of `tag`, 0 if it was never visited, with the total and the time of its last change."""
    found = read_spread(database, table, {tag: expected.tag, COUNTER: expected.total}, budget)
    return {"tag": tag, "count": counts_of(found[tag]), **_total(found[COUNTER])}


def view_tags(database: DynamoDB, table: str, limit: int, start: str | None, budget: RetryBudget) -> dict[str, Any]:
    """Return the total, and the next `limit` tags after the key `start` with their counts."""
    total, listed = view_total(database, table, budget, _expected()), read_page(database, table, limit, start, budget)
    return {**total, "tags": listed.tags, "nextCursor": listed.next_cursor}


def _total(items: Sequence[Item]) -> dict[str, Any]:
    """Return the total's public fields; `rebuilding` is among them while the total may be too low.

    It is so after a takeover, and before one if an item of the total is missing or damaged, as far as its items show.
    """
    found = sum_total(items)
    total = {"total": found.visits or 0, "asOf": found.updated}
    return total | ({} if found.intact and "Rebuilding" not in items[0] else {"rebuilding": True})


def _expected() -> Expected:
    return Expected(tables.number_of_items(tables.ITEMS_PER_TAG), tables.number_of_items(tables.ITEMS_PER_TOTAL))


def _count(request: Request) -> Response:
    counted = view_count(client(), tables.table_name(), request.tag, retry_budget(RETRY_SECONDS), _expected())
    if request.wants_html:
        from .pages.templates import count_page  # noqa: PLC0415 - most requests need no page

        return page(count_page(**counted))
    return data(counted)


def _total_or_tags(request: Request) -> Response:
    listing = parse_paging(request.query, listing=routes.FEATURES.listing)
    return _only_total(request) if listing is None else _tags(request, *listing)


def _only_total(request: Request) -> Response:
    totalled = view_total(client(), tables.table_name(), retry_budget(RETRY_SECONDS), _expected())
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
