"""Listing the tags page by page."""

import base64
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ..dynamodb.items import DynamoDB, Item, whole_number
from ..dynamodb.retries import RetryBudget
from ..dynamodb.spread import MalformedCountError, counts_of, read_spread
from ..dynamodb.tables import COUNTER, KEY, SPREAD, name_of
from ..http.problems import invalid

MAX_LIMIT = 100
"""The maximum number of tags on a page."""

DEFAULT_LIMIT = 50
"""The number of tags on a page if the request has only a cursor."""

MAX_SCANS = 10
"""The maximum number of database requests for one page. Items that are not tags may leave a page short or empty."""


class Page(NamedTuple):
    """Tags with their counts, in the table's order, and the cursor of the next page; None on the last page."""

    tags: list[dict[str, Any]]
    next_cursor: str | None


def parse_paging(query: Mapping[str, str], *, listing: bool) -> tuple[int, str | None] | None:
    """Return the limit and the key to start after; None if neither is set.

    Raises a problem if one is invalid, and without `listing` if one is set at all.
    """
    limit, cursor = query.get("limit"), query.get("cursor")
    if limit is None and cursor is None:
        return None
    if not listing:
        field, value = ("cursor", cursor) if limit is None else ("limit", limit)
        raise invalid(field, str(value), "left out, because this API does not list its tags")
    if limit is not None and not re.fullmatch(r"[1-9][0-9]?|100", limit, re.ASCII):
        raise invalid("limit", limit, f"a whole number from 1 to {MAX_LIMIT}")
    return int(limit or DEFAULT_LIMIT), None if cursor is None else _decode_cursor(cursor)


def read_page(database: DynamoDB, table: str, limit: int, start: str | None, budget: RetryBudget) -> Page:
    """Read the next `limit` tags after the key `start`, consistently.

    A tag that is spread over several items is listed at its item 0, which exists if any of them does. Tags whose count
    is malformed are left out.
    """
    found: dict[str, Item] = {}
    for _ in range(MAX_SCANS):
        answer = database.scan(
            TableName=table,
            ConsistentRead=True,
            Limit=limit - len(found),
            ProjectionExpression=f"#ID, #Count, #{SPREAD}",
            ExpressionAttributeNames={"#ID": KEY, "#Count": "Count", f"#{SPREAD}": SPREAD},
            **({} if start is None else {"ExclusiveStartKey": {KEY: {"S": start}}}),
        )
        for item in answer.get("Items", []):
            key = item[KEY]["S"]
            if key != COUNTER and name_of(key) == key and whole_number(item, "Count") is not None:
                found[key] = item
        start = answer.get("LastEvaluatedKey", {}).get(KEY, {}).get("S")
        if start is None or len(found) == limit:
            break
    whole = read_spread(database, table, dict.fromkeys(found, 1), budget, found)
    tags = []
    for tag, items in whole.items():
        with suppress(MalformedCountError):
            tags.append({"tag": tag, "count": counts_of(items)})
    return Page(tags, None if start is None else _encode_cursor(start))


def _encode_cursor(key: str) -> str:
    raw = key.encode()
    return base64.urlsafe_b64encode(zlib.crc32(raw).to_bytes(4, "big") + raw).decode().rstrip("=")


def _decode_cursor(cursor: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = raw[4:].decode()
    except ValueError:
        key = ""
    # The checksum rejects text that is not a cursor; 2,048 bytes is the limit of a partition key.
    if not 0 < len(key.encode()) <= 2048 or _encode_cursor(key) != cursor:
        raise invalid("cursor", cursor, "the nextCursor of an earlier response")
    return key
