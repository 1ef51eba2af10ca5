"""The environment that the local cloud's processes see: none of this machine's AWS settings, and no proxy."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The emulator treats this pair as the account's root user, who may do everything.
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - the emulator's, worth nothing elsewhere
ACCOUNT = "000000000000"
# An empty configuration file.
EMPTY_FILE = "/dev/null"

_DROPPED_PREFIXES = ("AWS_", "PULUMI_", "MINISTACK_", "LOCALSTACK_")
# Python's, gRPC's and others', in either case: http_proxy, grpc_proxy, no_grpc_proxy, GRPC_ADDRESS_HTTP_PROXY_…
_PROXY = re.compile(r"_PROXY$|^GRPC_.*PROXY", re.IGNORECASE)


def clean(environment: Mapping[str, str], *, keep_python: bool = False) -> dict[str, str]:
    """Return the environment without settings that could lead a process to a real account or past the emulator.

    Python's own settings (`PYTHONPATH` and others) are dropped too, unless `keep_python` says otherwise: a function
    must find nothing but its archive, while a program runs with its author's settings.
    """
    dropped = _DROPPED_PREFIXES if keep_python else (*_DROPPED_PREFIXES, "PYTHON")
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(dropped) and name != "VIRTUAL_ENV" and not _PROXY.search(name)
    }


def with_credentials(environment: Mapping[str, str], *, endpoint: str, region: str) -> dict[str, str]:
    """Return the environment in which every AWS SDK talks to the emulator, as the account's root user."""
    return {
        **environment,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CONFIG_FILE": EMPTY_FILE,
        "AWS_SHARED_CREDENTIALS_FILE": EMPTY_FILE,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
