"""The chapters on start-up, work per request and deployment: their reports, and that they measure real work."""

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import deployment, processes, requests, startup
from functions.dynamodb.retries import RetryBudget
from functions.total.records import read_batch
from functions.total.totals import Applied, Total

BUDGET = RetryBudget(lambda: 10.0)


def test_start_up_reports_each_programs_ratio_to_boto3() -> None:
    cpu = {name: [2.0, 4.0] if name == "boto3" else [1.0, 1.0] for name in startup.PROGRAMS}
    counted = {name: 1000 if name == "boto3" else 700 for name in startup.PROGRAMS}
    report = startup.report({"cpu": cpu, "instructions": counted})
    assert "| `record_visit` | 0.700 | 0.38 (0.31 to 0.44) |" in report.markdown
    assert [plot.goal for plot in report.plots] == [0.72]
    assert "not counted" in startup.report({"cpu": cpu, "instructions": {}}).markdown


def test_work_per_request_reports_ratios_and_the_share_of_own_code() -> None:
    seconds = {"this project": [3.0], "plain client": [4.0], "own code": [0.3], "Powertools": [6.0], "tutorial": [2.0]}
    report = requests.report(dict.fromkeys(requests.INVOCATIONS, seconds))
    assert "| visit | 0.75 | 0.75 | 0.50 | 1.5 | 0.10 |" in report.markdown
    assert "| 100 records, 100 tags | 0.75 | 0.65 | 0.50 | 1.5 | 0.10 |" in report.markdown


def test_deployment_reports_what_each_counter_adds() -> None:
    counters = {str(n): {"cpu": [1.0 + n], "memory": [50.0 + 4 * n]} for n in (0, 1, 10)}
    counters["50"] = {"cpu": [101.0], "memory": [250.0]}
    imports = {"pulumi": [1.0], "pulumi and pulumi_aws": [1.5], "components": [2.0]}
    text = deployment.report({"imports": imports, "counters": counters, "ready": [2.5]}).markdown
    assert "| 10 | 1.0 | 1.0 |" in text
    assert "| 50 | 2.0 | 1.0 |" in text
    assert "takes 1.50 of the time" in text


def test_valgrinds_report_is_read() -> None:
    assert processes.instructions_in("==7== \n==7== I   refs:      1,018,328,079\n") == 1_018_328_079
    with pytest.raises(ValueError, match="reported no instructions"):
        processes.instructions_in("==7== killed")


def test_a_programs_memory_is_its_own() -> None:
    held = bytearray(2**28)
    assert 1 < processes.used("print(1)", {}).memory < 100
    assert processes.used("held = bytearray(2**28)", {}).memory > len(held) / 2**20


def test_a_program_that_fails_is_not_measured() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        processes.used("import nothing_of_this_name", {})


def test_a_function_has_no_settings_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    found = processes.environment(AWS_DATA_PATH="/nowhere")
    assert "AWS_PROFILE" not in found
    assert (found["AWS_DATA_PATH"], found["TABLE_NAME"]) == ("/nowhere", "visits")


@pytest.mark.parametrize(("records", "tags"), [(1, 1), (100, 1), (100, 100)])
def test_every_invocation_of_a_batch_applies_all_of_it(records: int, tags: int) -> None:
    client: Any = requests.Nothing(requests.Store())
    total = Total(client, "visits", "visits-ledger")
    changes = read_batch(requests.batch(records, tags)).changes
    for _ in range(2):
        applied = total.apply(changes, BUDGET)
        assert applied == Applied(entries=tags, delta=records, attempts=1 + (tags == 100))


def test_a_worker_answers_with_the_seconds_of_an_invocation() -> None:
    command = [sys.executable, "-m", "benchmarks.requests", requests.OURS]
    asked = "".join(json.dumps([workload, 1]) + "\n" for workload in requests.INVOCATIONS)
    done = subprocess.run(
        command,
        cwd=processes.ROOT,
        env=processes.environment(),
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert len(done.stdout.split()) == len(requests.INVOCATIONS)
    assert all(float(seconds) > 0 for seconds in done.stdout.split())


def test_the_measured_program_makes_as_many_counters_as_it_says() -> None:
    exec(compile(deployment._program(2), "program", "exec"), {})
