"""The Idempotency-Key header, by which a POST that is sent again counts once."""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from .database import AttributeValue, DynamoDB, Item, is_passing
from .items import KEY, text, whole_number
from .problems import ProblemError, invalid, unavailable
from .retry import Patience
from .transactions import cancellation_reasons, was_cancelled_in_passing
from .visits import Recorded, one_visit, read_count

LONGEST = 255
"""Characters a key may have."""

VALID = re.compile(rf"[\x21-\x7e]{{1,{LONGEST}}}")

KEPT = 24 * 60 * 60
"""Seconds for which a key is remembered."""

BUSY = (
    "The database is busy, so the visit was not counted as far as is known; "
    "send it again with the same Idempotency-Key, and it is counted once."
)
OTHER_TAG = "The Idempotency-Key came with another tag before; a new visit needs a new key."


def idempotency_key(method: str, headers: Mapping[str, str]) -> str | None:
    """Return the key of a POST, None where it has none; other methods have none. A problem where it is malformed."""
    key = headers.get("idempotency-key")
    if method != "POST" or key is None:
        return None
    if not VALID.fullmatch(key):
        raise invalid("Idempotency-Key", key, f"1 to {LONGEST} visible ASCII characters")
    return key


@dataclass(frozen=True)
class KeyedVisits:
    """Visits in `table`, each counted once for all requests that carry its key; `keys` is the table of the keys.

    One transaction counts the visit and writes the key down, on condition that it is not there: whatever is lost,
    crashes or comes twice, both happen or neither. The count of the first answer is then kept with the key. (DynamoDB's
    own ClientRequestToken guards each transaction while the client repeats it. For what comes in over HTTP it is too
    little: it lasts ten minutes, and remembers no answer.)
    """

    database: DynamoDB
    table: str
    keys: str

    def record(self, tag: str, key: str, patience: Patience, now: float | None = None) -> Recorded:
        """Count one visit of `tag` under `key`, or find the one that was; `now` is in seconds since 1970.

        Raises a 422 where the key came with another tag, and a 503 where the database stays busy while `patience`
        lasts.
        """
        moment = int(time.time() if now is None else now)
        request: dict[str, AttributeValue] = {
            ":tag": {"S": tag},
            ":request": {"S": uuid.uuid4().hex},
            ":now": {"N": str(moment)},
            ":end": {"N": str(moment + KEPT)},
        }
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._try(tag, key, request)
            except Exception as error:
                if not (is_passing(error) or was_cancelled_in_passing(error)):
                    raise
                if not patience.pause(attempt):
                    raise unavailable(BUSY) from error

    def _try(self, tag: str, key: str, request: dict[str, AttributeValue]) -> Recorded:
        held = self._count_and_hold(tag, key, request)
        if text(held, "Tag") != tag:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, OTHER_TAG, field="Idempotency-Key", value=key)
        replayed = text(held, "Request") != request[":request"]["S"]
        return Recorded(whole_number(held, "Count") or self._keep_count(tag, key), replayed)

    def _count_and_hold(self, tag: str, key: str, request: dict[str, AttributeValue]) -> Item:
        """Count the visit and hold the key, or do neither where it is held; return the key's item either way."""
        names = ("Tag", "Request", "ExpiresAt", "Count")
        hold = {
            "TableName": self.keys,
            "Key": {KEY: {"S": key}},
            "UpdateExpression": "SET #Tag = :tag, #Request = :request, #ExpiresAt = :end REMOVE #Count",
            # The table's own clean-up runs late by up to days, so whether a key has expired is decided here.
            "ConditionExpression": "attribute_not_exists(#ExpiresAt) OR #ExpiresAt <= :now",
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": request,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        visit = {"TableName": self.table, "Key": {KEY: {"S": tag}}, **one_visit()}
        try:
            self.database.transact_write_items(TransactItems=[{"Update": hold}, {"Update": visit}])
        except Exception as error:
            first = next(iter(cancellation_reasons(error)), {})
            if first.get("Code") != "ConditionalCheckFailed":
                raise
            held: Item = first["Item"]
            return held
        return {"Tag": request[":tag"], "Request": request[":request"]}

    def _keep_count(self, tag: str, key: str) -> int:
        """Keep the tag's present count as the key's, unless one is kept already; return the one that is."""
        # A tag deleted in the meantime has no count, but the visit was one.
        count = max(1, read_count(self.database, self.table, tag))
        kept = self.database.update_item(
            TableName=self.keys,
            Key={KEY: {"S": key}},
            UpdateExpression="SET #Count = if_not_exists(#Count, :count)",
            ConditionExpression="#Tag = :tag",
            ExpressionAttributeNames={"#Count": "Count", "#Tag": "Tag"},
            ExpressionAttributeValues={":count": {"N": str(count)}, ":tag": {"S": tag}},
            ReturnValues="ALL_NEW",
        )
        return whole_number(kept["Attributes"], "Count") or count
