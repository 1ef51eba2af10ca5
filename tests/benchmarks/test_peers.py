"""Which histories each baseline counts right, and which it does not, next to this project."""

from __future__ import annotations

import importlib
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.traffic import Traffic
from benchmarks.workers import HANDLERS, OURS
from functions.dynamodb.retries import RetryBudget
from functions.process_stream import process
from functions.total.total import Total
from tests.doubles import Context
from tests.dynamodb_local.engine import Engine
from tests.share import ci_only

TUTORIAL, CLIENT_TOKEN, POWERTOOLS = "tutorial", "client token", "Powertools"
pytestmark = ci_only("starts DynamoDB Local for the benchmarks' designs")


class Deployed:
    """One design on tables of its own, in this process, and the traffic of its table."""

    def __init__(self, engine: Engine, design: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._client = engine.client
        self.table, self.other = f"visits-{uuid.uuid4().hex[:8]}", f"other-{uuid.uuid4().hex[:8]}"
        engine.create_table(self.table)
        engine.create_table(self.other, None)
        stream = engine.client.describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        self.traffic = Traffic(stream, "zipf", time.time())
        if design == OURS:
            total = Total(engine.client, self.table)
            self._handler: Any = lambda event, _: process(event, total, RetryBudget(lambda: 30.0))
            return
        for name, value in (
            engine.environment | {"TABLE_NAME": self.table, "IDEMPOTENCY_TABLE_NAME": self.other}
        ).items():
            monkeypatch.setenv(name, value)
        # The baselines make their clients when they are imported.
        module, _, function = HANDLERS[design].rpartition(".")
        monkeypatch.delitem(sys.modules, module, raising=False)
        self.module = importlib.import_module(module)
        self._handler = getattr(self.module, function)

    def deliver(self, *events: dict[str, Any], seconds: float = 30.0) -> None:
        for event in events:
            self._handler(event, Context(seconds))

    @property
    def total(self) -> int:
        found = self._client.get_item(TableName=self.table, Key={"ID": {"S": "COUNTER"}}, ConsistentRead=True)
        return int(found.get("Item", {}).get("TotalViews", {}).get("N", "0"))


Deploy = Callable[[str], Deployed]


@pytest.fixture
def deploy(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    def deploy(design: str) -> Deployed:
        if design == POWERTOOLS:
            pytest.importorskip("aws_lambda_powertools", reason="./counter benchmark installs Powertools")
        return Deployed(engine, design, monkeypatch)

    return deploy


@pytest.mark.parametrize("design", HANDLERS)
def test_every_design_counts_a_clean_history(deploy: Deploy, design: str) -> None:
    deployed = deploy(design)
    deployed.deliver(deployed.traffic.batch(30), deployed.traffic.batch(1), deployed.traffic.batch(20))
    assert deployed.total == deployed.traffic.visits == 51


@pytest.mark.parametrize("design", HANDLERS)
def test_repeated_batch_counts_twice_in_the_tutorial(deploy: Deploy, design: str) -> None:
    deployed = deploy(design)
    batch = deployed.traffic.batch(10)
    deployed.deliver(batch, batch)
    assert deployed.total == (20 if design == TUTORIAL else 10)


@pytest.mark.parametrize("design", HANDLERS)
def test_repeated_batch_that_is_split_has_another_token(deploy: Deploy, design: str) -> None:
    deployed = deploy(design)
    batch = deployed.traffic.batch(10)
    records = batch["Records"]
    deployed.deliver(batch, batch | {"Records": records[:5]}, batch | {"Records": records[5:]})
    assert deployed.total == (20 if design in {TUTORIAL, CLIENT_TOKEN} else 10)


def test_function_that_dies_after_the_update_counts_twice(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = deploy(POWERTOOLS)
    real = deployed.module.client.update_item

    def dying(**request: Any) -> Any:
        if request["TableName"] == deployed.other:
            raise SystemExit
        return real(**request)

    batch = deployed.traffic.batch(1)
    with monkeypatch.context() as dead:
        dead.setattr(deployed.module.client, "update_item", dying)
        with pytest.raises(SystemExit):
            # No time is left, so that the record does not stay in progress.
            deployed.deliver(batch, seconds=0.0)
    deployed.deliver(batch)
    assert (deployed.total, deployed.traffic.visits) == (2, 1)


def test_pages_of_the_tutorial_show_the_counts(deploy: Deploy) -> None:
    deployed = deploy(TUTORIAL)
    event = {"pathParameters": {"tag": "a"}}
    deployed.module.record_visit(event, None)
    deployed.deliver(deployed.traffic.event(["a"]))
    assert "a: 1 visits</h1><h2>1 in all" in deployed.module.view_counts(event, None)["body"]


def test_functions_with_powertools_answer(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aws_lambda_powertools")
    deploy(TUTORIAL)
    monkeypatch.delitem(sys.modules, "benchmarks.peers.powertools_http", raising=False)
    http = importlib.import_module("benchmarks.peers.powertools_http")

    def ask(method: str, path: str) -> Any:
        context = {"http": {"method": method, "path": path}, "stage": "$default"}
        return http.handler({"version": "2.0", "rawPath": path, "requestContext": context, "headers": {}}, Context())

    assert '"count":1' in ask("POST", "/tag/a")["body"].replace(" ", "")
    assert ask("GET", "/counts/a")["statusCode"] == 200
