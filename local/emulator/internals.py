"""The emulator's (MiniStack's) private names, which no other module uses.

An upgrade may remove any of it; tests/package/test_private_names.py then names its use.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

# What the emulator's poller logs once it has handed a batch to a function.
BATCH_DONE = "ESM: Lambda %s processed %d DynamoDB stream records from %s"
BATCH_FAILED = "ESM: Lambda %s failed processing DynamoDB stream batch from %s"

READY_PATH = "/_ministack/ready"
OWN_PATHS = ("/_ministack/", "/_localstack/", "/_aws/", "/restapis/")
"""The paths that the emulator answers itself."""

# Seconds that an invocation waits for the first line of its log, if any. The emulator's own 50 ms would be most of a
# request's time; a later line is logged with the next invocation.
_LOG_SECONDS = 0.01


_FORBIDDEN = 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'


def load() -> Any:
    """Import the emulator, which reads its environment then, and return its ASGI application."""
    import ministack.app  # type: ignore[import-untyped]  # noqa: PLC0415
    from ministack.core.lambda_runtime import Worker  # type: ignore[import-untyped]  # noqa: PLC0415

    drain = Worker._drain_stderr_bounded
    Worker._drain_stderr_bounded = functools.partialmethod(drain, first_line_wait=_LOG_SECONDS)
    emulator = ministack.app
    emulator._enforce_execute_api = _refuse_unsigned(
        emulator._enforce_execute_api, emulator._execute_api_authorization_type
    )
    return emulator.app


def _refuse_unsigned(enforce: Callable[..., Any], authorization_type: Callable[..., str | None]) -> Callable[..., Any]:
    """Wrap the check of a request to an API: a route with AWS_IAM accepts no `Authorization` but a signature.

    The emulator takes a request with another one, such as a token, for the account's root user's.
    """

    def check(*call: Any, **options: Any) -> Any:
        # The call begins with API, stage, method, path and headers.
        header = call[4].get("authorization", "")
        if header and not header.startswith("AWS4-") and authorization_type(*call[:4]) == "AWS_IAM":
            return _FORBIDDEN
        return enforce(*call, **options)

    return check
