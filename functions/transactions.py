"""Why DynamoDB cancelled a transaction, and whether it may go through when tried again."""

from typing import Any

from .database import error_code

PASSING_REASONS = frozenset(
    {"ConditionalCheckFailed", "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}
)
"""Why a transaction may be cancelled although the same work, read and decided again, can succeed."""


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
