"""One local cloud for all end-to-end tests; each test uses tags of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.running import RunningCloud

Start = Callable[..., RunningCloud]


@pytest.fixture(scope="session")
def cloud() -> Iterator[RunningCloud]:
    """Start this project's program as stack dev."""
    cloud = RunningCloud("--port", "0")
    try:
        yield cloud
    finally:
        cloud.kill()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start further local clouds, which end with the test."""
    started: list[RunningCloud] = []

    def start(*arguments: str, **environment: str) -> RunningCloud:
        started.append(RunningCloud(*arguments, environment=environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()
