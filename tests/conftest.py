"""What all tests share: how hypothesis runs, and the local cloud that tests from outside use, with tags of their own.

Hypothesis tries the same cases every time, unless HYPOTHESIS_PROFILE=explore asks for new ones.
"""

from __future__ import annotations

import gc
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


# The folders whose tests start whole programs, and take longest. Workers begin with them, so that none is left alone
# with a long file at the end.
LONG = ("e2e", "pulumi", "api", "browser", "dynamodb_local", "package", "cli", "total", "local")


def pytest_collection_finish() -> None:
    # What was imported and collected stays until the end, so no collection of garbage needs to look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_place_in_line)


def _place_in_line(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return LONG.index(folder) if folder in LONG else len(LONG)


@pytest.fixture(scope="session")
def cloud() -> Iterator[RunningCloud]:
    """Start this project's program as stack dev."""
    cloud = RunningCloud("--port", "0")
    try:
        yield cloud
    finally:
        cloud.kill()
