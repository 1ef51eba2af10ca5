"""The local cloud that all tests from outside share; each uses tags of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import RunningCloud


@pytest.fixture(scope="session")
def cloud() -> Iterator[RunningCloud]:
    """Start this project's program as stack dev."""
    cloud = RunningCloud("--port", "0")
    try:
        yield cloud
    finally:
        cloud.kill()
