"""Recording a visit, and reading a count."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..dynamodb.client import cancellation_reasons, error_code, had_no_effect, is_transient, is_transient_cancellation
from ..dynamodb.items import AttributeValue, DynamoDB, Item, format_time
from ..dynamodb.retries import RetryBudget, UnreadItemsError, read_item
from ..dynamodb.spread import MalformedCountError, counts_of, read_spread, spread_of
from ..dynamodb.tables import KEY, SPREAD, item_key
from ..http.problems import unavailable

logger = logging.getLogger(__name__)

NOT_COUNTED = "The database is busy. The visit was not counted; repeat the request."
UNKNOWN_OUTCOME = (
    "The database did not answer in time. The visit may not have been counted; retrying may count it twice."
)

PAUSE_SECONDS = 1.0
"""How long a process does not read the other items of tags after DynamoDB throttled it."""

MAX_KNOWN_TAGS = 1_000
"""The maximum number of spread tags whose counts a process remembers."""

INVALID = ("ValidationException", "TransactionCanceledException")
"""Error codes of a visit that DynamoDB refuses, for example because the count is not a number."""

REFUSED = " The visit was not counted."
ADDED = " The visit was added to it."
COUNTED_ELSEWHERE = " The visit was counted in another item of the tag."
"""What became of a visit of a tag with a malformed count."""

NO_RETRIES = RetryBudget(lambda: 0.0)


def one_visit(visits: int, spread: int) -> dict[str, Any]:
    """Return the expressions that count `visits`, 1 or 0, in an update of an item of a tag.

    `Since` identifies the item's current life. It is the time of the life's first visit, in microseconds, so no two
    lives have the same value. If the item is item 0 of a tag with several, `spread` is their number.
    """
    names = {"#Count": "Count", "#Since": "Since"}
    values: dict[str, AttributeValue] = {":one": {"N": str(visits)}, ":now": {"S": format_time(datetime.now(UTC))}}
    update = "SET #Since = if_not_exists(#Since, :now)"
    if spread > 1:
        update += f", #{SPREAD} = if_not_exists(#{SPREAD}, :spread)"
        names[f"#{SPREAD}"], values[":spread"] = SPREAD, {"N": str(spread)}
    return {
        "UpdateExpression": f"{update} ADD #Count :one",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def announce(table: str, tag: str, first: Item, spread: int) -> dict[str, Any]:
    """Return the update of a tag's item 0, last read as `first`, that belongs in one transaction with a new item.

    It raises the number of items to `spread`, on condition that it has not changed. So nobody who reads item 0
    overlooks an item, and a tag that is deleted at the same time comes back whole.
    """
    update = one_visit(0, spread)
    values = update["ExpressionAttributeValues"]
    values[":spread"] = {"N": str(max(spread, spread_of(first)))}
    update["UpdateExpression"] = f"SET #Since = if_not_exists(#Since, :now), #{SPREAD} = :spread ADD #Count :one"
    if SPREAD in first:
        values[":seen"] = first[SPREAD]
        update["ConditionExpression"] = f"#{SPREAD} = :seen"
    else:
        update["ConditionExpression"] = f"attribute_not_exists(#{SPREAD})"
    return {"TableName": table, "Key": {KEY: {"S": tag}}, **update}


@dataclass(frozen=True)
class Recorded:
    """The tag's count including the visit, and whether an earlier request had already recorded the visit."""

    count: int
    replayed: bool = False


@dataclass
class OtherItems:
    """The counts of a spread tag's other items, for the answer to a visit that was counted in one of them.

    They are read for each visit. If DynamoDB throttles or refuses that, the visit is counted all the same, so the
    answer has the counts that this process read last, and for a second it does not read again.
    """

    clock: Callable[[], float] = time.monotonic
    _known: dict[str, list[Item]] = field(default_factory=dict)
    _resume: float = 0.0

    def whole_count(self, database: DynamoDB, table: str, tag: str, visited: tuple[int, Item], items: int) -> int:
        """Return the tag's count; a visit has just left item number `visited[0]` as `visited[1]`."""
        index, item = visited
        if self.clock() >= self._resume:
            try:
                read = read_spread(database, table, {tag: items}, NO_RETRIES, {item_key(tag, index): item})
            except Exception as error:
                if not (isinstance(error, UnreadItemsError) or is_transient(error) or error_code(error)):
                    raise
                logger.warning("counts of other items not read: %s", error)
                self._resume = self.clock() + PAUSE_SECONDS
            else:
                if len(self._known) >= MAX_KNOWN_TAGS:
                    self._known.clear()
                self._known[tag] = read[tag]
        others = [each for number, each in enumerate(self._known.get(tag, ())) if number != index]
        return counts_of([item, *others])


