"""The chapter on cost: its report, and what the real code takes on DynamoDB Local."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import cost
from benchmarks.designs import DESIGNS, OURS
from benchmarks.workers import HANDLERS, Deployment
from tests.dynamodb_local.engine import Engine
from tests.share import ci_only


def data(units: float = 2) -> dict[str, Any]:
    batch = {"design": OURS.name, "positions": 28, "records": 10, "requests": 1, "write_units": units, "read_units": 0}
    used = {"requests": 1, "write_units": 1.0, "read_units": 0}
    return {"batches": [batch], "marks": {"tags": 10, **used}, "requests": {"a visit": used}}


def test_report_shows_units_prices_and_the_goal() -> None:
    report = cost.report(data())
    assert "| a visit | 1.00 | 1.00 | 0 |" in report.markdown
    assert "| this project, 28 positions | 0.200 |" in report.markdown
    assert "Goal: at most 2.70 dollars at 10 visits a second (Zipf)." in report.markdown
    assert [series.label for series in report.plots[0].series] == [design.name for design in DESIGNS]


@pytest.mark.parametrize(("units", "text"), [(2, "agrees exactly"), (4, "differs by up to 50 %")])
def test_report_compares_the_model_with_the_counts(units: float, text: str) -> None:
    assert text in cost.report(data(units)).markdown


def test_batch_takes_one_request_and_the_modelled_units(engine: Engine) -> None:
    deployment = Deployment(engine, HANDLERS[OURS.name], "counted", "zipf", units=True)
    try:
        traffic = deployment.traffic
        deployment.process([traffic.batch(1, line) for line in range(28)])
        for records in (1, 200):
            work = deployment.process([traffic.batch(records, 5)])
            assert (work.requests, work.write_units) == OURS.usage(records, 28)
            assert (work.failed, work.read_units) == (0, 0)
    finally:
        deployment.end()


@ci_only("starts every design on DynamoDB Local")
@pytest.mark.parametrize("design", DESIGNS[1:], ids=lambda each: each.name)
def test_baselines_take_what_the_model_says(engine: Engine, design: Any) -> None:
    if design.name == "Powertools":
        pytest.importorskip("aws_lambda_powertools", reason="./counter benchmark installs Powertools")
    deployment = Deployment(engine, HANDLERS[design.name], f"counted-{design.name[:4]}", "zipf", units=True)
    try:
        deployment.process([deployment.traffic.batch(1)])
        work = deployment.process([deployment.traffic.batch(10)])
        assert (work.requests, work.write_units) == design.usage(10)
    finally:
        deployment.end()


@ci_only("starts processes on DynamoDB Local")
def test_marks_take_one_unit_for_each_item_once(engine: Engine) -> None:
    counted = cost._marks(engine)
    assert counted["write_units"] == counted["tags"] + 1


@ci_only("starts processes on DynamoDB Local")
def test_requests_of_the_api_are_counted(engine: Engine) -> None:
    assert cost._requests(engine)["a visit"] == {"requests": 1, "write_units": 1.0, "read_units": 0}
