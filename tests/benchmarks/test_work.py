"""The chapters on start-up, work per request and deployment: their reports, and that they measure real work."""

import subprocess
from typing import Any

import pytest

from benchmarks import deployment, processes, requests, startup
from benchmarks.traffic import Traffic
from benchmarks.workers import Worker
from functions.dynamodb.retries import RetryBudget
from functions.total.records import read_batch
from functions.total.total import Total

BUDGET = RetryBudget(lambda: 10.0)


def test_start_up_report_has_each_ratio_to_boto3() -> None:
    cpu = {name: [2.0, 4.0] if name == "boto3" else [1.0, 1.0] for name in startup.PROGRAMS}
    counted = {name: 1000 if name == "boto3" else 700 for name in startup.PROGRAMS}
    report = startup.report({"cpu": cpu, "instructions": counted})
    assert "| `record_visit` | 0.700 | 0.38 (0.31 to 0.44) |" in report.markdown
    assert [plot.goal for plot in report.plots] == [0.72]
    assert "not counted" in startup.report({"cpu": cpu, "instructions": {}}).markdown


def test_work_report_has_ratios_and_the_share_of_own_code() -> None:
    seconds = {"this project": [3.0], "plain client": [4.0], "own code": [0.3], "Powertools": [6.0], "tutorial": [2.0]}
    report = requests.report(dict.fromkeys(requests.INVOCATIONS, seconds))
    assert "| visit | 0.75 | 0.75 | 0.50 | 1.5 | 0.10 |" in report.markdown
    assert "| 100 records | 0.75 |  | 0.50 | 1.5 | 0.10 |" in report.markdown


def test_deployment_report_has_the_cost_of_each_counter() -> None:
    counters = {str(n): {"cpu": [1.0 + n], "memory": [50.0 + 4 * n]} for n in (0, 1, 10)}
    counters["50"] = {"cpu": [101.0], "memory": [250.0]}
    imports = {"pulumi": [1.0], "pulumi and pulumi_aws": [1.5], "components": [2.0]}
    text = deployment.report({"imports": imports, "counters": counters, "ready": [2.5]}).markdown
    assert "| 10 | 1.0 | 1.0 |" in text
    assert "| 50 | 2.0 | 1.0 |" in text
    assert "takes 1.50 of the time" in text


def test_instructions_are_read_from_valgrind() -> None:
    assert processes.instructions_in("==7== \n==7== I   refs:      1,018,328,079\n") == 1_018_328_079
    with pytest.raises(ValueError, match="reported no instructions"):
        processes.instructions_in("==7== killed")


def test_memory_of_a_program_is_its_own() -> None:
    held = bytearray(2**28)
    assert 1 < processes.used("print(1)", {}).memory < 100
    assert processes.used("held = bytearray(2**28)", {}).memory > len(held) / 2**20


def test_failing_program_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        processes.used("import nothing_of_this_name", {})


def test_function_has_no_settings_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    found = processes.environment(AWS_DATA_PATH="/nowhere")
    assert "AWS_PROFILE" not in found
    assert (found["AWS_DATA_PATH"], found["TABLE_NAME"]) == ("/nowhere", "visits")


def test_every_invocation_applies_its_whole_batch() -> None:
    client: Any = requests.Nothing(requests.Store())
    total, traffic = Total(client, "visits"), Traffic(requests.STREAM_ARN, "uniform", requests.CREATED.timestamp() + 1)
    for _ in range(2):
        applied = total.apply(read_batch(traffic.batch(100)), BUDGET)
        assert (applied.records, applied.delta, applied.marked) == (100, 100, 0)


@pytest.mark.parametrize("design", [requests.OURS, requests.PLAIN, requests.OWN])
def test_every_workload_has_a_working_handler(design: str) -> None:
    prepare, handlers = requests.DESIGNS[design]
    environment = processes.environment(PREPARE=f"benchmarks.requests.{prepare}")
    traffic = Traffic(requests.STREAM_ARN, "uniform", requests.CREATED.timestamp() + 1)
    for handler, workload in zip(handlers, ("visit", "read", "1 record"), strict=True):
        worker = Worker(handler, environment)
        worker.load([requests._event(workload, traffic)])
        worker.start()
        assert worker.result()["cpu"] > 0
        worker.end()


def test_measured_program_makes_all_counters() -> None:
    exec(compile(deployment._program(2), "program", "exec"), {})
