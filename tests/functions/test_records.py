"""Reading valid and malformed stream events."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.testing.stream_events import StreamEvents
from functions.total.generation import Change, Image
from functions.total.records import Batch, EventError, image_of, read_batch
from tests.functions.events import SHARD, batch

MISSING = object()


def read(*records: Any, **more: Any) -> Batch:
    return read_batch(batch(StreamEvents().insert("first"), **more) | {"Records": list(records)})


def test_records_are_read_in_the_order_of_the_batch() -> None:
    events = StreamEvents(first_sequence=7)
    records = [events.insert("a"), events.insert("b", 4), events.modify("a", 2), events.remove("a", 2)]
    created = records[0]["dynamodb"]["ApproximateCreationDateTime"]
    assert read(*records) == Batch(
        SHARD,
        events.stream_arn,
        [
            Change(7, created, "a", None, Image(1)),
            Change(8, created, "b", None, Image(4)),
            Change(9, created, "a", Image(1), Image(2)),
            Change(10, created, "a", Image(2), None),
        ],
        [],
    )


def test_records_out_of_order_are_sorted_and_each_read_once() -> None:
    events = StreamEvents(first_sequence=8)
    records = [events.insert(tag) for tag in "abcd"]
    found = read(records[2], records[0], records[3], records[0], records[1])
    assert [change.key for change in found.changes] == ["a", "b", "c", "d"]


def test_records_without_a_count_are_left_out() -> None:
    events = StreamEvents()
    note = {"ID": {"S": "note"}, "Text": {"S": "x"}}
    records = [events.modify("COUNTER", 3), events.remove("COUNTER", 3), events.insert("COUNTER/%/1")]
    records += [events.record("INSERT", "note", new=note), events.insert("COUNTERS")]
    found = read(*records)
    assert [change.key for change in found.changes] == ["COUNTERS"]
    assert found.problems == []


@pytest.mark.parametrize(
    ("item", "image"),
    [
        ({}, None),
        ({"Count": {"N": "3"}}, Image(3)),
        ({"Count": {"N": "3.0"}}, Image(3)),
        ({"Count": {"N": "-3"}}, Image(-3)),
        ({"Count": {"N": "1E+2"}}, Image(100)),
        ({"Count": {"N": "9" * 30}}, Image(10**30 - 1)),
        ({"Count": {"N": "9" * 31}}, Image(None)),
        ({"Count": {"N": "1E+37"}}, Image(None)),
        ({"Count": {"N": "1E+999999999999999999999"}}, Image(None)),
        ({"Count": {"N": "9" * 5000}}, Image(None)),
        ({"Count": {"N": "2.5"}}, Image(None)),
        ({"Count": {"N": "Infinity"}}, Image(None)),
        ({"Count": {"N": "NaN"}}, Image(None)),
        ({"Count": {"S": "3"}}, Image(None)),
        ({"Count": {"NULL": True}}, Image(None)),
        ({"Count": {}}, Image(None)),
        ({"Count": {"N": "3"}, "Since": {"S": "2026"}, "Reconciled": {"S": "mark"}}, Image(3, "mark", "2026")),
        ({"Count": {"N": "3"}, "Since": {"N": "5"}, "Reconciled": {"BOOL": True}}, Image(3, "?")),
        ({"Count": {"N": "3"}, "Since": {"S": 5}, "Reconciled": {}}, Image(3, "?")),
    ],
)
def test_image_of_item(item: dict[str, Any], image: Image | None) -> None:
    assert image_of({"ID": {"S": "a"}, **item}) == image


ONES = f"'{'1' * 99}…"
NO_KEY = "dynamodb.Keys.ID.S is None; it must be a string that is not empty."
DIGITS = "it must be a string of at most 40 digits."
OLD, NEW = "it must be an item, and none in INSERT.", "it must be an item, and none in REMOVE."
NAMES = "it must be one of INSERT, MODIFY, REMOVE."


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("dynamodb", MISSING, NO_KEY),
        ("dynamodb.Keys", [], NO_KEY),
        ("dynamodb.Keys.ID", {"N": "1"}, NO_KEY),
        ("dynamodb.Keys.ID.S", MISSING, NO_KEY),
        ("dynamodb.Keys.ID.S", "", "dynamodb.Keys.ID.S is ''; it must be a string that is not empty."),
        ("dynamodb.Keys.ID.S", 5, "dynamodb.Keys.ID.S is 5; it must be a string that is not empty."),
        ("dynamodb.SequenceNumber", MISSING, f"dynamodb.SequenceNumber is None; {DIGITS}"),
        ("dynamodb.SequenceNumber", "1a", f"dynamodb.SequenceNumber is '1a'; {DIGITS}"),
        ("dynamodb.SequenceNumber", "", f"dynamodb.SequenceNumber is ''; {DIGITS}"),
        ("dynamodb.SequenceNumber", "²", f"dynamodb.SequenceNumber is '²'; {DIGITS}"),
        ("dynamodb.SequenceNumber", "٣", f"dynamodb.SequenceNumber is '٣'; {DIGITS}"),
        ("dynamodb.SequenceNumber", "-1", f"dynamodb.SequenceNumber is '-1'; {DIGITS}"),
        ("dynamodb.SequenceNumber", "1" * 41, f"dynamodb.SequenceNumber is '{'1' * 41}'; {DIGITS}"),
        ("dynamodb.SequenceNumber", "1" * 5000, f"dynamodb.SequenceNumber is {ONES}; {DIGITS}"),
        ("dynamodb.SequenceNumber", 12, f"dynamodb.SequenceNumber is 12; {DIGITS}"),
        ("dynamodb.NewImage", MISSING, f"dynamodb.NewImage is None; {NEW}"),
        ("dynamodb.NewImage", {}, f"dynamodb.NewImage is {{}}; {NEW}"),
        ("dynamodb.OldImage", MISSING, f"dynamodb.OldImage is None; {OLD}"),
        ("dynamodb.NewImage", "x", f"dynamodb.NewImage is 'x'; {NEW}"),
        ("dynamodb.OldImage", [1], f"dynamodb.OldImage is [1]; {OLD}"),
        ("dynamodb.NewImage", {"Count": 3}, f"dynamodb.NewImage is {{'Count': 3}}; {NEW}"),
        (
            "dynamodb.NewImage.Since",
            "x",
            "dynamodb.NewImage is {'ID': {'S': 'bad'}, 'Count': {'N': '2'}, 'Since': 'x'};",
        ),
        ("eventName", "UPSERT", f"eventName is 'UPSERT'; {NAMES}"),
        ("eventName", MISSING, f"eventName is None; {NAMES}"),
        ("eventName", "INSERT", f"dynamodb.OldImage is {{'ID': {{'S': 'bad'}}, 'Count': {{'N': '1'}}}}; {OLD}"),
        ("eventName", "REMOVE", f"dynamodb.NewImage is {{'ID': {{'S': 'bad'}}, 'Count': {{'N': '2'}}}}; {NEW}"),
        ("eventSourceARN", MISSING, "eventSourceARN is None; it must be 'arn:aws:dynamodb:us-east-1:"),
        ("eventSourceARN", "arn:aws:sqs:eu-west-1:1:q", "eventSourceARN is 'arn:aws:sqs:eu-west-1:1:q'; it must be "),
    ],
)
def test_malformed_record_error_names_field_value_and_rule(path: str, value: Any, message: str) -> None:
    events = StreamEvents()
    records = [events.insert("good"), copy.deepcopy(events.modify("bad", 2)), events.insert("good, too")]
    replace(records[1], tuple(path.split(".")), value)
    found = read(*records)
    assert [change.key for change in found.changes] == ["good", "good, too"]
    (problem,) = found.problems
    assert problem.startswith(f"Records[1].{message}")


@pytest.mark.parametrize("record", [None, "x", 5, [], {}, {"dynamodb": None}, {"dynamodb": {"Keys": "x"}}])
def test_malformed_record_never_stops_the_others(record: Any) -> None:
    found = read(record, StreamEvents().insert("good"))
    assert [change.key for change in found.changes] == ["good"]
    assert len(found.problems) == 1


def test_long_value_is_shortened_in_the_error() -> None:
    for value, shown in (("x" * 98, f"'{'x' * 98}'"), ("x" * 10_000, f"'{'x' * 99}…")):
        (problem,) = read(StreamEvents().record(value, "a")).problems
        assert f"is {shown};" in problem


def test_malformed_count_is_named_once_for_each_item() -> None:
    events = StreamEvents()
    bad: dict[str, Any] = {"ID": {"S": "a"}, "Count": {"N": "2.5"}}
    worse = {"ID": {"S": "a"}, "Count": {"S": "x" * 500}}
    records = [
        events.record("INSERT", "a", new=bad),
        events.insert("b"),
        events.record("MODIFY", "a", old=bad, new=worse),
    ]
    records += [events.record("REMOVE", "c", old=bad), events.record("MODIFY", "d", old=bad, new=events_item("d", 3))]
    found = read(*records)
    assert found.problems == [
        f"The count of item 'a' is {{'S': '{'x' * 93}…; it must be a whole number of at most 30 digits.",
        "The count of item 'c' is {'N': '2.5'}; it must be a whole number of at most 30 digits.",
    ]
    assert len(found.changes) == 5


def events_item(tag: str, count: int) -> dict[str, Any]:
    return {"ID": {"S": tag}, "Count": {"N": str(count)}}


@pytest.mark.parametrize(
    "arn", [None, 5, "", "arn:aws:sqs:eu-west-1:1:q", "arn:aws:dynamodb:eu-west-1:1:table/t/stream/"]
)
def test_event_of_something_else_is_refused(arn: Any) -> None:
    with pytest.raises(EventError, match=r"^eventSourceARN is .*; it must be the ARN of a DynamoDB stream"):
        read(StreamEvents().insert("a"), eventSourceARN=arn)


VALUES = st.sampled_from(
    [MISSING, None, 5, "", "COUNTER", "REMOVE", "²", "1.0", "-1", "9" * 39, "1" * 5000, [], {}, {"S": "x"}, {"N": 5}]
)
PLACES = st.sampled_from(
    [
        *(("eventName",), ("eventSourceARN",), ("dynamodb",), ("dynamodb", "SequenceNumber"), ("dynamodb", "Keys")),
        *(
            ("dynamodb", "Keys", "ID"),
            ("dynamodb", "Keys", "ID", "S"),
            ("dynamodb", "OldImage"),
            ("dynamodb", "NewImage"),
        ),
        *(("dynamodb", "NewImage", name) for name in ("Count", "Since", "Reconciled")),
        *(("dynamodb", "OldImage", "Count", "N"), ("dynamodb", "ApproximateCreationDateTime")),
    ]
)


@given(st.lists(st.tuples(PLACES, VALUES), min_size=1, max_size=3))
def test_any_record_is_read_or_named(changes: list[tuple[tuple[str, ...], Any]]) -> None:
    events = StreamEvents()
    record, good = copy.deepcopy(events.modify("a", 2)), events.insert("good")
    for path, value in changes:
        replace(record, path, value)
    found = read(record, good)
    assert found.changes[-1].key == "good"
    assert len(found.problems) <= 1
    for change in found.changes:
        assert isinstance(change.key, str)
        assert 0 <= change.sequence < 10**40


def replace(record: Any, path: tuple[str, ...], value: Any) -> None:
    *parents, last = path
    for parent in parents:
        record = record.get(parent) if isinstance(record, dict) else None
    if isinstance(record, dict):
        if value is MISSING:
            record.pop(last, None)
        else:
            record[last] = value
