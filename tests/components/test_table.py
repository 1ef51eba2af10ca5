"""The main table and its ledger."""

import json

import pulumi
import pytest

from components.stream_triggered_counter import only_tags
from components.testing import Result

from .conftest import Build

TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"


def test_main_table_has_a_stream_and_the_ledger_has_none(counter: Result) -> None:
    main, ledger = (counter.one(TABLE, name) for name in ("counter-table", "counter-ledger"))
    for table in (main, ledger):
        assert table.inputs["hashKey"] == "ID"
        assert table.inputs["attributes"] == [{"name": "ID", "type": "S"}]
        assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
        assert table.inputs["pointInTimeRecovery"] == {"enabled": True}
        assert table.inputs["deletionProtectionEnabled"] is False
        assert not {"readCapacity", "writeCapacity", "serverSideEncryption", "name"} & set(table.inputs)
    assert main.inputs["streamEnabled"] is True
    assert main.inputs["streamViewType"] == "NEW_AND_OLD_IMAGES"
    assert "streamEnabled" not in ledger.inputs


def test_idempotency_keys_have_a_table_of_their_own_that_cleans_up(counter: Result) -> None:
    keys = counter.one(TABLE, "counter-idempotency")
    assert keys.inputs["ttl"] == {"attributeName": "ExpiresAt", "enabled": True}
    assert "streamEnabled" not in keys.inputs


@pytest.mark.parametrize("recovery", [True, False])
def test_idempotency_keys_are_never_kept_for_recovery(build: Build, recovery: bool) -> None:
    tables = build({"table": {"point_in_time_recovery": recovery}}).all(TABLE)
    assert {table.name: table.inputs["pointInTimeRecovery"]["enabled"] for table in tables} == {
        "counter-table": recovery,
        "counter-ledger": recovery,
        "counter-idempotency": False,
    }


def capacity(build: Build, **settings: int) -> dict[str, tuple[int, int]]:
    tables = build({"table": {"billing_mode": "PROVISIONED", **settings}}).all(TABLE)
    return {
        table.name.removeprefix("counter-"): (table.inputs["readCapacity"], table.inputs["writeCapacity"])
        for table in tables
    }


def test_provisioned_capacity_defaults_to_the_tutorials(build: Build) -> None:
    assert capacity(build) == {"table": (5, 5), "ledger": (5, 10), "idempotency": (5, 5)}


def test_the_ledgers_capacity_follows_from_the_main_tables_writes(build: Build) -> None:
    assert capacity(build, read_capacity=9, write_capacity=40) == {
        "table": (9, 40),
        "ledger": (40, 80),
        "idempotency": (9, 40),
    }


def test_the_ledgers_capacity_can_be_given(build: Build) -> None:
    assert capacity(build, write_capacity=40, ledger_read_capacity=3)["ledger"] == (3, 80)
    assert capacity(build, write_capacity=40, ledger_write_capacity=4)["ledger"] == (40, 4)


def test_deletion_protection_applies_to_every_table(build: Build) -> None:
    tables = build({"table": {"deletion_protection": True}}).all(TABLE)
    assert [table.inputs["deletionProtectionEnabled"] for table in tables] == [True] * 3


def test_deletion_protection_is_pulumis_too_on_every_table_and_on_nothing_else(build: Build) -> None:
    result = build({"table": {"deletion_protection": True}})
    protected = sorted((resource.type, resource.name) for resource in result.resources if resource.protect)
    assert protected == [(TABLE, "counter-idempotency"), (TABLE, "counter-ledger"), (TABLE, "counter-table")]


def test_without_deletion_protection_protect_is_not_set(counter: Result) -> None:
    assert {resource.protect for resource in counter.resources} == {None}


@pytest.mark.parametrize("deletion_protection", [True, False])
@pytest.mark.parametrize("protect", [True, False])
def test_protect_given_by_the_user_wins_for_the_tables(build: Build, protect: bool, deletion_protection: bool) -> None:
    result = build({"table": {"deletion_protection": deletion_protection}}, pulumi.ResourceOptions(protect=protect))
    assert [resource.protect for resource in result.all(TABLE)] == [protect] * 3


def test_a_key_encrypts_every_table(build: Build) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    tables = build({"table": {"encryption_key_arn": key}}).all(TABLE)
    assert [table.inputs["serverSideEncryption"] for table in tables] == [{"enabled": True, "kmsKeyArn": key}] * 3


@pytest.mark.parametrize("view_type", ["NEW_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_the_view_type_reaches_the_stream(build: Build, view_type: str) -> None:
    result = build({"table": {"stream_view_type": view_type}})
    main = result.one(TABLE, "counter-table")
    assert main.inputs["streamViewType"] == view_type
    outputs = result.one("stream-triggered-counter:index:StreamTable").outputs
    assert outputs is not None
    assert outputs["streamArn"] == main.state["streamArn"]


@pytest.mark.parametrize(("tag", "total"), [(1, 1), (2, 1), (1, 3), (50, 50)])
def test_the_functions_know_how_many_items_a_tag_and_the_total_have(build: Build, tag: int, total: int) -> None:
    result = build({"spread": {"items_per_tag": tag, "items_per_total": total}})
    found = {each.name: each.inputs["environment"]["variables"] for each in result.all(FUNCTION)}

    def named(variable: str) -> dict[str, str]:
        return {name: variables[variable] for name, variables in found.items() if variable in variables}

    with_tag, with_total = ["counter-record-visit", "counter-view-counts"], ["counter-process-stream"]
    assert named("ITEMS_PER_TAG") == ({} if tag == 1 else dict.fromkeys(with_tag, str(tag)))
    with_total.append("counter-view-counts")
    assert named("ITEMS_PER_TOTAL") == ({} if total == 1 else dict.fromkeys(with_total, str(total)))


@pytest.mark.parametrize(("items", "keys"), [(1, ["COUNTER"]), (3, ["COUNTER", "COUNTER/%/1", "COUNTER/%/2"])])
def test_changes_of_the_total_call_no_function(build: Build, items: int, keys: list[str]) -> None:
    mapping = build({"spread": {"items_per_total": items}}).one("aws:lambda/eventSourceMapping:EventSourceMapping")
    [given] = mapping.inputs["filterCriteria"]["filters"]
    assert json.loads(given["pattern"]) == {"dynamodb": {"Keys": {"ID": {"S": [{"anything-but": keys}]}}}}


def test_the_filter_of_the_most_items_is_within_lambdas_limit() -> None:
    assert len(only_tags(50)) <= 4096
