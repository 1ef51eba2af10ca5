"""Many concurrent requests: to a cloud that has just started, and while the stream processor has its reservation."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from local.emulator.gateway import PLACES
from tests.e2e.conftest import Start
from tests.e2e.test_visits import settled_total
from tests.interposer import Interposer
from tests.running import RunningCloud, descendants, eventually
from tests.share import ci_only
from tests.watched import Watched

CONCURRENCY = 50
FLOOD = 24
# COLD_BURSTS is the number of bursts of full size; without it, there is one small burst.
BURSTS = int(os.environ.get("COLD_BURSTS", "0"))
REQUESTS = [300] * BURSTS or [60]


@pytest.mark.parametrize("requests", REQUESTS)
def test_a_cold_burst_is_answered_completely_and_starts_few_processes(start: Start, requests: int) -> None:
    cloud = start("--port", "0")
    before = len(descendants(cloud.process.pid)) if cloud.outputs else 0
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        answers = list(pool.map(lambda _: cloud.request("/tag/burst", "POST"), range(requests)))
    assert Counter(answer.status for answer in answers) == {200: requests}
    assert sorted(answer.json["count"] for answer in answers) == list(range(1, requests + 1))
    # Without a limit, each concurrent request would start a process. On a busy machine, a few exceed the limit.
    assert len(descendants(cloud.process.pid)) - before <= 2 * PLACES + 2
    eventually(lambda: cloud.request("/counts").json["total"] == requests, 20, f"the total {requests}")


@ci_only("sends requests for some seconds")
def test_a_flood_of_requests_does_not_keep_the_stream_processor_from_running(cloud: RunningCloud) -> None:
    """The emulator refuses more than is reserved; that Lambda keeps it free is Lambda's promise."""
    before, tables, outputs = settled_total(cloud), cloud.client("dynamodb"), cloud.outputs
    database = Interposer(outputs["endpointUrl"])
    watched = Watched(cloud, database)
    watched.functions.put_function_concurrency(FunctionName=watched.processor, ReservedConcurrentExecutions=1)
    watched.configure(AWS_ENDPOINT_URL_DYNAMODB=database.url)

    def total() -> int:
        item = tables.get_item(TableName=outputs["tableName"], Key={"ID": {"S": "COUNTER"}}, ConsistentRead=True)
        return int(item.get("Item", {}).get("TotalViews", {}).get("N", "0"))

    over = Event()

    def keep_requesting() -> list[int]:
        """Return the statuses of the answers."""
        statuses = [cloud.request("/tag/flood", "POST").status]
        while not over.is_set():
            statuses.append(cloud.request("/tag/flood", "POST").status)
        return statuses

    try:
        # Every place for requests is taken all the time.
        slow = database.rule(lambda request: 0.3 if request.operation == "UpdateItem" else None)
        with slow, ThreadPoolExecutor(FLOOD) as pool:
            clients = [pool.submit(keep_requesting) for _ in range(FLOOD)]
            try:
                eventually(lambda: total() > before, 60, "a batch during the flood")
            finally:
                over.set()
        statuses = [status for client in clients for status in client.result()]
        assert set(statuses) == {200}
        eventually(lambda: total() == before + len(statuses), 30, "the total")
    finally:
        watched.functions.delete_function_concurrency(FunctionName=watched.processor)
        watched.configure(AWS_ENDPOINT_URL_DYNAMODB=None)
        database.stop()
