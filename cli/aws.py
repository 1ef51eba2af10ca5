"""How commands reach AWS, and the functions' code that they share with Lambda.

Only this module knows where that code is: in a checkout the package `functions`, in an installed distribution a part of
the same package as this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

if TYPE_CHECKING or __package__ == "cli":
    from functions.dynamodb.retries import UnreadItemsError, retry_budget
    from functions.total.ownership import TotalOwnershipError
    from functions.total.reconciliation import Progress, Reconciliation
    from functions.total.totals import TotalNotWrittenError
else:
    from ..functions.dynamodb.retries import UnreadItemsError, retry_budget
    from ..functions.total.ownership import TotalOwnershipError
    from ..functions.total.reconciliation import Progress, Reconciliation
    from ..functions.total.totals import TotalNotWrittenError

__all__ = ["ERRORS", "Progress", "Reconciliation", "client", "retry_budget"]

ERRORS = (BotoCoreError, ClientError, TotalNotWrittenError, TotalOwnershipError, UnreadItemsError)
"""Errors whose message is a sentence for the user."""

LOCAL_KEY = "test"
"""Both keys of a local cloud's root user."""


def client(service: str, *, region: str | None, endpoint_url: str | None) -> Any:
    """Make a client. An endpoint of the user's own gets a local cloud's keys if no credentials are configured."""
    # Not boto3's default session, which would keep the credentials that it found first.
    session = boto3.Session()
    key = LOCAL_KEY if endpoint_url and not session.get_credentials() else None
    return session.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=key,
        aws_secret_access_key=key,
    )
