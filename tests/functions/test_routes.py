"""The API's routes, their methods and their answers."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from functions import record_visit, view_counts, welcome
from functions.http import routes
from functions.http.problems import ProblemError
from functions.pages.templates import problem_page
from tests.answers import PREFETCHES, Answer
from tests.functions.conftest import TABLE
from tests.functions.gateway import DOCUMENT, event, request

HTML = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

pytestmark = pytest.mark.usefixtures("tables")


@pytest.mark.parametrize("path", ["/tag/tech", "/tags/tech"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_visit_is_counted(method: str, path: str) -> None:
    assert [request(method, path).json for _ in range(2)] == [{"tag": "tech", "count": n} for n in (1, 2)]


@pytest.mark.parametrize("path", ["/counts/tech", "/count/tech"])
def test_next_read_includes_a_visit(path: str) -> None:
    request("POST", "/tag/tech")
    assert request("GET", path).json == {"tag": "tech", "count": 1, "total": 0, "asOf": None}


def test_tag_never_visited_has_the_count_0() -> None:
    assert request("GET", "/counts/nothing").json["count"] == 0


def test_total_is_read_from_the_counter_item(tables: Any) -> None:
    assert request("GET", "/counts").json == {"total": 0, "asOf": None}
    counter = {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "41"}, "UpdatedAt": {"S": "2026-01-02T03:04:05.678Z"}}
    tables.put_item(TableName=TABLE, Item=counter)
    assert request("GET", "/counts").json == {"total": 41, "asOf": "2026-01-02T03:04:05.678Z"}
    assert request("GET", "/counts/tech").json == {
        "tag": "tech", "count": 0, "total": 41, "asOf": "2026-01-02T03:04:05.678Z",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/counts/a", "/counts", "/counts?limit=5"])
def test_total_that_is_being_rebuilt_is_marked(tables: Any, path: str) -> None:
    note = '<p id="rebuilding"{}>The total is being rebuilt and may be too low.</p>'
    total = {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "5"}}
    for more, shown in (({}, False), ({"Rebuilding": {"BOOL": True}}, True)):
        tables.put_item(TableName=TABLE, Item=total | more)
        assert request("GET", path).json.get("rebuilding", False) is shown
        page = request("GET", path, {"accept": "text/html"}).body
        assert note.format("" if shown else " hidden") in page


def test_greeting_describes_table_and_request() -> None:
    greeting = request("GET", "/?a=1&a=2&b=%C3%A4").json
    assert greeting["request"] == {"method": "GET", "path": "/", "query": {"a": "1,2", "b": "ä"}}
    assert greeting["table"]["name"] == TABLE
    assert greeting["table"]["status"] == "ACTIVE"
    assert greeting["table"]["streamViewType"] == "NEW_AND_OLD_IMAGES"


def test_table_without_a_full_description(tables: Any) -> None:
    class Described:
        def describe_table(self, **request: Any) -> Any:
            return {"Table": {"TableName": "t", "TableStatus": "CREATING"}}

    double: Any = Described()
    nothing = {"itemCount": 0, "sizeBytes": 0, "createdAt": None, "streamViewType": None}
    assert welcome.describe(double, "t") == {"name": "t", "status": "CREATING"} | nothing
    created = tables.describe_table(TableName=TABLE)["Table"]["CreationDateTime"]
    assert welcome.describe(tables, TABLE)["createdAt"] == created.isoformat()


def test_openapi_document_is_served_unchanged() -> None:
    assert request("GET", "/openapi.json").json == DOCUMENT


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        (HTML["accept"], True),
        ("application/json, text/html;q=0.5", False),
        ("application/json;q=0.5, text/html", True),
        ("application/json, text/html", True),
        ("text/html;q=1", True),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("path", ["/", "/tag/tech", "/counts/tech", "/counts"])
def test_accept_header_chooses_page_or_json(path: str, accept: str, page: bool) -> None:
    answer = request("GET", path, {"Accept": accept})
    assert answer.type == ("text/html" if page else "application/json")
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_stage_in_the_path_makes_no_difference(stage: str) -> None:
    assert request("GET", "/tag/prod", stage=stage).json == {"tag": "prod", "count": 1}
    assert request("GET", "/nothing", stage=stage).json["path"] == "/nothing"
    assert request("GET", "/", stage=stage).json["request"]["path"] == "/"
    # A test event in Lambda's console may leave the domain and the headers out.
    nameless = event("GET", "/counts/prod", stage=stage)
    del nameless["requestContext"]["domainName"], nameless["headers"]
    assert json.loads(view_counts.handler(nameless | {"routeKey": "$default"}, None)["body"])["path"] == "/counts/prod"


MAPPINGS = ["", "v1", "a/b", "tag", "tags", "counts", "count", "badge", "static", "tag/counts"]


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("stage", ["$default", "live", "tag"])
def test_api_mapping_with_any_key_makes_no_difference(mapping: str, stage: str) -> None:
    def send(method: str, path: str) -> Answer[str]:
        return request(method, path, stage=stage, mapping=mapping)

    assert send("POST", "/tag/x").json == {"tag": "x", "count": 1}
    assert send("GET", "/tags/tag").json == {"tag": "tag", "count": 1}
    assert send("GET", "/counts/x").json["count"] == 1
    assert send("GET", "/count/counts").json == {"tag": "counts", "count": 0, "total": 0, "asOf": None}
    assert send("GET", "/counts").json == {"total": 0, "asOf": None}
    assert send("GET", "/badge/x?count=false").type == "image/svg+xml"
    assert send("GET", "/").json["table"]["name"] == TABLE
    assert send("GET", "/openapi.json").json == DOCUMENT
    assert send("GET", "/static/icon.svg").type == "image/svg+xml"
    assert send("GET", "/tag/a/b").status == 404
    assert send("GET", "/tag/x/").status == 404
    assert send("GET", "/tag/").json["field"] == "tag"
    assert send("DELETE", "/tag/x").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert request("GET", "/counts/x").json["count"] == 1


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("path", [path.replace("{tag}", "a") for path in routes.table()])
def test_head_through_api_mapping_is_like_the_get(mapping: str, path: str) -> None:
    key = mapping
    if path.count("/") == 1 and f"/{mapping.rpartition('/')[2]}/{{tag}}" in routes.table():
        # Below the key `tag`, `/counts` may also be the tag `counts` of `/tag/{tag}`. The longer match wins.
        path, key = f"/{mapping.rpartition('/')[2]}{path}", mapping.rpartition("/")[0]
    head, get = request("HEAD", path, mapping=key), request("GET", path, mapping=key)
    assert (head.status, head.headers, head.body) == (get.status, get.headers, "")


def test_head_through_an_api_mapping_counts_nothing() -> None:
    for mapping in MAPPINGS:
        assert request("HEAD", "/tag/a", mapping=mapping).status == 200
    assert request("GET", "/counts/a").json["count"] == 0


def test_prefix_without_a_custom_domain_is_a_404() -> None:
    for method in ("GET", "HEAD", "POST", "PUT"):
        assert request(method, "/v1/tag/a").status == 404
        assert request(method, "/v1/").status == 404


@pytest.mark.parametrize("path", ["/production", "/prod-2/counts"])
def test_path_that_only_begins_like_the_stage_is_kept_whole(path: str) -> None:
    made = event("GET", path, stage="prod") | {"rawPath": path}
    assert json.loads(welcome.handler(made, None)["body"])["path"] == path


@pytest.mark.parametrize(
    "path", ["/nothing", "/tag", "/tag/a/b", "/tag/a%2Fb", "/tag/a/", "/counts/a/b", "/favicon.ico"]
)
def test_unknown_route_is_a_404(path: str) -> None:
    answer = request("GET", path)
    assert (answer.status, answer.json["title"]) == (404, "Not Found")


def test_404_repeats_200_characters_of_the_path() -> None:
    assert request("GET", f"/{'x' * 300}").json["path"] == f"/{'x' * 199}"


PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
"""The reason phrases of RFC 9110, section 15, and RFC 6585."""


@pytest.mark.parametrize(("status", "phrase"), PHRASES.items())
def test_title_of_a_status(status: int, phrase: str) -> None:
    problem = ProblemError(HTTPStatus(status), "No.")
    assert problem.document()["title"] == phrase
    assert f"{status} {phrase}" in problem_page(problem, "./")


def test_title_of_a_key_used_with_another_tag() -> None:
    key = {"Idempotency-Key": "8e03978e-40d5"}
    request("POST", "/tag/a", key)
    answer = request("POST", "/tag/b", key)
    assert (answer.status, answer.json["title"]) == (422, "Unprocessable Content")


@pytest.mark.parametrize("path", ["/tag/", "/tags/", "/counts/", "/count/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_empty_tag_is_a_400(method: str, path: str) -> None:
    assert request(method, path).status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/tag/a", "/counts/a", "/counts", "/openapi.json"])
def test_unsupported_method_is_a_405_with_the_allowed_ones(method: str, path: str) -> None:
    answer = request(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == ("GET, HEAD, OPTIONS, POST" if path == "/tag/a" else "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", [path.replace("{tag}", "a") for path in routes.table()])
@pytest.mark.parametrize("headers", [{}, HTML])
def test_head_has_the_headers_of_the_get_and_no_body(path: str, headers: dict[str, str]) -> None:
    head, get = request("HEAD", path, headers), request("GET", path, headers)
    assert (head.status, head.headers, head.body) == (get.status, get.headers, "")


@pytest.mark.parametrize("headers", PREFETCHES, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_prefetch_is_not_counted(method: str, headers: dict[str, str]) -> None:
    assert request(method, "/tag/a", headers).status == 403
    assert request("GET", "/counts/a").json["count"] == 0


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "else"}, {"X-Purpose": "instant"}, {"X-Moz": "0"}, {"Purpose": "prefetched"}], ids=str
)
def test_visit_with_another_purpose_is_counted(headers: dict[str, str]) -> None:
    assert request("GET", "/tag/a", headers).json["count"] == 1


def test_other_methods_are_not_counted() -> None:
    for method in ("HEAD", "OPTIONS", "PUT"):
        request(method, "/tag/a")
    assert request("GET", "/counts/a").json["count"] == 0


@pytest.mark.parametrize("path", [path.replace("{tag}", "a") for path in routes.table() if path != "/"])
def test_head_does_not_access_the_database(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (record_visit, view_counts):
        for name in {"client", "single_attempt_client"} & vars(module).keys():
            monkeypatch.setattr(module, name, lambda: pytest.fail("a HEAD accessed the database"))
    assert request("HEAD", path).status == 200


def test_functions_have_their_documented_operations() -> None:
    documented = [
        operation for item in DOCUMENT["paths"].values() for operation in item.values() if "x-function" in operation
    ]
    for function, module in {"welcome": welcome, "recordVisit": record_visit, "viewCounts": view_counts}.items():
        expected = {operation["operationId"] for operation in documented if operation["x-function"] == function}
        assert set(module.OPERATIONS) == expected


def test_options_names_the_methods() -> None:
    answer = request("OPTIONS", "/tag/a")
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


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
