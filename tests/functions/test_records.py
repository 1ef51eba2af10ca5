"""Reading stream records, good and bad."""

import copy
from typing import Any

import pytest

from components.testing.stream_events import StreamEvents
from functions.ledger import Position
from functions.records import MalformedRecordError, changes_by_tag

MISSING = object()


def test_records_are_grouped_by_tag_in_the_order_of_the_batch() -> None:
    events = StreamEvents(label="2026-01-02T03:04:05.678", first_sequence=7)
    records = [events.insert("a"), events.insert("b", 4), events.modify("a", 2), events.remove("a", 2)]
    grouped = changes_by_tag({"Records": records})
    assert list(grouped) == ["a", "b"]
    assert [(change.visits, change.removed) for change in grouped["a"]] == [(1, False), (2, False), (None, True)]
    assert [change.position for change in grouped["b"]] == [Position("2026-01-02T03:04:05.678", 8)]


def test_the_total_itself_is_left_out() -> None:
    events = StreamEvents()
    assert changes_by_tag({"Records": [events.modify("COUNTER", 3), events.remove("COUNTER", 3)]}) == {}


@pytest.mark.parametrize(
    ("count", "visits"),
    [({"N": "3"}, 3), ({"N": "3.0"}, 3), ({"N": "1E+2"}, 100), ({"N": "1.5"}, None), ({"S": "3"}, None), ({}, None)],
)
def test_only_a_whole_number_is_a_count(count: dict[str, str], visits: int | None) -> None:
    record = StreamEvents().record("INSERT", "a", new={"ID": {"S": "a"}, "Count": count})
    assert changes_by_tag({"Records": [record]})["a"][0].visits == visits


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("dynamodb", MISSING, "a string"),
        ("dynamodb.Keys", [], "a string"),
        ("dynamodb.Keys.ID.S", MISSING, "a string"),
        ("dynamodb.Keys.ID", {"N": "1"}, "a string"),
        ("dynamodb.SequenceNumber", MISSING, "a string"),
        ("dynamodb.SequenceNumber", "1a", "digits"),
        ("dynamodb.SequenceNumber", "²", "digits"),
        ("dynamodb.SequenceNumber", 12, "a string"),
        ("dynamodb.NewImage", MISSING, "NEW_IMAGE or NEW_AND_OLD_IMAGES"),
        ("dynamodb.NewImage", "x", "NEW_IMAGE or NEW_AND_OLD_IMAGES"),
        ("eventName", "UPSERT", "INSERT, MODIFY, REMOVE"),
        ("eventName", MISSING, "INSERT, MODIFY, REMOVE"),
        ("eventSourceARN", MISSING, "a string"),
        ("eventSourceARN", "arn:aws:sqs:eu-west-1:1:q", "/stream/LABEL"),
        ("eventSourceARN", "arn:aws:dynamodb:eu-west-1:1:table/t/stream/", "/stream/LABEL"),
    ],
)
def test_a_malformed_record_is_named_with_field_value_and_what_is_allowed(path: str, value: Any, allowed: str) -> None:
    events = StreamEvents()
    records = [events.insert("good"), copy.deepcopy(events.insert("bad"))]
    *parents, last = path.split(".")
    place: Any = records[1]
    for parent in parents:
        place = place[parent]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(MalformedRecordError) as caught:
        changes_by_tag({"Records": records})
    message = str(caught.value)
    assert message.startswith("Records[1].")
    assert allowed in message
    assert ("None" if value is MISSING else "") in message
    if isinstance(value, str):
        assert repr(value) in message


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": "x"}])
def test_an_event_without_records_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Records is"):
        changes_by_tag(event)
