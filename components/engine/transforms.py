"""Resource transforms, run as the engine runs them: by calling back into the program."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

# Options that a transform sees and may change, by their names in the registration and in the transform's options.
_PLAIN = {
    "protect": "protect",
    "version": "version",
    "provider": "provider",
    "pluginDownloadURL": "plugin_download_url",
    "retainOnDelete": "retain_on_delete",
    "deletedWith": "deleted_with",
    "importId": "import",
}
_LISTS = {
    "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes",
    "additionalSecretOutputs": "additional_secret_outputs",
    "hideDiffs": "hide_diff",
    "replace_with": "replace_with",
}


def apply(
    request: resource_pb2.RegisterResourceRequest, callbacks: Iterable[callback_pb2.Callback]
) -> resource_pb2.RegisterResourceRequest:
    """Return the registration after every transform, in order: the resource's own, its ancestors', the stack's."""
    for callback in callbacks:
        request = _apply_one(request, callback)
    return request


def _apply_one(
    request: resource_pb2.RegisterResourceRequest, callback: callback_pb2.Callback
) -> resource_pb2.RegisterResourceRequest:
    question = resource_pb2.TransformRequest(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        properties=request.object,
        options=_read_options(request),
    )
    with grpc.insecure_channel(callback.target) as channel:
        stub = callback_pb2_grpc.CallbacksStub(channel)
        reply = stub.Invoke(
            callback_pb2.CallbackInvokeRequest(token=callback.token, request=question.SerializeToString())
        )
    answer = resource_pb2.TransformResponse.FromString(reply.response)
    changed = resource_pb2.RegisterResourceRequest()
    changed.CopyFrom(request)
    changed.object.CopyFrom(answer.properties)
    if answer.HasField("options"):
        _write_options(changed, answer.options)
    return changed


def _read_options(request: resource_pb2.RegisterResourceRequest) -> resource_pb2.TransformResourceOptions:
    options = resource_pb2.TransformResourceOptions(
        depends_on=request.dependencies, aliases=request.aliases, providers=request.providers
    )
    present = {field.name for field, _ in request.ListFields()}
    for source, target in _PLAIN.items():
        if source in present:
            setattr(options, target, getattr(request, source))
    for source, target in _LISTS.items():
        getattr(options, target).extend(getattr(request, source))
    if request.HasField("customTimeouts"):
        options.custom_timeouts.CopyFrom(request.customTimeouts)
    if request.deleteBeforeReplaceDefined:
        options.delete_before_replace = request.deleteBeforeReplace
    return options


def _write_options(
    request: resource_pb2.RegisterResourceRequest, options: resource_pb2.TransformResourceOptions
) -> None:
    present = {field.name for field, _ in options.ListFields()}
    for target, source in _PLAIN.items():
        request.ClearField(target)  # type: ignore[arg-type]
        if source in present:
            setattr(request, target, getattr(options, source))
    for target, source in _LISTS.items():
        request.ClearField(target)  # type: ignore[arg-type]
        getattr(request, target).extend(getattr(options, source))
    # An option object built by a transform lists what it adds; what the inputs depend on stays.
    of_properties = [urn for entry in request.propertyDependencies.values() for urn in entry.urns]
    dependencies = list(dict.fromkeys([*options.depends_on, *of_properties]))
    request.ClearField("dependencies")
    request.dependencies.extend(dependencies)
    request.ClearField("aliases")
    request.aliases.extend(options.aliases)
    request.ClearField("providers")
    request.providers.update(options.providers)
    request.ClearField("customTimeouts")
    if options.HasField("custom_timeouts"):
        request.customTimeouts.CopyFrom(options.custom_timeouts)
    request.deleteBeforeReplace = options.delete_before_replace
    request.deleteBeforeReplaceDefined = options.HasField("delete_before_replace")
