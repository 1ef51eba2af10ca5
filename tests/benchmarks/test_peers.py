"""What each baseline counts right, and where it does not, next to this project."""

from __future__ import annotations

import importlib
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.traffic import DISTRIBUTIONS, Traffic
from functions import process_stream
from tests.doubles import Context
from tests.dynamodb_local.engine import Engine
from tests.functions.conftest import forget, forget_clients
from tests.share import ci_only

OURS = "functions.process_stream.handler"
POWERTOOLS = "benchmarks.peers.powertools_stream.handler"
TUTORIAL = "benchmarks.peers.tutorial.process_stream"
CLIENT_TOKEN = "benchmarks.peers.resource_counters.client_token"
IDEMPOTENCY_ITEM = "benchmarks.peers.resource_counters.idempotency_item"
DESIGNS = (OURS, POWERTOOLS, TUTORIAL, CLIENT_TOKEN, IDEMPOTENCY_ITEM)


class Deployed:
    """One design on tables of its own, and the traffic of its table."""

    def __init__(self, engine: Engine, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._client = engine.client
        self.table, self.other = f"visits-{uuid.uuid4().hex[:8]}", f"other-{uuid.uuid4().hex[:8]}"
        arn = engine.create_table(self.table)
        engine.create_table(self.other, None)
        described = engine.client.describe_table(TableName=self.table)["Table"]
        assert described["TableArn"] == arn
        self.traffic = Traffic(described["LatestStreamArn"], "zipf")
        names = {"TABLE_NAME": self.table, "LEDGER_TABLE_NAME": self.other, "IDEMPOTENCY_TABLE_NAME": self.other}
        for name, value in (engine.environment | names).items():
            monkeypatch.setenv(name, value)
        module, _, function = path.rpartition(".")
        if path == OURS:
            forget()
            forget_clients()
            self.module: Any = process_stream
        else:
            # The baselines make their clients when they are imported.
            monkeypatch.delitem(sys.modules, module, raising=False)
            self.module = importlib.import_module(module)
        self._handler = getattr(self.module, function)

    def deliver(self, *batches: dict[str, Any], seconds: float = 30.0) -> None:
        for batch in batches:
            self._handler(batch, Context(seconds))

    @property
    def total(self) -> int:
        found = self._client.get_item(TableName=self.table, Key={"ID": {"S": "COUNTER"}}, ConsistentRead=True)
        return int(found.get("Item", {}).get("TotalViews", {}).get("N", "0"))


Deploy = Callable[[str], Deployed]
on_the_engine = ci_only("starts DynamoDB Local for the benchmarks' designs")


@pytest.fixture
def deploy(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    def deploy(path: str) -> Deployed:
        if path == POWERTOOLS:
            pytest.importorskip("aws_lambda_powertools", reason="./counter benchmark installs Powertools")
        return Deployed(engine, path, monkeypatch)

    yield deploy
    forget()
    forget_clients()


@on_the_engine
@pytest.mark.parametrize("path", DESIGNS)
def test_a_clean_history_is_counted_by_all(deploy: Deploy, path: str) -> None:
    design = deploy(path)
    design.deliver(design.traffic.batch(30), design.traffic.batch(1), design.traffic.batch(20))
    assert design.total == design.traffic.visits == 51


@on_the_engine
@pytest.mark.parametrize(("path", "total"), [(design, 20 if design == TUTORIAL else 10) for design in DESIGNS])
def test_a_batch_that_is_delivered_twice_counts_twice_in_the_tutorial(deploy: Deploy, path: str, total: int) -> None:
    design = deploy(path)
    batch = design.traffic.batch(10)
    design.deliver(batch, batch)
    assert design.total == total


@on_the_engine
@pytest.mark.parametrize(
    ("path", "total"), [(design, 20 if design in {TUTORIAL, CLIENT_TOKEN} else 10) for design in DESIGNS]
)
def test_a_batch_that_is_split_when_it_is_delivered_again_has_another_token(
    deploy: Deploy, path: str, total: int
) -> None:
    design = deploy(path)
    records = design.traffic.batch(10)["Records"]
    design.deliver({"Records": records}, {"Records": records[:5]}, {"Records": records[5:]})
    assert design.total == total


@on_the_engine
@pytest.mark.parametrize("path", DESIGNS)
def test_a_lost_record_is_made_up_for_by_this_project_alone(deploy: Deploy, path: str) -> None:
    design = deploy(path)
    records = [design.traffic.visit("a") for _ in range(3)]
    design.deliver({"Records": records[:1]}, {"Records": records[2:]})
    assert design.total == (3 if path == OURS else 2)


@on_the_engine
def test_a_function_that_dies_after_the_update_counts_twice_with_powertools(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = deploy(POWERTOOLS)
    real = design.module.client.update_item

    def dying(**request: Any) -> Any:
        if request["TableName"] == design.other:
            raise SystemExit
        return real(**request)

    batch = design.traffic.batch(1)
    with monkeypatch.context() as dead:
        dead.setattr(design.module.client, "update_item", dying)
        with pytest.raises(SystemExit):
            # No time is left, so that the record does not stay in progress.
            design.deliver(batch, seconds=0.0)
    design.deliver(batch)
    assert (design.total, design.traffic.visits) == (2, 1)


@on_the_engine
def test_the_tutorials_pages_show_what_was_counted(deploy: Deploy) -> None:
    design = deploy(TUTORIAL)
    event = {"pathParameters": {"tag": "a"}}
    design.module.record_visit(event, None)
    design.deliver({"Records": [design.traffic.visit("a")]})
    assert "a: 1 visits</h1><h2>1 in all" in design.module.view_counts(event, None)["body"]


@on_the_engine
def test_the_powertools_functions_answer(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aws_lambda_powertools")
    deploy(TUTORIAL)
    monkeypatch.delitem(sys.modules, "benchmarks.peers.powertools_http", raising=False)
    http = importlib.import_module("benchmarks.peers.powertools_http")

    def ask(method: str, path: str) -> Any:
        context = {"http": {"method": method, "path": path}, "stage": "$default"}
        return http.handler({"version": "2.0", "rawPath": path, "requestContext": context, "headers": {}}, Context())

    assert '"count":1' in ask("POST", "/tag/a")["body"].replace(" ", "")
    assert ask("GET", "/counts/a")["statusCode"] == 200


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_traffic_is_the_same_at_every_run(distribution: str) -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
    first, second = (Traffic(arn, distribution).batch(200) for _ in range(2))
    assert first == second
    tags = len({record["dynamodb"]["Keys"]["ID"]["S"] for record in first["Records"]})
    assert tags in {"uniform": range(190, 201), "zipf": range(60, 170), "one tag": range(1, 2)}[distribution]


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="'even' is not a distribution; allowed: uniform, zipf, one tag"):
        Traffic("arn:aws:dynamodb:r:a:table/t/stream/l", "even")
