"""The Idempotency-Key header: a POST that is repeated with the same key counts once."""

import re
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ..dynamodb.client import cancellation_reasons, is_transient, is_transient_cancellation
from ..dynamodb.items import AttributeValue, DynamoDB, Item, text, whole_number
from ..dynamodb.retries import RetryBudget, read_item
from ..dynamodb.tables import EXPIRES_AT, KEY
from ..http.problems import ProblemError, invalid, unavailable
from .visits import Recorded, one_visit

MAX_KEY_LENGTH = 255
"""The maximum number of characters of a key."""

VALID_KEY = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY_LENGTH}}}")

TTL_SECONDS = 24 * 60 * 60
"""How long a key is valid."""

MAX_COLLISION_BACKOFF = 3
"""The attempt after which pauses stop doubling if visits of one tag collide.

On DynamoDB Local, 50 simultaneous visits of one tag took 1.2 to 1.5 s; if pauses kept doubling, 8 to 9 s, because the
count had changed again after a long pause.
"""
BUSY = (
    "The database is busy, so the visit may not have been counted. "
    "Repeat the request with the same Idempotency-Key; it will be counted once."
)
OTHER_TAG = "The Idempotency-Key was used with another tag. Use a new key for each visit."


def idempotency_key(method: str, headers: Mapping[str, str]) -> str | None:
    """Return the Idempotency-Key of a POST, None if it has none. Raises a problem if the key is invalid."""
    key = headers.get("idempotency-key")
    if method != "POST" or key is None:
        return None
    if not VALID_KEY.fullmatch(key):
        raise invalid("Idempotency-Key", key, f"1 to {MAX_KEY_LENGTH} visible ASCII characters")
    return key


class KeyedVisits(NamedTuple):
    """Visits in `table` that count once for all requests with the same key. `keys` is the table of the keys.

    One transaction counts the visit and stores the key with the visit's number, on condition that the key is not stored
    yet and that the count is one less than that number. Both happen or neither does, and no two visits get the same
    number, even after lost responses, crashes and duplicate requests. (DynamoDB's own ClientRequestToken protects each
    transaction while the client retries it. It expires after ten minutes and returns no result, so it cannot protect
    HTTP requests.)
    """

    database: DynamoDB
    table: str
    keys: str

    def record(self, tag: str, key: str, budget: RetryBudget, now: float | None = None) -> Recorded:
        """Count one visit of `tag` under `key`, or return the visit already counted. `now` is in seconds since 1970.

        Takes a read and a transaction, and another transaction for each other visit of the tag that comes in between.
        Raises a 422 if the key was used with another tag, and a 503 if DynamoDB stays busy until `budget` is used up.
        """
        moment = int(time.time() if now is None else now)
        request: dict[str, AttributeValue] = {
            ":tag": {"S": tag},
            ":request": {"S": uuid.uuid4().hex},
            ":now": {"N": str(moment)},
            ":end": {"N": str(moment + TTL_SECONDS)},
        }
        item: Item | None = None
        attempt = 0
        while True:
            attempt += 1
            try:
                if item is None:
                    item = self._read(tag)
                return self._try(tag, key, item, request)
            except Exception as error:
                if not (is_transient(error) or is_transient_cancellation(error)):
                    raise
                item = _current_item(error, item)
                collided = bool(cancellation_reasons(error))
                if not budget.pause(min(attempt, MAX_COLLISION_BACKOFF) if collided else attempt):
                    raise unavailable(BUSY) from error

    def _read(self, tag: str) -> Item:
        return read_item(self.database, self.table, tag) or {}

    def _try(self, tag: str, key: str, item: Item, request: dict[str, AttributeValue]) -> Recorded:
        stored = self._count_and_store_key(tag, key, item, request)
        if text(stored, "Tag") != tag:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, OTHER_TAG, field="Idempotency-Key", value=key)
        replayed = text(stored, "Request") != request[":request"]["S"]
        return Recorded(whole_number(stored, "Count") or 0, replayed)

    def _count_and_store_key(self, tag: str, key: str, item: Item, request: dict[str, AttributeValue]) -> Item:
        """Count the visit and store the key, or neither if the key is already stored; return the key's item.

        `item` is the tag's item as last read.
        """
        number = {"N": str(max(1, (whole_number(item, "Count") or 0) + 1))}
        key_update = {
            "TableName": self.keys,
            "Key": {KEY: {"S": key}},
            "UpdateExpression": "SET #Tag = :tag, #Request = :request, #ExpiresAt = :end, #Count = :count",
            # DynamoDB may delete expired items days late, so the condition checks the expiry itself.
            "ConditionExpression": "attribute_not_exists(#ExpiresAt) OR #ExpiresAt <= :now",
            "ExpressionAttributeNames": {f"#{name}": name for name in ("Tag", "Request", EXPIRES_AT, "Count")},
            "ExpressionAttributeValues": {**request, ":count": number},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        visit_update = {"TableName": self.table, "Key": {KEY: {"S": tag}}, **_conditional_visit(item)}
        try:
            self.database.transact_write_items(TransactItems=[{"Update": key_update}, {"Update": visit_update}])
        except Exception as error:
            first = next(iter(cancellation_reasons(error)), {})
            if first.get("Code") != "ConditionalCheckFailed":
                raise
            stored: Item = first["Item"]
            return stored
        return {"Tag": request[":tag"], "Request": request[":request"], "Count": number}


def _conditional_visit(item: Item) -> dict[str, Any]:
    """Return the expressions that count a visit, on condition that the tag's count is still that of `item`."""
    visit = one_visit()
    if "Count" in item:
        visit["ConditionExpression"] = "#Count = :seen"
        visit["ExpressionAttributeValues"][":seen"] = item["Count"]
    else:
        visit["ConditionExpression"] = "attribute_not_exists(#Count)"
    return visit | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _current_item(error: Exception, last_read: Item | None) -> Item | None:
    """Return the tag's current item from `error` if another visit came first, else `last_read`."""
    reasons = cancellation_reasons(error)
    if len(reasons) == 2 and reasons[1].get("Code") == "ConditionalCheckFailed":
        item: Item = reasons[1].get("Item", {})
        return item
    return last_read
