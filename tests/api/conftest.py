"""Plain connections to the local cloud's API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.api.wire import Wire
from tests.running import RunningCloud

# Each example is a batch of requests to a real server, the same in every run.
settings.register_profile(
    "http", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.fixture(scope="session")
def wire(cloud: RunningCloud) -> Iterator[Wire]:
    wire = Wire(cloud.outputs["apiEndpoint"])
    yield wire
    wire.close()
