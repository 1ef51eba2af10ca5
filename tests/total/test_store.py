"""The store in memory behaves like DynamoDB, as far as moto does."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from functions.counting.idempotency import TTL_SECONDS, KeyedVisits
from functions.http.problems import ProblemError
from tests.share import times
from tests.total.histories import damages, deletions, histories, rebuilds, run, writes
from tests.total.steps import Step
from tests.total.store import Item, Store
from tests.total.world import TABLE, World, ample_budget

COMPARED = {"get_item", "update_item", "delete_item", "transact_write_items", "batch_get_item"}


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


class Twin(Store):
    """A store that makes every request to moto as well, and compares the outcomes."""

    def __init__(self, moto: Any) -> None:
        super().__init__()
        self._moto = moto
        self.compared = 0

    def create(self, name: str) -> None:
        super().create(name)
        for key in items(self._moto):
            self._moto.delete_item(TableName=TABLE, Key={"ID": {"S": key}})

    def put(self, table: str, item: Item) -> None:
        super().put(table, item)
        self._moto.put_item(TableName=table, Item=item)

    def delete(self, table: str, key: str) -> None:
        super().delete(table, key)
        self._moto.delete_item(TableName=table, Key={"ID": {"S": key}})

    def _call(self, name: str, request: dict[str, Any], known: set[str], act: Callable[..., Any]) -> dict[str, Any]:
        def both(request: dict[str, Any]) -> Any:
            theirs = outcome(lambda: getattr(self._moto, name)(**request))
            mine = outcome(lambda: act(request))
            # Moto looks at the update before the condition. DynamoDB Local does not.
            is_refused = isinstance(mine[1], ClientError) and theirs[0][0] == "ValidationException"
            assert mine[0] == theirs[0] or is_refused, request
            self.compared += 1
            if isinstance(mine[1], ClientError):
                raise mine[1]
            return mine[1]

        return super()._call(name, request, known, both if name in COMPARED else act)


def outcome(call: Callable[[], Any]) -> tuple[tuple[Any, ...], Any]:
    """Return what of a call's outcome must be the same, and its answer or error."""
    try:
        answer = call()
    except ClientError as error:
        response = error.response
        reasons = [(each["Code"], stable(each.get("Item"))) for each in response.get("CancellationReasons", [])]
        return (response["Error"]["Code"], reasons, stable(response.get("Item"))), error
    found = (
        answer.get("Attributes"),
        answer.get("Item"),
        sorted(map(stable, answer.get("Responses", {}).get(TABLE, []))),
    )
    return (stable(found[0]), stable(found[1]), found[2]), answer


def stable(item: Item | None) -> str:
    """Return an item as text, without the order of what has none."""
    sets = {name: {"SS": sorted(value["SS"])} for name, value in (item or {}).items() if "SS" in value}
    return str(sorted(((item or {}) | sets).items()))


def items(client: Any) -> dict[str, str]:
    found = client.scan(TableName=TABLE, ConsistentRead=True, Limit=100)["Items"]
    return {item["ID"]["S"]: stable(item) for item in found}


@settings(max_examples=times(30))
@given(histories(deletions, damages, writes, rebuilds))
def test_store_answers_like_moto(moto: Any, steps: list[Step]) -> None:
    store = Twin(moto)
    world = run(World(store=store), steps)
    world.visit("a")
    world.reconcile()
    assert store.compared > 10
    assert items(store) == items(moto)


@settings(max_examples=times(40))
@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("kl"), st.integers(0, 2)), max_size=5))
def test_store_keeps_idempotency_keys_like_moto(moto: Any, requests: list[tuple[str, str, int]]) -> None:
    store = Twin(moto)
    store.create(TABLE)
    for tag, key, day in requests:
        with contextlib.suppress(ProblemError):
            KeyedVisits(store, TABLE, TABLE).record(tag, key, ample_budget(), day * TTL_SECONDS / 2)
    assert items(store) == items(moto)
