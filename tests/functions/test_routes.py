"""The API's routes, and what may be asked of them."""

import importlib
from typing import Any

import pytest

from functions import contract
from tests.functions.conftest import LEDGER, TABLE
from tests.functions.gateway import DOCUMENT, MODULES, event, request

HTML = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

pytestmark = pytest.mark.usefixtures("tables")


@pytest.mark.parametrize("path", ["/tag/tech", "/tags/tech"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_visit_is_counted(method: str, path: str) -> None:
    assert [request(method, path).json for _ in range(2)] == [{"tag": "tech", "count": n} for n in (1, 2)]


@pytest.mark.parametrize("path", ["/counts/tech", "/count/tech"])
def test_a_visit_is_in_the_next_read(path: str) -> None:
    request("POST", "/tag/tech")
    assert request("GET", path).json == {"tag": "tech", "count": 1, "total": 0, "asOf": None}


def test_a_tag_never_visited_has_no_count() -> None:
    assert request("GET", "/counts/nothing").json["count"] == 0


def test_the_total_is_the_counters(tables: Any) -> None:
    assert request("GET", "/counts").json == {"total": 0, "asOf": None}
    counter = {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "41"}, "UpdatedAt": {"S": "2026-01-02T03:04:05.678Z"}}
    tables.put_item(TableName=TABLE, Item=counter | {"Ledger": {"S": LEDGER}})
    assert request("GET", "/counts").json == {"total": 41, "asOf": "2026-01-02T03:04:05.678Z"}
    assert request("GET", "/counts/tech").json == {
        "tag": "tech", "count": 0, "total": 41, "asOf": "2026-01-02T03:04:05.678Z",
    }  # fmt: skip


def test_the_greeting_describes_the_table_and_echoes_the_request() -> None:
    greeting = request("GET", "/?a=1&a=2&b=%C3%A4").json
    assert greeting["request"] == {"method": "GET", "path": "/", "query": {"a": "1,2", "b": "ä"}}
    assert greeting["table"]["name"] == TABLE
    assert greeting["table"]["status"] == "ACTIVE"
    assert greeting["table"]["streamViewType"] == "NEW_AND_OLD_IMAGES"


def test_the_document_is_served_as_it_is() -> None:
    assert request("GET", "/openapi.json").json == DOCUMENT


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        (HTML["accept"], True),
        ("application/json, text/html;q=0.5", False),
        ("application/json;q=0.5, text/html", True),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("path", ["/", "/tag/tech", "/counts/tech", "/counts"])
def test_a_page_comes_to_who_asks_for_one(path: str, accept: str, page: bool) -> None:
    answer = request("GET", path, {"Accept": accept})
    assert answer.type == ("text/html" if page else "application/json")
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_a_stage_in_the_path_makes_no_difference(stage: str) -> None:
    assert request("GET", "/tag/prod", stage=stage).json == {"tag": "prod", "count": 1}
    assert request("GET", "/nothing", stage=stage).json["path"] == "/nothing"
    assert request("GET", "/", stage=stage).json["request"]["path"] == "/"


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/v1/tag/a", "/tag/{tag}", 200),
        ("/v1/counts/a", "/counts/{tag}", 200),
        ("/v1/counts", "/counts", 200),
        ("/v1", "/", 200),
        ("/v1/openapi.json", "/openapi.json", 200),
        ("/v1/static/icon.svg", "/static/icon.svg", 200),
        ("/v1/tag/a/b", "/tag/{tag}", 400),
    ],
)
def test_a_mapping_of_a_custom_domain_makes_no_difference(path: str, route: str, status: int) -> None:
    function = DOCUMENT["paths"][route]["get"]["x-function"]
    mapped = event("GET", path) | {"routeKey": f"GET {route}"}
    given = importlib.import_module(f"functions.{MODULES[function]}").handler(mapped, None)
    assert given["statusCode"] == status


@pytest.mark.parametrize(
    "path", ["/nothing", "/tag", "/tag/a/b", "/tag/a%2Fb", "/tag/a/", "/counts/a/b", "/favicon.ico"]
)
def test_an_unknown_route_is_a_404(path: str) -> None:
    answer = request("GET", path)
    assert (answer.status, answer.json["title"]) == (404, "Not Found")


@pytest.mark.parametrize("path", ["/tag/", "/tags/", "/counts/", "/count/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_empty_tag_is_a_400(method: str, path: str) -> None:
    assert request(method, path).status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/tag/a", "/counts/a", "/counts", "/openapi.json"])
def test_another_method_is_a_405_that_names_the_allowed(method: str, path: str) -> None:
    answer = request(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == ("GET, HEAD, OPTIONS, POST" if path == "/tag/a" else "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", [path.replace("{tag}", "a") for path in contract.routes()])
@pytest.mark.parametrize("headers", [{}, HTML])
def test_a_head_has_the_headers_of_the_get_and_no_body(path: str, headers: dict[str, str]) -> None:
    head, get = request("HEAD", path, headers), request("GET", path, headers)
    assert (head.status, head.headers, head.body) == (get.status, get.headers, "")


def test_what_is_no_visit_is_not_counted() -> None:
    for headers in ({"Sec-Purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}, {"Purpose": "Prefetch"}):
        for method in ("GET", "POST"):
            assert request(method, "/tag/a", headers).status == 403
    for method in ("HEAD", "OPTIONS", "PUT"):
        request(method, "/tag/a")
    assert request("GET", "/counts/a").json["count"] == 0
    assert request("GET", "/tag/a", {"Sec-Purpose": "else"}).json["count"] == 1


def test_options_names_the_methods() -> None:
    answer = request("OPTIONS", "/tag/a")
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


def test_a_foreign_count_that_is_no_whole_number_reads_as_none(tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "a"}, "Count": {"N": "1.5"}})
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "b"}, "Count": {"S": "3"}})
    assert [request("GET", f"/counts/{tag}").json["count"] for tag in "ab"] == [0, 0]


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/counts/a", "batch_get_item"),
        ("/counts", "batch_get_item"),
        ("/counts?limit=1", "scan"),
        ("/badge/a?count=false", "get_item"),
    ],
)
def test_reads_are_consistent(path: str, method: str, refuse: Any) -> None:
    calls = refuse(method)
    request("GET", path)
    (call,) = calls
    assert [call, *call.get("RequestItems", {}).values()][-1]["ConsistentRead"] is True
