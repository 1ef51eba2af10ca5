"""The stream processor on moto: its writes, takeovers, retries and log lines."""

import hashlib
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]

from components.testing.stream_events import StreamEvents
from functions import process_stream
from functions.dynamodb import client as database
from functions.total.ownership import TotalOwnershipError
from functions.total.totals import TotalNotWrittenError
from tests.doubles import Context, cancelled, client_error
from tests.functions.conftest import LEDGER, TABLE, forget

LABEL = "2099-01-02T03:04:05.678"


def stream(label: str = LABEL, first_sequence: int = 100) -> StreamEvents:
    """Return a stream of the table on moto."""
    return StreamEvents(TABLE, region="eu-west-1", label=label, first_sequence=first_sequence)


def process(*records: dict[str, Any], seconds: float = 30.0) -> Any:
    return process_stream.handler({"Records": list(records)}, Context(seconds, step=0.6))


def counter(client: Any) -> Any:
    return client.get_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}}).get("Item")


def entry(client: Any, tag: str) -> Any:
    return client.get_item(TableName=LEDGER, Key={"ID": {"S": tag}}).get("Item")


def marker(client: Any) -> Any:
    return entry(client, "COUNTER")


def identity(client: Any) -> str:
    table = client.describe_table(TableName=TABLE)["Table"]
    return f"{table['TableArn']}@{table['CreationDateTime'].astimezone(UTC).isoformat(timespec='milliseconds')}"


def test_a_removed_tag_that_comes_back_is_counted_from_zero(tables: Any) -> None:
    events = stream()
    process(events.insert("a", 3))
    process(events.remove("a", 3))
    # The record of its first new visit was lost, and nothing but the ledger tells that this is another life.
    process(events.modify("a", 5))
    assert counter(tables)["TotalViews"] == {"N": "8"}


