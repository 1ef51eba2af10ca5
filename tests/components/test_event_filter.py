"""Event filter patterns: accepted and rejected as Lambda's documentation and rule engine define them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import ArgumentError, StreamConsumer
from components.event_filter import EVENT_NAMES, MAX_PATTERN_LENGTH, OPERATORS, EventFilterError, check_event_filter
from components.stream_triggered_counter import ONLY_TAGS
from components.testing import RecordingMonitor, run

from .test_stream_consumer import OWN


def new_image(*values: Any, kind: str = "S") -> dict[str, Any]:
    return {"dynamodb": {"NewImage": {"City": {kind: list(values)}}}}


ACCEPTED: list[Any] = [
    {"eventName": ["REMOVE"]},
    {"eventName": ["INSERT", "MODIFY"], **new_image("Oslo")},
    {"eventName": [{"anything-but": ["REMOVE"]}]},
    {"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}},
    {"dynamodb": {"SizeBytes": [{"numeric": ["<", 1_000]}], "StreamViewType": ["NEW_IMAGE"]}},
    {"dynamodb": {"Keys": {"ID": {"S": [{"prefix": "news/"}]}}}},
    new_image(""),
    new_image(None),
    new_image({"equals-ignore-case": "oslo"}),
    new_image({"suffix": "lo"}),
    new_image({"anything-but": "Oslo"}),
    new_image({"anything-but": ["Oslo", "Rome"]}),
    new_image({"anything-but": 5}),
    new_image({"anything-but": [5, 6.5]}),
    new_image({"numeric": ["=", 5]}, kind="N"),
    new_image({"numeric": [">", -1.5, "<=", 1e9]}, kind="N"),
    new_image({"exists": True}),
    new_image({"exists": False}),
    new_image("Oslo", {"prefix": "R"}, {"exists": False}),
    new_image(True, kind="BOOL"),
    {"dynamodb": {"OldImage": {"Home": {"M": {"City": {"S": ["Oslo"]}}}}}},
    {"dynamodb": {"OldImage": {"Homes": {"L": {"M": {"City": {"S": ["Oslo"]}}}}}}},
    {"$or": [{"eventName": ["REMOVE"]}, new_image("Oslo")]},
    {"dynamodb": {"NewImage": {"$or": [{"A": {"S": ["a"]}}, {"B": {"S": ["b"]}}]}}},
    # An attribute may have the name of an operator or of a field.
    {"dynamodb": {"NewImage": {"prefix": {"S": ["a"]}, "eventName": {"S": ["anything"]}}}},
]

CITY = "dynamodb.NewImage.City.S[0]"
RULE = "a filter rule as JSON text"
VALUES = "a list of one or more values and comparisons"
REJECTED: list[tuple[Any, str, str, str]] = [
    ("REMOVE", "", "is not valid JSON (Expecting value: line 1 column 1 (char 0))", RULE),
    ("{eventName: ['REMOVE']}", "", "is not valid JSON (Expecting property name", RULE),
    ('{"eventName": ["REMOVE"]', "", "is not valid JSON (Expecting ',' delimiter", RULE),
    ('{"dynamodb": {"SizeBytes": [NaN]}}', "", "is not valid JSON (NaN is not JSON)", RULE),
    ("[" * 4_000, "", "is nested too deeply", RULE),
    ('{"dynamodb": {"Keys": {"a": ' + '{"L": ' * 650, "", "is not valid JSON", RULE),
    (" " * 4_097, "", "4,097 characters are too many", "4,096 or fewer"),
    ('{"eventName": ["REMOVE"], "eventName": ["INSERT"]}', "eventName", "appears twice", "each name once"),
    ([], "", "[] is not an object", "an object with awsRegion, dynamodb, eventID"),
    ("null", "", "null is not an object", "an object with awsRegion"),
    ({}, "", "is an empty object", "an object with awsRegion"),
    ({"dynamodb": {}}, "dynamodb", "is an empty object", "an object with ApproximateCreationDateTime, Keys"),
    ({"eventName": "REMOVE"}, "eventName", '"REMOVE" is not a list', VALUES),
    ({"eventName": {"prefix": "R"}}, "eventName", '{"prefix": "R"} is not a list', VALUES),
    ({"eventName": []}, "eventName", "is an empty list, which nothing matches", "[null] for null"),
    ({"eventName": ["DELETE"]}, "eventName[0]", '"DELETE" is not the name of an event', "INSERT, MODIFY, REMOVE"),
    ({"eventName": ["REMOVE", "remove"]}, "eventName[1]", '"remove" is not the name', "INSERT, MODIFY, REMOVE"),
    ({"eventName": [["REMOVE"]]}, "eventName[0]", '["REMOVE"] is a list in a list', "text, a number, true, false"),
    ({"eventname": ["REMOVE"]}, "eventname", "is not a field of a stream record", "eventName"),
    ({"body": {"a": ["b"]}}, "body", "is not a field of a stream record", "awsRegion, dynamodb"),
    (
        {"dynamodb": {"Key": {"ID": {"S": ["a"]}}}},
        "dynamodb.Key",
        "is not a field of a stream record",
        "Keys, NewImage",
    ),
    ({"dynamodb": {"Keys": {"ID": ["a"]}}}, "dynamodb.Keys.ID", '["a"] is not an object', "an object with B, BOOL, BS"),
    (
        {"dynamodb": {"Keys": {"ID": {"s": ["a"]}}}},
        "dynamodb.Keys.ID.s",
        "is not a field of a stream record",
        "NULL, S",
    ),
    (
        {"dynamodb": {"OldImage": [{"exists": False}]}},
        "dynamodb.OldImage",
        '[{"exists": false}] is not an object',
        "an object with the names of attributes",
    ),
    (
        new_image({"wildcard": "O*"}),
        f"{CITY}.wildcard",
        "is not an operator",
        "anything-but, equals",
    ),
    (new_image({"Prefix": "O"}), f"{CITY}.Prefix", "is not an operator", "prefix, suffix"),
    (new_image({}), CITY, "has 0 operators", "one of anything-but"),
    (
        new_image({"prefix": "O", "suffix": "o"}),
        CITY,
        "has 2 operators",
        "one of anything-but",
    ),
    (new_image({"prefix": 5}), f"{CITY}.prefix", "5 is not text", "text"),
    (new_image({"suffix": ["a"]}), f"{CITY}.suffix", '["a"] is not text', "text"),
    (new_image({"prefix": {"equals-ignore-case": "a"}}), f"{CITY}.prefix", "is not text", "text"),
    (new_image({"equals-ignore-case": None}), f"{CITY}.equals-ignore-case", "null is not", "text"),
    (new_image({"exists": "true"}), f"{CITY}.exists", '"true" is not a boolean', "true or false"),
    (new_image({"anything-but": []}), f"{CITY}.anything-but", "[] is not supported", "text, a num"),
    (
        new_image({"anything-but": ["a", 1]}),
        f"{CITY}.anything-but",
        '["a", 1] is not',
        "text, a num",
    ),
    (new_image({"anything-but": True}), f"{CITY}.anything-but", "true is not supp", "text, a num"),
    (
        new_image({"anything-but": {"prefix": "a"}}),
        f"{CITY}.anything-but",
        '{"prefix": "a"} is not supported',
        "a list of text",
    ),
    (new_image({"numeric": 5}), f"{CITY}.numeric", "5 is not a comparison", "[comparison, number]"),
    (new_image({"numeric": []}), f"{CITY}.numeric", "[] is not a comparison", "[comparison, num"),
    (new_image({"numeric": ["=="]}), f"{CITY}.numeric", '["=="] is not', "=, >, >=, <, <="),
    (new_image({"numeric": ["!=", 5]}), f"{CITY}.numeric", '["!=", 5] is not', "=, >, >=, <, <="),
    (new_image({"numeric": ["=", "5"]}), f"{CITY}.numeric", '["=", "5"] is not', "[comparison"),
    (
        new_image({"numeric": ["<", 5, ">", 1]}),
        f"{CITY}.numeric",
        "is not a comp",
        "[lower, number",
    ),
    (
        new_image({"numeric": [">", 5, "<", 5]}),
        f"{CITY}.numeric",
        "is empty",
        "a lower limit below",
    ),
    (new_image({"numeric": ["=", 10**400]}), f"{CITY}.numeric", "is not a comp", "[comparison"),
    (
        {"$or": {"eventName": ["REMOVE"]}},
        "$or",
        '{"eventName": ["REMOVE"]} is not a choice',
        "a list of two or more objects",
    ),
    ({"$or": [{"eventName": ["REMOVE"]}]}, "$or", "is not a choice", "a list of two or more"),
    ({"$or": [{"eventName": ["REMOVE"]}, "x"]}, "$or[1]", '"x" is not an object', "an object with awsRegion"),
    ({"$or": [{"eventName": "REMOVE"}, new_image("a")]}, "$or[0].eventName", '"REMOVE" is not a list', VALUES),
    ({"$or": [{"eventName": ["GONE"]}, new_image("a")]}, "$or[0].eventName[0]", '"GONE" is not the name', "INSERT"),
    (
        {"dynamodb": {"Keys": {"$or": [{"exists": {"S": ["a"]}}, {"ID": {"S": ["a"]}}]}}},
        "dynamodb.Keys.$or[0].exists",
        "is an operator, not a field inside $or",
        "a field",
    ),
]


def text(pattern: Any) -> str:
    return pattern if isinstance(pattern, str) else json.dumps(pattern)


@pytest.mark.parametrize("pattern", ACCEPTED, ids=text)
def test_documented_pattern_is_accepted(pattern: Any) -> None:
    check_event_filter(text(pattern))


@pytest.mark.parametrize(("pattern", "path", "problem", "allowed"), REJECTED, ids=lambda part: text(part)[:40])
def test_invalid_pattern_names_the_wrong_part(pattern: Any, path: str, problem: str, allowed: str) -> None:
    with pytest.raises(EventFilterError) as raised:
        check_event_filter(text(pattern))
    assert raised.value.path == path
    assert problem in raised.value.problem
    assert allowed in raised.value.allowed
    assert len(str(raised.value)) < 400


def test_own_filter_is_accepted() -> None:
    check_event_filter(ONLY_TAGS)


@pytest.mark.parametrize("extra", [0, 1])
def test_pattern_length_limit(extra: int) -> None:
    length = MAX_PATTERN_LENGTH + extra
    pattern = json.dumps({"eventName": ["REMOVE"]}).ljust(length)
    if extra:
        with pytest.raises(EventFilterError, match="4,097 characters are too many"):
            check_event_filter(pattern)
    else:
        check_event_filter(pattern)


scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["eventName", "dynamodb", "Keys", "ID", "S", "L", "$or", *OPERATORS]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


def leaves(rule: Any) -> list[Any]:
    """List the values at which a pattern's objects end, as Lambda reads it: every list but that of `$or`."""
    found: list[Any] = []
    for name, value in rule.items():
        if name == "$or":
            found += [leaf for alternative in value for leaf in leaves(alternative)]
        else:
            found += leaves(value) if isinstance(value, dict) else [value]
    return found


