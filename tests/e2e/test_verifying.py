"""`verify`, `delete` and a `reconcile` that is killed, on the running local cloud: the total stays exact."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.e2e.test_visits import settled_total, visit
from tests.operator import Operator, stopped_stream
from tests.running import ROOT
from tests.share import share


def test_verify_shows_the_three_side_by_side_and_names_drift(operator: Operator) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    for _ in range(3):
        visit(cloud, "verified")
    visits = settled_total(cloud)
    found = operator.json("verify")
    assert (found["total"]["visits"], found["ledger"]["visits"], found["drift"]) == (visits, visits, [])
    assert found["counts"]["visits"] == found["ledger"]["visitsOfTags"]
    assert operator.call("verify").endswith("\nThe total is exact.\n")
    client = cloud.client("dynamodb")
    with stopped_stream(cloud):
        visit(cloud, "verified")
        found = operator.json("verify", "--wait", "1s", status=1)
        assert (found["missing"], found["counts"]["visits"] - found["ledger"]["visitsOfTags"]) == (1, 1)
        assert found["drift"] == [
            "1 tag with 1 visit that are not in the total: 'verified'. If they do not arrive, run `counter reconcile`."
        ]
    settled_total(cloud)
    key = {"ID": {"S": "COUNTER"}}
    counter = client.get_item(TableName=outputs["tableName"], Key=key)["Item"]
    # The total may have further items, which other tests left.
    fewer = {"N": str(int(counter["TotalViews"]["N"]) - 1)}
    client.put_item(TableName=outputs["tableName"], Item=counter | {"TotalViews": fewer, "Held": fewer})
    assert f"The total ({visits:,}) is not the sum of the ledger ({visits + 1:,}). Run `counter reconcile`." in (
        operator.call("verify", status=1)
    )
    operator.call("reconcile")
    assert operator.json("verify")["drift"] == []


def test_a_reconciliation_killed_at_random_points_gives_the_exact_total_under_visits(
    operator: Operator, tmp_path: Path
) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    client, tags = cloud.client("dynamodb"), [f"killed-{number}" for number in range(120)]
    for tag in tags:
        client.put_item(TableName=outputs["tableName"], Item={"ID": {"S": tag}, "Count": {"N": "2"}})
    before = settled_total(cloud)
    # Every tag has to be brought in again: those of other tests from their entries, these by a mark.
    for tag in tags:
        client.delete_item(TableName=outputs["ledgerTableName"], Key={"ID": {"S": tag}})
    client.delete_item(TableName=outputs["tableName"], Key={"ID": {"S": "COUNTER"}})
    recorded: list[int] = []
    stop = threading.Event()

    def visit_on() -> None:
        while not stop.is_set():
            recorded.append(visit(cloud, f"killed-{len(recorded) % 3}"))
            time.sleep(0.03)

    visits = threading.Thread(target=visit_on)
    visits.start()
    try:
        for _ in range(share(1, in_ci=3)):
            command = [sys.executable, str(ROOT / "cli"), "reconcile", "--outputs", str(tmp_path / "outputs.json")]
            with subprocess.Popen([*command, "--rate", "50"], stderr=subprocess.DEVNULL) as process:
                # It starts within a second, and takes more than two at this rate.
                with suppress(subprocess.TimeoutExpired):
                    process.wait(random.uniform(0.7, 3.5))
                process.kill()
        found = operator.json("reconcile")
    finally:
        stop.set()
        visits.join()
    assert (found["exact"], len(recorded) > 0) == (True, True)
    assert settled_total(cloud) == before + len(recorded)
    assert operator.json("verify")["drift"] == []


def test_a_deleted_tag_leaves_its_visits_in_the_total(operator: Operator) -> None:
    for _ in range(2):
        visit(operator.cloud, "to delete")
    before = settled_total(operator.cloud)
    operator.call("delete", "to delete", status=2)
    assert "Delete the tag 'to delete' of table" in operator.errors
    assert "Confirm with --yes." in operator.errors
    visit(operator.cloud, "to delete")
    assert operator.json("delete", "to delete", "--yes") == {"tag": "to delete", "deleted": True, "visits": 3}
    assert operator.cloud.request("/counts/to%20delete").json["count"] == 0
    assert settled_total(operator.cloud) == before + 1
    assert operator.json("verify")["drift"] == []
    operator.call("delete", "to delete", "--yes", status=1)
    assert "counter: there is no tag 'to delete' in table" in operator.errors
    operator.call("delete", "COUNTER", "--yes", status=2)
    assert "COUNTER is the key of the total, not a tag." in operator.errors
    with stopped_stream(operator.cloud):
        visit(operator.cloud, "kept")
        operator.call("delete", "kept", "--yes", "--timeout", "1s", status=1)
        assert "'kept' was not deleted: the total lacks visits of it after 1 s" in operator.errors