OTHER_ITEMS = OtherItems()
"""The counts that this process read last."""


def record(
    database: DynamoDB, table: str, tag: str, budget: RetryBudget, items: int = 1, *, others: OtherItems = OTHER_ITEMS
) -> Recorded:
    """Count one visit of `tag`, in a random one of its `items`.

    `database` must not retry by itself, because a retry after a lost response would count the visit twice. Only
    rejected requests are retried here, until `budget` is used up. Raises a 503 or MalformedCountError, each of which
    says whether the visit was counted.
    """
    attempt = 0
    while True:
        attempt += 1
        index = random.randrange(items)  # noqa: S311 - any distribution of load will do
        try:
            item = _count_in(database, table, tag, index, items)
        except Exception as error:
            if not (is_transient(error) or is_transient_cancellation(error)):
                if error_code(error) in INVALID:
                    _check_counts(database, table, tag, budget, items)
                raise
            if not (had_no_effect(error) or cancellation_reasons(error)):
                raise unavailable(UNKNOWN_OUTCOME) from error
            if not budget.pause(attempt):
                raise unavailable(NOT_COUNTED) from error
        else:
            break
    try:
        # Item 0 also knows of items from before the number was lowered.
        if items == 1 and spread_of(item) == 1:
            return Recorded(counts_of([item]))
        return Recorded(others.whole_count(database, table, tag, (index, item), items))
    except MalformedCountError as error:
        outcome = ADDED if error.stored == item.get("Count") else COUNTED_ELSEWHERE
        raise MalformedCountError(error.stored, outcome) from error


def _check_counts(database: DynamoDB, table: str, tag: str, budget: RetryBudget, items: int) -> None:
    """Raise MalformedCountError if that is why DynamoDB refused a visit of `tag`."""
    try:
        read_count(database, table, tag, budget, items)
    except MalformedCountError as error:
        raise MalformedCountError(error.stored, REFUSED) from error
    except Exception as error:
        if isinstance(error, UnreadItemsError) or is_transient(error):
            raise unavailable(NOT_COUNTED) from error
        raise


def _count_in(database: DynamoDB, table: str, tag: str, index: int, items: int) -> Item:
    """Count one visit in an item of `tag`; return the item."""
    place = {"TableName": table, "Key": {KEY: {"S": item_key(tag, index)}}}
    visit = one_visit(1, 1 if index else items)
    if not index:
        answer: Item = database.update_item(**place, **visit, ReturnValues="ALL_NEW")["Attributes"]
        return answer
    try:
        existing = {"ConditionExpression": "attribute_exists(#Count)"}
        answer = database.update_item(**place, **visit, **existing, ReturnValues="ALL_NEW")["Attributes"]
    except Exception as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        first = read_item(database, table, tag) or {}
        created = {**place, **visit, "ConditionExpression": "attribute_not_exists(#Count)"}
        actions = [{"Update": created}, {"Update": announce(table, tag, first, items)}]
        database.transact_write_items(TransactItems=actions)
        return {"Count": {"N": "1"}}
    return answer


def read_count(database: DynamoDB, table: str, tag: str, budget: RetryBudget, items: int = 1) -> int:
    """Return the count of `tag` from consistent reads, 0 if it was never visited."""
    return counts_of(read_tag(database, table, tag, budget, items))


def read_tag(database: DynamoDB, table: str, tag: str, budget: RetryBudget, items: int) -> list[Item]:
    """Return the items of `tag`, probably as many as `items`, from consistent reads."""
    known = {} if items > 1 else {tag: read_item(database, table, tag) or {}}
    return read_spread(database, table, {tag: items}, budget, known)[tag]
