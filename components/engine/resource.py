"""A registered resource as the monitor keeps it, read from the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import alias_pb2, resource_pb2

from .values import Decoded

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Alias:
    """An earlier identity of a resource: its URN, or the parts of it that were different."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent_urn: str = ""
    no_parent: bool = False


@dataclass(frozen=True)
class Invoke:
    """A call of a provider's function."""

    token: str
    arguments: Mapping[str, Any]
    provider: str
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource as the program registered it, after all transforms, with the state that it got back.

    `inputs` has the property names of the provider (camelCase) and plain values; `secrets` lists the paths of those
    that were secret. `state` is what the program received: the inputs and the computed properties. `outputs` is what
    a component handed to `register_outputs`; None if it never did. `provider` has the form `<urn>::<id>`, and is empty
    for the default provider. Options that were not given are None, "" or empty.
    """

    type: str
    name: str
    urn: str
    id: str
    custom: bool
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]
    outputs: Mapping[str, Any] | None = None
    secrets: frozenset[str] = frozenset()
    secret_outputs: frozenset[str] = frozenset()
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()
    protect: bool | None = None
    delete_before_replace: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    hide_diffs: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    custom_timeouts: Mapping[str, str] = field(default_factory=dict)
    import_id: str = ""
    version: str = ""
    plugin_download_url: str = ""
    remote: bool = False
    read: bool = False

    def __str__(self) -> str:
        return f"{self.type} {self.name!r}"


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Name a resource as the engine does: the types of all its ancestors but the stack are part of the URN."""
    ancestry = parent.split("::")[2] if parent else ""
    qualified = f"{ancestry}${type_}" if ancestry and ancestry != STACK_TYPE else type_
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def from_registration(
    request: resource_pb2.RegisterResourceRequest, *, urn: str, parent: str, decoded: Decoded
) -> Resource:
    """Read everything that a registration says, before the resource exists."""
    return Resource(
        type=request.type,
        name=request.name,
        urn=urn,
        id="",
        custom=request.custom,
        inputs=decoded.values,
        state={},
        secrets=decoded.secrets,
        parent=parent,
        dependencies=tuple(request.dependencies),
        property_dependencies={key: tuple(value.urns) for key, value in request.propertyDependencies.items()},
        provider=request.provider,
        providers=dict(request.providers),
        aliases=(*map(read_alias, request.aliases), *(Alias(urn=urn) for urn in request.aliasURNs)),
        protect=request.protect if request.HasField("protect") else None,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith,
        replace_with=tuple(request.replace_with),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        hide_diffs=tuple(request.hideDiffs),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        custom_timeouts={field.name: value for field, value in request.customTimeouts.ListFields()},
        import_id=request.importId,
        version=request.version,
        plugin_download_url=request.pluginDownloadURL,
        remote=request.remote,
    )


def from_read(request: resource_pb2.ReadResourceRequest, *, urn: str, parent: str, decoded: Decoded) -> Resource:
    """Read the lookup (`get`) of an existing resource."""
    return Resource(
        type=request.type,
        name=request.name,
        urn=urn,
        id=request.id,
        custom=True,
        inputs=decoded.values,
        state={},
        secrets=decoded.secrets,
        parent=parent,
        dependencies=tuple(request.dependencies),
        provider=request.provider,
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        version=request.version,
        plugin_download_url=request.pluginDownloadURL,
        read=True,
    )


def read_alias(alias: alias_pb2.Alias) -> Alias:
    """Read an alias, given by its URN or by the parts of it that differ."""
    if alias.WhichOneof("alias") == "urn":
        return Alias(urn=alias.urn)
    spec = alias.spec
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent_urn=spec.parentUrn,
        no_parent=spec.noParent,
    )
