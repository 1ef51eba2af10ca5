"""The main table, and the table of idempotency keys."""

import pulumi
import pytest

from components.testing import Result

from .conftest import Build

TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"


def test_the_main_table_has_a_stream_with_both_images(counter: Result) -> None:
    table = counter.one(TABLE, "counter-table")
    assert table.inputs["hashKey"] == "ID"
    assert table.inputs["attributes"] == [{"name": "ID", "type": "S"}]
    assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
    assert table.inputs["pointInTimeRecovery"] == {"enabled": True}
    assert table.inputs["deletionProtectionEnabled"] is False
    assert not {"readCapacity", "writeCapacity", "serverSideEncryption", "name"} & set(table.inputs)
    assert table.inputs["streamEnabled"] is True
    assert table.inputs["streamViewType"] == "NEW_AND_OLD_IMAGES"
    outputs = counter.one("stream-triggered-counter:index:StreamTable").outputs
    assert outputs is not None
    assert outputs["streamArn"] == table.state["streamArn"]


def test_idempotency_keys_have_a_table_of_their_own_that_cleans_up(counter: Result) -> None:
    keys = counter.one(TABLE, "counter-idempotency")
    assert keys.inputs["ttl"] == {"attributeName": "ExpiresAt", "enabled": True}
    assert "streamEnabled" not in keys.inputs


@pytest.mark.parametrize("recovery", [True, False])
def test_idempotency_keys_are_never_kept_for_recovery(build: Build, recovery: bool) -> None:
    tables = build({"table": {"point_in_time_recovery": recovery}}).all(TABLE)
    assert {table.name: table.inputs["pointInTimeRecovery"]["enabled"] for table in tables} == {
        "counter-table": recovery,
        "counter-idempotency": False,
    }


def capacity(build: Build, **settings: int) -> dict[str, tuple[int, int]]:
    tables = build({"table": {"billing_mode": "PROVISIONED", **settings}}).all(TABLE)
    return {
        table.name.removeprefix("counter-"): (table.inputs["readCapacity"], table.inputs["writeCapacity"])
        for table in tables
    }


def test_provisioned_capacity_defaults_to_the_tutorials(build: Build) -> None:
    assert capacity(build) == {"table": (5, 5), "idempotency": (5, 5)}


def test_provisioned_capacity_applies_to_every_table(build: Build) -> None:
    assert capacity(build, read_capacity=9, write_capacity=40) == {"table": (9, 40), "idempotency": (9, 40)}


def test_deletion_protection_applies_to_every_table(build: Build) -> None:
    tables = build({"table": {"deletion_protection": True}}).all(TABLE)
    assert [table.inputs["deletionProtectionEnabled"] for table in tables] == [True] * 2


def test_deletion_protection_is_pulumis_too_on_every_table_and_on_nothing_else(build: Build) -> None:
    result = build({"table": {"deletion_protection": True}})
    protected = sorted((resource.type, resource.name) for resource in result.resources if resource.protect)
    assert protected == [(TABLE, "counter-idempotency"), (TABLE, "counter-table")]


def test_without_deletion_protection_protect_is_not_set(counter: Result) -> None:
    assert {resource.protect for resource in counter.resources} == {None}


@pytest.mark.parametrize("deletion_protection", [True, False])
@pytest.mark.parametrize("protect", [True, False])
def test_protect_given_by_the_user_wins_for_the_tables(build: Build, protect: bool, deletion_protection: bool) -> None:
    result = build({"table": {"deletion_protection": deletion_protection}}, pulumi.ResourceOptions(protect=protect))
    assert [resource.protect for resource in result.all(TABLE)] == [protect] * 2


def test_a_key_encrypts_every_table(build: Build) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    tables = build({"table": {"encryption_key_arn": key}}).all(TABLE)
    assert [table.inputs["serverSideEncryption"] for table in tables] == [{"enabled": True, "kmsKeyArn": key}] * 2


@pytest.mark.parametrize("items", [1, 2, 50])
def test_the_functions_know_how_many_items_a_tag_has(build: Build, items: int) -> None:
    functions = build({"table": {"items_per_tag": items}}).all(FUNCTION)
    variables = {each.name: each.inputs["environment"]["variables"] for each in functions}
    assert {name: found["ITEMS_PER_TAG"] for name, found in variables.items() if "ITEMS_PER_TAG" in found} == (
        {} if items == 1 else dict.fromkeys(("counter-record-visit", "counter-view-counts"), str(items))
    )
