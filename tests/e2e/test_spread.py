"""The number of items of a tag is raised on a live stack, while visits go on."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from functions.dynamodb.tables import name_of
from tests.e2e.test_visits import numbers, settled_total, visit
from tests.running import ROOT, RunningCloud, eventually
from tests.share import ci_only


@contextmanager
def deployed(cloud: RunningCloud, **variables: str) -> Iterator[None]:
    """Change the functions' environment as an update of the stack does, and change it back in the end."""
    client = cloud.client("lambda")
    names = [cloud.outputs["functionNames"][key] for key in ("recordVisit", "viewCounts")]
    before = {name: client.get_function_configuration(FunctionName=name)["Environment"]["Variables"] for name in names}
    try:
        for name in names:
            client.update_function_configuration(FunctionName=name, Environment={"Variables": before[name] | variables})
        yield
    finally:
        for name in names:
            client.update_function_configuration(FunctionName=name, Environment={"Variables": before[name]})


def visit_concurrently(cloud: RunningCloud, times: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: visit(cloud, "hot"), range(times)))


def visit_during_deployment(cloud: RunningCloud, times: int) -> None:
    """Visit, and repeat what the emulator drops when it restarts a function, as clients do: with the same key."""

    def visit_once(key: str) -> None:
        def counted() -> bool:
            return cloud.request("/tag/hot", "POST", headers={"Idempotency-Key": key}).status == 200

        eventually(counted, 30, "a visit")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(visit_once, [uuid.uuid4().hex for _ in range(times)]))


def shown(cloud: RunningCloud) -> int:
    return int(cloud.request("/counts/hot").json["count"])


@ci_only("redeploys functions under load")
def test_a_tag_is_spread_while_visits_go_on(cloud: RunningCloud) -> None:
    before = settled_total(cloud)
    visit_concurrently(cloud, 8)
    with ThreadPoolExecutor(1) as pool:
        visits = pool.submit(visit_during_deployment, cloud, 24)
        with deployed(cloud, ITEMS_PER_TAG="3"):
            visits.result()
            visit_concurrently(cloud, 24)
            assert shown(cloud) == 56
            assert settled_total(cloud) == before + 56
            items = numbers(cloud, "tableName", "Count")
            assert len([key for key in items if name_of(key) == "hot"]) == 3
    # And lowered again: everything still counts.
    assert visit(cloud, "hot") == shown(cloud) == 57
    assert settled_total(cloud) == before + 57
    listed = cloud.request("/counts?limit=100").json["tags"]
    assert [each for each in listed if "hot" in each["tag"]] == [{"tag": "hot", "count": 57}]
    for command in (["verify"], ["delete", "hot", "--yes"], ["verify"]):
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli"), *command, "--local", "--endpoint-url", cloud.outputs["endpointUrl"]],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert shown(cloud) == 0
    assert settled_total(cloud) == before + 57
    assert visit(cloud, "hot") == 1
