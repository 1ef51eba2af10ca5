"""The monitor whose resources are real on the emulator."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError  # type: ignore[import-untyped]

from components.testing.computed import Computed, Place, compute
from components.testing.monitor import RecordingMonitor
from components.testing.resource import Resource

from .environment import ACCOUNT
from .errors import ResourceError, UnknownTypeError
from .inputs import Inputs
from .resources import HANDLERS
from .site import Site

_PROVIDER = "pulumi:providers:aws"
# What tells a provider which account to use, and how to get at it: here it is always the emulator's.
_ACCOUNT_SETTINGS = {
    "accessKey", "allowedAccountIds", "assumeRoles", "forbiddenAccountIds", "maxRetries", "profile", "secretKey",
    "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId", "token",
}  # fmt: skip


class CloudMonitor(RecordingMonitor):
    """Makes every registered resource on the emulator, in the order of their dependencies.

    `ready` blocks until the emulator can be used. `on_created` is called, from several threads, with each resource that
    exists and the seconds that this took.
    """

    def __init__(
        self,
        site: Site,
        *,
        project: str,
        stack: str,
        ready: Callable[[], None],
        on_created: Callable[[Resource, float], None] | None = None,
    ) -> None:
        super().__init__(project=project, stack=stack, place=Place(region=site.region, account=ACCOUNT))
        self._site = site
        self._ready = ready
        self._on_created = on_created

    def create(self, resource: Resource) -> Computed:
        """Make one resource. Raises ResourceError, naming the resource, for whatever stands against it."""
        inputs = Inputs(resource)
        if resource.type == _PROVIDER:
            return self._create_provider(inputs)
        handler = HANDLERS.get(resource.type)
        if handler is None:
            raise UnknownTypeError(resource, f"the local cloud does not know this type; it knows {_list_types()}")
        site = self._locate(inputs)
        self._ready()
        started = time.monotonic()
        try:
            identifier, computed = handler(site, inputs)
        except (BotoCoreError, ClientError, WaiterError) as error:
            raise ResourceError(resource, str(error)) from error
        if self._on_created:
            self._on_created(resource, time.monotonic() - started)
        return identifier, {"region": site.region, **computed}

    def read(self, resource: Resource) -> Mapping[str, Any]:
        """Refuse lookups: nothing exists on a fresh emulator but what the program registers."""
        raise ResourceError(resource, f"looks up {resource.id!r}, but nothing exists before the program creates it")

    def _create_provider(self, inputs: Inputs) -> Computed:
        region = inputs.take("region")
        inputs.take("defaultTags")
        for name in _ACCOUNT_SETTINGS:
            inputs.take(name)
        inputs.finish()
        return compute(inputs.resource, self.place)[0], {"region": region or self._site.region}

    def _locate(self, inputs: Inputs) -> Site:
        """Find the region and the default tags that apply to a resource."""
        site = self._site
        if inputs.resource.provider:
            urn = inputs.resource.provider.rpartition("::")[0]
            provider = next(one for one in self.resources if one.urn == urn)
            tags = _read(provider.inputs.get("defaultTags")) or {}
            site = replace(site, region=provider.state["region"], tags=tags.get("tags", {}))
        return replace(site, region=inputs.take("region", site.region))


def _read(value: Any) -> Any:
    # A provider's own inputs travel as JSON text, unless they are strings.
    return json.loads(value) if isinstance(value, str) else value


def _list_types() -> str:
    return ", ".join(sorted(HANDLERS))
