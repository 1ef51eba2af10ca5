"""Slashes in tags: if a gateway decodes `%2F` after routing, the path has more segments than the route."""

import importlib
import json
from typing import Any

import pytest

from functions import record_visit
from tests.functions.gateway import DOCUMENT, MODULES, event, request

ROUTES = [
    (method.upper(), template, operation["x-function"])
    for template, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if "{tag}" in template and method != "parameters"
]


@pytest.mark.parametrize("stage", ["$default", "live"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
@pytest.mark.parametrize(
    "path", ["a/b", "a/", "/b", "../b", "a/b/c", "a%2Fb", "tag/b", "tags/b", "counts/b", "count/b", "badge/b"]
)
def test_slash_in_a_tag_is_rejected_in_every_encoding(
    route: tuple[str, str, str], path: str, stage: str, tables: Any
) -> None:
    method, template, function = route
    raw = template.replace("{tag}", path)
    decoded_late = event(method, raw, stage=stage) | {
        "routeKey": f"{method} {template}",
        "rawPath": raw if stage == "$default" else f"/{stage}{raw}",
        "pathParameters": {"tag": path},
    }
    answer = importlib.import_module(f"functions.{MODULES[function]}").handler(decoded_late, None)
    problem = json.loads(answer["body"])
    assert answer["statusCode"] == 400
    assert (problem["field"], problem["value"]) == ("tag", path)
    assert "without '/'" in problem["allowed"]
    assert tables.scan(TableName="visits")["Count"] == 0


@pytest.mark.parametrize("parameters", [None, {}, {"tag": "b"}])
def test_path_longer_than_its_route_is_refused(parameters: Any, tables: Any) -> None:
    late = event("POST", "/tag/a/b") | {"routeKey": "POST /tag/{tag}", "pathParameters": parameters}
    answer = record_visit.handler(late, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["value"] == (parameters or {"tag": "/tag/a/b"}).get("tag")
    assert tables.scan(TableName="visits")["Count"] == 0


@pytest.mark.usefixtures("tables")
def test_gateway_that_decodes_before_routing_finds_no_route() -> None:
    assert request("POST", "/tag/a%2Fb").status == 404
    assert request("GET", "/counts/b").json["count"] == 0
