"""The chapter on throughput: what it says of made-up figures, and how it sizes and shares its work."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import lag, throughput
from benchmarks.chapters import Options
from benchmarks.traffic import Traffic
from benchmarks.workers import HANDLERS, OURS, Deployment, batches_for
from tests.dynamodb_local.engine import Engine
from tests.share import ci_only


def case(powertools: float, **wrong: list[int]) -> dict[str, Any]:
    measured = {design: [1000.0, 1000.0, 1000.0] for design in HANDLERS}
    measured["Powertools"] = [1000 / powertools] * 3
    times = {design: [100.0] * 3 for design in HANDLERS} | {"Powertools": [100.0 * powertools] * 3}
    return {
        "distribution": "uniform",
        "size": 100,
        "recordsPerSecond": measured,
        "ownMicrosecondsPerRecord": times,
        "engineMicrosecondsPerRecord": {design: [2 * each for each in values] for design, values in times.items()},
        "repeatedBatches": dict.fromkeys(HANDLERS, 0) | {"Powertools": 2},
        "tags": "same tags",
        "processors": 4,
        "wrong": wrong,
    }


def data(*cases: dict[str, Any]) -> dict[str, Any]:
    measured = {OURS: [0.2, 0.2, 0.4], "tutorial": [0.1, 0.1, 0.1]}
    lags = {"batchSize": 100, "window": 0, "burst": 200, "single": measured, "bursts": measured, "wrong": {}}
    return {"seconds": 0.7, "repeats": 3, "rates": cases, "contention": cases, "lag": lags}


@pytest.mark.parametrize(
    ("times", "verdict"), [([20, 10, 12], "The least is 10.0 (uniform, batches of 100): met."), ([20, 9], "**missed**")]
)
def test_the_goal_is_met_only_if_it_is_met_everywhere(times: list[float], verdict: str) -> None:
    assert verdict in throughput.report(data(*map(case, times))).markdown


def test_the_processor_time_is_split_between_the_design_and_the_engine() -> None:
    row = "| uniform, 100 | 100 | 200 | 1,000 | 2,000 | 10.0 (10.0 to 10.0) |"
    assert row in throughput.report(data(case(10))).markdown


def test_a_wrong_total_is_reported() -> None:
    text = throughput.report(data(case(10), case(10, tutorial=[120, 100]))).markdown
    assert "**Wrong totals**: tutorial: 120 instead of 100" in text
    assert "1.00 (1.00 to 1.00) *wrong* |\n" in text
    assert "every design's total was the number of visits" in throughput.report(data(case(10))).markdown


def test_batches_that_were_delivered_again_are_reported() -> None:
    assert "| same tags, 4 | 1,000 | 100, 2 again |" in throughput.report(data(case(10))).markdown


def test_the_lag_is_told_in_milliseconds_and_as_a_ratio() -> None:
    text = throughput.report(data(case(10))).markdown
    assert "| one visit | 200 (200 to 300) | 100 (100 to 100) | 2.00 (2.00 to 3.00) |" in text
    assert "does not wait for the window" not in text
    assert "does not wait for the window" in lag.text(data(case(10))["lag"] | {"window": 1})
    wrong = data(case(10))["lag"] | {"wrong": {"tutorial": [3, 2]}}
    assert "**Wrong totals**: tutorial: 3 instead of 2." in lag.text(wrong)


def test_the_plots_show_every_design() -> None:
    rates, contention = throughput.report(data(case(10))).plots
    assert [series.label for series in rates.series] == list(HANDLERS)
    assert [series.label for series in contention.series] == list(throughput.CONTENDERS)
    json.dumps([series.y for series in rates.series])


@pytest.mark.parametrize(
    ("seconds", "rate", "size", "batches"), [(1, 1000, 100, 10), (1, 10, 100, 1), (1, 1e6, 100, 40), (0.5, 900, 100, 4)]
)
def test_slow_designs_get_one_batch_and_fast_ones_no_endless_number(
    seconds: float, rate: float, size: int, batches: int
) -> None:
    assert batches_for(seconds, rate, size) == batches


def test_a_quick_run_repeats_twice() -> None:
    assert [Options(quick=quick).repeats(5) for quick in (True, False)] == [2, 5]


def test_another_prefix_makes_other_tags() -> None:
    traffic = Traffic("arn:aws:dynamodb:r:a:table/t/stream/l", "one tag")
    batches = [traffic.batch(2), traffic.batch(1, "other-")]
    names = [[record["eventName"] for record in batch["Records"]] for batch in batches]
    assert names == [["INSERT", "MODIFY"], ["INSERT"]]


@ci_only("starts processors")
def test_processors_share_a_table_and_its_total_is_exact(engine: Engine) -> None:
    deployment = Deployment(engine, OURS, "shared", "zipf", processors=2)
    try:
        work = deployment.process([deployment.traffic.batch(20)], [deployment.traffic.batch(20) for _ in range(2)])
        assert (deployment.total(), deployment.traffic.visits) == (60, 60)
        assert work.seconds > 0
        assert work.cpu > 0
    finally:
        deployment.end()


def test_a_worker_whose_handler_cannot_be_imported_is_an_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, OURS, "functions.nothing.handler")
    deployment = Deployment(engine, OURS, "nothing", "one tag")
    with pytest.raises((RuntimeError, BrokenPipeError)):
        deployment.process([deployment.traffic.batch(1)])
    deployment.end()
