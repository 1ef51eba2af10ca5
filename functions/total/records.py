"""Reading the event of a DynamoDB stream with a tumbling window: from Lambda's JSON to changes of items. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..dynamodb.items import ALLOWED_COUNT, Item, parse_whole_number, text
from ..dynamodb.tables import COUNTER, KEY, MARK, is_total
from .generation import NOT_A_MARK, Change, Image

MAX_SHOWN_LENGTH = 100
"""The maximum number of characters of an invalid value that an error quotes."""

MAX_SEQUENCE_DIGITS = 40
MAX_SHARD_LENGTH = 65
"""The maximum lengths of a sequence number and of a shard's id (API reference of DynamoDB Streams)."""

EVENT_NAMES = ("INSERT", "MODIFY", "REMOVE")

VIEW_TYPE = "NEW_AND_OLD_IMAGES"
"""The only view type whose records show what each of them adds."""


class EventError(ValueError):
    """No part of an event can be counted, because of how the stream or the mapping is configured.

    The message names the field and the setting. Nothing is lost: Lambda delivers the batch again.
    """


class Batch(NamedTuple):
    """The records of one event, in stream order, each once. `shard` is the shard's id and `stream` the stream's ARN.

    `changes` leaves out the records of the total itself, of items without a count, and malformed ones. `problems` has a
    sentence for each malformed record, and for each item whose count is malformed.
    """

    shard: str
    stream: str
    changes: list[Change]
    problems: list[str]


def read_batch(event: Mapping[str, Any]) -> Batch:
    """Read an event that has records. Raises EventError if it is not one that can be counted.

    A malformed record does not stop the rest of its batch.
    """
    records, shard, stream = event.get("Records"), event.get("shardId"), event.get("eventSourceARN")
    if not isinstance(records, list):
        raise EventError(f"Records is {_shown(records)}; it must be the list of a DynamoDB stream event's records.")
    if not isinstance(shard, str) or not 0 < len(shard) <= MAX_SHARD_LENGTH:
        raise EventError(
            f"shardId is {_shown(shard)}; it must be the id of the records' shard, which Lambda passes only if the "
            "event source mapping has a tumbling window. Set tumblingWindowInSeconds, for example to 900."
        )
    if not isinstance(stream, str) or not stream.partition("/stream/")[2]:
        raise EventError(f"eventSourceARN is {_shown(stream)}; it must be the ARN of a DynamoDB stream.")
    changes: list[Change] = []
    problems: dict[str, str] = {}
    last, ordered = -1, True
    for index, record in enumerate(records):
        try:
            change = _read_change(record, stream)
        except (AttributeError, KeyError, TypeError, ValueError):
            problems[f"{index}"] = _explain(index, record, stream)
            continue
        shown = change.new or change.old
        if shown is None:
            continue
        if shown.visits is None:
            count = record["dynamodb"]["NewImage" if change.new else "OldImage"]["Count"]
            problems[f"key {change.key}"] = (
                f"The count of item {_shown(change.key)} is {_shown(count)}; it must be {ALLOWED_COUNT}."
            )
        ordered = ordered and change.sequence > last
        last = change.sequence
        changes.append(change)
    if not ordered:
        once = {change.sequence: change for change in changes}
        changes = [once[sequence] for sequence in sorted(once)]
    return Batch(shard, stream, changes, list(problems.values()))


def image_of(item: Item) -> Image | None:
    """Read an item; None if it has no count. Raises an error if it is not an item."""
    count = item.get("Count")
    if count is None:
        return None
    # Most items have no mark, and reading what is not there takes time.
    mark = text(item, MARK) or NOT_A_MARK if MARK in item else ""
    return Image(parse_whole_number(count.get("N")), mark, text(item, "Since") or "")


def _read_change(record: Any, stream: str) -> Change:
    """Read a record; without images if it is of the total. Raises any of several errors if it is malformed."""
    body, name = record["dynamodb"], record["eventName"]
    key, sequence = body["Keys"][KEY]["S"], body["SequenceNumber"]
    old, new = body.get("OldImage"), body.get("NewImage")
    if (
        not key + ""
        or not _is_sequence(sequence)
        or name not in EVENT_NAMES
        or (not old) != (name == "INSERT")
        or (not new) != (name == "REMOVE")
        or record["eventSourceARN"] != stream
    ):
        raise ValueError
    if key.startswith(COUNTER) and is_total(key):
        old = new = None
    images = image_of(old) if old else None, image_of(new) if new else None
    return Change(int(sequence), body.get("ApproximateCreationDateTime", 0), key, *images)


def _explain(index: int, record: Any, stream: str) -> str:
    """Return a sentence with the first invalid field of a malformed record.

    Raises EventError if the stream's view type leaves images out.
    """
    view, name = _get(record, "dynamodb.StreamViewType"), _get(record, "eventName")
    if isinstance(view, str) and view != VIEW_TYPE:
        raise EventError(
            f"The stream's view type is {view}; it must be {VIEW_TYPE}. Disable the table's stream, enable it again "
            "with that view type, and connect the new stream."
        )

    checks: list[tuple[str, str, Callable[[Any], bool]]] = [
        (f"dynamodb.Keys.{KEY}.S", "a string that is not empty", lambda value: isinstance(value, str) and value != ""),
        ("eventName", f"one of {', '.join(EVENT_NAMES)}", lambda value: value in EVENT_NAMES),
        ("dynamodb.SequenceNumber", f"a string of at most {MAX_SEQUENCE_DIGITS} digits", _is_sequence),
        ("eventSourceARN", f"{stream!r}", lambda value: value == stream),
        ("dynamodb.OldImage", "an item, and none in INSERT", lambda value: _is_image(value, absent=name == "INSERT")),
        ("dynamodb.NewImage", "an item, and none in REMOVE", lambda value: _is_image(value, absent=name == "REMOVE")),
    ]
    field, allowed = next(
        ((field, allowed) for field, allowed, check in checks if not check(_get(record, field))), checks[-1][:2]
    )
    return f"Records[{index}].{field} is {_shown(_get(record, field))}; it must be {allowed}."


def _is_sequence(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= MAX_SEQUENCE_DIGITS


def _is_image(value: Any, *, absent: bool) -> bool:
    try:
        return not value if absent else bool(value) and (image_of(value), True)[1]
    except (AttributeError, TypeError):
        return False


def _get(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _shown(value: object) -> str:
    shown = f"{value!r}"
    return shown if len(shown) <= MAX_SHOWN_LENGTH else f"{shown[:MAX_SHOWN_LENGTH]}…"
