"""Plausible answers of AWS: the computed properties of a resource, and the place that a program is deployed to.

The same URN always gets the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .resource import Resource

Computed = tuple[str, Mapping[str, Any]]
InvokeHandler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class UnknownInvokeError(Exception):
    """The program calls a provider function that the monitor has no answer for."""


class InvokeFailedError(Exception):
    """An answer raises this to fail as the provider would: the program gets an error with this text."""


@dataclass(frozen=True)
class Place:
    """The account, region and partition that made-up ARNs name."""

    region: str = "us-east-1"
    account: str = "123456789012"
    partition: str = "aws"

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """Build an ARN in this place; services without a region or account pass the empty string."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"


def digest(text: str, length: int) -> str:
    """Hexadecimal digits that look random and depend on `text` alone."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def physical_name(resource: Resource, *, suffix: str = "") -> str:
    """Return the name given, or Pulumi's automatic one: the logical name, a hyphen and seven hexadecimal digits.

    A prefix that is given stands in the place of the logical name and the hyphen.
    """
    given, prefix = resource.inputs.get("name"), resource.inputs.get("namePrefix") or f"{resource.name}-"
    return str(given) if given else f"{prefix}{digest(resource.urn, 7)}{suffix}"


def compute(resource: Resource, place: Place) -> Computed:
    """Make up the id and the computed properties of a resource; for a type without a rule the id and an ARN."""
    return _RULES.get(resource.type, _anything)(resource, place)


def standard(place: Place) -> dict[str, InvokeHandler]:
    """Return the answers for the region, the caller and the partition, by token."""
    region = {
        "id": place.region,
        "region": place.region,
        "name": place.region,
        "description": place.region,
        "endpoint": f"ec2.{place.region}.amazonaws.com",
    }
    root = place.arn("iam", "root", region="")
    identity = {"id": place.account, "accountId": place.account, "arn": root, "userId": place.account}
    partition = {
        "id": place.partition,
        "partition": place.partition,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }
    return {
        "aws:index/getRegion:getRegion": lambda _: region,
        "aws:index/getCallerIdentity:getCallerIdentity": lambda _: identity,
        "aws:index/getPartition:getPartition": lambda _: partition,
    }


def _anything(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    _package, module, kind = resource.type.split(":")
    return name, {"arn": place.arn(module.partition("/")[0], f"{kind.lower()}/{name}")}


def _provider(resource: Resource, _place: Place) -> Computed:
    return digest(resource.urn, 32), {}


def _table(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    arn = place.arn("dynamodb", f"table/{name}")
    state: dict[str, Any] = {"name": name, "arn": arn}
    if resource.inputs.get("streamEnabled"):
        label = "2026-01-01T00:00:00.000"
        state |= {"streamLabel": label, "streamArn": f"{arn}/stream/{label}"}
    return name, state


def _role(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    path = resource.inputs.get("path", "/")
    arn = place.arn("iam", f"role{path}{name}", region="")
    return name, {"name": name, "arn": arn, "uniqueId": f"AROA{digest(resource.urn, 17).upper()}"}


def _role_policy(resource: Resource, _place: Place) -> Computed:
    name = physical_name(resource)
    role = str(resource.inputs.get("role", "")).rpartition("/")[2]
    return f"{role}:{name}", {"name": name}


def _function(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    arn = place.arn("lambda", f"function:{name}")
    # API Gateway's own notation, with the service where other ARNs have the account.
    invoke = place.arn("apigateway", f"path/2015-03-31/functions/{arn}/invocations", account="lambda")
    version = "1" if resource.inputs.get("publish") else "$LATEST"
    state = {"name": name, "arn": arn, "invokeArn": invoke, "version": version, "qualifiedArn": f"{arn}:{version}"}
    return name, state


def _mapping(resource: Resource, place: Place) -> Computed:
    bits = digest(resource.urn, 32)
    # A lookup has the id, and seldom more.
    uuid = resource.id or f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
    function = str(resource.inputs.get("functionName", resource.name))
    function_arn = function if function.startswith("arn:") else place.arn("lambda", f"function:{function}")
    arn = place.arn("lambda", f"event-source-mapping:{uuid}")
    return uuid, {"uuid": uuid, "arn": arn, "functionArn": function_arn, "state": "Enabled"}


def _permission(resource: Resource, _place: Place) -> Computed:
    statement = resource.inputs.get("statementId") or physical_name(resource)
    return str(statement), {"statementId": statement}


def _log_group(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    return name, {"name": name, "arn": place.arn("logs", f"log-group:{name}")}


def _alarm(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    return name, {"name": name, "arn": place.arn("cloudwatch", f"alarm:{name}")}


def _topic(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    arn = place.arn("sns", name)
    return arn, {"name": name, "arn": arn}


def _queue(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource, suffix=".fifo" if resource.inputs.get("fifoQueue") else "")
    url = f"https://sqs.{place.region}.amazonaws.com/{place.account}/{name}"
    return url, {"name": name, "url": url, "arn": place.arn("sqs", name)}


def _api(resource: Resource, place: Place) -> Computed:
    api = resource.id or digest(resource.urn, 10)
    state = {
        "name": physical_name(resource),
        "apiEndpoint": f"https://{api}.execute-api.{place.region}.amazonaws.com",
        "arn": place.arn("apigateway", f"/apis/{api}", account=""),
        "executionArn": place.arn("execute-api", api),
    }
    return api, state


def _stage(resource: Resource, place: Place) -> Computed:
    name = physical_name(resource)
    api = resource.inputs.get("apiId", resource.name)
    host = f"https://{api}.execute-api.{place.region}.amazonaws.com"
    state = {
        "arn": place.arn("apigateway", f"/apis/{api}/stages/{name}", account=""),
        "executionArn": place.arn("execute-api", f"{api}/{name}"),
        "invokeUrl": f"{host}/" if name == "$default" else f"{host}/{name}",
    }
    return name, state


def _domain_name(resource: Resource, place: Place) -> Computed:
    name = str(resource.inputs.get("domainName", resource.id))
    target = f"d-{digest(resource.urn, 10)}.execute-api.{place.region}.amazonaws.com"
    configuration = resource.inputs.get("domainNameConfiguration", {})
    state = {
        "arn": place.arn("apigateway", f"/domainnames/{name}", account=""),
        "domainNameConfiguration": {**configuration, "targetDomainName": target, "hostedZoneId": "ZLJG0000000000"},
    }
    return name, state


def _short_id(resource: Resource, _place: Place) -> Computed:
    return digest(resource.urn, 7), {}


_RULES: dict[str, Callable[[Resource, Place], Computed]] = {
    "pulumi:providers:aws": _provider,
    "aws:dynamodb/table:Table": _table,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:lambda/function:Function": _function,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/permission:Permission": _permission,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:sns/topic:Topic": _topic,
    "aws:sqs/queue:Queue": _queue,
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/authorizer:Authorizer": _short_id,
    "aws:apigatewayv2/apiMapping:ApiMapping": _short_id,
    "aws:apigatewayv2/domainName:DomainName": _domain_name,
    "aws:apigatewayv2/integration:Integration": _short_id,
    "aws:apigatewayv2/route:Route": _short_id,
    "aws:apigatewayv2/stage:Stage": _stage,
}
