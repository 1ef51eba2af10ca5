"""The HTTP API: a route for each operation of the published contract, a permission for each function."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.api_settings import ApiSettings
from components.functions_package import Features, Route, routes
from components.http_api import HttpApi
from components.testing import Result, run
from tests.samples import DOMAIN, TOKENS

from .conftest import Build, exactly

ROUTE = "aws:apigatewayv2/route:Route"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
AUTHORIZER = "aws:apigatewayv2/authorizer:Authorizer"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"


def test_routes_are_those_of_the_contract_and_a_default(counter: Result) -> None:
    document = json.loads((Path(__file__).parents[2] / "functions/http/openapi.json").read_text())
    expected = {"$default": "welcome"} | {
        f"{method.upper()} {path}": operation["x-function"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    integrations = {f"integrations/{i.id}": i.name.removeprefix("counter-api-") for i in counter.all(INTEGRATION)}
    assert {r.inputs["routeKey"]: integrations[r.inputs["target"]] for r in counter.all(ROUTE)} == expected
    assert {"GET /tag/{tag}", "POST /tag/{tag}", "GET /tags/{tag}", "POST /tags/{tag}"} <= set(expected)
    assert {"GET /", "GET /counts", "GET /counts/{tag}", "GET /count/{tag}"} <= set(expected)


def test_routes_are_read_out_of_any_document() -> None:
    operations = {"parameters": [], "get": {"x-function": "one"}, "post": {"x-function": "two", "x-group": "read"}}
    listed = [Route("GET /a", "one"), Route("POST /a", "two", "read"), Route("$default", "welcome")]
    assert routes({"paths": {"/a": operations}}) == listed


def test_one_permission_for_each_function_covers_the_whole_api(counter: Result) -> None:
    arn = counter.one("aws:apigatewayv2/api:Api").state["executionArn"]
    for permission in exactly(3, counter, "aws:lambda/permission:Permission"):
        assert permission.inputs["sourceArn"] == f"{arn}/*/*"
        assert permission.inputs["principal"] == "apigateway.amazonaws.com"
        assert permission.inputs["action"] == "lambda:InvokeFunction"
        integration = counter.one(INTEGRATION, permission.name)
        assert integration.inputs["integrationUri"] == permission.inputs["function"]
        assert permission.urn in integration.dependencies


def test_integrations_use_payload_format_2(counter: Result) -> None:
    for integration in exactly(3, counter, INTEGRATION):
        assert integration.inputs["payloadFormatVersion"] == "2.0"
        assert integration.inputs["integrationType"] == "AWS_PROXY"


def test_the_default_stage_is_deployed_after_all_routes(counter: Result) -> None:
    stage = counter.one("aws:apigatewayv2/stage:Stage")
    assert stage.inputs["name"] == "$default"
    assert stage.inputs["autoDeploy"] is True
    assert stage.inputs["defaultRouteSettings"] == {"throttlingRateLimit": 1_000, "throttlingBurstLimit": 2_000}
    assert {route.urn for route in counter.all(ROUTE)} <= set(stage.dependencies)


def test_no_origin_is_allowed_unless_asked_for(counter: Result, build: Build) -> None:
    assert "corsConfiguration" not in counter.one("aws:apigatewayv2/api:Api").inputs
    result = build(
        {
            "api": {
                "cors_allow_origins": ["https://example.org"],
                "throttling_rate_limit": 2.5,
                "throttling_burst_limit": 5,
            }
        }
    )
    cors = result.one("aws:apigatewayv2/api:Api").inputs["corsConfiguration"]
    assert cors["allowOrigins"] == ["https://example.org"]
    assert cors["allowMethods"] == ["GET", "POST"]
    assert cors["maxAge"] == 3_600
    assert "idempotency-key" in cors["allowHeaders"]
    limits = result.one("aws:apigatewayv2/stage:Stage").inputs["defaultRouteSettings"]
    assert limits == {"throttlingRateLimit": 2.5, "throttlingBurstLimit": 5}


def test_requests_are_logged_without_what_tells_visitors_or_tags_apart(counter: Result) -> None:
    stage, group = counter.one("aws:apigatewayv2/stage:Stage"), counter.one(LOG_GROUP, "counter-api-access")
    assert stage.inputs["accessLogSettings"]["destinationArn"] == group.state["arn"]
    assert group.inputs["namePrefix"] == "/aws/vendedlogs/counter-api-"
    assert group.state["name"].startswith("/aws/vendedlogs/counter-api-")
    assert group.inputs["retentionInDays"] == 30
    fields = json.loads(stage.inputs["accessLogSettings"]["format"])
    assert {"time", "requestId", "route", "method", "status", "latency", "functionLatency"} <= set(fields)
    assert all(re.fullmatch(r"\$context\.[A-Za-z.]+", variable) for variable in fields.values())
    assert not {"$context.path", "$context.protocol", "$context.identity.user"} & set(fields.values())
    assert not any("identity" in variable for variable in fields.values())


def test_access_logs_may_have_addresses_or_be_switched_off(build: Build) -> None:
    more = build({"api": {"access_log_addresses": True, "access_log_retention_in_days": 7}})
    fields = json.loads(more.one("aws:apigatewayv2/stage:Stage").inputs["accessLogSettings"]["format"])
    assert fields["address"] == "$context.identity.sourceIp"
    assert more.one(LOG_GROUP, "counter-api-access").inputs["retentionInDays"] == 7
    none = build({"api": {"access_logs": False}})
    assert none.all(LOG_GROUP, "counter-api-access") == []
    assert "accessLogSettings" not in none.one("aws:apigatewayv2/stage:Stage").inputs


VISITS = {"GET /tag/{tag}", "POST /tag/{tag}", "GET /tags/{tag}", "POST /tags/{tag}", "GET /badge/{tag}"}


def route_limits(result: Result) -> dict[str, tuple[float, int]]:
    settings = result.one("aws:apigatewayv2/stage:Stage").inputs["routeSettings"]
    return {one["routeKey"]: (one["throttlingRateLimit"], one["throttlingBurstLimit"]) for one in settings}


def test_routes_that_record_visits_have_lower_limits(counter: Result, build: Build) -> None:
    assert route_limits(counter) == dict.fromkeys(VISITS, (500, 1_000))
    low = {"throttling_rate_limit": 1.5, "throttling_burst_limit": 1}
    assert route_limits(build({"api": low})) == dict.fromkeys(VISITS, (1, 1))
    given = {"record_throttling_rate_limit": 3.5, "record_throttling_burst_limit": 4}
    assert route_limits(build({"api": given})) == dict.fromkeys(VISITS, (3.5, 4))


def features(result: Result) -> dict[str, str | None]:
    """Return what each function is told of the features."""
    functions = exactly(4, result, "aws:lambda/function:Function")
    return {one.name: one.inputs["environment"]["variables"].get("API_FEATURES") for one in functions}


def test_functions_are_told_only_what_differs_from_the_defaults(counter: Result, build: Build) -> None:
    assert set(features(counter).values()) == {None}
    told = features(build({"api": {"count_by_get": False, "listing": False, "allowed_tags": ["news", "é*"]}}))
    assert told.pop("counter-process-stream") is None
    for text in told.values():
        assert text is not None
        assert json.loads(text) == {"count_by_get": False, "listing": False, "allowed_tags": ["news", "é*"]}
        assert Features.parse(text).allows("écu")


def test_without_counting_by_get_there_is_no_such_route_and_a_badge_is_a_read(build: Build) -> None:
    result = build({"api": {"count_by_get": False}})
    keys = {route.inputs["routeKey"] for route in result.all(ROUTE)}
    assert not keys & {"GET /tag/{tag}", "GET /tags/{tag}"}
    assert "GET /badge/{tag}" in keys
    assert set(route_limits(result)) == {"POST /tag/{tag}", "POST /tags/{tag}"}


def authorization(result: Result) -> dict[str, tuple[str | None, str | None, list[str] | None]]:
    """Return what each route requires: the type, the authorizer and the scopes."""
    names = ("authorizationType", "authorizerId", "authorizationScopes")
    return {
        route.inputs["routeKey"]: (route.inputs.get(names[0]), route.inputs.get(names[1]), route.inputs.get(names[2]))
        for route in result.all(ROUTE)
    }


READS = {"GET /counts", "GET /counts/{tag}", "GET /count/{tag}"}
OPEN = (None, None, None)


def test_no_credentials_are_required_unless_asked_for(counter: Result) -> None:
    assert set(authorization(counter).values()) == {OPEN}
    assert not counter.all(AUTHORIZER)


@pytest.mark.parametrize("scopes", [[], ["write", "admin"]])
def test_each_group_of_routes_has_an_authorization_of_its_own(build: Build, scopes: list[str]) -> None:
    api = {**TOKENS, "read_authorization": "AWS_IAM", "record_scopes": scopes}
    result = build({"api": {**api, "cors_allow_origins": ["*"]}})
    authorizer = result.one(AUTHORIZER)
    assert authorizer.inputs["jwtConfiguration"] == {"issuer": "https://id.example.org", "audiences": ["counter"]}
    assert authorizer.inputs["identitySources"] == ["$request.header.Authorization"]
    assert (authorizer.name, authorizer.inputs["authorizerType"]) == ("counter-api-jwt", "JWT")
    required = authorization(result)
    visits, reads = ("JWT", authorizer.id, scopes or None), ("AWS_IAM", None, None)
    assert {key: value for key, value in required.items() if value != OPEN} == {
        **dict.fromkeys(VISITS, visits),
        **dict.fromkeys(READS, reads),
    }
    assert {"GET /", "GET /openapi.json", "$default"} <= required.keys()
    told = json.loads(features(result)["counter-welcome"] or "")
    assert told["record"] == {"kind": "JWT", "scopes": scopes}
    assert told["read"] == {"kind": "AWS_IAM", "scopes": []}
    assert told["issuer"] == "https://id.example.org"


def test_without_counting_by_get_a_badge_requires_what_reads_do(build: Build) -> None:
    required = authorization(build({"api": {"count_by_get": False, "record_authorization": "AWS_IAM"}}))
    assert required["GET /badge/{tag}"] == OPEN
    assert required["POST /tag/{tag}"] == ("AWS_IAM", None, None)


@pytest.mark.parametrize(
    ("api", "more"),
    [
        ({}, []),
        (TOKENS, ["authorization"]),
        (
            {"read_authorization": "AWS_IAM"},
            ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"],
        ),
    ],
)
def test_other_sites_may_send_the_credentials(build: Build, api: dict[str, Any], more: list[str]) -> None:
    result = build({"api": {**api, "cors_allow_origins": ["https://example.org"]}})
    allowed = result.one("aws:apigatewayv2/api:Api").inputs["corsConfiguration"]["allowHeaders"]
    assert allowed == ["accept", "content-type", "idempotency-key", *more]


def test_issuer_and_audience_may_be_outputs(build: Build) -> None:
    def args() -> dict[str, Any]:
        issuer, audience = (pulumi.Output.from_input(value) for value in ("https://id.example.org/pool", "client"))
        return {"api": {"read_authorization": "JWT", "jwt_issuer": issuer, "jwt_audiences": [audience]}}

    result = build(args)
    configuration = result.one(AUTHORIZER).inputs["jwtConfiguration"]
    assert configuration == {"issuer": "https://id.example.org/pool", "audiences": ["client"]}
    assert json.loads(features(result)["counter-view-counts"] or "")["issuer"] == "https://id.example.org/pool"
    assert "Calling __str__" not in json.dumps([one.inputs for one in result.resources], default=str)


DOMAIN_NAME = "aws:apigatewayv2/domainName:DomainName"
RECORD = "aws:route53/record:Record"


def endpoint(result: Result) -> str:
    outputs = result.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs or {}
    own = result.one("stream-triggered-counter:index:HttpApi").outputs
    assert own == {name: outputs[name] for name in ("apiEndpoint", "apiId")}
    return str(outputs["apiEndpoint"])


def test_an_api_has_no_domain_unless_asked_for(counter: Result) -> None:
    assert not counter.all(DOMAIN_NAME)
    assert not counter.all(RECORD)
    assert "disableExecuteApiEndpoint" not in counter.one("aws:apigatewayv2/api:Api").inputs
    assert endpoint(counter) == counter.one("aws:apigatewayv2/api:Api").state["apiEndpoint"]


def test_a_domain_name_is_the_address_of_the_api(build: Build) -> None:
    result = build({"api": DOMAIN, "tags": {"team": "web"}})
    domain, api = result.one(DOMAIN_NAME), result.one("aws:apigatewayv2/api:Api")
    assert domain.inputs["domainName"] == "count.example.org"
    assert domain.inputs["tags"] == {"team": "web"}
    assert domain.inputs["domainNameConfiguration"] == {
        "certificateArn": DOMAIN["certificate_arn"],
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
        "ipAddressType": "dualstack",
    }
    mapping = result.one("aws:apigatewayv2/apiMapping:ApiMapping")
    assert mapping.inputs == {"apiId": api.id, "domainName": "count.example.org", "stage": "$default"}
    assert not result.all(RECORD)
    assert "disableExecuteApiEndpoint" not in api.inputs
    assert endpoint(result) == "https://count.example.org"


def test_a_hosted_zone_gets_the_records_of_both_address_families(build: Build) -> None:
    def args() -> dict[str, Any]:
        texts = {name: pulumi.Output.from_input(value) for name, value in {**DOMAIN, "hosted_zone_id": "Z1"}.items()}
        return {"api": {**texts, "disable_execute_api_endpoint": True}}

    result = build(args)
    configuration = result.one(DOMAIN_NAME).state["domainNameConfiguration"]
    alias = {
        "name": configuration["targetDomainName"],
        "zoneId": configuration["hostedZoneId"],
        "evaluateTargetHealth": False,
    }
    for record in exactly(2, result, RECORD):
        assert (record.inputs["zoneId"], record.inputs["name"]) == ("Z1", "count.example.org")
        assert record.inputs["aliases"] == [alias]
        assert record.name == f"counter-api-{record.inputs['type'].lower()}"
    assert {record.inputs["type"] for record in result.all(RECORD)} == {"A", "AAAA"}
    assert result.one("aws:apigatewayv2/api:Api").inputs["disableExecuteApiEndpoint"] is True
    assert endpoint(result) == "https://count.example.org"


def test_without_listing_the_table_cannot_be_scanned(counter: Result, build: Build) -> None:
    def actions(result: Result) -> list[str]:
        policy = json.loads(result.one("aws:iam/rolePolicy:RolePolicy", "counter-view-counts").inputs["policy"])
        return [action for statement in policy["Statement"] for action in statement["Action"]]

    assert "dynamodb:Scan" in actions(counter)
    assert "dynamodb:Scan" not in actions(build({"api": {"listing": False}}))


ALIKE = ["GET /a/b", "GET /a-b", "GET /A/b", "GET /a/{b}", "GET /a/b/", "GET /ä", "GET /", "GET /é"]


def route_names(keys: list[str]) -> dict[str, str]:
    listed = [Route(key, "f") for key in keys]

    def program() -> None:
        options = pulumi.ResourceOptions()
        HttpApi(
            "alone", ApiSettings(), functions={"f": FUNCTION}, routes=listed, log_key_arn=None, tags={}, opts=options
        )

    return {route.inputs["routeKey"]: route.name for route in run(program).all(ROUTE)}


def test_route_keys_that_differ_in_punctuation_alone_get_names_of_their_own() -> None:
    names = route_names(ALIKE)
    assert len(names) == len(ALIKE) == len(set(names.values()))
    assert names["GET /a/b"] == "alone-get-a-b"
    assert names["GET /ä"] == "alone-get"
    # Part of a URN: another digest would replace the route.
    assert names["GET /a-b"] == f"alone-get-a-b-{sha256(b'GET /a-b').hexdigest()[:7]}"


def test_a_route_added_at_the_end_leaves_the_names_of_all_others_as_they_are() -> None:
    names = route_names(ALIKE)
    for end in range(1, len(ALIKE)):
        assert route_names(ALIKE[:end]) == {key: names[key] for key in ALIKE[:end]}
