"""Stand-ins for Lambda and DynamoDB that several tests need."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]


class Context:
    """The context of an invocation with `seconds` left, and `step` seconds less after every query."""

    def __init__(self, seconds: float = 30.0, step: float = 0.0) -> None:
        self._seconds = seconds
        self._step = step

    def get_remaining_time_in_millis(self) -> int:
        self._seconds -= self._step
        return round(self._seconds * 1000)


def client_error(code: str, operation: str = "UpdateItem", message: str = "", **response: Any) -> ClientError:
    """Return an error of DynamoDB as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": message or code}, **response}, operation)


def cancelled(*codes: str) -> ClientError:
    """Return the error of a transaction that was cancelled with these reasons, one per action."""
    reasons = [{"Code": code} for code in codes]
    return client_error("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
