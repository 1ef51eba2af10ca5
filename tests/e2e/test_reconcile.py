"""`./counter reconcile` repairs the total, with exactly the permissions that its documentation lists."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.e2e.test_visits import settled_total, total, visit
from tests.running import ROOT, RunningCloud, eventually


def reconcile(cloud: RunningCloud, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    outputs = cloud.outputs
    command = [sys.executable, str(ROOT / "cli"), "reconcile", "--table", outputs["tableName"]]
    command += ["--ledger", outputs["ledgerTableName"], "--region", cloud.region]
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [*command, "--endpoint-url", outputs["endpointUrl"], *more],
        capture_output=True,
        text=True,
        cwd="/",
        env={**own, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        timeout=60,
        check=False,
    )


def test_a_deleted_total_is_rebuilt_including_deleted_tags(cloud: RunningCloud) -> None:
    visit(cloud, "reconciled")
    visit(cloud, "reconciled, then deleted")
    settled_total(cloud)
    table, client = cloud.outputs["tableName"], cloud.client("dynamodb")
    client.delete_item(TableName=table, Key={"ID": {"S": "reconciled, then deleted"}})
    before = settled_total(cloud)
    client.delete_item(TableName=table, Key={"ID": {"S": "COUNTER"}})
    assert total(cloud) == 0
    done = reconcile(cloud)
    assert done.returncode == 0, done.stderr
    assert "Every visit of" in done.stdout
    assert "pass 1" in done.stderr
    eventually(lambda: total(cloud) == before, 30, f"the total {before}")
