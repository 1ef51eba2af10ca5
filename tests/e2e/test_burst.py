"""Many concurrent requests to a cloud that has just started, whose functions have no processes yet."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.emulator.gateway import PLACES
from tests.e2e.conftest import Start
from tests.running import descendants, eventually

CONCURRENCY = 50
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
