"""The stream's processor on moto: what it writes, when it takes the total over, how long it tries."""

import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]

from components.testing.stream_events import StreamEvents
from functions import database, process_stream
from functions.totals import TotalNotWrittenError
from tests.functions.conftest import LEDGER, TABLE, forget


class Context:
    """The context of an invocation that has some calls' worth of seconds left."""

    def __init__(self, seconds: float = 30.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        self.seconds -= 0.6
        return int(self.seconds * 1000)


def process(*records: dict[str, Any], seconds: float = 30.0) -> Any:
    return process_stream.handler({"Records": list(records)}, Context(seconds))


def counter(client: Any) -> Any:
    return client.get_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}}).get("Item")


def entry(client: Any, tag: str) -> Any:
    return client.get_item(TableName=LEDGER, Key={"ID": {"S": tag}}).get("Item")


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    error = {"Code": "TransactionCanceledException", "Message": ", ".join(codes)}
    return ClientError({"Error": error, "CancellationReasons": reasons}, "TransactWriteItems")


def test_a_batch_is_in_the_total_and_in_the_ledger(tables: Any) -> None:
    events = StreamEvents(label="2026-01-02T03:04:05.678", first_sequence=41)
    assert process(events.insert("a"), events.insert("b"), events.modify("a", 2)) == {"batchItemFailures": []}
    total = counter(tables)
    assert total["TotalViews"] == {"N": "3"}
    assert total["Ledger"] == {"S": LEDGER}
    assert total["UpdatedAt"]["S"].endswith("Z")
    assert entry(tables, "a") == {
        "ID": {"S": "a"},
        "Counted": {"N": "2"},
        "Stream": {"S": "2026-01-02T03:04:05.678"},
        "Sequence": {"S": "43"},
        "Epoch": total["Epoch"],
    }


def test_a_replay_writes_nothing(tables: Any, refuse: Any) -> None:
    events = StreamEvents()
    batch = [events.insert("a"), events.modify("a", 2)]
    process(*batch)
    before = counter(tables)
    writes = refuse("transact_write_items")
    process(*batch)
    assert writes == []
    assert counter(tables) == before


def test_a_warm_processor_does_not_read_the_total_again(tables: Any, refuse: Any) -> None:
    events, reads = StreamEvents(), refuse("get_item")
    for count in range(1, 4):
        process(events.modify("a", count))
    assert len(reads) == 1
    assert counter(tables)["TotalViews"] == {"N": "3"}


@pytest.mark.parametrize(
    "foreign",
    [
        {"TotalViews": {"N": "100"}},
        {"TotalViews": {"N": "100"}, "Ledger": {"S": "another"}, "Epoch": {"S": "theirs"}},
        {"Ledger": {"S": LEDGER}, "Epoch": {"S": "ours"}},
        {"Ledger": {"S": LEDGER}, "TotalViews": {"S": "many"}},
    ],
)
def test_a_total_that_is_not_this_ledgers_is_taken_over(tables: Any, foreign: dict[str, Any]) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "COUNTER"}, "Other": {"S": "kept"}, **foreign})
    process(StreamEvents().modify("a", 5))
    total = counter(tables)
    assert total["TotalViews"] == {"N": "5"}
    assert total["Ledger"] == {"S": LEDGER}
    assert total["Other"] == {"S": "kept"}
    assert total["Epoch"]["S"] not in ("theirs", "ours")


def test_a_total_of_this_ledger_without_an_epoch_is_gone_on_with(tables: Any) -> None:
    mine = {"ID": {"S": "COUNTER"}, "Ledger": {"S": LEDGER}, "TotalViews": {"N": "5"}}
    tables.put_item(TableName=TABLE, Item=mine)
    at = {"Stream": {"S": "2026-01-01T00:00:00.000"}, "Sequence": {"S": "0005"}}
    tables.put_item(TableName=LEDGER, Item={"ID": {"S": "a"}, "Counted": {"N": "5"}, **at})
    process(StreamEvents(first_sequence=6).modify("a", 7))
    assert counter(tables)["TotalViews"] == {"N": "7"}
    assert "Epoch" not in entry(tables, "a")


def test_a_warm_processor_notices_that_the_total_is_gone(tables: Any) -> None:
    events = StreamEvents()
    process(events.modify("a", 5))
    first = counter(tables)["Epoch"]
    tables.delete_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})
    process(events.modify("a", 6))
    assert counter(tables)["TotalViews"] == {"N": "6"}
    assert counter(tables)["Epoch"] != first


