"""Reading the engine's raw registration requests."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi.runtime.proto import alias_pb2, resource_pb2

from .resource import Alias, Resource
from .values import Decoded


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
    """Read what a program says of an existing resource, which it looks up (`get`)."""
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
    """Read an alias, given by URN or by what was different."""
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


def merge_dependencies(urns: Iterable[str]) -> list[str]:
    """Each URN once, in the order first seen."""
    return list(dict.fromkeys(urns))
