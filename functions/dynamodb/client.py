"""The DynamoDB clients of a process, and what their errors mean."""

from functools import cache
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError

from .items import DynamoDB

CONNECT_TIMEOUT = 2.0
"""Seconds to wait for a connection; it includes the TLS handshake, slow on a small function's share of a CPU."""

READ_TIMEOUT = 3.0
"""Seconds to wait for an answer, where DynamoDB usually takes milliseconds."""

ATTEMPTS = 3
"""Tries a request gets from the client, the first included (the standard retry mode's own default)."""

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
"""Error codes with which DynamoDB refuses a request before it had any effect."""

FAULTS = frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable"})
"""Error codes after which the outcome of a write is unknown."""

PASSING_REASONS = frozenset(
    {"ConditionalCheckFailed", "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}
)
"""Why a transaction may be cancelled although the same work, read and decided again, can succeed."""

NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
"""Errors from before a request left the process. All others leave its outcome unknown: a TLS error, for one, may come
after the request was sent, and a closed connection says nothing of what was done with it."""


@cache
def client() -> DynamoDB:
    """Return the process's client, made on first use and kept while the function is warm."""
    return _made(ATTEMPTS)


@cache
def cautious_client() -> DynamoDB:
    """Return the client for requests that must not be sent again without knowing what became of the first."""
    return _made(1)


def _made(attempts: int) -> DynamoDB:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )
    made: DynamoDB = boto3.client("dynamodb", config=config)
    return made


def error_code(error: BaseException) -> str:
    """Return the AWS error code of `error`, or "" where it carries none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def had_no_effect(error: BaseException) -> bool:
    """Whether the request that ended in `error` certainly changed nothing, and may be sent again."""
    return error_code(error) in THROTTLES or isinstance(error, NEVER_SENT)


def is_passing(error: BaseException) -> bool:
    """Whether `error` comes from load or an outage, so that the same request may succeed later."""
    lost = isinstance(error, BotocoreConnectionError | HTTPClientError)
    return lost or had_no_effect(error) or error_code(error) in FAULTS


def cancellation_reasons(error: BaseException) -> list[dict[str, Any]]:
    """Return DynamoDB's reasons, one for each action of the transaction; none where `error` is no cancellation."""
    if error_code(error) != "TransactionCanceledException":
        return []
    reasons: list[dict[str, Any]] = getattr(error, "response", {}).get("CancellationReasons", [])
    return reasons


def was_cancelled_in_passing(error: BaseException) -> bool:
    """Whether `error` is a cancelled transaction, every reason of which may be gone the next time."""
    codes = {reason.get("Code", "None") for reason in cancellation_reasons(error)} - {"None"}
    return bool(codes) and codes <= PASSING_REASONS
