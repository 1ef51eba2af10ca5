"""A stand-in for the AWS provider: the Pulumi engine talks to it as to the real one, and it talks to the emulator.

It creates with the local cloud's handlers, so that what is deployed works. Where AWS is stricter than the emulator,
and this project relies on it, it refuses what AWS refuses.
"""

from __future__ import annotations

import importlib
import inspect
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pulumi_aws
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from components.engine import values
from components.engine.answers import InvokeFailedError, digest
from components.engine.resource import Resource
from components.internals import ARCHIVE, ASSET, SECRET, SIGNATURE
from local.errors import ResourceError
from local.monitor import CloudMonitor

from .cloud import KINDS, Cloud

MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
TABLE = "aws:dynamodb/table:Table"
VERSION = json.loads((importlib.resources.files(pulumi_aws) / "pulumi-plugin.json").read_text())["version"]
_MESSAGES = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]
_THREADS = 32
# Alone among the types here, this one's name is not called `name`.
_NAMES = {"aws:lambda/permission:Permission": "statementId"}


class RefusedError(Exception):
    """What AWS would refuse."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The servicer; `calls` lists what was created, updated, replaced and deleted, as operation and URN.

    `before` is called with each operation (`create`, `update`, `delete`) and URN first; what it raises fails it.
    """

    def __init__(self, monitor: CloudMonitor, cloud: Cloud) -> None:
        self._monitor = monitor
        self._cloud = cloud
        self._lock = threading.Lock()
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda _operation, _urn: None

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Check(self, request: Any, context: Any) -> Any:
        """Give a resource that was given no name the one that it has, or an automatic one."""
        response = provider_pb2.CheckResponse(inputs=request.news)
        type_, logical = _identify(request.urn)
        name = _NAMES.get(type_, "name")
        if name in _arguments(type_) and name not in request.news.fields:
            if name in request.olds.fields:
                response.inputs.fields[name].CopyFrom(request.olds.fields[name])
            else:
                seed = digest(f"{request.urn}{request.randomSeed.hex()}", 7)
                response.inputs.fields[name].string_value = f"{logical}-{seed}"
        return response

    def Diff(self, request: Any, context: Any) -> Any:
        changed = _changed(request) - set(request.ignoreChanges)
        replaces = self._cloud.replacing(_identify(request.urn)[0], changed)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(replaces),
        )

    def Create(self, request: Any, context: Any) -> Any:
        response = provider_pb2.CreateResponse(properties=request.properties)
        if request.preview:
            return response
        with self._doing("create", request.urn, context):
            resource = _resource(request.urn, request.properties)
            if resource.type == MAPPING:
                self._refuse_as_aws_does(resource)
            response.id, computed = self._monitor.create(resource)
            response.properties.MergeFrom(values.encode(computed))
        return response

    def Read(self, request: Any, context: Any) -> Any:
        """Tell whether the resource still exists; what it looks like is taken for granted."""
        state = values.decode(request.properties).values
        with self._doing(None, request.urn, context):
            if not self._cloud.exists(_identify(request.urn)[0], request.id, state):
                return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        changed = _changed(request)
        response = provider_pb2.UpdateResponse(properties=request.olds)
        for name in changed:
            response.properties.fields.pop(name, None)
        for name, value in request.news.fields.items():
            response.properties.fields[name].CopyFrom(value)
        if request.preview:
            return response
        with self._doing("update", request.urn, context):
            resource = _resource(request.urn, request.news, request.id)
            self._cloud.update(resource, values.decode(request.olds).values, changed)
        return response

    def Delete(self, request: Any, context: Any) -> Any:
        state = values.decode(request.properties).values
        with self._doing("delete", request.urn, context):
            self._cloud.delete(_identify(request.urn)[0], request.id, state)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        response = provider_pb2.InvokeResponse()
        try:
            answer = self._monitor.invoke(request.tok, values.decode(request.args).values)
        except InvokeFailedError as error:
            response.failures.add(reason=str(error))
        else:
            getattr(response, "return").CopyFrom(values.encode(answer))
        return response

    @contextmanager
    def _doing(self, operation: str | None, urn: str, context: Any) -> Iterator[None]:
        try:
            if operation:
                self.before(operation, urn)
            yield
            if operation:
                with self._lock:
                    self.calls.append((operation, urn))
        except (BotoCoreError, ClientError, ResourceError, RefusedError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _refuse_as_aws_does(self, mapping: Resource) -> None:
        """Refuse a second mapping of a stream to a function, and one whose role may not read the stream."""
        client = self._cloud.site.client("lambda")
        stream, function = mapping.inputs["eventSourceArn"], mapping.inputs["functionName"]
        found = client.list_event_source_mappings(EventSourceArn=stream, FunctionName=function)["EventSourceMappings"]
        if found:
            raise RefusedError(
                f'ResourceConflictException: The event source arn ("{stream}") and function ("{function}") provided '
                f"mapping already exists. Please update or delete the existing mapping with UUID {found[0]['UUID']}"
            )
        role = client.get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
        iam = self._cloud.site.client("iam")
        documents = [
            json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        if not any("dynamodb:GetRecords" in text and stream in text for text in documents):
            raise RefusedError(
                f"InvalidParameterValueException: Cannot access stream {stream}. Please ensure the role can perform "
                "the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
            )


@contextmanager
def serve(provider: Provider) -> Iterator[int]:
    """Serve on a free loopback port, which is given, until the block ends."""
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_MESSAGES)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


def _identify(urn: str) -> tuple[str, str]:
    """Return the type and the logical name in a URN."""
    *_, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name


def _resource(urn: str, properties: struct_pb2.Struct, identifier: str = "") -> Resource:
    type_, name = _identify(urn)
    inputs = values.decode(properties).values
    return Resource(type=type_, name=name, urn=urn, id=identifier, custom=True, inputs=inputs, state={})


def _arguments(type_: str) -> set[str]:
    """List the inputs that the SDK's class for a type takes, under Pulumi's names."""
    _, path, _ = type_.split(":")
    module, _, name = path.partition("/")
    package = importlib.import_module(f"pulumi_aws.{module}{'_' if module == 'lambda' else ''}")
    parameters = inspect.signature(getattr(package, f"{name[0].upper()}{name[1:]}Args")).parameters
    return {"".join([head, *map(str.title, rest)]) for head, *rest in (one.split("_") for one in parameters)}


def _changed(request: Any) -> set[str]:
    """List the inputs whose values differ; archives are compared by what is in them."""
    old, new = (_comparable(struct) for struct in (request.old_inputs, request.news))
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _comparable(value: Any) -> Any:
    if isinstance(value, struct_pb2.Struct):
        value = json_format.MessageToDict(value)
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(SIGNATURE) == SECRET:
        return _comparable(value["value"])
    if value.get(SIGNATURE) in (ASSET, ARCHIVE):
        return {"hash": value["hash"]}
    return {key: _comparable(item) for key, item in value.items() if item is not None}


__all__ = ["KINDS", "MAPPING", "TABLE", "VERSION", "Provider", "RefusedError", "serve"]
