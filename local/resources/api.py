"""HTTP APIs of API Gateway."""

from __future__ import annotations

from components.engine.answers import Computed

from ..emulator.gateway import STAGE, api_address, api_id
from ..errors import ResourceError
from ..inputs import Inputs, Shape, same
from ..site import Site

_CORS: Shape = same("allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge")
_API: Shape = {
    **same("apiKeySelectionExpression", "description", "disableExecuteApiEndpoint", "ipAddressType", "protocolType"),
    **same("routeSelectionExpression", "version"),
    "corsConfiguration": ("CorsConfiguration", _CORS),
}
_INTEGRATION: Shape = same(
    "apiId", "connectionType", "description", "integrationMethod", "integrationType", "integrationUri"
) | {"payloadFormatVersion": "PayloadFormatVersion", "timeoutMilliseconds": "TimeoutInMillis"}
_ROUTE: Shape = same(
    "apiId", "apiKeyRequired", "authorizationScopes", "authorizationType", "authorizerId", "operationName", "routeKey"
) | {"target": "Target"}
_ROUTE_SETTINGS: Shape = same(
    "dataTraceEnabled", "detailedMetricsEnabled", "loggingLevel", "throttlingBurstLimit", "throttlingRateLimit"
)
_STAGE: Shape = {
    **same("apiId", "autoDeploy", "description", "stageVariables"),
    "accessLogSettings": ("AccessLogSettings", same("destinationArn", "format")),
    "defaultRouteSettings": ("DefaultRouteSettings", _ROUTE_SETTINGS),
}
_AUTHORIZER: Shape = {
    **same("apiId", "authorizerType"),
    "identitySources": "IdentitySource",
    "jwtConfiguration": ("JwtConfiguration", {"audiences": "Audience", "issuer": "Issuer"}),
}
# The emulator lets a client choose an API's id by this tag.
_ID_TAG = "ms-custom-id"


def create_api(site: Site, inputs: Inputs) -> Computed:
    """Make an HTTP API, with an address on this machine that needs no host name."""
    name = site.physical_name(inputs.resource, inputs.take("name"))
    tags = site.all_tags(inputs.take("tags"))
    arguments = inputs.shape(_API)
    inputs.finish()
    origins = arguments.get("CorsConfiguration", {}).get("AllowOrigins", ())
    # The emulator would compare them as they are, so that they never match.
    inputs.refuse(f"corsConfiguration.allowOrigins: {origin}" for origin in origins if origin.endswith("://*"))
    if arguments.get("ProtocolType") != "HTTP":
        raise ResourceError(inputs.resource, f"protocolType is {arguments.get('ProtocolType')!r}, must be 'HTTP'")
    number = next(site.api_numbers)
    identifier = api_id(number)
    site.client("apigatewayv2").create_api(Name=name, Tags={**tags, _ID_TAG: identifier}, **arguments)
    return identifier, {
        "name": name,
        "apiEndpoint": api_address(site.origin, number),
        "arn": site.place.arn("apigateway", f"/apis/{identifier}", account=""),
        "executionArn": site.place.arn("execute-api", identifier),
        "tagsAll": tags,
    }


def create_integration(site: Site, inputs: Inputs) -> Computed:
    """Connect an API to a function."""
    arguments = inputs.shape(_INTEGRATION)
    inputs.finish()
    made = site.client("apigatewayv2").create_integration(**arguments)
    return made["IntegrationId"], {}


def create_authorizer(site: Site, inputs: Inputs) -> Computed:
    """Let an API check tokens; the emulator supports no other kind without code of its own."""
    name = site.physical_name(inputs.resource, inputs.take("name"))
    arguments = inputs.shape(_AUTHORIZER)
    inputs.finish()
    if arguments.get("AuthorizerType") != "JWT":
        raise ResourceError(inputs.resource, f"authorizerType is {arguments.get('AuthorizerType')!r}, must be 'JWT'")
    made = site.client("apigatewayv2").create_authorizer(Name=name, **arguments)
    return made["AuthorizerId"], {"name": name}


def create_route(site: Site, inputs: Inputs) -> Computed:
    """Send the requests that match a route key to an integration."""
    arguments = inputs.shape(_ROUTE)
    inputs.finish()
    made = site.client("apigatewayv2").create_route(**arguments)
    return made["RouteId"], {}


def create_stage(site: Site, inputs: Inputs) -> Computed:
    """Make an API's default stage, the only one that the local cloud serves."""
    name = inputs.take("name")
    tags = site.all_tags(inputs.take("tags"))
    routes = inputs.take("routeSettings", [])
    arguments = inputs.shape(_STAGE)
    inputs.finish()
    if name != STAGE:
        raise ResourceError(inputs.resource, f"name is {name!r}; the local cloud serves only the stage {STAGE!r}")
    if routes:
        arguments["RouteSettings"] = {
            one["routeKey"]: inputs.rename(one, {**_ROUTE_SETTINGS, "routeKey": "RouteKey"}, "routeSettings.")
            for one in routes
        }
        for settings in arguments["RouteSettings"].values():
            del settings["RouteKey"]
    site.client("apigatewayv2").create_stage(StageName=name, Tags=tags, **arguments)
    api = arguments["ApiId"]
    return name, {
        "arn": site.place.arn("apigateway", f"/apis/{api}/stages/{name}", account=""),
        "executionArn": site.place.arn("execute-api", f"{api}/{name}"),
        "invokeUrl": f"{api_address(site.origin, int(api, 16))}/",
        "tagsAll": tags,
    }
