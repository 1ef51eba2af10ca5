"""Visits over HTTP are counted, and the total follows through the stream."""

from __future__ import annotations

import shutil
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from cli.deployment import FUNCTION_KEYS
from tests.running import RunningCloud, eventually
from tests.samples import OUTPUTS

TOTAL_SECONDS = 5.0


def total(cloud: RunningCloud) -> int:
    return int(cloud.request("/counts").json["total"])


def visit(cloud: RunningCloud, tag: str) -> int:
    answer = cloud.request(f"/tag/{urllib.parse.quote(tag, safe='')}", "POST")
    assert answer.status == 200, answer
    return int(answer.json["count"])


def numbers(cloud: RunningCloud, table: str, attribute: str) -> dict[str, int]:
    """Read an attribute of every item that has it."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.outputs[table], ConsistentRead=True)
    items = [item for page in pages for item in page["Items"]]
    return {item["ID"]["S"]: int(item[attribute]["N"]) for item in items if attribute in item}


def settled_total(cloud: RunningCloud, seconds: float = 60.0) -> int:
    """Wait until every visit so far, including those of other tests, is in the total; return the total."""

    def settled() -> bool:
        counts, ended = numbers(cloud, "tableName", "Count"), numbers(cloud, "tableName", "Ended")
        return numbers(cloud, "tableName", "TotalViews").get("COUNTER", 0) == sum([*counts.values(), *ended.values()])

    eventually(settled, seconds, "every visit in the total")
    return total(cloud)


def test_the_outputs_include_the_documented_ones(cloud: RunningCloud) -> None:
    assert set(cloud.outputs) >= {*OUTPUTS, "endpointUrl"}
    assert set(cloud.outputs["functionNames"]) == set(FUNCTION_KEYS)
    assert not cloud.outputs["apiEndpoint"].endswith("/")


def test_the_first_steps_of_the_readme(cloud: RunningCloud) -> None:
    before = settled_total(cloud)
    curl = shutil.which("curl")
    assert curl, "curl is needed, as the README says"
    for _ in range(3):
        command = [curl, "-fsS", "-X", "POST", f"{cloud.outputs['apiEndpoint']}/tag/first-minute"]
        subprocess.run(command, check=True, timeout=30)

    def answer() -> tuple[int, int]:
        found = cloud.request("/counts/first-minute").json
        return found["count"], found["total"]

    assert answer()[0] == 3
    eventually(lambda: answer() == (3, before + 3), TOTAL_SECONDS, f"the total {before + 3}")


def test_concurrent_visits_are_all_counted(cloud: RunningCloud) -> None:
    before = settled_total(cloud)
    tags = [f"many-{number % 5}" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda tag: (tag, visit(cloud, tag)), tags))
    assert sorted(counts) == sorted((f"many-{tag}", count) for tag in range(5) for count in range(1, 13))
    assert settled_total(cloud, TOTAL_SECONDS) == before + 60


def test_the_visits_of_a_deleted_tag_stay_in_the_total(cloud: RunningCloud) -> None:
    visit(cloud, "short-lived")
    before = settled_total(cloud)
    client = cloud.client("dynamodb")
    client.delete_item(TableName=cloud.outputs["tableName"], Key={"ID": {"S": "short-lived"}})
    assert visit(cloud, "short-lived") == 1
    eventually(lambda: total(cloud) == before + 1, TOTAL_SECONDS, f"the total {before + 1}")


def test_pages_of_an_allowed_origin_can_call_the_api(cloud: RunningCloud) -> None:
    answer = cloud.request("/counts", headers={"Origin": "http://localhost:5173"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    # The function's own is not replaced.
    assert sorted(answer.headers.get_all("vary") or []) == ["Accept", "Origin"]


def test_the_host_based_address_works(cloud: RunningCloud) -> None:
    host = cloud.outputs["apiEndpoint"].removeprefix("http://")
    port = host.rpartition(":")[2]
    assert cloud.request("/counts", headers={"Host": f"00000001.execute-api.localhost:{port}"}).status == 200
    assert cloud.request("/counts", headers={"Host": f"localhost:{port}"}).status == 200