@given(documents)
def test_any_document_is_accepted_or_rejected(document: Any) -> None:
    try:
        check_event_filter(json.dumps(document))
    except EventFilterError:
        return
    assert all(isinstance(leaf, list) and leaf for leaf in leaves(document))


@given(st.text(max_size=40))
def test_any_text_is_accepted_or_rejected(pattern: str) -> None:
    try:
        check_event_filter(pattern)
    except EventFilterError:
        return
    assert isinstance(json.loads(pattern), dict)


conditions = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.integers(-99, 99),
    st.builds(lambda operator, value: {operator: value}, st.sampled_from(["prefix", "suffix"]), st.text(max_size=5)),
    st.builds(lambda value: {"equals-ignore-case": value}, st.text(max_size=5)),
    st.builds(lambda value: {"exists": value}, st.booleans()),
    st.builds(lambda values: {"anything-but": values}, st.lists(st.text(max_size=5), min_size=1, max_size=3)),
    st.builds(lambda low, width: {"numeric": [">=", low, "<", low + width]}, st.integers(-9, 9), st.integers(1, 9)),
)
images = st.dictionaries(
    st.text(min_size=1, max_size=5).filter(lambda name: name != "$or"),
    st.builds(
        lambda kind, values: {kind: values},
        st.sampled_from(["S", "N", "B"]),
        st.lists(conditions, min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=3,
)


@given(images, st.sampled_from(EVENT_NAMES))
def test_any_condition_on_attributes_is_accepted(image: Any, name: str) -> None:
    check_event_filter(json.dumps({"eventName": [name], "dynamodb": {"NewImage": image}}))


@pytest.mark.parametrize(
    ("given_filter", "message"),
    [
        (
            '{"eventName": "REMOVE"}',
            'filters[0].eventName: "REMOVE" is not a list; allowed: a list of one or more values and comparisons, such '
            'as ["REMOVE"]',
        ),
        ("REMOVE", "filters[0]: is not valid JSON (Expecting value: line 1 column 1 (char 0)); allowed: " + RULE),
        (
            {"eventName": ["REMOVE"]},
            "filters[0]: a value of type dict is not text; allowed: JSON text; use json.dumps",
        ),
    ],
)
def test_consumer_rejects_an_invalid_filter(given_filter: Any, message: str) -> None:
    monitor = RecordingMonitor()
    args: Any = OWN | {"filters": [given_filter]}
    with pytest.raises(ArgumentError) as raised:
        run(lambda: StreamConsumer("audit", args), monitor=monitor)
    assert str(raised.value) == message
    assert [resource.type for resource in monitor.resources] == ["pulumi:pulumi:Stack"]