def test_a_deletion_leaves_the_total_and_starts_the_tag_anew(tables: Any) -> None:
    events = StreamEvents()
    process(events.modify("a", 5), events.remove("a", 5))
    assert entry(tables, "a")["Counted"] == {"N": "0"}
    process(events.insert("a", 2))
    assert counter(tables)["TotalViews"] == {"N": "7"}


def test_the_time_of_the_total_moves_only_with_the_total(tables: Any) -> None:
    events = StreamEvents()
    process(events.modify("a", 5))
    stamp = {"UpdatedAt": {"S": "2000-01-01T00:00:00.000Z"}}
    tables.put_item(TableName=TABLE, Item=counter(tables) | stamp)
    process(events.remove("a", 5))
    assert counter(tables)["UpdatedAt"] == stamp["UpdatedAt"]
    process(events.insert("a"))
    assert counter(tables)["UpdatedAt"] != stamp["UpdatedAt"]


def test_100_tags_make_two_transactions(tables: Any, refuse: Any) -> None:
    events, writes = StreamEvents(), refuse("transact_write_items")
    process(*(events.insert(f"tag {number}") for number in range(100)))
    assert [len(write["TransactItems"]) for write in writes] == [100, 2]
    assert counter(tables)["TotalViews"] == {"N": "100"}


@pytest.mark.parametrize(
    "error",
    [
        cancelled("ConditionalCheckFailed", "None"),
        cancelled("None", "TransactionConflict"),
        cancelled("ThrottlingError", "ProvisionedThroughputExceeded"),
        ReadTimeoutError(endpoint_url="x"),
        ClientError({"Error": {"Code": "TransactionInProgressException", "Message": ""}}, "TransactWriteItems"),
        ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "TransactWriteItems"),
    ],
)
def test_what_may_pass_is_tried_again_while_there_is_time(tables: Any, refuse: Any, error: Exception) -> None:
    event = StreamEvents().insert("a")
    writes = refuse("transact_write_items", error, error)
    process(event)
    assert len(writes) == 3
    assert counter(tables)["TotalViews"] == {"N": "1"}
    refuse("transact_write_items", *[error] * 99)
    with pytest.raises(TotalNotWrittenError, match="attempts") as caught:
        process(StreamEvents(first_sequence=10**30).modify("a", 2), seconds=4.0)
    assert caught.value.__cause__ is error
    assert counter(tables)["TotalViews"] == {"N": "1"}


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded", "AccessDenied"])
def test_what_cannot_pass_is_raised_at_once(tables: Any, refuse: Any, code: str) -> None:
    writes = refuse("transact_write_items", cancelled("ConditionalCheckFailed", code))
    with pytest.raises(ClientError):
        process(StreamEvents().insert("a"))
    assert len(writes) == 1


def test_a_malformed_record_lets_nothing_of_its_batch_through(tables: Any) -> None:
    events = StreamEvents()
    with pytest.raises(ValueError, match="eventName"):
        process(events.insert("a"), events.record("UPSERT", "b"))
    assert counter(tables) is None


def test_one_line_is_logged_about_a_batch_without_its_tags(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    events = StreamEvents()
    with caplog.at_level(logging.INFO, "functions.process_stream"):
        process(events.insert("secret"), events.modify("secret", 2))
    (line,) = [record for record in caplog.records if record.name == "functions.process_stream"]
    facts = vars(line)
    assert {name: facts[name] for name in ("records", "tags", "entries", "delta", "attempts")} == {
        "records": 2, "tags": 1, "entries": 1, "delta": 2, "attempts": 1,
    }  # fmt: skip
    assert "secret" not in str(facts)


@pytest.mark.parametrize("name", ["TABLE_NAME", "LEDGER_TABLE_NAME"])
def test_a_missing_variable_is_named(tables: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    forget()
    with pytest.raises(RuntimeError, match=name):
        process(StreamEvents().insert("a"))


def test_the_client_waits_briefly_and_the_cautious_one_never_repeats(tables: Any) -> None:
    config, cautious = (client.meta.config for client in (database.client(), database.cautious_client()))  # type: ignore[attr-defined]
    assert (config.connect_timeout, config.read_timeout) == (2.0, 3.0)
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
    assert cautious.retries["total_max_attempts"] == 1
