"""An HTTP API whose routes are answered by Lambda functions.

The limits are those of `RouteSettings` in API Gateway's API reference.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pulumi
import pulumi_aws as aws

from .checks import ArgumentError, Items, Number, OneOf, Text
from .function import LOG_RETENTION_DAYS
from .functions_package import Features, Route, document
from .settings import Settings, setting

ALLOWED_HEADERS = ["accept", "content-type", "idempotency-key"]
EXPOSED_HEADERS = ["idempotency-replayed", "retry-after"]
RECORD = "record"
"""The group of the routes that record visits; `x-group` in the OpenAPI document."""
MAX_ALLOWED_TAGS_LENGTH = 2_000
"""The maximum number of bytes of all allowed tags as JSON. Lambda allows 4 KB for all environment variables."""


def _tag_or_pattern() -> Text:
    schema = document()["components"]["schemas"]["Tag"]
    reserved = "|".join(map(re.escape, schema["not"]["enum"]))
    pattern = schema["pattern"].removeprefix("^").removesuffix("+$")
    what = f"a tag, or a pattern in which * stands for any characters; at most {schema['maxLength']} characters"
    return Text(what, rf"(?!(?:{reserved})$){pattern}{{1,{schema['maxLength']}}}")


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


@dataclass(frozen=True, kw_only=True)
class ApiSettings(Settings):
    """The HTTP API."""

    cors_allow_origins: Sequence[str] = setting(
        (), Items(Text("an origin such as https://example.org, or * for any", r"\*|[a-z][a-z0-9+.-]*://[^/\s]+"))
    )
    """The origins whose pages may call the API from a browser."""
    throttling_rate_limit: float = setting(1_000.0, Number(1, whole=False))
    """Requests per second, on average, that the API lets through. All APIs of an account and region together have
    10,000 unless AWS raises your quota. The default is what one DynamoDB item can take, which a single busy tag is."""
    throttling_burst_limit: int = setting(2_000, Number(1))
    """Requests that the API lets through at once. All APIs of an account and region together have 5,000 unless AWS
    raises your quota."""
    access_logs: bool = setting(True)
    """Whether each request is logged in a line of JSON: route, status and times, but not the tag. A line has about 300
    bytes. The log group's name begins with `/aws/vendedlogs/`, which keeps the account's resource policy for such logs
    short."""
    access_log_retention_in_days: int = setting(30, OneOf(LOG_RETENTION_DAYS))
    """How many days the access log keeps its lines."""
    access_log_addresses: bool = setting(False)
    """Whether the access log also has the visitor's IP address and user agent, which are personal data in many
    countries."""
    record_throttling_rate_limit: float | None = setting(None, Number(1, whole=False))
    """Requests per second, on average, that each route that records visits lets through. By default it is half of
    `throttling_rate_limit`, so that a flood of visits leaves room for reads."""
    record_throttling_burst_limit: int | None = setting(None, Number(1))
    """Requests that each route that records visits lets through at once. By default it is half of
    `throttling_burst_limit`."""
    count_by_get: bool = setting(True)
    """Whether a GET of `/tag/{tag}` or of a badge records a visit, so that links and images can. If not, only POST
    does, and a badge shows the count."""
    listing: bool = setting(True)
    """Whether `/counts` lists the tags on request. If not, only those who know a tag can read its count."""
    allowed_tags: Sequence[str] = setting((), Items(_tag_or_pattern()))
    """The tags whose visits are recorded; every other tag is refused before anything is written. By default it is any
    tag. Counts of all tags can still be read. All of them together may have 2,000 bytes as JSON."""

    def features(self) -> Any:
        """Return the features that the functions and the OpenAPI document depend on."""
        return Features(
            count_by_get=self.count_by_get,
            listing=self.listing,
            allowed_tags=self.allowed_tags,
        )

    def check_combination(self, given: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` if the arguments that were given are not allowed together."""
        super().check_combination(given)
        if (length := len(json.dumps(list(self.allowed_tags)))) > MAX_ALLOWED_TAGS_LENGTH:
            problem = f"{length:,} bytes as JSON are too many"
            raise ArgumentError(self.path_of("allowed_tags"), problem, f"{MAX_ALLOWED_TAGS_LENGTH:,} bytes or less")

    def record_limits(self) -> tuple[float, int]:
        """Return the rate and burst limits of each route that records visits."""
        rate, burst = self.record_throttling_rate_limit, self.record_throttling_burst_limit
        return (
            rate if rate is not None else max(1.0, self.throttling_rate_limit / 2),
            burst if burst is not None else max(1, self.throttling_burst_limit // 2),
        )


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
        tags: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        names = _names(route.key for route in routes)
        super().__init__("stream-triggered-counter:index:HttpApi", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        api = aws.apigatewayv2.Api(
            name, protocol_type="HTTP", cors_configuration=_cors(settings), tags=tags, opts=child
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
        registered = [
            aws.apigatewayv2.Route(
                f"{name}-{names[route.key]}",
                api_id=api.id,
                route_key=route.key,
                target=pulumi.Output.concat("integrations/", integrations[route.function].id),
                opts=child,
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
            access_log_settings=_access_log(name, settings, tags, child) if settings.access_logs else None,
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
        self.register_outputs({"apiEndpoint": self.api_endpoint, "apiId": api.id})


def _access_log(
    name: str, settings: ApiSettings, tags: Mapping[str, pulumi.Input[str]], child: pulumi.ResourceOptions
) -> aws.apigatewayv2.StageAccessLogSettingsArgsDict:
    group = aws.cloudwatch.LogGroup(
        f"{name}-access",
        # A group of any other name gets a statement of its own in a resource policy that ends at 5,120 characters.
        name_prefix=f"/aws/vendedlogs/{name}-",
        retention_in_days=settings.access_log_retention_in_days,
        tags=tags,
        opts=child,
    )
    fields = ACCESS_LOG_FIELDS | (ADDRESS_FIELDS if settings.access_log_addresses else {})
    return {"destination_arn": group.arn, "format": json.dumps(fields)}


def _cors(settings: ApiSettings) -> aws.apigatewayv2.ApiCorsConfigurationArgsDict | None:
    if not settings.cors_allow_origins:
        return None
    return {
        "allow_origins": list(settings.cors_allow_origins),
        "allow_methods": ["GET", "POST"],
        "allow_headers": ALLOWED_HEADERS,
        "expose_headers": EXPOSED_HEADERS,
        "max_age": 3_600,
    }


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
