"""How commands reach AWS: clients, signed requests, and the errors that are sentences for the user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError  # type: ignore[import-untyped]

from .core import TotalNotWrittenError, UnreadItemsError
from .operate.deletion import BusyTagError
from .operate.table import NotACounterError

__all__ = ["ERRORS", "LOCAL_KEY", "ClientError", "UnknownRegionError", "client", "new_session", "sign"]

ERRORS = (BotoCoreError, ClientError, BusyTagError, NotACounterError, TotalNotWrittenError, UnreadItemsError)
"""Errors whose message is a sentence for the user."""

LOCAL_KEY = "test"
"""Both keys of a local cloud's root user."""


class UnknownRegionError(NoRegionError):  # type: ignore[misc]
    """Neither an option nor the AWS SDK's own settings say in which region the deployment is."""

    fmt = "the region is not known; give --region, or set AWS_REGION"


def new_session() -> Any:
    """Make a session. Its clients share what takes long to load: the credentials and botocore's data.

    Not boto3's default session, which would keep the credentials that it found first. boto3 reads AWS_DEFAULT_REGION
    only; AWS_REGION, which the AWS CLI and Pulumi read too, comes before it.
    """
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)


def client(
    service: str, *, region: str | None, endpoint_url: str | None, as_root: bool = False, session: Any = None
) -> Any:
    """Make a client. An endpoint of the user's own gets a local cloud's keys if no credentials are configured.

    With `as_root`, the endpoint is a local cloud on this machine: it gets its root user's keys in any case, and no
    proxy is asked. Without a session, the client gets one of its own.
    """
    session = session or new_session()
    if not (region or session.region_name):
        raise UnknownRegionError
    key = LOCAL_KEY if as_root or (endpoint_url and not session.get_credentials()) else None
    return session.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=key,
        aws_secret_access_key=key,
        # Left behind by another profile, it would not belong to the keys.
        aws_session_token="" if as_root else None,
        config=Config(proxies={}) if as_root else None,
    )


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    region: str | None,
    endpoint_url: str | None,
    as_root: bool = False,
) -> dict[str, str]:
    """Return the headers of a request to an HTTP API, signed with the user's credentials (Signature Version 4).

    Raises one of `ERRORS` if there are no credentials or no region. `endpoint_url` and `as_root` are those of `client`.
    """
    session = new_session()
    found = None if as_root else session.get_credentials()
    if found is None and not (as_root or endpoint_url):
        raise NoCredentialsError
    region = region or session.region_name
    if not region:
        raise UnknownRegionError
    request = AWSRequest(method, url, headers=dict(headers))
    SigV4Auth(found or Credentials(LOCAL_KEY, LOCAL_KEY), "execute-api", region).add_auth(request)
    return dict(request.headers.items())
