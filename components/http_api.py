"""An HTTP API whose routes are answered by Lambda functions."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .args import ApiArgs
from .naming import check_name
from .settings import FUNCTION_ARN, TAGS, ApiSettings
from .validation import ArgumentError, Entries, Items, Record, Text, read, refuse_unknown

ROUTE_KEY = Text(
    "a method and a path, such as GET /tag/{tag}, or $default",
    r"\$default|(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /\S*",
)
FUNCTION_KEY = Text("a name of letters, digits and hyphens", r"[A-Za-z0-9-]+")
ROUTES = Items(Record({"key": ROUTE_KEY, "function": FUNCTION_KEY}))
FUNCTIONS = Entries(FUNCTION_KEY, FUNCTION_ARN)
ALLOWED_HEADERS = ["accept", "content-type", "idempotency-key"]
EXPOSED_HEADERS = ["idempotency-replayed", "retry-after"]


class RouteArgs(TypedDict):
    """A route, and the function that answers it."""

    key: str
    """The route key. Allowed: a method and a path, such as GET /tag/{tag}, or $default."""
    function: str
    """A key of `functions`. Allowed: a name of letters, digits and hyphens."""


class HttpApiArgs(TypedDict):
    """The arguments of `HttpApi`."""

    functions: dict[str, pulumi.Input[str]]
    """The functions that answer, by a name of your own, as ARNs. Allowed: a mapping; key: a name of letters, digits and
    hyphens;
    value: an ARN that matches arn:aws[a-z-]*:lambda:[a-z0-9-]+:\\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?."""
    routes: list[RouteArgs]
    """The routes, each route key once."""
    api: NotRequired[ApiArgs]
    """Cross-origin requests and throttling."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags of every resource that can have tags. Default: {}. Allowed: a mapping; key: 1 to 128 letters, digits, spaces
    and _.:/=+-@, not starting with aws:; value: at most 256 letters, digits, spaces and _.:/=+-@. The characters are
    IAM's, the strictest of the services."""


class HttpApi(pulumi.ComponentResource):
    """An API Gateway HTTP API (payload format 2.0, stage `$default`) whose routes are answered by Lambda functions.

    Each function gets one permission for the whole API: one for each route would meet the limit of 20,480 bytes of a
    function's policy (aws/aws-cdk#19535).
    """

    api_endpoint: pulumi.Output[str]
    """The URL of the API, without a trailing slash."""
    api_id: pulumi.Output[str]
    """The API's identifier."""

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        refuse_unknown("", args, HttpApiArgs.__annotations__)
        functions = FUNCTIONS("functions", args.get("functions"))
        routes = ROUTES("routes", args.get("routes"))
        for index, route in enumerate(routes):
            if route["function"] not in functions:
                problem = f"{route['function']!r} is not among the functions"
                raise ArgumentError(f"routes[{index}].function", problem, ", ".join(functions))
        names = _names(route["key"] for route in routes)
        settings = read(ApiSettings, args.get("api"), "api")
        tags = TAGS("tags", args.get("tags") or {})
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
                source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
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
                f"{name}-{names[route['key']]}",
                api_id=api.id,
                route_key=route["key"],
                target=pulumi.Output.concat("integrations/", integrations[route["function"]].id),
                opts=child,
            )
            for route in routes
        ]
        stage = aws.apigatewayv2.Stage(
            name,
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            default_route_settings={
                "throttling_rate_limit": settings.throttling_rate_limit,
                "throttling_burst_limit": settings.throttling_burst_limit,
            },
            tags=tags,
            # After the routes, so that they are deployed once, together.
            opts=pulumi.ResourceOptions(parent=self, depends_on=registered),
        )

        # Known only with the stage, because nothing answers at the endpoint before.
        self.api_endpoint = pulumi.Output.all(api.api_endpoint, stage.id).apply(lambda known: str(known[0]))
        self.api_id = api.id
        self.register_outputs({"apiEndpoint": self.api_endpoint, "apiId": self.api_id})


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
    for index, key in enumerate(route_keys):
        if key in names:
            raise ArgumentError(f"routes[{index}].key", f"{key!r} is listed twice", "each route key once")
        name, digest = "-".join(re.findall(r"[a-z0-9]+", key.lower())), sha256(key.encode()).hexdigest()
        lengths = range(7, len(digest))
        possible = (name, *(f"{name}-{digest[:length]}" for length in lengths))
        names[key] = next(each for each in possible if each not in names.values())
    return names
