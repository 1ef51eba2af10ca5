"""The store in memory behaves like DynamoDB, as far as moto does."""

from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from functions.counting.idempotency import TTL_SECONDS, KeyedVisits
from functions.counting.visits import record
from functions.http.problems import ProblemError
from functions.total.stored import unchanged
from tests.share import times
from tests.total.store import Store
from tests.total.world import ample_budget

attributes = st.dictionaries(
    st.sampled_from(["Counted", "Epoch", "Sequence"]), st.sampled_from([{"N": "1"}, {"N": "2"}, {"S": "x"}])
)
keys = st.sampled_from(["a", "b", "c"])


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def update(key: str, seen: dict[str, Any] | None, epoch: str | None) -> dict[str, Any]:
    condition, names, values = unchanged(seen or {}, ["Counted", "Epoch", "Sequence"])
    written = {":counted": {"N": "9"}} | ({":epoch": {"S": epoch}} if epoch else {})
    return {
        "TableName": "t",
        "Key": {"ID": {"S": key}},
        "UpdateExpression": "SET #Counted = :counted" + (", #Epoch = :epoch" if epoch else " REMOVE #Epoch"),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {**values, **written},
    }


def outcome(client: Any, method: str, **request: Any) -> object:
    try:
        answer = getattr(client, method)(**request)
    except ClientError as error:
        reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", [])]
        return error.response["Error"]["Code"], reasons
    return answer.get("Attributes")


def items(client: Any) -> dict[str, Any]:
    found = client.scan(TableName="t", ConsistentRead=True, Limit=100)["Items"]
    return {item["ID"]["S"]: stable(item) for item in found}


def stable(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without the attributes that depend on the time or are random."""
    return {name: value for name, value in item.items() if name not in ("Since", "Request")}


@settings(max_examples=times(40))
@given(
    st.dictionaries(keys, attributes),
    st.dictionaries(keys, st.tuples(st.none() | attributes, st.none() | st.just("x")), min_size=1),
    st.booleans(),
)
def test_both_accept_and_reject_the_same_writes(
    moto: Any, stored: dict[str, dict[str, Any]], writes: dict[str, tuple[Any, Any]], together: bool
) -> None:
    store = Store("t")
    for key in items(moto):
        moto.delete_item(TableName="t", Key={"ID": {"S": key}})
    for key, extra in stored.items():
        store.put("t", {"ID": {"S": key}, **extra})
        moto.put_item(TableName="t", Item={"ID": {"S": key}, **extra})
    updates = [update(key, seen, epoch) for key, (seen, epoch) in writes.items()]
    if together:
        request = {"TransactItems": [{"Update": each} for each in updates]}
        assert outcome(store, "transact_write_items", **request) == outcome(moto, "transact_write_items", **request)
    else:
        for each in updates:
            assert outcome(store, "update_item", **each, ReturnValues="ALL_NEW") == outcome(
                moto, "update_item", **each, ReturnValues="ALL_NEW"
            )
    assert items(store) == items(moto)
    assert record(store, "t", "visited", ample_budget()) == record(moto, "t", "visited", ample_budget())
    wanted = {"t": {"Keys": [{"ID": {"S": key}} for key in ["visited", *writes]], "ConsistentRead": True}}
    read, same = (client.batch_get_item(RequestItems=wanted)["Responses"]["t"] for client in (store, moto))
    assert sorted(map(stable, read), key=str) == sorted(map(stable, same), key=str)
    assert items(store) == items(moto)


@settings(max_examples=times(40))
@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("kl"), st.integers(0, 2)), max_size=5))
def test_both_treat_idempotency_keys_alike(moto: Any, requests: list[tuple[str, str, int]]) -> None:
    store = Store("t")
    for key in items(moto):
        moto.delete_item(TableName="t", Key={"ID": {"S": key}})
    for tag, key, day in requests:
        answers: list[object] = []
        for client in (store, moto):
            try:
                answers.append(KeyedVisits(client, "t", "t").record(tag, key, ample_budget(), day * TTL_SECONDS / 2))
            except ProblemError as problem:
                answers.append(problem.status)
        assert answers[0] == answers[1]
    assert items(store) == items(moto)
