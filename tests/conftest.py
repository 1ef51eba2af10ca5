"""What all tests share: how hypothesis runs, and the local cloud that tests from outside use, with tags of their own.

Hypothesis tries the same cases every time, unless HYPOTHESIS_PROFILE=explore asks for new ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.running import RunningCloud

settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def cloud() -> Iterator[RunningCloud]:
    """Start this project's program as stack dev."""
    cloud = RunningCloud("--port", "0")
    try:
        yield cloud
    finally:
        cloud.kill()
