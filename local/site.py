"""The emulator's endpoint, as a region of the account in which the resources of one run are created."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config  # type: ignore[import-untyped]

from cli.aws import local_session
from components.engine.answers import Place
from components.engine.resource import Resource

from .environment import ACCESS_KEY, ACCOUNT, SECRET_KEY

# The emulator is on this machine, so a slow response means that there will be none.
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}, proxies={})


class Clients:
    """Makes AWS clients for the emulator, each service's once per region."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = local_session()
        self._clients: dict[tuple[str, str], Any] = {}
        # Sessions are not thread-safe; the clients they make are.
        self._lock = threading.Lock()

    def get(self, service: str, region: str) -> Any:
        """Return the client of a service, as the account's root user."""
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint,
                    aws_access_key_id=ACCESS_KEY,
                    aws_secret_access_key=SECRET_KEY,
                    config=_CONFIG,
                )
            return self._clients[service, region]


@dataclass(frozen=True)
class Site:
    """The context of a handler that creates a resource: clients, names and the program's folder."""

    clients: Clients
    region: str
    origin: str
    directory: Path
    tags: Mapping[str, str] = field(default_factory=dict)
    api_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def place(self) -> Place:
        """The account and the region, for ARNs."""
        return Place(region=self.region, account=ACCOUNT)

    def client(self, service: str) -> Any:
        """Return the client of a service in this region."""
        return self.clients.get(service, self.region)

    def client_beside(self, resource: Resource, service: str) -> Any:
        """Return the client of a service in the region of a resource, which may have its own."""
        return self.clients.get(service, resource.state.get("region") or self.region)

    def physical_name(self, resource: Resource, given: Any, prefix: Any = None, *, suffix: str = "") -> str:
        """Return the name given, or one as Pulumi makes it: the logical name and seven random hexadecimal digits."""
        if given:
            return str(given)
        start = str(prefix) if prefix else f"{resource.name}-"
        return f"{start}{secrets.token_hex(4)[:7]}{suffix}"

    def all_tags(self, given: Mapping[str, str] | None) -> dict[str, str]:
        """Return a resource's tags together with the provider's default tags."""
        return {**self.tags, **(given or {})}
