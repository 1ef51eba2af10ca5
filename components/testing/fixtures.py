"""Fixtures for pytest.

`pytest_plugins = ["stream_triggered_counter.testing.fixtures"]` in the topmost conftest.py makes them known.
"""

from __future__ import annotations

import pytest

from ..engine.monitor import RecordingMonitor
from .stream_events import StreamEvents


@pytest.fixture
def recording_monitor() -> RecordingMonitor:
    """Make a fresh monitor, to be handed to `run(program, monitor=recording_monitor)`."""
    return RecordingMonitor()


@pytest.fixture
def preview_monitor() -> RecordingMonitor:
    """Make a fresh monitor that previews: computed properties are unknown."""
    return RecordingMonitor(preview=True)


@pytest.fixture
def stream_events() -> StreamEvents:
    """Make a factory for the records of one stream, in rising order."""
    return StreamEvents()
