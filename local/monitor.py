"""The monitor whose resources are real on the emulator."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError  # type: ignore[import-untyped]

from components.engine.answers import Computed, InvokeFailedError, Place, compute
from components.engine.monitor import RecordingMonitor
from components.engine.resource import Resource

from .environment import ACCOUNT
from .errors import ResourceError, UnknownTypeError
from .inputs import Inputs
from .resources import HANDLERS, dynamodb
from .site import Site

_GET_TABLE = "aws:dynamodb/getTable:getTable"
_PROVIDER = "pulumi:providers:aws"
# A provider's settings for account and credentials: here both are always the emulator's.
_ACCOUNT_SETTINGS = {
    "accessKey", "allowedAccountIds", "assumeRoles", "forbiddenAccountIds", "maxRetries", "profile", "secretKey",
    "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId", "token",
}  # fmt: skip


class CloudMonitor(RecordingMonitor):
    """Creates every registered resource on the emulator, in the order of their dependencies.

    `ready` blocks until the emulator can be used. `on_created` is called, from several threads, with each resource that
    was created and the seconds that this took, `on_note` with notes for the user. `site` may be replaced between runs,
    as by one of another program's folder.
    """

    def __init__(
        self,
        site: Site,
        *,
        project: str,
        stack: str,
        ready: Callable[[], None],
        on_created: Callable[[Resource, float], None] | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(project=project, stack=stack, place=Place(region=site.region, account=ACCOUNT))
        self.site = site
        self._ready = ready
        self._on_created = on_created
        self._on_note = on_note
        self._adopting = threading.Lock()

    def create(self, resource: Resource) -> Computed:
        """Create one resource. Raises ResourceError, which names the resource, if that fails."""
        inputs = Inputs(resource)
        if resource.type == _PROVIDER:
            return self._create_provider(inputs)
        handler = HANDLERS.get(resource.type)
        if handler is None:
            raise UnknownTypeError(resource, f"the local cloud does not support this type; it supports {_list_types()}")
        site = self._locate(resource.provider, inputs.take("region"))
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
        """Refuse lookups: on a fresh emulator nothing exists but the program's own resources."""
        raise ResourceError(resource, f"looks up {resource.id!r}, but nothing exists before the program creates it")

    def invoke(self, token: str, arguments: Mapping[str, Any], provider: str = "") -> Mapping[str, Any]:
        """Answer a provider's function. A table that is looked up is created if it does not exist."""
        if token != _GET_TABLE:
            return super().invoke(token, arguments, provider)
        self._ready()
        site, name = self._locate(provider, arguments.get("region")), str(arguments["name"])
        try:
            with self._adopting:
                answer, made = dynamodb.find_or_create_table(site, name)
        except (BotoCoreError, ClientError, WaiterError) as error:
            raise InvokeFailedError(str(error)) from error
        if made and self._on_note:
            self._on_note(
                f"Note: the table {name!r}, which the program looks up, was created on the emulator: empty, with "
                "the key ID and a stream"
            )
        return answer

    def _create_provider(self, inputs: Inputs) -> Computed:
        region = inputs.take("region")
        inputs.take("defaultTags")
        for name in _ACCOUNT_SETTINGS:
            inputs.take(name)
        inputs.finish()
        return compute(inputs.resource, self.place)[0], {"region": region or self.site.region}

    def _locate(self, provider: str, region: str | None) -> Site:
        """Find the region and the default tags that apply to a resource or a lookup."""
        site = self.site
        if provider:
            urn = provider.rpartition("::")[0]
            made = next(one for one in self.resources if one.urn == urn)
            tags = _read(made.inputs.get("defaultTags")) or {}
            site = replace(site, region=made.state["region"], tags=tags.get("tags", {}))
        return replace(site, region=region or site.region)


def _read(value: Any) -> Any:
    # A provider's own inputs travel as JSON text, unless they are strings.
    return json.loads(value) if isinstance(value, str) else value


def _list_types() -> str:
    return ", ".join(sorted(HANDLERS))
