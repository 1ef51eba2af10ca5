"""An HTTP API in front of the functions. It checks every answer against the OpenAPI document.

It routes and decodes as API Gateway does: `rawPath` is decoded except for `%25`, bytes that are not UTF-8 become
U+FFFD, a parameter matches one segment, and requests without a route go to `welcome`.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from jsonschema import Draft202012Validator

from functions.http.routes import document
from tests.answers import Answer

DOCUMENT: dict[str, Any] = json.loads(document())
MODULES = {"welcome": "welcome", "recordVisit": "record_visit", "viewCounts": "view_counts"}
SECURITY = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "content-security-policy": ""}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'"
DECODE = re.compile(r"(?:%(?!25)[0-9A-Fa-f]{2})+")


def decoded(path: str) -> str:
    return DECODE.sub(lambda run: unquote(run[0], errors="replace"), path)


def event(
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    stage: str = "$default",
    mapping: str | None = None,
) -> dict[str, Any]:
    """Return the event of a request in payload format 2.0. `target` is path and query as a client sends them.

    With a `mapping`, the request is sent to a custom domain. `mapping` is the key of the API mapping, or "" for none.
    """
    path, _, query = target.partition("?")
    path = decoded(path)
    # Additional leading slashes do not affect the route, and stay in the path.
    template = route(method, "/" + path.lstrip("/"))
    prefix = (f"/{mapping}" if mapping else "") if mapping is not None else "" if stage == "$default" else f"/{stage}"
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {template}" if template else "$default",
        "rawPath": prefix + path,
        "rawQueryString": query,
        "headers": dict(headers or {}),
        "requestContext": {
            "domainName": "id.execute-api.eu-west-1.amazonaws.com" if mapping is None else "count.example.org",
            "http": {
                "method": method,
                "path": prefix + path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "t",
            },
            "stage": stage,
            "requestId": "id",
        },
        "isBase64Encoded": False,
    }
    if template and "{tag}" in template:
        made["pathParameters"] = {"tag": path.rpartition("/")[2]}
    if query:
        pairs: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
            pairs.setdefault(name, []).append(value)
        made["queryStringParameters"] = {name: ",".join(values) for name, values in pairs.items()}
    return made


def route(method: str, path: str) -> str | None:
    """Return the template of the matching route with the fewest parameters, None for `$default`."""
    matching = [
        template
        for template, item in DOCUMENT["paths"].items()
        if method.lower() in item and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
    ]
    return min(matching, key=lambda template: template.count("{"), default=None)


def request(
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    stage: str = "$default",
    mapping: str | None = None,
) -> Answer[str]:
    """Send a request through the API, check that the answer is as documented, and return it."""
    made = event(method, target, headers, stage, mapping)
    template = made["routeKey"].partition(" ")[2]
    operation = DOCUMENT["paths"][template][method.lower()] if template else None
    function = operation["x-function"] if operation else "welcome"
    handler: Callable[..., dict[str, Any]] = importlib.import_module(f"functions.{MODULES[function]}").handler
    returned = json.loads(json.dumps(handler(json.loads(json.dumps(made)), None)))
    headers = {name.lower(): value for name, value in returned["headers"].items()}
    answer = Answer(returned["statusCode"], headers, returned["body"])
    assert_documented(answer, operation)
    return answer


def assert_documented(answer: Answer[str], operation: Mapping[str, Any] | None) -> None:
    """Check an answer against its operation, or against the rules for requests without a route."""
    assert isinstance(answer.body, str)
    policy = PAGE_POLICY if answer.type == "text/html" else OTHER_POLICY
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY | {"content-security-policy": policy}
    if operation is None:
        if answer.body:
            assert answer.status >= 400
            assert answer.type in ("application/problem+json", "text/html", "image/svg+xml")
            if answer.type == "application/problem+json":
                validate({"$ref": "#/components/schemas/Problem"}, answer.json)
        return
    assert str(answer.status) in operation["responses"], f"{answer.status} is not documented"
    described = resolved(operation["responses"][str(answer.status)])
    for name, declared in described.get("headers", {}).items():
        header = resolved(declared)
        assert not header.get("required") or name.lower() in answer.headers, f"{name} is missing"
        if name.lower() in answer.headers:
            validate(header["schema"], answer.headers[name.lower()])
    if "content" not in described:
        assert answer.body == ""
        return
    assert answer.type in described["content"], f"{answer.type} is not documented"
    schema = described["content"][answer.type].get("schema", {})
    validate(schema, answer.json if answer.type.endswith("json") else answer.body)
    if answer.type == "application/problem+json":
        assert answer.json["status"] == answer.status


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = part
    if "$ref" in part:
        found = DOCUMENT
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
    return found


def validate(schema: Mapping[str, Any], instance: object) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(instance)
