"""Reading DynamoDB stream records: from the event that Lambda hands over to changes of tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from .items import COUNTER, KEY, whole_number
from .ledger import Change, Position

EVENT_NAMES = ("INSERT", "MODIFY", "REMOVE")


class MalformedRecordError(ValueError):
    """A stream record that cannot be read; the message names its field, the value and what is allowed."""

    def __init__(self, index: int, field: str, value: object, allowed: str) -> None:
        super().__init__(f"Records[{index}].{field} is {value!r}; it must be {allowed}.")


def changes_by_tag(event: Mapping[str, Any]) -> dict[str, list[Change]]:
    """Group the records of a stream event by tag, each tag's in the order of the batch; `COUNTER` is left out.

    Raises MalformedRecordError on the first record that cannot be read, before anything of the batch is written.
    """
    records = event.get("Records")
    if not isinstance(records, list):
        raise ValueError(f"Records is {records!r}; it must be the list of a DynamoDB stream event's records.")  # noqa: TRY004
    grouped: dict[str, list[Change]] = {}
    for change in _changes(records):
        grouped.setdefault(change.tag, []).append(change)
    return grouped


def _changes(records: Iterable[Any]) -> Iterable[Change]:
    for index, record in enumerate(records):
        tag = _string(index, record, "dynamodb.Keys", KEY, "S")
        if tag != COUNTER:
            yield _change(index, record, tag)


def _change(index: int, record: Mapping[str, Any], tag: str) -> Change:
    name = record.get("eventName")
    if name not in EVENT_NAMES:
        raise MalformedRecordError(index, "eventName", name, f"one of {', '.join(EVENT_NAMES)}")
    sequence = _string(index, record, "dynamodb", "SequenceNumber")
    if not (sequence.isascii() and sequence.isdigit()):
        raise MalformedRecordError(index, "dynamodb.SequenceNumber", sequence, "a string of digits")
    position = Position(_stream_label(index, record), int(sequence))
    image = record["dynamodb"].get("NewImage")
    if name != "REMOVE" and not isinstance(image, Mapping):
        allowed = "the item's new image: the stream's view type must be NEW_IMAGE or NEW_AND_OLD_IMAGES"
        raise MalformedRecordError(index, "dynamodb.NewImage", image, allowed)
    return Change(tag, position, sequence, whole_number(image, "Count"), name == "REMOVE")


def _stream_label(index: int, record: Mapping[str, Any]) -> str:
    arn = _string(index, record, "eventSourceARN")
    _, found, label = arn.partition("/stream/")
    if not found or not label:
        raise MalformedRecordError(
            index, "eventSourceARN", arn, "the ARN of a DynamoDB stream, ending in /stream/LABEL"
        )
    return label


def _string(index: int, record: Any, *path: str) -> str:
    value: Any = record
    for key in ".".join(path).split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        raise MalformedRecordError(index, ".".join(path), value, "a string")
    return value
