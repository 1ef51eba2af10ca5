"""`logs` of the running local cloud: merged by time, and followed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.e2e.test_visits import settled_total, visit
from tests.operator import Operator
from tests.running import ROOT


def test_the_logs_of_all_functions_are_merged_by_time(operator: Operator) -> None:
    cloud = operator.cloud
    visit(cloud, "logged")
    settled_total(cloud)
    lines = operator.call("logs", "--platform", "--since", "1h", "--json").splitlines()
    events = [json.loads(line) for line in lines]
    assert {"recordVisit", "processStream"} <= {event["function"] for event in events}
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert "RequestId" not in operator.call("logs", "--since", "1h")
    only = operator.call("logs", "--platform", "--since", "1h", "--function", "recordVisit")
    assert "START RequestId" in only
    assert "processStream" not in only
    # The emulator leaves Python's log level as it is, whatever the function's configuration says.
    assert "batch applied" not in operator.call("logs", "--since", "1h")
    assert operator.call("logs", "--function", "welcome", "--since", "1s") == ""
    assert operator.errors.startswith("No log events in the last 1 s; --platform shows ")
    operator.call("logs", "--function", "nobody", status=2)
    assert "'nobody' is not one of the functions; allowed: processStream, recordVisit," in operator.errors


def test_the_logs_are_followed_until_ctrl_c(operator: Operator, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli"), "logs", "--outputs", str(tmp_path / "outputs.json")]
    command += ["--follow", "--platform", "--json", "--since", "1s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        stop = threading.Event()

        def visit_on() -> None:
            while not stop.wait(0.3):
                visit(operator.cloud, "followed")

        visits = threading.Thread(target=visit_on)
        visits.start()
        try:
            seen = [json.loads(process.stdout.readline()) for _ in range(9)]
            process.send_signal(signal.SIGINT)
            rest = process.stdout.readlines()
        finally:
            stop.set()
            visits.join()
            process.kill()
        assert process.wait(20) == 0
    events = [json.dumps(one, sort_keys=True) for one in [*seen, *map(json.loads, rest)]]
    assert len(events) == len(set(events))
