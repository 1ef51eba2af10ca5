"""The Idempotency-Key header: a POST that is repeated with the same key counts once."""

import random
import re
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ..dynamodb.client import cancellation_reasons, error_code, is_transient, is_transient_cancellation
from ..dynamodb.items import AttributeValue, DynamoDB, Item, text, whole_number
from ..dynamodb.retries import RetryBudget, UnreadItemsError
from ..dynamodb.spread import MalformedCountError, counts_of
from ..dynamodb.tables import EXPIRES_AT, KEY, item_key
from ..http.problems import ProblemError, invalid, unavailable
from .visits import REFUSED, Recorded, announce, one_visit, read_tag

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

    `items` is the number of items that a tag is spread over.

    One transaction counts the visit and stores the key with the visit's number, on condition that the key is not stored
    yet and that the count is one less than that number. Both happen or neither does, and no two visits get the same
    number, even after lost responses, crashes and duplicate requests. (DynamoDB's own ClientRequestToken protects each
    transaction while the client retries it. It expires after ten minutes and returns no result, so it cannot protect
    HTTP requests.)

    If a tag has several items, the condition is on the count of one of them, and the number is the sum of all as last
    read: visits in different items at the same moment may get the same number.
    """

    database: DynamoDB
    table: str
    keys: str
    items: int = 1

    def record(self, tag: str, key: str, budget: RetryBudget, now: float | None = None) -> Recorded:
        """Count one visit of `tag` under `key`, or return the visit already counted. `now` is in seconds since 1970.

        Takes a read and a transaction, and another transaction for each other visit of the tag that comes in between.
        Raises a 422 if the key was used with another tag, a 503 if DynamoDB stays busy until `budget` is used up, and
        MalformedCountError, without counting, if the tag's count is malformed.
        """
        moment = int(time.time() if now is None else now)
        request: dict[str, AttributeValue] = {
            ":tag": {"S": tag},
            ":request": {"S": uuid.uuid4().hex},
            ":now": {"N": str(moment)},
            ":end": {"N": str(moment + TTL_SECONDS)},
        }
        items: list[Item] = []
        attempt = 0
        while True:
            attempt += 1
            index = random.randrange(self.items)  # noqa: S311 - any distribution of load will do
            try:
                if not items:
                    items = read_tag(self.database, self.table, tag, budget, self.items)
                return self._try(tag, key, (index, items), request)
            except Exception as error:
                busy = isinstance(error, UnreadItemsError)
                if not (busy or is_transient(error) or is_transient_cancellation(error)):
                    raise
                items = _current_items(error, index, items)
                collided = bool(cancellation_reasons(error))
                if not budget.pause(min(attempt, MAX_COLLISION_BACKOFF) if collided else attempt):
                    raise unavailable(BUSY) from error

    def _try(self, tag: str, key: str, place: tuple[int, list[Item]], request: dict[str, AttributeValue]) -> Recorded:
        stored = self._count_and_store_key(tag, key, place, request)
        if text(stored, "Tag") != tag:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, OTHER_TAG, field="Idempotency-Key", value=key)
        replayed = text(stored, "Request") != request[":request"]["S"]
        return Recorded(counts_of([stored]), replayed)

    def _count_and_store_key(
        self, tag: str, key: str, place: tuple[int, list[Item]], request: dict[str, AttributeValue]
    ) -> Item:
        """Count the visit and store the key, or neither if the key is already stored; return the key's item.

        `place` is the number of the item to count in, and the tag's items as last read.
        """
        index, items = place
        try:
            number = {"N": str(max(1, counts_of(items) + 1))}
        except MalformedCountError as error:
            if stored := self._stored(key, request):
                return stored
            raise MalformedCountError(error.stored, REFUSED) from error
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
        visit = _conditional_visit(items[index], 1 if index else self.items)
        updates = [key_update, {"TableName": self.table, "Key": {KEY: {"S": item_key(tag, index)}}, **visit}]
        if index and "Count" not in items[index]:
            updates.append(announce(self.table, tag, items[0], self.items))
        try:
            self.database.transact_write_items(TransactItems=[{"Update": update} for update in updates])
        except Exception as error:
            first = next(iter(cancellation_reasons(error)), {})
            if first.get("Code") != "ConditionalCheckFailed":
                raise
            found: Item = first["Item"]
            return found
        return {"Tag": request[":tag"], "Request": request[":request"], "Count": number}

    def _stored(self, key: str, request: dict[str, AttributeValue]) -> Item | None:
        """Return the item of a key that is stored and valid.

        The function has no right to read keys, only to update them. This update never changes anything.
        """
        try:
            self.database.update_item(
                TableName=self.keys,
                Key={KEY: {"S": key}},
                UpdateExpression="SET #ExpiresAt = :now",
                ConditionExpression="attribute_exists(#ExpiresAt) AND attribute_not_exists(#ExpiresAt)",
                ExpressionAttributeNames={"#ExpiresAt": EXPIRES_AT},
                ExpressionAttributeValues={":now": request[":now"]},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            found: Item = getattr(error, "response", {}).get("Item", {})
            expires = whole_number(found, EXPIRES_AT)
            return found if expires is not None and expires > int(request[":now"]["N"]) else None
        return None


def _conditional_visit(item: Item, spread: int) -> dict[str, Any]:
    """Return the expressions that count a visit, on condition that the item's count is still that of `item`."""
    visit = one_visit(1, spread)
    if "Count" in item:
        visit["ConditionExpression"] = "#Count = :seen"
        visit["ExpressionAttributeValues"][":seen"] = item["Count"]
    else:
        visit["ConditionExpression"] = "attribute_not_exists(#Count)"
    return visit | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _current_items(error: Exception, index: int, last_read: list[Item]) -> list[Item]:
    """Return the tag's items as `error` shows them; none, to be read again, if another visit created an item."""
    reasons = [reason.get("Code") for reason in cancellation_reasons(error)]
    if reasons[2:] == ["ConditionalCheckFailed"]:
        return []
    if reasons[1:2] == ["ConditionalCheckFailed"]:
        item: Item = cancellation_reasons(error)[1].get("Item", {})
        return [*last_read[:index], item, *last_read[index + 1 :]]
    return last_read
