"""How commands reach AWS: clients, signed requests, and the errors that are sentences for the user."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore.session  # type: ignore[import-untyped]
from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError  # type: ignore[import-untyped]

from .core import TotalNotWrittenError, UnreadItemsError
from .operate.deletion import BusyTagError
from .operate.table import NotACounterError

__all__ = [
    "ERRORS",
    "LOCAL_KEY",
    "ClientError",
    "InvalidSettingsError",
    "Sessions",
    "UnknownRegionError",
    "client",
    "local_session",
    "new_session",
    "sign",
]

ERRORS = (BotoCoreError, ClientError, BusyTagError, NotACounterError, TotalNotWrittenError, UnreadItemsError)
"""Errors whose message is a sentence for the user."""

LOCAL_KEY = "test"
"""Both keys of a local cloud's root user."""


class UnknownRegionError(NoRegionError):  # type: ignore[misc]
    """Neither an option nor the AWS SDK's own settings say in which region the deployment is."""

    fmt = "the region is not known; give --region, or set AWS_REGION"


class InvalidSettingsError(BotoCoreError):  # type: ignore[misc]
    """The AWS SDK cannot use the settings in the environment or in its files."""

    fmt = "the AWS settings of this machine are invalid: {reason}"


class Sessions:
    """The sessions that clients share, because credentials and botocore's data take long to load.

    Each is made on first use, so broken settings of the machine do not affect clients of a local cloud.
    """

    @cached_property
    def machine(self) -> Any:
        """The session with the machine's settings.

        Not boto3's default session, which would keep the credentials that it found first. boto3 reads
        AWS_DEFAULT_REGION only; AWS_REGION, which the AWS CLI and Pulumi read too, comes before it.
        """
        with _readable_errors():
            return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)

    @cached_property
    def local(self) -> Any:
        """The session for local clouds, which reads no settings."""
        return local_session()


def new_session() -> Sessions:
    """Return sessions that have not been made yet."""
    return Sessions()


def local_session() -> Any:
    """Make a session that reads nothing from the environment and from the user's files."""
    variables = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        variables[name] = (None, None, os.devnull, None)
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=variables))


def client(
    service: str,
    *,
    region: str | None,
    endpoint_url: str | None,
    as_root: bool = False,
    session: Sessions | None = None,
) -> Any:
    """Make a client. An endpoint of the user's own gets a local cloud's keys if no credentials are configured.

    With `as_root`, the endpoint is a local cloud on this machine: it gets its root user's keys in any case, and neither
    the machine's AWS settings nor its proxy are used. Without `session`, the client gets a session of its own. Raises
    one of `ERRORS`.
    """
    sessions = session or new_session()
    if as_root:
        return sessions.local.client(
            service,
            region_name=region or _local_region(),
            endpoint_url=endpoint_url,
            aws_access_key_id=LOCAL_KEY,
            aws_secret_access_key=LOCAL_KEY,
            config=Config(proxies={}),
        )
    with _readable_errors():
        if not (region or sessions.machine.region_name):
            raise UnknownRegionError
        key = LOCAL_KEY if endpoint_url and not sessions.machine.get_credentials() else None
        return sessions.machine.client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=key,
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
    credentials = Credentials(LOCAL_KEY, LOCAL_KEY)
    if as_root:
        region = region or _local_region()
    else:
        session = new_session().machine
        with _readable_errors():
            found = session.get_credentials()
        if found is None and not endpoint_url:
            raise NoCredentialsError
        credentials = found or credentials
        region = region or session.region_name
        if not region:
            raise UnknownRegionError
    request = AWSRequest(method, url, headers=dict(headers))
    with _readable_errors():
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    return dict(request.headers.items())


def _local_region() -> str:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise UnknownRegionError
    return region


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Raise InvalidSettingsError for those errors of botocore that are not its own."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, BotoCoreError):
            raise
        raise InvalidSettingsError(reason=error) from error
