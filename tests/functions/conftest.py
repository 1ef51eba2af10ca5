"""Tables on moto, and functions that use them."""

import os
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from functions import process_stream, record_visit, view_counts, welcome
from functions.dynamodb import client as database
from functions.dynamodb.retries import RetryBudget
from functions.dynamodb.session import forget_sessions
from functions.dynamodb.tables import items_per_tag, setting

TABLE, KEYS = "visits", "visits-idempotency"
TABLES = {TABLE: "TABLE_NAME", KEYS: "IDEMPOTENCY_TABLE_NAME"}


@pytest.fixture(scope="module")
def _moto() -> Iterator[Any]:
    environment = dict(os.environ)
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="eu-west-1")
    # A malformed request fails here, before moto may accept it.
    database.PARAMETER_VALIDATION = True
    forget_clients()
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
    database.PARAMETER_VALIDATION = False
    forget_clients()
    os.environ.clear()
    os.environ.update(environment)


def forget_clients() -> None:
    """Make the functions create their DynamoDB clients again."""
    forget_sessions()
    database.client.cache_clear()
    database.single_attempt_client.cache_clear()


@pytest.fixture
def tables(_moto: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a client whose tables are empty. The functions use the same tables and have just started."""
    for table, variable in TABLES.items():
        monkeypatch.setenv(variable, table)
        # Through moto's own objects: requests would take a third of the time of these tests.
        stored = dynamodb_backends["123456789012"]["eu-west-1"].tables[table]
        stored.items.clear()
        if stored.stream_shard:
            stored.stream_shard.items.clear()
    forget()
    yield _moto
    forget()


def forget() -> None:
    """Make the functions start cold, except for their clients, which are slow to create and hold no state."""
    for cached in (setting, items_per_tag, process_stream._total, welcome._description):
        cached.cache_clear()


@pytest.fixture
def short_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every request a retry budget of two pauses, which take no time."""

    def two_pauses(seconds: float) -> RetryBudget:
        left = iter([seconds, seconds, 0.0])
        return RetryBudget(lambda: next(left), sleep=lambda seconds: None)

    monkeypatch.setattr(record_visit, "retry_budget", two_pauses)
    monkeypatch.setattr(view_counts, "retry_budget", two_pauses)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a method of the functions' clients raise the given errors in turn, then work.

    That function returns the list of the method's calls.
    """

    def install(method: str, *errors: Exception) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        pending = list(errors)
        for client in (database.client(), database.single_attempt_client()):
            real = getattr(client, method)

            def refusing(*, _real: Any = real, **request: Any) -> Any:
                calls.append(request)
                if pending:
                    raise pending.pop(0)
                return _real(**request)

            monkeypatch.setattr(client, method, refusing)
        return calls

    return install
