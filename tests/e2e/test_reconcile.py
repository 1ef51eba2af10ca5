"""`./counter reconcile` brings back what the total misses."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.e2e.test_visits import numbers, settled_total, total, visit
from tests.running import ROOT, RunningCloud, eventually


def reconcile(cloud: RunningCloud) -> subprocess.CompletedProcess[str]:
    outputs = cloud.outputs
    command = [sys.executable, str(ROOT / "cli"), "reconcile", "--table", outputs["tableName"]]
    command += ["--ledger", outputs["ledgerTableName"], "--region", cloud.region]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [*command, "--endpoint-url", outputs["endpointUrl"]],
        capture_output=True,
        text=True,
        cwd="/",
        env={**environment, "AWS_EC2_METADATA_DISABLED": "true"},
        timeout=60,
        check=False,
    )


def test_a_lost_total_is_brought_back(cloud: RunningCloud) -> None:
    visit(cloud, "reconciled")
    settled_total(cloud)
    counter = {"TableName": cloud.outputs["tableName"], "Key": {"ID": {"S": "COUNTER"}}}
    cloud.client("dynamodb").delete_item(**counter)
    assert total(cloud) == 0
    done = reconcile(cloud)
    assert done.returncode == 0, done.stderr
    assert "Every visit of" in done.stdout
    assert "pass 1" in done.stderr
    # What the tags of the table have; the visits of deleted tags, which only the total knew, are lost with it.
    counts = sum(numbers(cloud, "tableName", "Count").values())
    eventually(lambda: total(cloud) == counts, 30, f"the total {counts}")
