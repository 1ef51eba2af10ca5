"""Additional local clouds, for tests that cannot use the shared one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.running import RunningCloud

Start = Callable[..., RunningCloud]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start additional local clouds, which end with the test."""
    started: list[RunningCloud] = []

    def start(*arguments: str, **environment: str) -> RunningCloud:
        started.append(RunningCloud(*arguments, environment=environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()