def test_a_batch_updates_the_total_and_the_ledger(tables: Any) -> None:
    events = stream(first_sequence=41)
    item = {"ID": {"S": "b"}, "Count": {"N": "1"}, "Since": {"S": "2026-01-01T10:00:00.000001Z"}}
    batch = [events.insert("a"), events.record("INSERT", "b", new=item), events.modify("a", 2)]
    assert process(*batch) == {"batchItemFailures": []}
    total = counter(tables)
    assert total == {
        "ID": {"S": "COUNTER"},
        "TotalViews": {"N": "3"},
        "Held": {"N": "3"},
        "Ledger": {"S": LEDGER},
        "Epoch": total["Epoch"],
        "UpdatedAt": total["UpdatedAt"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", total["UpdatedAt"]["S"])
    assert entry(tables, "a") == {
        "ID": {"S": "a"},
        "Counted": {"N": "2"},
        "Given": {"N": "2"},
        "Stream": {"S": LABEL},
        "Sequence": {"S": "43"},
        "Epoch": total["Epoch"],
    }
    assert entry(tables, "b")["Since"] == item["Since"]
    table = hashlib.sha256(identity(tables).encode()).hexdigest()[:16]
    assert re.fullmatch(rf"{table}-[0-9a-f]{{32}}", total["Epoch"]["S"])
    assert marker(tables) == {"ID": {"S": "COUNTER"}, "Table": {"S": identity(tables)}, "Epoch": total["Epoch"]}


def test_a_replay_writes_nothing(tables: Any, refuse: Any) -> None:
    events = stream()
    batch = [events.insert("a"), events.modify("a", 2)]
    process(*batch)
    before = counter(tables)
    writes = refuse("transact_write_items")
    process(*batch)
    assert writes == []
    assert counter(tables) == before


def test_a_warm_processor_reads_only_the_entries_and_the_marker(tables: Any, refuse: Any) -> None:
    events, reads = stream(), refuse("get_item")
    batches, described = refuse("batch_get_item"), refuse("describe_table")
    for count in range(1, 4):
        process(events.modify("a", count))
    # The total and the marker are read only while the epoch is unknown.
    assert [call["TableName"] for call in reads] == [TABLE, LEDGER]
    assert len(described) == 1
    keys = [[key["ID"]["S"] for key in call["RequestItems"][LEDGER]["Keys"]] for call in batches]
    assert keys == [["COUNTER", "a"]] * 3
    assert counter(tables)["TotalViews"] == {"N": "3"}


@pytest.mark.parametrize(
    "found",
    [
        {"TotalViews": {"N": "100"}},
        {"TotalViews": {"N": "100"}, "UpdatedAt": {"S": "then"}},
        {"Ledger": {"S": LEDGER}, "Epoch": {"S": "ours"}},
        {"Ledger": {"S": LEDGER}, "TotalViews": {"S": "many"}},
        {"Ledger": {"S": LEDGER}, "TotalViews": {"N": "7"}, "Held": {"N": "7"}, "Epoch": {"S": "ours"}},
    ],
)
def test_a_total_that_no_ledger_vouches_for_is_taken_over(
    tables: Any, found: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "COUNTER"}, "Other": {"S": "kept"}, **found})
    process(stream().modify("a", 5))
    total = counter(tables)
    assert total["TotalViews"] == total["Held"] == {"N": "5"}
    assert total["Ledger"] == {"S": LEDGER}
    assert total["Other"] == {"S": "kept"}
    assert total["Rebuilding"] == {"BOOL": True}
    assert total["Epoch"] == marker(tables)["Epoch"] != {"S": "ours"}
    (line,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert line.getMessage() == "total taken over; it is too low until reconcile has run"
    assert vars(line)["why"] == "no ledger vouches for the total"
    assert vars(line)["before"] == found.get("Ledger", {}).get("S")
    number = found.get("TotalViews", {}).get("N")
    assert vars(line)["totalBefore"] == (None if number is None else int(number))


def test_a_new_table_starts_its_total_without_a_warning(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "functions"):
        process(stream().insert("a"))
    assert [record.getMessage() for record in caplog.records] == ["total started", "batch applied"]
    assert "Rebuilding" not in counter(tables)


@pytest.mark.parametrize(("age", "items", "rebuilding"), [(24.01, 3, True), (23.99, 3, False), (25, 0, False)])
def test_the_total_of_a_table_with_a_history_is_marked_as_rebuilding(
    tables: Any, monkeypatch: pytest.MonkeyPatch, age: float, items: int, rebuilding: bool
) -> None:
    described = tables.describe_table(TableName=TABLE)
    described["Table"] |= {"CreationDateTime": datetime.now(UTC) - timedelta(hours=age), "ItemCount": items}
    monkeypatch.setattr(database.client(), "describe_table", lambda **_: described)
    process(stream().modify("a", 50))
    assert ("Rebuilding" in counter(tables)) == rebuilding
    assert counter(tables)["TotalViews"] == {"N": "50"}


def test_a_total_that_another_ledger_maintains_is_refused_and_unchanged(tables: Any) -> None:
    theirs = {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "9"}, "Held": {"N": "9"}}
    theirs |= {"Ledger": {"S": "other-ledger"}, "Epoch": {"S": "theirs"}}
    tables.put_item(TableName=TABLE, Item=theirs)
    with pytest.raises(TotalOwnershipError) as refusal:
        process(stream().insert("a"))
    assert str(refusal.value) == (
        "Ledger 'other-ledger', not 'visits-ledger', maintains the total in table 'visits'; nothing was written. "
        "If 'other-ledger' is no longer used with this table, take the total over: "
        "./counter reconcile --table visits --ledger visits-ledger --take-over. "
        "Otherwise, remove one of the two event source mappings."
    )
    assert counter(tables) == theirs
    assert entry(tables, "a") is None


