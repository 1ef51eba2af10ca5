"""An HTTP API whose routes are answered by Lambda functions."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from .api_settings import RECORD, ApiSettings, Authorization
from .functions_package import Route

ALLOWED_HEADERS = ["accept", "content-type", "idempotency-key"]
SIGNATURE_HEADERS = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]
EXPOSED_HEADERS = ["idempotency-replayed", "retry-after"]
ACCESS_LOG_FIELDS = {
    "time": "$context.requestTimeEpoch",
    "requestId": "$context.requestId",
    # The path itself would name the tag.
    "route": "$context.routeKey",
    "method": "$context.httpMethod",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "functionLatency": "$context.integrationLatency",
    "functionStatus": "$context.integrationStatus",
    "functionError": "$context.integrationErrorMessage",
    "gatewayError": "$context.error.message",
    "responseBytes": "$context.responseLength",
}
"""The fields of a line of the access log, and API Gateway's variables for them; none tells visitors apart."""

ADDRESS_FIELDS = {"address": "$context.identity.sourceIp", "userAgent": "$context.identity.userAgent"}


class HttpApi(pulumi.ComponentResource):
    """An API Gateway HTTP API (payload format 2.0, stage `$default`) whose routes are answered by Lambda functions.

    Each function gets one permission for the whole API: one for each route would meet the limit of 20,480 bytes of a
    function's policy (aws/aws-cdk#19535).
    """

    def __init__(
        self,
        name: str,
        settings: ApiSettings,
        *,
        functions: Mapping[str, pulumi.Input[str]],
        routes: Sequence[Route],
        log_key_arn: pulumi.Input[str] | None,
        tags: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        _check_routes(routes, functions, settings.authorization)
        names = _names(route.key for route in routes)
        super().__init__("stream-triggered-counter:index:HttpApi", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        api = aws.apigatewayv2.Api(
            name,
            protocol_type="HTTP",
            cors_configuration=_cors(settings),
            disable_execute_api_endpoint=settings.disable_execute_api_endpoint or None,
            tags=tags,
            opts=child,
        )
        integrations = {}
        for key, function_arn in functions.items():
            permission = aws.lambda_.Permission(
                f"{name}-{key}",
                action="lambda:InvokeFunction",
                function=function_arn,
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.format("{}/*/*", api.execution_arn),
                opts=child,
            )
            integrations[key] = aws.apigatewayv2.Integration(
                f"{name}-{key}",
                api_id=api.id,
                integration_type="AWS_PROXY",
                integration_uri=function_arn,
                payload_format_version="2.0",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
            )
        authorization = self._authorization(name, settings, api)
        registered = [
            aws.apigatewayv2.Route(
                f"{name}-{names[route.key]}",
                api_id=api.id,
                route_key=route.key,
                target=pulumi.Output.concat("integrations/", integrations[route.function].id),
                opts=child,
                **authorization.get(route.group, {}),
            )
            for route in routes
        ]
        rate, burst = settings.record_limits()
        stage = aws.apigatewayv2.Stage(
            name,
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            default_route_settings={
                "throttling_rate_limit": settings.throttling_rate_limit,
                "throttling_burst_limit": settings.throttling_burst_limit,
            },
            access_log_settings=_access_log(name, settings, log_key_arn, tags, child) if settings.access_logs else None,
            route_settings=[
                {"route_key": route.key, "throttling_rate_limit": rate, "throttling_burst_limit": burst}
                for route in routes
                if route.group == RECORD
            ],
            tags=tags,
            # After the routes, so that they are deployed once, together.
            opts=pulumi.ResourceOptions(parent=self, depends_on=registered),
        )

        self.api_id, self.stage_name = api.id, stage.name
        # Known only with the stage, because nothing answers at the endpoint before.
        self.api_endpoint = pulumi.Output.all(api.api_endpoint, stage.id).apply(lambda known: str(known[0]))
        if settings.domain_name is not None:
            self.api_endpoint = self._domain(name, settings, stage, tags)
        self.register_outputs({"apiEndpoint": self.api_endpoint, "apiId": api.id})

    def _domain(
        self, name: str, settings: ApiSettings, stage: aws.apigatewayv2.Stage, tags: Mapping[str, pulumi.Input[str]]
    ) -> pulumi.Output[str]:
        """Make the custom domain with its mapping to the stage and its records; return the URL, known with them."""
        child = pulumi.ResourceOptions(parent=self)
        domain = aws.apigatewayv2.DomainName(
            name,
            domain_name=settings.domain_name,
            domain_name_configuration={
                # Never without it: see ApiSettings.
                "certificate_arn": cast("pulumi.Input[str]", settings.certificate_arn),
                "endpoint_type": "REGIONAL",
                "security_policy": "TLS_1_2",
                # Without it, the AAAA record would have no address.
                "ip_address_type": "dualstack",
            },
            tags=tags,
            opts=child,
        )
        mapping = aws.apigatewayv2.ApiMapping(
            name, api_id=stage.api_id, domain_name=domain.domain_name, stage=stage.name, opts=child
        )
        records = [
            aws.route53.Record(
                f"{name}-{kind.lower()}",
                zone_id=settings.hosted_zone_id,
                name=domain.domain_name,
                type=kind,
                aliases=[
                    {
                        "name": domain.domain_name_configuration.target_domain_name,
                        "zone_id": domain.domain_name_configuration.hosted_zone_id,
                        "evaluate_target_health": False,
                    }
                ],
                opts=child,
            )
            for kind in (("A", "AAAA") if settings.hosted_zone_id is not None else ())
        ]
        ready = [mapping.id, *(record.id for record in records)]
        return pulumi.Output.all(domain.domain_name, *ready).apply(lambda known: f"https://{known[0]}")

    def _authorization(
        self, name: str, settings: ApiSettings, api: aws.apigatewayv2.Api
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return the inputs of the routes of each group that requires credentials; make the authorizer of tokens."""
        inputs: dict[str, dict[str, Any]] = {
            group: {"authorization_type": kind.value}
            for group, kind in settings.authorization.items()
            if kind is not Authorization.NONE
        }
        by_token = [group for group, kind in settings.authorization.items() if kind is Authorization.JWT]
        if by_token:
            authorizer = aws.apigatewayv2.Authorizer(
                f"{name}-jwt",
                api_id=api.id,
                authorizer_type="JWT",
                identity_sources=["$request.header.Authorization"],
                jwt_configuration={"issuer": settings.jwt_issuer, "audiences": list(settings.jwt_audiences)},
                opts=pulumi.ResourceOptions(parent=self),
            )
            for group in by_token:
                scopes = list(settings.scopes[group])
                inputs[group] |= {"authorizer_id": authorizer.id} | ({"authorization_scopes": scopes} if scopes else {})
        return inputs


def _access_log(
    name: str,
    settings: ApiSettings,
    key_arn: pulumi.Input[str] | None,
    tags: Mapping[str, pulumi.Input[str]],
    child: pulumi.ResourceOptions,
) -> aws.apigatewayv2.StageAccessLogSettingsArgsDict:
    group = aws.cloudwatch.LogGroup(
        f"{name}-access",
        # A group of any other name gets a statement of its own in a resource policy that ends at 5,120 characters.
        name_prefix=f"/aws/vendedlogs/{name}-",
        retention_in_days=settings.access_log_retention_in_days,
        kms_key_id=key_arn,
        tags=tags,
        # A counter that is renamed keeps its log.
        opts=pulumi.ResourceOptions(parent=child.parent, ignore_changes=["name_prefix"]),
    )
    fields = ACCESS_LOG_FIELDS | (ADDRESS_FIELDS if settings.access_log_addresses else {})
    return {"destination_arn": group.arn, "format": json.dumps(fields)}


def _check_routes(routes: Iterable[Route], functions: Iterable[str], groups: Iterable[str]) -> None:
    """Raise a RunError, before anything is registered, for a route whose function or group is unknown.

    A route of an unknown group would be open to all.
    """
    known = {"x-function": list(functions), "x-group": list(groups)}
    remedy = {
        "x-function": "give a new function its permissions in `rights`, in components/stream_triggered_counter.py, and "
        "a handler in functions/",
        "x-group": "leave it out for a route that is open to all",
    }
    for route in routes:
        named = {"x-function": route.function} | ({"x-group": route.group} if route.group else {})
        for field, value in named.items():
            if value not in known[field]:
                raise pulumi.RunError(
                    f"openapi.json: {route.key}: {field} is {value!r}; allowed: {', '.join(known[field])}; "
                    f"{remedy[field]}"
                )


def _cors(settings: ApiSettings) -> aws.apigatewayv2.ApiCorsConfigurationArgsDict | None:
    if not settings.cors_allow_origins:
        return None
    return {
        "allow_origins": list(settings.cors_allow_origins),
        "allow_methods": ["GET", "POST"],
        "allow_headers": _allowed_headers(settings),
        "expose_headers": EXPOSED_HEADERS,
        "max_age": 3_600,
    }


def _allowed_headers(settings: ApiSettings) -> list[str]:
    kinds = set(settings.authorization.values())
    credentials = ["authorization"] if kinds != {Authorization.NONE} else []
    return [*ALLOWED_HEADERS, *credentials, *(SIGNATURE_HEADERS if Authorization.AWS_IAM in kinds else [])]


def _names(route_keys: Iterable[str]) -> dict[str, str]:
    """Make a logical name of each route key: `GET /tag/{tag}` becomes `get-tag-tag`, `GET /` becomes `get`.

    Keys that differ in other characters alone, such as `GET /a-b` and `GET /a/b`, would share a name. The first of them
    has it; each later one gets a digest of its key at the end, so that no key's name depends on what follows it.
    """
    names: dict[str, str] = {}
    for key in route_keys:
        name, digest = "-".join(re.findall(r"[a-z0-9]+", key.lower())), sha256(key.encode()).hexdigest()
        lengths = range(7, len(digest))
        possible = (name, *(f"{name}-{digest[:length]}" for length in lengths))
        names[key] = next(each for each in possible if each not in names.values())
    return names
