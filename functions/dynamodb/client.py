"""The DynamoDB clients of a process, and the classification of their errors."""

import gc
import logging
import os
import platform
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError

from .build import USER_AGENT
from .items import DynamoDB
from .session import create_client

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 2.0
"""Seconds to wait for a connection, including the TLS handshake, which is slow on a small function's share of a CPU."""

READ_TIMEOUT = 3.0
"""Seconds to wait for a response; DynamoDB usually takes milliseconds."""

MAX_ATTEMPTS = 3
"""The maximum number of attempts per request, including the first (the default of the standard retry mode)."""

PARAMETER_VALIDATION = False
"""Whether botocore checks each request against the service model first, which takes up to a third of a request's
processor time. DynamoDB checks it as well; the tests switch this on, so a malformed request fails there."""

THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""Error codes of requests that DynamoDB rejected without effect."""

FAULTS = frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable"})
"""Error codes after which the outcome of a write is unknown."""

TRANSIENT_REASONS = frozenset(
    {"ConditionalCheckFailed", "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}
)
"""Reasons for a cancelled transaction that may succeed once its items are read again."""

NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
"""Errors that occur before a request leaves the process. After all others the outcome is unknown: a TLS error may occur
after the request was sent, and a closed connection does not show whether the request was processed."""


@cache
def client() -> DynamoDB:
    """Return the process's client, created on first use and reused while the function is warm."""
    return _new_client(MAX_ATTEMPTS)


@cache
def single_attempt_client() -> DynamoDB:
    """Return the client for requests that must not be repeated while the outcome of the first attempt is unknown."""
    return _new_client(1)


def _new_client(attempts: int) -> DynamoDB:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
        parameter_validation=PARAMETER_VALIDATION,
        # botocore's own is assembled anew for each request, which takes a tenth of its processor time and more.
        user_agent=f"{USER_AGENT} botocore/{botocore.__version__} python/{platform.python_version()}",
    )
    return create_client(config)


def create_in_init_phase(*clients: Callable[[], DynamoDB]) -> None:
    """Create `clients` while Lambda initializes the function, with more of a processor than invocations have.

    Outside Lambda, nothing happens: importing a function needs no configuration. If creation fails, the first
    invocation tries again, and reports the error as any other.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    try:
        for create in clients:
            create()
    except Exception:
        logger.exception("the DynamoDB client could not be created in the init phase")
    # What there is now stays: later collections need not look at it. With the default threshold, collections double the
    # time that it takes to read an event of thousands of records.
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


def error_code(error: BaseException) -> str:
    """Return the AWS error code of `error`, or "" if it has none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def had_no_effect(error: BaseException) -> bool:
    """Whether the request that failed with `error` certainly had no effect, so repeating it is safe."""
    return error_code(error) in THROTTLES or isinstance(error, NEVER_SENT)


def is_transient(error: BaseException) -> bool:
    """Whether `error` was caused by load or an outage, so the same request may succeed later."""
    lost = isinstance(error, BotocoreConnectionError | HTTPClientError)
    return lost or had_no_effect(error) or error_code(error) in FAULTS


def cancellation_reasons(error: BaseException) -> list[dict[str, Any]]:
    """Return the cancellation reasons, one per action of the transaction; [] if `error` is not a cancellation."""
    if error_code(error) != "TransactionCanceledException":
        return []
    reasons: list[dict[str, Any]] = getattr(error, "response", {}).get("CancellationReasons", [])
    return reasons


def is_transient_cancellation(error: BaseException) -> bool:
    """Whether `error` is a cancelled transaction that may succeed once its items are read again."""
    codes = {reason.get("Code", "None") for reason in cancellation_reasons(error)} - {"None"}
    return bool(codes) and codes <= TRANSIENT_REASONS
