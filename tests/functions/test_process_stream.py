"""The stream processor on moto: its requests, retries, refusals and log lines."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]

from components.testing.stream_events import StreamEvents
from functions.dynamodb import client as database
from functions.total.counter import shard_key
from functions.total.records import EventError
from functions.total.total import TotalNotWrittenError
from tests.doubles import cancelled, client_error
from tests.functions.conftest import TABLE, forget
from tests.functions.events import LABEL, SHARD, Stream, deliver, identity, process, put, stored, total

WRITES = ("update_item", "transact_write_items")
REQUESTS = (*WRITES, "get_item", "batch_get_item", "describe_table", "scan")


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[Any]:
    return [vars(record) for record in caplog.records if record.levelno == level]


def test_exact_items_after_first_batch(tables: Any) -> None:
    events = Stream(first_sequence=41, created=(created := time.time()))
    process(events.insert("a"), events.insert("b", 3), events.modify("a", 2), events.remove("b", 3))
    found = stored(tables)
    assert found == {
        "ID": {"S": "COUNTER"},
        "TotalViews": {"N": "5"},
        "Held": {"N": "5"},
        "Ended": {"N": "3"},
        "Generation": found["Generation"],
        "GenerationTime": found["GenerationTime"],
        "Positions": {"M": {"1795856760000-1a2b3c4d": {"S": f"44@{int(created)}"}}},
        "Table": {"S": identity(tables)},
        "UpdatedAt": found["UpdatedAt"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["UpdatedAt"]["S"])
    assert re.fullmatch(r"[0-9a-f]{16}", found["Generation"]["S"])
    assert found["GenerationTime"]["S"] < events.since
    assert stored(tables, "COUNTER/%/1") == {"ID": {"S": "COUNTER/%/1"}, "Table": {"S": identity(tables)}}


def test_requests_of_cold_and_warm_processor(tables: Any, refuse: Any) -> None:
    events, calls = Stream(), {method: refuse(method) for method in REQUESTS}

    def made() -> dict[str, int]:
        return {method: len(found) for method, found in calls.items() if found}

    process(events.insert("a"))
    # A total is started with a look at COUNTER and at COUNTER/%/1, and COUNTER is read again.
    assert made() == {"describe_table": 1, "get_item": 3, "transact_write_items": 1, "update_item": 1}
    for count in range(2, 5):
        process(events.modify("a", count), events.insert(f"tag {count}"))
    assert made() == {"describe_table": 1, "get_item": 3, "transact_write_items": 1, "update_item": 4}
    forget()
    process(events.modify("a", 5))
    assert made() == {"describe_table": 2, "get_item": 4, "transact_write_items": 1, "update_item": 5}
    assert total(tables) == 8


def test_replay_writes_nothing(tables: Any, refuse: Any) -> None:
    events = Stream()
    records = [events.insert("a"), events.modify("a", 2), events.modify("a", 3)]
    process(*records)
    before, writes = stored(tables), [refuse(method) for method in WRITES]
    for again in (records, records[1:], records[:1], records[::-1]):
        process(*again)
    assert (writes, stored(tables)) == ([[], []], before)


def test_recut_batches_count_each_record_once(tables: Any) -> None:
    events = Stream()
    records = [events.insert(f"tag {number}") for number in range(9)]
    for first, last in ((0, 4), (2, 6), (0, 9), (5, 7)):
        process(*records[first:last])
    assert total(tables) == 9


def test_shards_have_positions_of_their_own(tables: Any) -> None:
    early, late = Stream(first_sequence=5), Stream(first_sequence=5000)
    process(late.insert("a"), shard="shardId-00000000000000000002-b")
    process(early.insert("b"), early.insert("c"), shard="shardId-00000000000000000001-a")
    process(late.modify("a", 2), shard="shardId-00000000000000000002-b")
    assert total(tables) == 4
    assert {shard: value["S"].split("@")[0] for shard, value in stored(tables)["Positions"]["M"].items()} == {
        "1-a": "6",
        "2-b": "5001",
    }


@pytest.mark.parametrize(("hours", "kept"), [(25.9, True), (26.1, False)])
def test_position_older_than_26_hours_is_dropped(tables: Any, hours: float, kept: bool) -> None:
    events = Stream()
    process(events.insert("a"))
    old = stored(tables)
    old["Positions"]["M"]["1-old"] = {"S": f"7@{int(time.time() - hours * 3600)}"}
    tables.put_item(TableName=TABLE, Item=old)
    forget()
    process(events.insert("b"))
    assert ("1-old" in stored(tables)["Positions"]["M"]) == kept
    process(events.insert("c"))
    assert total(tables) == 3


def test_final_invocation_without_records_makes_no_request(tables: Any, refuse: Any) -> None:
    calls = [refuse(method) for method in REQUESTS]
    assert process(isFinalInvokeForWindow=True, state={"floor": "1", "batches": []}) == {"state": {}}
    assert not any(calls)


def test_every_answer_has_a_state(tables: Any) -> None:
    events = Stream()
    answers = [process(events.insert("a")), process(events.insert("b"), isFinalInvokeForWindow=True), process()]
    # Neither a record of the total nor one of another table changes anything.
    answers += [process(events.modify("COUNTER", 2)), process(StreamEvents("other").insert("a"))]
    assert all(isinstance(answer["state"], dict) and list(answer) == ["state"] for answer in answers)


def test_event_without_shard_names_the_setting(tables: Any) -> None:
    for shard in (None, "", 5, "x" * 66):
        with pytest.raises(EventError, match=r"^shardId is .*tumblingWindowInSeconds"):
            process(Stream().insert("a"), shard=shard)
    assert stored(tables) is None


@pytest.mark.parametrize("view", ["NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"])
def test_stream_with_other_view_type_is_refused(tables: Any, view: str) -> None:
    record = Stream().modify("a", 2)
    record["dynamodb"]["StreamViewType"] = view
    for image in {"NewImage", "OldImage"} - {{"NEW_IMAGE": "NewImage", "OLD_IMAGE": "OldImage"}.get(view, "")}:
        del record["dynamodb"][image]
    with pytest.raises(EventError, match=f"view type is {view}; it must be NEW_AND_OLD_IMAGES"):
        process(record)
    assert stored(tables) is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        StreamEvents("other", region="eu-west-1", label=LABEL),
        StreamEvents(TABLE, region="us-east-1", label=LABEL),
        StreamEvents(TABLE, region="eu-west-1", account="9" * 12, label=LABEL),
        StreamEvents(TABLE, region="eu-west-1", label="2001-01-01T00:00:00.000"),
    ],
)
def test_records_of_another_table_are_skipped(
    tables: Any, elsewhere: StreamEvents, caplog: pytest.LogCaptureFixture
) -> None:
    process(elsewhere.insert("a", 7), elsewhere.insert("b"))
    assert stored(tables) is None
    (line,) = lines(caplog, logging.WARNING)
    assert (line["message"], line["skipped"]) == ("records of another table skipped", 2)
    process(Stream().insert("b"))
    assert total(tables) == 1


def test_stream_whose_label_is_no_time_is_the_tables(tables: Any) -> None:
    process(Stream(label="first").insert("a"))
    assert total(tables) == 1


def test_updated_at_changes_only_with_the_total(tables: Any) -> None:
    events = Stream()
    process(events.insert("a", 5))
    stamp = {"UpdatedAt": {"S": "2000-01-01T00:00:00.000Z"}}
    tables.put_item(TableName=TABLE, Item=stored(tables) | stamp)
    process(events.remove("a", 5))
    assert (stored(tables)["UpdatedAt"], stored(tables)["Ended"]) == (stamp["UpdatedAt"], {"N": "5"})
    process(events.insert("a"))
    assert stored(tables)["UpdatedAt"] != stamp["UpdatedAt"]


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("TransactionConflictException"),
        client_error("InternalServerError"),
        ReadTimeoutError(endpoint_url="x"),
    ],
)
def test_transient_error_is_retried_while_time_is_left(tables: Any, refuse: Any, error: Exception) -> None:
    events = Stream()
    process(events.insert("a"))
    writes = refuse("update_item", error, error)
    process(events.modify("a", 2))
    assert (len(writes), total(tables)) == (3, 2)
    refuse("update_item", *[error] * 99)
    with pytest.raises(TotalNotWrittenError, match="attempts") as caught:
        process(events.modify("a", 3), seconds=4.0)
    assert caught.value.__cause__ is error
    assert total(tables) == 2


@pytest.mark.parametrize("reason", ["ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"])
def test_start_is_retried_after_transient_cancellation(tables: Any, refuse: Any, reason: str) -> None:
    starts = refuse("transact_write_items", cancelled(reason, "None"), cancelled(reason, "None"))
    process(Stream().insert("a"))
    assert (len(starts), total(tables)) == (3, 1)


def test_lost_response_is_not_added_twice(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    events, client = Stream(), database.client()
    process(events.insert("a"))
    real = client.update_item

    def losing(**wanted: Any) -> Any:
        real(**wanted)
        monkeypatch.setattr(client, "update_item", real)
        raise ReadTimeoutError(endpoint_url="x")

    monkeypatch.setattr(client, "update_item", losing)
    process(events.modify("a", 2), events.modify("a", 3))
    assert total(tables) == 3


def test_permanent_error_is_raised_at_once(tables: Any, refuse: Any) -> None:
    events = Stream()
    refuse("transact_write_items", cancelled("ValidationError", "None"))
    with pytest.raises(ClientError, match="TransactionCanceled"):
        process(events.insert("a"))
    process(events.insert("a"))
    for error in (client_error("AccessDeniedException"), client_error("ValidationException"), ValueError("a bug")):
        writes = refuse("update_item", error)
        with pytest.raises(type(error), match=re.escape(str(error))):
            process(events.modify("a", 2))
        assert len(writes) == 1
    process(events.modify("a", 3))
    assert total(tables) == 2


def test_mark_refused_as_invalid_does_not_stop_the_batch(
    tables: Any, refuse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    process(Stream().insert("b"))
    writes = refuse("update_item", client_error("ValidationException"))
    process(Stream(first_sequence=200, since="").insert("full"), Stream(first_sequence=201).insert("c"))
    assert (len(writes), total(tables)) == (2, 2)
    (line,) = lines(caplog, logging.ERROR)
    assert line["message"].startswith("item 'full' could not be included in the total")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_mark_refused_for_other_reason_is_raised(tables: Any, refuse: Any, code: str) -> None:
    process(Stream().insert("b"))
    refuse("update_item", client_error(code))
    with pytest.raises(ClientError, match=code):
        process(Stream(first_sequence=200, since="").insert("a"))
    assert stored(tables)["Positions"]["M"][shard_key(SHARD)]["S"].startswith("100@")


def test_more_items_than_one_commit_marks_are_all_counted(tables: Any, refuse: Any) -> None:
    process(Stream().insert("first"))
    writes = refuse("update_item")
    for number in range(250):
        put(tables, f"tag {number}", 2, Since={"S": "2020"})
    deliver()
    assert total(tables) == 501
    commits = [write for write in writes if write["Key"] == {"ID": {"S": "COUNTER"}}]
    # 100, 100 and 50 items were marked; the records of the marks take one more.
    assert len(commits) == 4


def test_batch_is_logged_in_one_line_without_tags(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    events = Stream()
    records = [events.insert("secret"), events.modify("secret", 2), events.modify("COUNTER", 5)]
    with caplog.at_level(logging.DEBUG, "functions.process_stream"):
        process(*records)
        process(*records, events.modify("secret", 3))
    usual, repeated = [vars(record) for record in caplog.records if record.name == "functions.process_stream"]
    facts = {"records": 3, "applied": 2, "delta": 2, "marked": 0, "shard": SHARD, "levelname": "DEBUG"}
    assert {name: usual[name] for name in facts} == facts
    assert (repeated["applied"], repeated["delta"], repeated["levelname"]) == (1, 1, "INFO")
    assert "secret" not in f"{usual}{repeated}"


def test_missing_environment_variable_is_named(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    forget()
    with pytest.raises(RuntimeError, match="TABLE_NAME"):
        process(Stream().insert("a"))


def test_event_without_records_is_refused(tables: Any) -> None:
    for records in ({"a": 1}, None, "x"):
        with pytest.raises(EventError, match=r"^Records is"):
            process(Records=records)


def test_clients_have_short_timeouts_and_few_attempts(tables: Any) -> None:
    config, single_attempt = (client.meta.config for client in (database.client(), database.single_attempt_client()))  # type: ignore[attr-defined]
    assert (config.connect_timeout, config.read_timeout) == (2.0, 3.0)
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
    assert single_attempt.retries["total_max_attempts"] == 1
    assert config.tcp_keepalive is single_attempt.tcp_keepalive is True
