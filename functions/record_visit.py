"""Lambda function that records visits: one request, one visit."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from . import metrics
from .counting.idempotency import KeyedVisits, idempotency_key
from .counting.visits import Recorded, read_count, record
from .dynamodb import tables
from .dynamodb.client import client, create_in_init_phase, single_attempt_client
from .dynamodb.retries import retry_budget
from .http import routes
from .http.dispatch import Operation, Operations, dispatch, head_of_read
from .http.problems import ProblemError, invalid
from .http.requests import Request
from .http.responses import Response, data, moved, page, response

RETRY_SECONDS = 3.0
"""How long a visit is retried while DynamoDB rejects it."""

PREFETCH = "Prefetch requests are not counted. Repeat the request when the user visits."


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request to record a visit."""
    return dispatch(event, OPERATIONS)


def _visit(request: Request) -> Response:
    tag = _recordable_tag(request)
    if request.is_prefetch:
        # With a 2xx, the browser would show the prefetched page on the user's visit and never send the visit.
        raise ProblemError(HTTPStatus.FORBIDDEN, PREFETCH)
    recorded = _record(request, tag)
    headers = {"Idempotency-Replayed": "true"} if recorded.replayed else {}
    if request.wants_html:
        from .pages.templates import count_link, visit_page  # noqa: PLC0415 - most requests need no page

        html = visit_page(tag, recorded.count)
        leads = request.method == "POST" and routes.FEATURES.read.kind == "NONE"
        return moved(count_link(tag), html, headers) if leads else page(html, headers)
    return data({"tag": tag, "count": recorded.count}, headers)


def _badge(request: Request) -> Response:
    from .pages.badge import UNCACHED, badge, parse_options  # noqa: PLC0415 - most requests need no badge

    options = parse_options(request.query, counts=routes.FEATURES.count_by_get)
    tag = _recordable_tag(request) if options.counts else request.tag
    if options.counts and not request.is_prefetch:
        count = _record(request, tag).count
    else:
        budget = retry_budget(RETRY_SECONDS)
        count = read_count(client(), tables.table_name(), tag, budget, tables.items_per_tag())
    return response("image/svg+xml; charset=utf-8", badge(options.label, count, options.color), headers=UNCACHED)


def _head_of_badge(request: Request) -> Response:
    from .pages.badge import UNCACHED, parse_options  # noqa: PLC0415 - most requests need no badge

    if parse_options(request.query, counts=routes.FEATURES.count_by_get).counts:
        _recordable_tag(request)
    return response("image/svg+xml; charset=utf-8", "", headers=UNCACHED)


def _recordable_tag(request: Request) -> str:
    """Return the request's tag. Raises a problem if visits of it must not be recorded."""
    tag = request.tag
    if not routes.FEATURES.allows(tag):
        raise invalid("tag", tag, routes.FEATURES.allowed, "")
    return tag


def _head_of_visit(request: Request) -> Response:
    _recordable_tag(request)
    return head_of_read(request)


def _record(request: Request, tag: str) -> Recorded:
    table, key = tables.table_name(), idempotency_key(request.method, request.headers)
    items, budget = tables.items_per_tag(), retry_budget(RETRY_SECONDS)
    if key is None:
        recorded = record(single_attempt_client(), table, tag, budget, items)
    else:
        recorded = KeyedVisits(client(), table, tables.idempotency_table_name(), items).record(tag, key, budget)
    if not recorded.replayed:
        metrics.emit(metrics.VISITS)
    return recorded


_VISIT = Operation(_visit, _head_of_visit)

OPERATIONS: Operations = {
    "visitTag": _VISIT,
    "postTag": _VISIT,
    "visitTags": _VISIT,
    "postTags": _VISIT,
    "badge": Operation(_badge, _head_of_badge),
}
"""The operations of this function, by the OpenAPI document's `operationId`."""

create_in_init_phase(single_attempt_client, client)
