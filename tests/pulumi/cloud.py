"""What the stand-in provider does to resources that exist on the emulator: find, change and delete them.

Whether a change can be made in place is read from AWS's own service models, which botocore carries: a property that
no update operation accepts forces a replacement. The provider's Python SDK does not tell: neither its docstrings nor
its metadata say which properties force one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from components.engine.resource import Resource
from local.inputs import Inputs
from local.resources import HANDLERS
from local.resources.functions import pack
from local.site import Site

Properties = Mapping[str, Any]
Identity = Callable[[str, Properties], dict[str, Any]]

# Properties that AWS calls something else entirely.
RENAMED = {
    "assumeRolePolicy": "PolicyDocument",
    "attributes": "AttributeDefinitions",
    "code": "ZipFile",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "metricQueries": "Metrics",
    "serverSideEncryption": "SSESpecification",
    "ttl": "TimeToLiveSpecification",
}
MISSING = {"NoSuchEntity", "NotFoundException", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue"}


@dataclass(frozen=True)
class Kind:
    """The operations of AWS on one type of resource; `identity` gives what names a resource to all of them.

    With `replaced_whole`, an update is the same call as the creation, with every property in it.
    """

    service: str
    read: str
    delete: str
    identity: Identity
    updates: tuple[str, ...] = ()
    replaced_whole: bool = False


def _by(member: str) -> Identity:
    return lambda identifier, _: {member: identifier}


def _of_api(member: str) -> Identity:
    return lambda identifier, state: {"ApiId": state["apiId"], member: identifier}


KINDS = {
    "aws:apigatewayv2/api:Api": Kind("apigatewayv2", "GetApi", "DeleteApi", _by("ApiId"), ("UpdateApi",)),
    "aws:apigatewayv2/integration:Integration": Kind(
        "apigatewayv2", "GetIntegration", "DeleteIntegration", _of_api("IntegrationId"), ("UpdateIntegration",)
    ),
    "aws:apigatewayv2/route:Route": Kind(
        "apigatewayv2", "GetRoute", "DeleteRoute", _of_api("RouteId"), ("UpdateRoute",)
    ),
    "aws:apigatewayv2/stage:Stage": Kind(
        "apigatewayv2", "GetStage", "DeleteStage", _of_api("StageName"), ("UpdateStage",)
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        "logs", "ListTagsLogGroup", "DeleteLogGroup", _by("logGroupName"), ("PutRetentionPolicy", "AssociateKmsKey")
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        "cloudwatch",
        "GetDashboard",
        "DeleteDashboards",
        lambda identifier, _: {"DashboardName": identifier, "DashboardNames": [identifier]},
        ("PutDashboard",),
        replaced_whole=True,
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        "cloudwatch",
        "DescribeAlarms",
        "DeleteAlarms",
        lambda identifier, _: {"AlarmName": identifier, "AlarmNames": [identifier]},
        ("PutMetricAlarm",),
        replaced_whole=True,
    ),
    "aws:dynamodb/table:Table": Kind(
        "dynamodb",
        "DescribeTable",
        "DeleteTable",
        _by("TableName"),
        ("UpdateTable", "UpdateContinuousBackups", "UpdateTimeToLive"),
    ),
    "aws:iam/role:Role": Kind(
        "iam", "GetRole", "DeleteRole", _by("RoleName"), ("UpdateAssumeRolePolicy", "UpdateRole")
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        "iam",
        "GetRolePolicy",
        "DeleteRolePolicy",
        lambda _, state: {"RoleName": state["role"], "PolicyName": state["name"]},
        ("PutRolePolicy",),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Kind(
        "lambda", "GetEventSourceMapping", "DeleteEventSourceMapping", _by("UUID"), ("UpdateEventSourceMapping",)
    ),
    "aws:lambda/function:Function": Kind(
        "lambda",
        "GetFunction",
        "DeleteFunction",
        _by("FunctionName"),
        ("UpdateFunctionConfiguration", "UpdateFunctionCode", "PutFunctionConcurrency"),
    ),
    "aws:lambda/permission:Permission": Kind(
        "lambda",
        "GetPolicy",
        "RemovePermission",
        lambda identifier, state: {"FunctionName": state["function"], "StatementId": identifier},
    ),
    "aws:sqs/queue:Queue": Kind("sqs", "GetQueueAttributes", "DeleteQueue", _by("QueueUrl"), ("SetQueueAttributes",)),
    # A queue without a policy has an empty one.
    "aws:sqs/queuePolicy:QueuePolicy": Kind(
        "sqs",
        "GetQueueAttributes",
        "SetQueueAttributes",
        lambda identifier, _: {"QueueUrl": identifier, "Attributes": {"Policy": ""}},
    ),
}


class Cloud:
    """The emulator's resources, by Pulumi's types."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def exists(self, type_: str, identifier: str, state: Properties) -> bool:
        """Tell whether a resource is still there."""
        kind = KINDS[type_]
        try:
            self._call(kind, kind.read, kind.identity(identifier, state))
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return False
            raise
        return True

    def delete(self, type_: str, identifier: str, state: Properties) -> None:
        """Delete a resource; one that is gone already counts as deleted."""
        kind = KINDS[type_]
        try:
            self._call(kind, kind.delete, kind.identity(identifier, state))
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise

    def replacing(self, type_: str, names: set[str]) -> set[str]:
        """Return those properties of a type that no update operation accepts. Tags can always be changed."""
        kind = KINDS[type_]
        accepted = {name for operation in kind.updates for name in names if self._find(kind, operation, name)}
        return names - accepted - {"tags"}

    def update(self, resource: Resource, state: Properties, changed: set[str]) -> None:
        """Change a resource in place, all but its tags."""
        kind = KINDS[resource.type]
        if kind.replaced_whole:
            HANDLERS[resource.type](self.site, Inputs(resource))
            return
        for operation in kind.updates:
            touched = {path[0] for name in changed if (path := self._find(kind, operation, name))}
            arguments: dict[str, Any] = kind.identity(resource.id, state)
            for name, value in resource.inputs.items():
                path = self._find(kind, operation, name)
                if path and path[0] in touched:
                    self._put(arguments, kind, operation, path, self._value(resource, name, value))
            if touched:
                self._call(kind, operation, arguments)

    def _value(self, resource: Resource, name: str, value: Any) -> Any:
        if name == "code":
            return pack(self.site, Inputs(resource), value)
        return json.dumps(value) if KINDS[resource.type].service == "sqs" and not isinstance(value, str) else value

    def _put(self, arguments: dict[str, Any], kind: Kind, operation: str, path: tuple[str, ...], value: Any) -> None:
        shape = self._input(kind, operation)
        for member in path[:-1]:
            arguments = arguments.setdefault(member, {})
            shape = shape.members[member]
        inner = shape.members[path[-1]] if shape.type_name == "structure" else None
        arguments[path[-1]] = _rename(inner, value) if inner else value

    def _find(self, kind: Kind, operation: str, name: str) -> tuple[str, ...] | None:
        """Find where an operation takes a property: the path of a member, which may lie in a structure."""
        wanted = RENAMED.get(name, name)
        shape = self._input(kind, operation)
        names_it = set(kind.identity("", _Anything()))
        for member, inner in shape.members.items():
            if member in names_it:
                continue
            if _same(member, wanted):
                return (member,)
            if kind.service == "sqs" and inner.type_name == "map":
                nested: list[str] = inner.key.enum
            else:
                nested = list(inner.members) if inner.type_name == "structure" else []
            for one in nested:
                if _same(one, wanted):
                    return (member, one)
        return None

    def _input(self, kind: Kind, operation: str) -> Any:
        return self.site.client(kind.service).meta.service_model.operation_model(operation).input_shape

    def _call(self, kind: Kind, operation: str, arguments: Properties) -> Any:
        client = self.site.client(kind.service)
        method = next(name for name, value in client.meta.method_to_api_mapping.items() if value == operation)
        members = self._input(kind, operation).members
        return getattr(client, method)(**{key: value for key, value in arguments.items() if key in members})


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _same(member: str, name: str) -> bool:
    """Compare AWS's name with Pulumi's, which is often shorter: `ReadCapacityUnits` is `readCapacity`."""
    return member.casefold() == name.casefold() or (len(name) > 5 and member.casefold().startswith(name.casefold()))


def _rename(shape: Any, value: Any) -> Any:
    """Give the keys of a value the names that they have in AWS."""
    if shape.type_name == "list" and isinstance(value, list):
        return [_rename(shape.member, item) for item in value]
    if shape.type_name != "structure" or not isinstance(value, Mapping):
        return value
    renamed = {}
    for key, item in value.items():
        member = next(one for one in shape.members if _same(one, key) or key.casefold().startswith(one.casefold()))
        renamed[member] = _rename(shape.members[member], item)
    return renamed
