"""Tables on moto, and functions that know of no others."""

import os
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from functions import process_stream, welcome
from functions.dynamodb import client as database
from functions.dynamodb.tables import setting

TABLE, LEDGER, KEYS = "visits", "visits-ledger", "visits-idempotency"
TABLES = {TABLE: "TABLE_NAME", LEDGER: "LEDGER_TABLE_NAME", KEYS: "IDEMPOTENCY_TABLE_NAME"}


@pytest.fixture(scope="module")
def _moto() -> Iterator[Any]:
    keep = dict(os.environ)
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="eu-west-1")
    _forget_clients()
    with mock_aws():
        client = boto3.client("dynamodb")
        for table in TABLES:
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": table == TABLE}
                | ({"StreamViewType": "NEW_AND_OLD_IMAGES"} if table == TABLE else {}),
            )
        yield client
    _forget_clients()
    os.environ.clear()
    os.environ.update(keep)


def _forget_clients() -> None:
    database.client.cache_clear()
    database.single_attempt_client.cache_clear()


@pytest.fixture
def tables(_moto: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a client whose tables are empty, and let the functions use them, warm from nothing."""
    for table, variable in TABLES.items():
        monkeypatch.setenv(variable, table)
        for item in _moto.scan(TableName=table)["Items"]:
            _moto.delete_item(TableName=table, Key={"ID": item["ID"]})
    forget()
    yield _moto
    forget()


def forget() -> None:
    """Let the functions start cold, but for their clients, which take long to make and remember nothing."""
    for cached in (setting, process_stream._total, welcome._description):
        cached.cache_clear()


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes one method of the functions' client raise each of the given errors in turn, then work."""

    def install(method: str, *errors: Exception) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        waiting = list(errors)
        for client in (database.client(), database.single_attempt_client()):
            real = getattr(client, method)

            def refusing(*, _real: Any = real, **request: Any) -> Any:
                calls.append(request)
                if waiting:
                    raise waiting.pop(0)
                return _real(**request)

            monkeypatch.setattr(client, method, refusing)
        return calls

    return install
