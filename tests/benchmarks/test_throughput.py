"""The chapters on throughput and lag: their reports of made-up figures, and processors at work."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import lag, throughput
from benchmarks.chapters import Options
from benchmarks.workers import HANDLERS, OURS, Deployment, batches_for
from tests.dynamodb_local.engine import Engine
from tests.share import ci_only


def case(powertools: float = 200, tutorial: float = 0.5, **wrong: list[int]) -> dict[str, Any]:
    measured = {design: [1000.0] * 3 for design in HANDLERS}
    measured |= {"Powertools": [1000 / powertools] * 3, "tutorial": [1000 / tutorial] * 3}
    times = {design: [100.0] * 3 for design in HANDLERS} | {"Powertools": [2000.0] * 3}
    return {
        "distribution": "uniform",
        "size": 100,
        "recordsPerSecond": measured,
        "ownMicrosecondsPerRecord": times,
        "engineMicrosecondsPerRecord": {design: [2 * each for each in values] for design, values in times.items()},
        "wrong": wrong,
    }


def contention(name: str, requests: float = 1, failed: int = 0) -> dict[str, Any]:
    return {
        **case(),
        "case": name,
        "requestsPerBatch": dict.fromkeys(HANDLERS, requests),
        "failedConditions": dict.fromkeys(HANDLERS, failed),
        "repeatedBatches": dict.fromkeys(HANDLERS, 0) | {"Powertools": 2},
    }


def text(rates: Any = (), several: Any = ()) -> str:
    several = several or [contention("1 shard"), contention("8 shards")]
    data = {"seconds": 0.7, "repeats": 3, "rates": rates or [case()], "contention": several}
    return throughput.report(data).markdown


@pytest.mark.parametrize(
    ("cases", "verdict"),
    [
        ([case(200), case(150)], "150 times Powertools' records a second everywhere. Met: the least is 150"),
        ([case(200), case(149)], "150 times Powertools' records a second everywhere. **Missed**: the least is 149"),
        ([case(tutorial=0.4)], "0.40 times the tutorial's records a second everywhere. Met: the least is 0.400"),
        ([case(tutorial=0.3)], "0.40 times the tutorial's records a second everywhere. **Missed**: the least is 0.300"),
    ],
)
def test_goal_is_met_only_if_it_is_met_everywhere(cases: list[Any], verdict: str) -> None:
    assert verdict in text(cases)


def test_designs_that_were_not_measured_are_left_out() -> None:
    largest = case() | {"size": 10_000}
    for kind in ("recordsPerSecond", "ownMicrosecondsPerRecord", "engineMicrosecondsPerRecord"):
        largest[kind] = {design: largest[kind][design] for design in throughput.FASTEST}
    assert "| uniform, 10,000 | 1,000 (1,000 to 1,000) |  |  |  | 0.500 (0.500 to 0.500) |" in text([case(), largest])


def test_processor_time_is_split_between_design_and_engine() -> None:
    assert "| uniform, 100 | 100 | 200 | 100 | 200 | 2,000 | 4,000 |" in text()


def test_wrong_total_is_reported() -> None:
    wrong = text([case(tutorial=0.5), case() | {"wrong": {"tutorial": [120, 100]}}])
    assert "**Wrong totals**: tutorial: 120 instead of 100" in wrong
    assert "0.500 (0.500 to 0.500) *wrong* |\n" in wrong
    assert "every design's total was the number of visits" in text()


@pytest.mark.parametrize(
    ("several", "verdict"),
    [
        ([contention("1 shard"), contention("8 shards")], "Met: 1.00 requests for each batch, 0 failed conditions"),
        (
            [contention("1 shard"), contention("8 shards", failed=3)],
            "**Missed**: 1.00 requests for each batch, 3 failed conditions",
        ),
        ([contention("1 shard"), contention("8 shards", requests=1.5)], "**Missed**: 1.50 requests for each batch"),
        ([contention("1 shard"), contention("1 shard twice", 2, 9)], "Met: 1.00 requests for each batch, 0 failed"),
    ],
)
def test_goal_of_contention_is_about_different_shards(several: list[Any], verdict: str) -> None:
    assert verdict in text(several=several)


def test_batches_that_were_delivered_again_are_reported() -> None:
    assert "| 8 shards | 1,000 (1.00 requests) | 5.00 (1.00 requests, 2 again) |" in text()


def test_plots_show_every_design() -> None:
    data = {
        "seconds": 0.7,
        "repeats": 3,
        "rates": [case()],
        "contention": [contention("1 shard"), contention("8 shards")],
    }
    rates, several = throughput.report(data).plots
    assert [series.label for series in rates.series] == list(HANDLERS)
    assert [series.label for series in several.series] == list(throughput.CONTENDERS)
    json.dumps([series.y for series in rates.series])


def test_lag_is_in_milliseconds_and_as_a_ratio() -> None:
    measured = {OURS: [0.2, 0.2, 0.4], "tutorial": [0.1, 0.1, 0.1]}
    data = {"batchSize": 100, "window": 0, "burst": 200, "single": measured, "bursts": measured, "wrong": {}}
    found = lag.report(data).markdown
    assert "| one visit | 200 (200 to 300) | 100 (100 to 100) | 2.00 (2.00 to 3.00) |" in found
    assert "does not wait for the window" not in found
    assert "does not wait for the window" in lag.report(data | {"window": 1}).markdown
    wrong = lag.report(data | {"wrong": {"tutorial": [3, 2]}}).markdown
    assert "**Wrong totals**: tutorial: 3 instead of 2." in wrong


@pytest.mark.parametrize(
    ("seconds", "rate", "size", "batches"),
    [(1, 1000, 100, 10), (1, 10, 100, 1), (1, 1e6, 100, 40), (0.5, 900, 100, 4), (1, 1e6, 10_000, 10)],
)
def test_batches_have_a_minimum_and_a_maximum(seconds: float, rate: float, size: int, batches: int) -> None:
    assert batches_for(seconds, rate, size) == batches


def test_quick_run_repeats_twice() -> None:
    assert [Options(quick=quick).repeats(5) for quick in (True, False)] == [2, 5]


@ci_only("starts processors")
def test_processors_of_different_shards_do_not_collide(engine: Engine) -> None:
    deployment = Deployment(engine, HANDLERS[OURS], "shards", "zipf", processors=2)
    try:
        traffic = deployment.traffic
        deployment.process(*([traffic.batch(20, line)] for line in range(2)))
        work = deployment.process(*([traffic.batch(20, line) for _ in range(5)] for line in range(2)))
        assert (work.requests, work.failed, work.repeated) == (10, 0, 0)
        assert deployment.total() == traffic.visits == 240
    finally:
        deployment.end()


@ci_only("starts processors")
def test_two_processors_of_one_shard_count_every_record_once(engine: Engine) -> None:
    deployment = Deployment(engine, HANDLERS[OURS], "zombies", "zipf", processors=2)
    try:
        batches = [deployment.traffic.batch(20) for _ in range(10)]
        deployment.process(batches, batches)
        assert deployment.total() == deployment.traffic.visits == 200
    finally:
        deployment.end()


@ci_only("starts processors")
def test_child_shard_is_counted_after_its_parent(engine: Engine) -> None:
    deployment = Deployment(engine, HANDLERS[OURS], "children", "zipf")
    try:
        traffic = deployment.traffic
        parent = [traffic.batch(10), traffic.end_of_shard()]
        work = deployment.process([*parent, traffic.batch(10), parent[0]])
        assert deployment.total() == traffic.visits == 20
        assert work.failed == 0
    finally:
        deployment.end()


def test_worker_whose_handler_cannot_be_imported_is_an_error(engine: Engine) -> None:
    deployment = Deployment(engine, "functions.nothing.handler", "nothing", "one tag")
    with pytest.raises((RuntimeError, BrokenPipeError)):
        deployment.process([deployment.traffic.batch(1)])
    deployment.end()
