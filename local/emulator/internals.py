"""What is used of the emulator (MiniStack) without being promised, and by no other module.

An upgrade may take any of it away; tests/package/test_private_names.py then names what depends on it.
"""

from __future__ import annotations

import functools
from typing import Any

# What the emulator's poller logs once it has handed a batch to a function.
BATCH_DONE = "ESM: Lambda %s processed %d DynamoDB stream records from %s"
BATCH_FAILED = "ESM: Lambda %s failed processing DynamoDB stream batch from %s"

READY_PATH = "/_ministack/ready"
OWN_PATHS = ("/_ministack/", "/_localstack/", "/_aws/", "/restapis/")
"""The paths that the emulator answers itself."""

# How long an invocation waits for the first line of a log that may never come. The emulator's own 50 ms would be most
# of a request's time; a line that is later than this goes out with the next invocation's.
_LOG_SECONDS = 0.01


def load() -> Any:
    """Import the emulator, which reads its environment then, and return its ASGI application."""
    from ministack.app import app  # type: ignore[import-untyped]  # noqa: PLC0415
    from ministack.core.lambda_runtime import Worker  # type: ignore[import-untyped]  # noqa: PLC0415

    drain = Worker._drain_stderr_bounded
    Worker._drain_stderr_bounded = functools.partialmethod(drain, first_line_wait=_LOG_SECONDS)
    return app
