"""Reading valid and malformed stream records."""

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.testing.stream_events import StreamEvents
from functions.total.ledger import Image, Position
from functions.total.records import MalformedRecordError, _change, _usual_change, read_batch

MISSING = object()


def test_records_are_grouped_by_tag_in_the_order_of_the_batch() -> None:
    events = StreamEvents(label="2026-01-02T03:04:05.678", first_sequence=7)
    records = [events.insert("a"), events.insert("b", 4), events.modify("a", 2), events.remove("a", 2)]
    grouped, errors = read_batch({"Records": records})
    assert not errors
    assert list(grouped) == ["a", "b"]
    assert [(change.event, change.old, change.new) for change in grouped["a"]] == [
        ("INSERT", None, Image(1)),
        ("MODIFY", Image(1), Image(2)),
        ("REMOVE", Image(2), None),
    ]
    (other,) = grouped["b"]
    assert other.position == Position("2026-01-02T03:04:05.678", 8)
    assert other.table == "arn:aws:dynamodb:us-east-1:123456789012:table/visits"


def test_records_of_the_total_are_ignored() -> None:
    events = StreamEvents()
    assert read_batch({"Records": [events.modify("COUNTER", 3), events.remove("COUNTER", 3)]}) == ({}, [])


@pytest.mark.parametrize(
    ("count", "visits"),
    [
        ({"N": "3"}, 3),
        ({"N": "3.0"}, 3),
        ({"N": "1E+2"}, 100),
        ({"N": "1.5"}, None),
        ({"N": "Infinity"}, None),
        ({"S": "3"}, None),
        ({}, None),
    ],
)
def test_only_a_whole_number_is_a_count(count: dict[str, str], visits: int | None) -> None:
    record = StreamEvents().record("INSERT", "a", new={"ID": {"S": "a"}, "Count": count})
    assert read_batch({"Records": [record]}).changes["a"][0].new == Image(visits)


def test_an_item_without_a_count_has_zero_visits() -> None:
    record = StreamEvents().record("INSERT", "a", new={"ID": {"S": "a"}})
    assert read_batch({"Records": [record]}).changes["a"][0].new == Image(0)


@pytest.mark.parametrize(
    ("stored", "since"), [({"S": "2026-01-01"}, "2026-01-01"), ({"N": "5"}, ""), ({"S": 5}, ""), ({}, "")]
)
def test_only_a_string_identifies_a_life(stored: dict[str, Any], since: str) -> None:
    record = StreamEvents().record("INSERT", "a", new={"ID": {"S": "a"}, "Count": {"N": "1"}, "Since": stored})
    assert read_batch({"Records": [record]}).changes["a"][0].new == Image(1, since)


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
        ("dynamodb.NewImage", "x", "a mapping"),
        ("dynamodb.OldImage", [], "a mapping"),
        ("dynamodb.NewImage", {"Count": 3}, "a mapping of attribute names to values"),
        ("eventName", "UPSERT", "INSERT, MODIFY, REMOVE"),
        ("eventName", MISSING, "INSERT, MODIFY, REMOVE"),
        ("eventSourceARN", MISSING, "a string"),
        ("eventSourceARN", "arn:aws:sqs:eu-west-1:1:q", "/stream/LABEL"),
        ("eventSourceARN", "arn:aws:dynamodb:eu-west-1:1:table/t/stream/", "/stream/LABEL"),
    ],
)
def test_the_error_of_a_malformed_record_names_field_value_and_allowed_values(
    path: str, value: Any, allowed: str
) -> None:
    events = StreamEvents()
    records = [events.insert("good"), copy.deepcopy(events.insert("bad")), events.insert("good, too")]
    *parents, last = path.split(".")
    place: Any = records[1]
    for parent in parents:
        place = place[parent]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    changes, errors = read_batch({"Records": records})
    assert list(changes) == ["good", "good, too"]
    message = str(*errors)
    assert message.startswith("Records[1].")
    assert allowed in message
    assert ("None" if value is MISSING else "") in message
    if isinstance(value, str):
        assert repr(value) in message


def test_the_error_shortens_a_long_value() -> None:
    record = StreamEvents().record("x" * 10_000, "a")
    (error,) = read_batch({"Records": [record]}).errors
    assert f"is '{'x' * 99}…;" in str(error)
    record = StreamEvents().record("x" * 98, "a")
    (error,) = read_batch({"Records": [record]}).errors
    assert f"is '{'x' * 98}';" in str(error)


@pytest.mark.parametrize("record", [None, "x", [], {}, {"dynamodb": None}, {"dynamodb": {"Keys": "x"}}])
def test_a_malformed_record_never_stops_the_others(record: Any) -> None:
    changes, errors = read_batch({"Records": [record, StreamEvents().insert("good")]})
    assert list(changes) == ["good"]
    assert len(errors) == 1


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": "x"}])
def test_an_event_without_records_is_rejected(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Records is"):
        read_batch(event)


PLACES = [
    *(("eventName",), ("eventSourceARN",), ("dynamodb",), ("dynamodb", "SequenceNumber"), ("dynamodb", "Keys")),
    *(("dynamodb", "Keys", "ID", "S"), ("dynamodb", "OldImage"), ("dynamodb", "NewImage")),
    *(("dynamodb", "NewImage", name) for name in ("ID", "Count", "Since", "Reconciled")),
    *(("dynamodb", "OldImage", "Count", "N"), ("dynamodb", "OldImage", "Since", "S")),
]
VALUES: list[Any] = [
    *(
        MISSING,
        None,
        5,
        "",
        "COUNTER",
        "REMOVE",
        "INSERT",
        "²",
        "٣",
        "1.0",
        "-1",
        "9" * 39,
        [],
        {},
        {"S": "x"},
        {"N": 5},
    ),
]


MORE = [{}, {"Spread": {"N": "4"}}, {"Reconciled": {"S": "mark"}}, {"Spread": {"N": "4"}, "Reconciled": {"S": "mark"}}]


@given(st.sampled_from(MORE), st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), max_size=2))
def test_a_usual_record_is_read_as_any_other_is(
    more: dict[str, Any], changes: list[tuple[tuple[str, ...], Any]]
) -> None:
    check_that_both_read_alike(more, changes)


def test_a_usual_record_with_one_unusual_value_is_read_as_any_other_is() -> None:
    for more, path, value in itertools.product(MORE, PLACES, VALUES):
        check_that_both_read_alike(more, [(path, value)])


def check_that_both_read_alike(more: dict[str, Any], changes: list[tuple[tuple[str, ...], Any]]) -> None:
    images = [{"ID": {"S": "a"}, "Count": {"N": str(count)}, "Since": {"S": "2026"}, **more} for count in (1, 2)]
    record: dict[str, Any] = {**StreamEvents().record("MODIFY", "a", old=images[0], new=images[1])}
    assert _usual_change(record) == _change(0, record)
    for path, value in changes:
        replace(record, path, value)
    try:
        expected = _change(0, record)
    except MalformedRecordError:
        expected = None
    assert _usual_change(record) in (None, expected)


def replace(record: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *parents, last = path
    for parent in parents:
        if not isinstance(record := record.get(parent), dict):  # type: ignore[assignment]
            return
    if value is MISSING:
        record.pop(last, None)
    else:
        record[last] = value
