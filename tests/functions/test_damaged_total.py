"""A total that cannot be trusted: the stream processor starts a generation, says so, and goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.dynamodb import client as database
from functions.total.counter import shard_key
from tests.functions.conftest import TABLE, forget
from tests.functions.events import SHARD, Stream, deliver, process, put, stored, take, total

KEY = {"ID": {"S": "COUNTER"}}
FOREIGN = "COUNTER was not written by this counter"
CHANGED = "TotalViews was changed by something else"


def edited(**attributes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda item: item | attributes


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str, int]] = {
    "empty": (lambda item: KEY, FOREIGN, 0),
    "tutorial": (lambda item: KEY | {"TotalViews": {"N": "100"}, "UpdatedAt": {"S": "then"}}, FOREIGN, 0),
    "tutorial over it": (edited(Generation={"N": "1"}), FOREIGN, 2),
    "text": (edited(TotalViews={"S": "many"}), CHANGED, 2),
    "raised": (edited(TotalViews={"N": "9"}), CHANGED, 2),
    "fraction": (edited(TotalViews={"N": "6.5"}, Held={"N": "6.5"}), CHANGED, 2),
    "too large": (edited(TotalViews={"N": "1E+37"}, Held={"N": "1E+37"}), CHANGED, 2),
    "other table": (edited(Table={"S": "x@then"}), "COUNTER belongs to another table, x@then", 2),
    "ended text": (edited(Ended={"S": "2"}), "Ended is damaged", 0),
    "ended missing": (lambda item: {name: item[name] for name in item if name != "Ended"}, "Ended is damaged", 0),
    "positions text": (edited(Positions={"S": "x"}), "Positions is damaged", 2),
    "positions number": (edited(Positions={"M": {"a": {"N": "1"}}}), "Positions is damaged", 2),
    "positions odd": (edited(Positions={"M": {"a": {"S": "01@5"}}}), "Positions is damaged", 2),
    "next alone": (edited(Next={"S": "mark"}), "Next is damaged", 2),
    "next sum alone": (edited(NextViews={"N": "3"}), "Next is damaged", 2),
    "next fraction": (
        edited(Next={"S": "mark"}, NextTime={"S": "2026"}, NextViews={"N": "0.5"}),
        "Next is damaged",
        2,
    ),
}
"""By name: what becomes of COUNTER, the reason in the log, and how many of the two ended visits can still be read."""


@pytest.fixture
def started(tables: Any) -> Any:
    """Return COUNTER with a total of 7, 2 of which have ended: the tag `gone` was deleted, and `a` has 5 visits."""
    put(tables, "a", 5)
    put(tables, "gone", 2)
    tables.delete_item(TableName=TABLE, Key={"ID": {"S": "gone"}})
    deliver()
    assert (total(tables), stored(tables)["Ended"]) == (7, {"N": "2"})
    return stored(tables)


@pytest.fixture
def restarts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[str]]:
    """Return a function that returns the reasons for generations that were started, from the log and the metrics."""
    monkeypatch.setenv("METRICS_NAMESPACE", "StreamTriggeredCounter")

    def reasons() -> list[str]:
        found = [vars(line) for line in caplog.records if line.levelno == logging.WARNING]
        message = "generation started; the total is too low until reconcile has run"
        assert [line["message"] for line in found] == [message] * len(found)
        assert capsys.readouterr().out.count('"GenerationsStarted":1}') == len(found)
        return [line["reason"] for line in found]

    return reasons


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_total_is_started_again(
    tables: Any, started: Any, damage: str, restarts: Callable[[], list[str]]
) -> None:
    change, reason, ended = DAMAGES[damage]
    tables.put_item(TableName=TABLE, Item={**change(started), "Other": {"S": "kept"}})
    take()
    forget()
    put(tables, "a", 6, Since=stored(tables, "a")["Since"])
    deliver()
    found = stored(tables)
    # The visits of `a` were brought in by its mark.
    assert found["TotalViews"] == found["Held"] == {"N": str(ended + 6)}
    assert (found["Ended"], found["Rebuilding"], found["Other"]) == ({"N": str(ended)}, {"BOOL": True}, {"S": "kept"})
    assert not {"Next", "NextTime", "NextViews", "Accepted"} & found.keys()
    assert found["Generation"] == stored(tables, "a")["Reconciled"] != started["Generation"]
    assert list(found["Positions"]["M"]) == [shard_key(SHARD)]
    assert restarts() == [reason]


@pytest.mark.parametrize("damage", ["deleted", "text", "raised", "positions text", "next alone", "replaced"])
def test_warm_processor_notices_damage_at_its_next_batch(
    tables: Any, started: Any, damage: str, restarts: Callable[[], list[str]]
) -> None:
    if damage == "deleted":
        tables.delete_item(TableName=TABLE, Key=KEY)
    elif damage == "replaced":
        tables.put_item(TableName=TABLE, Item=KEY | {"TotalViews": {"N": "100"}})
    else:
        tables.put_item(TableName=TABLE, Item=DAMAGES[damage][0](started))
    take()
    put(tables, "a", 6, Since=stored(tables, "a")["Since"])
    deliver()
    assert stored(tables)["Rebuilding"] == {"BOOL": True}
    assert total(tables) == (6 if damage in ("deleted", "replaced") else 8)
    assert len(restarts()) == 1


def test_warm_processor_notices_an_older_copy(tables: Any, restarts: Callable[[], list[str]]) -> None:
    events = Stream()
    process(events.insert("a"))
    copy = stored(tables)
    process(events.modify("a", 2))
    tables.put_item(TableName=TABLE, Item=copy)
    process(events.modify("a", 3))
    assert restarts() == ["COUNTER was replaced by an older copy"]
    assert stored(tables)["Rebuilding"] == {"BOOL": True}


def test_progress_of_other_processor_is_not_an_older_copy(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    events = Stream()
    process(events.insert("a"))
    known = stored(tables)
    # Another process has applied the next batch, and that of another shard, and has dropped an old position.
    ahead = {shard_key(SHARD): {"S": "101@1795856760"}, "7-other": {"S": "9@1795856760"}}
    more = {"TotalViews": {"N": "4"}, "Held": {"N": "4"}, "Positions": {"M": ahead}}
    tables.put_item(TableName=TABLE, Item=known | more)
    process(events.modify("a", 2), events.modify("a", 3))
    assert total(tables) == 5
    assert stored(tables)["Generation"] == known["Generation"]
    assert not caplog.records


def test_new_total_starts_without_a_warning(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "functions"):
        process(Stream().insert("a"))
    assert [record.message for record in caplog.records] == ["total started"]
    assert "Rebuilding" not in stored(tables)


def test_start_records_the_origin_in_the_same_transaction(tables: Any, refuse: Any) -> None:
    writes = refuse("transact_write_items")
    process(Stream().insert("a"))
    (write,) = writes
    assert [each["Update"]["Key"]["ID"]["S"] for each in write["TransactItems"]] == ["COUNTER", "COUNTER/%/1"]


@pytest.mark.parametrize(
    ("age", "items", "enabled_after", "flagged"),
    [(24.01, 3, 0.0, True), (23.99, 3, 0.0, False), (25.0, 0, 0.0, False), (1.0, 3, 0.5, True), (25.0, 0, 0.5, True)],
)
def test_total_of_table_with_history_is_flagged(  # noqa: PLR0917 - the columns of a table
    tables: Any, monkeypatch: pytest.MonkeyPatch, age: float, items: int, enabled_after: float, flagged: bool
) -> None:
    described = tables.describe_table(TableName=TABLE)
    created = datetime.now(UTC) - timedelta(hours=age)
    label = (created + timedelta(hours=enabled_after)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    described["Table"] |= {"CreationDateTime": created, "ItemCount": items, "LatestStreamLabel": label}
    monkeypatch.setattr(database.client(), "describe_table", lambda **_: described)
    put(tables, "a", 50)
    deliver()
    assert ("Rebuilding" in stored(tables), total(tables)) == (flagged, 50)
    assert ("Reconciled" in stored(tables, "a")) == flagged


def test_total_deleted_on_a_young_table_is_flagged(tables: Any, started: Any) -> None:
    tables.delete_item(TableName=TABLE, Key=KEY)
    forget()
    put(tables, "b", 3)
    deliver()
    assert stored(tables)["Rebuilding"] == {"BOOL": True}
    # The records of `a` and `gone` are not delivered again.
    assert total(tables) == 3


def test_late_records_flag_the_total(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    events = Stream()
    early, late, last = events.insert("a"), events.insert("b"), events.insert("c")
    state = process(early, last)["state"]
    # The batch that was answered spans this one, so nothing shows whether it was in it.
    state = process(late, state=state)["state"]
    assert "Rebuilding" not in stored(tables)
    skipped, ahead = events.insert("d"), events.insert("e")
    state = process(ahead, state=state)["state"]
    state = process(skipped, state=state)["state"]
    assert (stored(tables)["Rebuilding"], total(tables)) == ({"BOOL": True}, 3)
    (line,) = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert line.getMessage() == f"1 records of shard {SHARD} arrived after later ones; run reconcile"
    # Once reported, they are remembered as delivered.
    process(skipped, state=state)
    assert len([line for line in caplog.records if line.levelno == logging.ERROR]) == 1
