"""A reconcile that is killed with SIGKILL is continued by the next call, on AWS's own engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from functions.dynamodb.retries import RetryBudget
from functions.process_stream import process
from functions.total.total import Total
from tests.dynamodb_local.engine import REGION, Engine, StreamReader
from tests.running import ROOT, eventually
from tests.share import ci_only

TABLE = "Killed"
TAGS = 1_600


class Call:
    """A call of the command in a process."""

    def __init__(self, engine: Engine, state: Path, *arguments: str) -> None:
        where = ("--table", TABLE, "--region", REGION, "--endpoint-url", engine.endpoint)
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli"), "reconcile", *where, "--json", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**engine.environment, "XDG_STATE_HOME": str(state), "NO_PROXY": "*"},
        )

    def finish(self) -> tuple[Any, str]:
        """Return what it printed as JSON, and on standard error."""
        out, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return json.loads(out), errors


def write_tags(client: Any) -> None:
    """Write tags with two visits each, as another program would."""
    for start in range(0, TAGS, 25):
        items = [{"ID": {"S": f"tag {start + number}"}, "Count": {"N": "2"}} for number in range(25)]
        client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in items]})


@pytest.mark.parametrize("marks_lost", [False, pytest.param(True, marks=ci_only("waits for marks that do not arrive"))])
def test_killed_reconcile_is_continued(engine: Engine, tmp_path: Path, marks_lost: bool) -> None:
    engine.create_table(TABLE)
    write_tags(engine.client)
    reader, total = StreamReader(engine, TABLE), Total(engine.client, TABLE)

    def deliver() -> None:
        for start in range(0, len(records := reader.take()), 1_000):
            event = {"Records": records[start : start + 1_000], "shardId": "shardId-1", "eventSourceARN": reader.arn}
            process(event, total, RetryBudget(lambda: 9.0))

    # The records of these tags were lost.
    reader.take()
    killed = Call(engine, tmp_path, "--rate", "800")
    # The first page of 1,000 tags is marked.
    eventually(lambda: any(tmp_path.rglob("*.json")), 30, "the progress of the first page")
    killed.process.kill()
    killed.process.communicate()
    if marks_lost:
        reader.take()
    continued = Call(engine, tmp_path, "--rate", "5000", "--wait", "3s")
    while continued.process.poll() is None:
        deliver()
        time.sleep(0.1)
    found, errors = continued.finish()
    # Two items of a page may be the total's.
    assert errors.startswith(
        ("Continuing the call that was stopped after 99", "Continuing the call that was stopped after 1,000")
    )
    assert ("starting over" in errors) is marks_lost
    assert (found["exact"], found["tags"], found["total"]) == (True, TAGS, 2 * TAGS)
    deliver()
    item = engine.client.get_item(TableName=TABLE, Key={"ID": {"S": "COUNTER"}})["Item"]
    assert (item["TotalViews"], "Rebuilding" in item) == ({"N": str(2 * TAGS)}, False)
    engine.delete_table(TABLE)
