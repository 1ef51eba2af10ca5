"""The item COUNTER: reading it, the requests that change it, and its size."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.dynamodb.description import TableDescription
from functions.total import counter as counters
from functions.total.counter import Counter, Position, read_counter
from functions.total.generation import Change, Generation, Sum
from functions.view_counts import shown_total

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
STORED: dict[str, Any] = {
    "ID": {"S": "COUNTER"},
    "TotalViews": {"N": "7"},
    "Held": {"N": "7"},
    "Ended": {"N": "2"},
    "Generation": {"S": "mark"},
    "GenerationTime": {"S": "2026-11-01"},
    "Positions": {"M": {"1-a": {"S": f"41@{SECONDS - 60}"}, "2-b": {"S": f"9@{SECONDS - 93_601}"}}},
    "Table": {"S": "visits@then"},
    "UpdatedAt": {"S": "2026-11-27"},
}
REBUILD = {
    "Next": {"S": "next"},
    "NextTime": {"S": "2026-11-28"},
    "NextViews": {"N": "3"},
    "NextMarks": {"N": "1"},
    "Accepted": {"SS": ["next"]},
}
POSITIONS = {"1-a": Position(41, SECONDS - 60), "2-b": Position(9, SECONDS - 93_601)}
PRESENT = Generation("mark", "2026-11-01", frozenset({"mark", "mark+"}))
COUNTER = Counter(7, 2, PRESENT, None, 0, POSITIONS, False, "2026-11-27")


def rebuilding() -> Counter:
    accepts = PRESENT._replace(accepts=PRESENT.accepts | {"next", "next+"})
    following = Generation("next", "2026-11-28", frozenset({"next", "next+"}))
    return COUNTER._replace(present=accepts, following=following, beside=3, marks=1)


def added(total: int = 0, ended: int = 0, following: int = 0, sequence: int = 50, created: Any = SECONDS - 1) -> Sum:
    return Sum(1, Change(sequence, created, "a", None, None), total, ended, following, {}, marks=2)


def committed(counter: Counter, shard: str, sums: Sum) -> tuple[dict[str, Any], Counter]:
    """Return the update, without the table, and COUNTER after it."""
    request, after = counters.commit("visits", counter, shard, sums, NOW)
    assert (request.pop("TableName"), request.pop("Key")) == ("visits", {"ID": {"S": "COUNTER"}})
    used = re.findall(r"#\w+", request["UpdateExpression"] + request["ConditionExpression"])
    assert set(request.pop("ExpressionAttributeNames")) == set(used)
    return request, after


def test_intact_item_is_read() -> None:
    assert read_counter(STORED, "visits@then") == COUNTER
    assert read_counter(STORED | {"Rebuilding": {"BOOL": True}}, "visits@then") == COUNTER._replace(rebuilding=True)
    assert read_counter(STORED | REBUILD, "visits@then") == rebuilding()


@pytest.mark.parametrize(
    ("shard", "position"),
    [("shardId-00000001-a", 41), ("1-a", 41), ("shardId-00000002-b", 9), ("shardId-00", -1)],
)
def test_position_of_shard(shard: str, position: int) -> None:
    assert COUNTER.position(shard) == position


@pytest.mark.parametrize(
    ("positions", "older"),
    [
        ({"1-a": Position(41, SECONDS)}, False),
        ({"1-a": Position(42, SECONDS), "3-c": Position(1, SECONDS)}, False),
        ({"1-a": Position(40, SECONDS), "2-b": Position(9, SECONDS)}, True),
        ({"2-b": Position(9, SECONDS)}, True),
        ({}, True),
    ],
)
def test_older_copy_lacks_a_position(positions: dict[str, Position], older: bool) -> None:
    assert COUNTER._replace(positions=positions).is_older(COUNTER, NOW) is older


@pytest.mark.parametrize(("hours", "older"), [(25.9, True), (25.95, False)])
def test_dropped_position_does_not_make_a_copy_older(hours: float, older: bool) -> None:
    known = COUNTER._replace(positions={"1-a": Position(41, SECONDS - int(hours * 3600))})
    assert COUNTER._replace(positions={}).is_older(known, NOW) is older


@pytest.mark.parametrize(
    ("item", "total", "updated", "rebuilding"),
    [
        ({}, 0, None, False),
        (STORED, 7, "2026-11-27", False),
        (STORED | {"Rebuilding": {"BOOL": True}}, 7, "2026-11-27", True),
        (STORED | {"TotalViews": {"N": "8"}}, 8, "2026-11-27", True),
        (STORED | {"TotalViews": {"S": "x"}}, 0, "2026-11-27", True),
        ({"TotalViews": {"N": "100"}, "UpdatedAt": {"S": "then"}}, 100, "then", False),
        ({"TotalViews": {"N": "1.5"}}, 0, None, True),
    ],
)
def test_shown_total(item: dict[str, Any], total: int, updated: str | None, rebuilding: bool) -> None:
    shown = {"total": total, "asOf": updated, **({"rebuilding": True} if rebuilding else {})}
    assert shown_total(item) == shown


def test_commit_of_visits() -> None:
    request, after = committed(COUNTER._replace(positions={"1-a": POSITIONS["1-a"]}), "1-a", added(total=3))
    assert request["ExpressionAttributeValues"].pop(":now")["S"].endswith("Z")
    assert request == {
        "UpdateExpression": "SET #Positions.#shard = :position, #UpdatedAt = :now"
        " ADD #TotalViews :total, #Held :total, #Ended :ended",
        "ConditionExpression": "#Generation = :generation AND #TotalViews = #Held AND #Positions.#shard = :seen"
        " AND attribute_not_exists(#Next)",
        "ExpressionAttributeValues": {
            ":generation": {"S": "mark"},
            ":position": {"S": f"50@{SECONDS - 1}"},
            ":seen": {"S": f"41@{SECONDS - 60}"},
            ":total": {"N": "3"},
            ":ended": {"N": "0"},
        },
    }
    assert (after.total, after.ended, after.positions) == (10, 2, {"1-a": Position(50, SECONDS - 1)})


def test_commit_during_a_rebuild_from_a_new_shard() -> None:
    request, after = committed(rebuilding(), "shardId-0003-c", added(-2, 4, 5))
    assert request["UpdateExpression"] == (
        "SET #Positions.#shard = :position, #UpdatedAt = :now"
        " ADD #TotalViews :total, #Held :total, #Ended :ended, #NextViews :beside, #NextMarks :marks"
        " REMOVE #Positions.#old0"
    )
    assert request["ConditionExpression"] == (
        "#Generation = :generation AND #TotalViews = #Held AND attribute_not_exists(#Positions.#shard)"
        " AND #Next = :next"
    )
    numbers = {name: value["N"] for name, value in request["ExpressionAttributeValues"].items() if "N" in value}
    assert numbers == {":total": "-2", ":ended": "4", ":beside": "5", ":marks": "2"}
    assert (after.total, after.ended, after.beside, after.marks) == (5, 6, 8, 3)
    assert list(after.positions) == ["1-a", "3-c"]


def test_commit_that_leaves_the_total_keeps_its_time() -> None:
    request, after = committed(COUNTER, "1-a", added())
    assert "#UpdatedAt" not in request["UpdateExpression"]
    assert (after.total, after.updated) == (7, "2026-11-27")


@pytest.mark.parametrize("created", [None, "x", 0, SECONDS - 93_601, SECONDS + 60, float("nan")])
def test_unusable_time_of_record_becomes_now(created: Any) -> None:
    _, after = committed(COUNTER, "1-a", added(created=created))
    assert after.positions["1-a"] == Position(50, SECONDS)


def description(**more: Any) -> TableDescription:
    arn, created = "arn:aws:dynamodb:eu-west-1:123456789012:table/visits", NOW - timedelta(hours=1)
    label = created.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return TableDescription({"TableArn": arn, "CreationDateTime": created, "LatestStreamLabel": label, **more})


def test_description_of_table() -> None:
    table = description(ItemCount=5)
    assert (table.identity, table.items) == ("visits@2026-11-28T09:00:00.000+00:00", 5)
    assert table.begins == "2026-11-28T08:55:00.000000Z"
    assert table.owns(f"{table.arn}/stream/2026-11-28T08:56:00.000")
    assert not table.owns(f"{table.arn}/stream/2026-11-28T08:54:00.000")
    assert not table.owns(f"{table.arn}s/stream/2026-11-28T09:00:00.000")


def size(value: Any) -> int:
    """Return the size of an attribute value in bytes (DynamoDB Developer Guide, "Item sizes and formats")."""
    ((kind, stored),) = value.items()
    match kind:
        case "M":
            return 3 + sum(len(name) + size(part) + 1 for name, part in stored.items())
        case "SS":
            return 3 + sum(len(each) + 1 for each in stored)
        case "N":
            return len(stored) // 2 + 2
        case _:
            return 1 if kind == "BOOL" else len(stored)


def test_item_with_28_positions_takes_two_write_units() -> None:
    shards = [f"shardId-0000000{1_795_856_760_000 + number}-1a2b3c4d" for number in range(28)]
    (start, _) = counters.start("counter-table-3e3fafd", {}, description(), NOW, is_new=False)
    item = {name.removeprefix(":"): value for name, value in start["ExpressionAttributeValues"].items()}
    position = {"S": str(Position(10**25 - 1, SECONDS))}
    item |= {"ID": {"S": "COUNTER"}, "Positions": {"M": {counters.shard_key(shard): position for shard in shards}}}
    item |= {name: {"N": "9" * 15} for name in ("TotalViews", "Held", "Ended", "NextViews", "NextMarks")}
    item |= {"Next": item["Generation"], "NextTime": item["GenerationTime"], "Accepted": {"SS": ["9" * 16] * 3}}
    assert isinstance(read_counter(item, item["Table"]["S"]), Counter)
    assert sum(len(name) + size(value) for name, value in item.items()) < 2048
