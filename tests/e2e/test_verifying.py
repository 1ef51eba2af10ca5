"""`verify`, `delete` and a `reconcile` that is killed, on the running local cloud: the total stays exact."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.e2e.test_visits import settled_total, total, visit
from tests.operator import Operator, stopped_stream
from tests.running import ROOT
from tests.share import share


def test_verify_names_what_is_missing(operator: Operator) -> None:
    for _ in range(3):
        visit(operator.cloud, "verified")
    visits = settled_total(operator.cloud)
    found = operator.json("verify")
    assert (found["total"]["visits"], found["counts"]["visits"] + found["ended"]) == (visits, visits)
    assert operator.call("verify").endswith("\nThe total is exact.\n")
    with stopped_stream(operator.cloud):
        visit(operator.cloud, "verified")
        found = operator.json("verify", "--wait", "1s", status=1)
        assert (found["missing"], len(found["drift"])) == (1, 1)
        assert found["drift"][0].startswith("1 visit is missing. Run `counter reconcile`; if the event source mapping")
        operator.call("reconcile", "--wait", "1s", status=1)
        assert "have not come through the stream, and none has for 1 s" in operator.errors
    assert operator.json("verify")["total"]["visits"] == visits + 1


def test_damaged_total_is_rebuilt_with_deleted_tags(operator: Operator) -> None:
    visit(operator.cloud, "rebuilt, then deleted")
    operator.call("delete", "rebuilt, then deleted", "--yes")
    before = settled_total(operator.cloud)
    damage(operator)
    assert operator.cloud.request("/counts").json["rebuilding"] is True
    sentence = "There is no total to compare: TotalViews was changed by something else. Run `counter reconcile`."
    assert operator.json("verify", status=1)["drift"] == [sentence]
    assert sentence.partition(" to compare")[0] in operator.call("status", status=1)
    text = operator.call("reconcile")
    assert text.endswith(f" had been missing and are in the total now. The total is {before:,} visits.\n")
    assert operator.cloud.request("/counts").json["total"] == before
    assert operator.json("verify")["drift"] == []


def damage(operator: Operator) -> None:
    """Change the total as somebody would by hand."""
    operator.cloud.client("dynamodb").update_item(
        TableName=operator.cloud.outputs["tableName"],
        Key={"ID": {"S": "COUNTER"}},
        UpdateExpression="SET TotalViews = :views",
        ExpressionAttributeValues={":views": {"N": "1"}},
    )


def test_reconcile_killed_at_random_points_under_visits(operator: Operator, tmp_path: Path) -> None:
    cloud = operator.cloud
    for number in range(120):
        item = {"ID": {"S": f"killed-{number}"}, "Count": {"N": "2"}}
        cloud.client("dynamodb").put_item(TableName=cloud.outputs["tableName"], Item=item)
    before = settled_total(cloud)
    # Every tag has to be marked again.
    damage(operator)
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
        during = operator.json("verify")
    finally:
        stop.set()
        visits.join()
    assert (found["exact"], found["ended"], during["drift"], len(recorded) > 0) == (True, 0, [], True)
    assert settled_total(cloud) == before + len(recorded)
    assert operator.json("verify")["within"] == 0


def test_deleted_tag_leaves_its_visits_in_the_total(operator: Operator) -> None:
    for _ in range(2):
        visit(operator.cloud, "to delete")
    before = settled_total(operator.cloud)
    operator.call("delete", "to delete", status=2)
    assert "Delete the tag 'to delete' of table" in operator.errors
    assert "Confirm with --yes." in operator.errors
    visit(operator.cloud, "to delete")
    assert operator.json("delete", "to delete", "--yes") == {"tag": "to delete", "deleted": True, "visits": 3}
    assert operator.cloud.request("/counts/to%20delete").json["count"] == 0
    assert operator.json("verify")["drift"] == []
    assert total(operator.cloud) == before + 1
    assert visit(operator.cloud, "to delete") == 1
    assert settled_total(operator.cloud) == before + 2