@pytest.mark.parametrize("loss", ["deleted", "text", "raised"])
def test_a_warm_processor_detects_a_damaged_total_with_the_next_batch(tables: Any, loss: str) -> None:
    events = stream()
    process(events.modify("a", 5))
    first = counter(tables)
    damages = {"text": {"TotalViews": {"S": "many"}}, "raised": {"TotalViews": {"N": "9"}}}
    if loss == "deleted":
        tables.delete_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})
    else:
        tables.put_item(TableName=TABLE, Item=first | damages[loss])
    process(events.modify("a", 6))
    assert counter(tables)["TotalViews"] == {"N": "6"}
    assert counter(tables)["Epoch"] != first["Epoch"]


def test_a_warm_processor_detects_an_emptied_ledger(tables: Any) -> None:
    events = stream()
    process(events.modify("a", 5), events.modify("b", 2))
    for key in ("a", "b", "COUNTER"):
        tables.delete_item(TableName=LEDGER, Key={"ID": {"S": key}})
    process(events.modify("a", 6))
    assert counter(tables)["TotalViews"] == {"N": "6"}


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
    process(elsewhere.modify("a", 7), stream().insert("b"))
    assert counter(tables)["TotalViews"] == {"N": "1"}
    assert entry(tables, "a") is None
    (line,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert vars(line)["skipped"] == 1


def test_a_stream_whose_label_is_not_a_time_is_treated_as_the_tables_own(tables: Any) -> None:
    process(stream(label="first").insert("a"))
    assert counter(tables)["TotalViews"] == {"N": "1"}


def test_a_deletion_does_not_lower_the_total_and_the_tag_starts_again(tables: Any) -> None:
    events = stream()
    process(events.modify("a", 5), events.remove("a", 5))
    assert entry(tables, "a")["Ended"] == {"BOOL": True}
    process(events.insert("a", 2))
    assert counter(tables)["TotalViews"] == {"N": "7"}


def test_the_time_of_the_total_changes_only_with_the_total(tables: Any) -> None:
    events = stream()
    process(events.modify("a", 5))
    stamp = {"UpdatedAt": {"S": "2000-01-01T00:00:00.000Z"}}
    tables.put_item(TableName=TABLE, Item=counter(tables) | stamp)
    process(events.remove("a", 5))
    assert counter(tables)["UpdatedAt"] == stamp["UpdatedAt"]
    process(events.insert("a"))
    assert counter(tables)["UpdatedAt"] != stamp["UpdatedAt"]


def test_an_entry_is_written_without_what_stays_as_it_is(tables: Any, refuse: Any) -> None:
    events, writes = stream(first_sequence=41), refuse("transact_write_items")
    for count in (1, 2):
        item = {"ID": {"S": "a"}, "Count": {"N": str(count)}, "Since": {"S": "2026-01-01T10:00:00.000001Z"}}
        process(events.record("INSERT" if count == 1 else "MODIFY", "a", new=item))
    *_, first, second = (write["TransactItems"][0]["Update"] for write in writes)
    expression = "SET #Counted = :Counted, #Given = :Given, #Stream = :Stream, #Sequence = :Sequence, "
    assert first["UpdateExpression"] == f"{expression}#Epoch = :Epoch, #Since = :Since"
    assert second["UpdateExpression"] == "SET #Counted = :Counted, #Given = :Given, #Sequence = :Sequence"
    assert set(entry(tables, "a")) == {"ID", "Counted", "Given", "Stream", "Sequence", "Epoch", "Since"}
    process(events.record("REMOVE", "a", old=item))
    assert writes[-1]["TransactItems"][0]["Update"]["UpdateExpression"] == "SET #Sequence = :Sequence, #Ended = :Ended"


def test_100_tags_take_two_transactions(tables: Any, refuse: Any) -> None:
    events, writes = stream(), refuse("transact_write_items")
    process(*(events.insert(f"tag {number}") for number in range(100)))
    assert [len(write["TransactItems"]) for write in writes] == [2, 100, 2]
    assert counter(tables)["TotalViews"] == {"N": "100"}


@pytest.mark.parametrize(
    "error",
    [
        cancelled("ConditionalCheckFailed", "None"),
        cancelled("None", "TransactionConflict"),
        cancelled("ThrottlingError", "ProvisionedThroughputExceeded"),
        ReadTimeoutError(endpoint_url="x"),
        client_error("TransactionInProgressException"),
        client_error("InternalServerError"),
    ],
)
def test_a_transient_error_is_retried_while_time_is_left(tables: Any, refuse: Any, error: Exception) -> None:
    event = stream().insert("a")
    process(stream(first_sequence=1).insert("b", 0))
    writes = refuse("transact_write_items", error, error)
    process(event)
    assert len(writes) == 3
    assert counter(tables)["TotalViews"] == {"N": "1"}
    refuse("transact_write_items", *[error] * 99)
    with pytest.raises(TotalNotWrittenError, match="attempts") as caught:
        process(stream(first_sequence=10**30).modify("a", 2), seconds=4.0)
    assert caught.value.__cause__ is error
    assert counter(tables)["TotalViews"] == {"N": "1"}


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded", "AccessDenied"])
def test_a_permanent_error_is_raised_at_once(tables: Any, refuse: Any, code: str) -> None:
    process(stream(first_sequence=1).insert("b"))
    writes = refuse("transact_write_items", cancelled("ConditionalCheckFailed", code))
    with pytest.raises(ClientError):
        process(stream().insert("a"))
    assert len(writes) == 1


def test_a_malformed_record_is_logged_and_the_rest_of_its_batch_counts(
    tables: Any, caplog: pytest.LogCaptureFixture
) -> None:
    events = stream()
    process(events.insert("a"), events.record("UPSERT", "b"), events.insert("c"))
    assert counter(tables)["TotalViews"] == {"N": "2"}
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.getMessage() == (
        "record skipped: Records[1].eventName is 'UPSERT'; it must be one of INSERT, MODIFY, REMOVE."
    )


def test_after_an_unexpected_error_the_next_batch_reads_the_epoch_again(tables: Any, refuse: Any) -> None:
    events = stream()
    process(events.insert("a"))
    refuse("transact_write_items", ValueError("a bug"))
    reads = refuse("get_item")
    with pytest.raises(ValueError, match="a bug"):
        process(events.modify("a", 2))
    process(events.modify("a", 3))
    assert len(reads) == 2
    assert counter(tables)["TotalViews"] == {"N": "3"}


def test_a_batch_is_logged_in_one_line_without_tags(tables: Any, caplog: pytest.LogCaptureFixture) -> None:
    events = stream()
    with caplog.at_level(logging.INFO, "functions.process_stream"):
        process(events.insert("secret"), events.modify("secret", 2))
    (line,) = [record for record in caplog.records if record.name == "functions.process_stream"]
    facts = vars(line)
    assert {name: facts[name] for name in ("records", "tags", "entries", "delta", "attempts")} == {
        "records": 2, "tags": 1, "entries": 1, "delta": 2, "attempts": 1,
    }  # fmt: skip
    assert "secret" not in str(facts)


@pytest.mark.parametrize("name", ["TABLE_NAME", "LEDGER_TABLE_NAME"])
def test_the_error_names_a_missing_environment_variable(
    tables: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    forget()
    with pytest.raises(RuntimeError, match=name):
        process(stream().insert("a"))


def test_the_clients_have_short_timeouts_and_the_documented_attempts(tables: Any) -> None:
    config, single_attempt = (client.meta.config for client in (database.client(), database.single_attempt_client()))  # type: ignore[attr-defined]
    assert (config.connect_timeout, config.read_timeout) == (2.0, 3.0)
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
    assert single_attempt.retries["total_max_attempts"] == 1
    assert config.tcp_keepalive is single_attempt.tcp_keepalive is True
