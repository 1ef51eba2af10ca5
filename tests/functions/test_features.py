"""An API with features switched off, or with some tags only: its answers are those of the document that it serves."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import welcome
from functions.counting.tags import validate_tag
from functions.http import routes
from functions.http.features import API_FEATURES, Access, Features, describe, operations
from tests.functions import gateway
from tests.functions.conftest import TABLE, TABLES
from tests.functions.gateway import event, request

PAGE = {"accept": "text/html"}
FULL = json.loads(routes.DOCUMENT.read_text(encoding="utf-8"))
Deploy = Callable[..., None]

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Deploy the functions with the given features; the gateway then has the routes of the served document."""

    def install(**features: Any) -> None:
        monkeypatch.setattr(routes, "FEATURES", Features.parse(json.dumps(Features(**features).changed())))
        routes.document.cache_clear()
        routes.table.cache_clear()
        monkeypatch.setattr(gateway, "DOCUMENT", json.loads(routes.document()))

    yield install
    monkeypatch.undo()
    routes.document.cache_clear()
    routes.table.cache_clear()


def items(tables: Any) -> int:
    return sum(tables.scan(TableName=table)["Count"] for table in TABLES)


def test_get_records_no_visit_without_counting_by_get(deploy: Deploy, tables: Any) -> None:
    deploy(count_by_get=False)
    for path in ("/tag/a", "/tags/a"):
        for method in ("GET", "HEAD"):
            answer = request(method, path)
            assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
        assert request("OPTIONS", path).headers["allow"] == "OPTIONS, POST"
    assert items(tables) == 0
    assert request("POST", "/tag/a").json == {"tag": "a", "count": 1}


def test_badge_without_counting_by_get_shows_the_count(deploy: Deploy) -> None:
    deploy(count_by_get=False)
    request("POST", "/tag/a")
    for target in ("/badge/a", "/badge/a?count=false"):
        assert ">1</text>" in request("GET", target).body
    refused = request("GET", "/badge/a?count=true")
    assert (refused.status, refused.json["field"]) == (400, "count")
    assert refused.json["allowed"] == "false, because only POST records visits here"
    assert request("HEAD", "/badge/a?count=true").status == 400
    assert request("GET", "/counts/a").json["count"] == 1


def test_badge_without_counting_by_get_is_a_read() -> None:
    described = describe(FULL, Features(count_by_get=False))
    assert FULL["paths"]["/badge/{tag}"]["get"]["x-group"] == "record"
    assert described["paths"]["/badge/{tag}"]["get"]["x-group"] == "read"
    assert described["components"]["parameters"]["Counts"]["schema"] == {
        "type": "string",
        "enum": ["false"],
        "default": "false",
    }


@pytest.mark.parametrize("query", ["limit=1", "cursor=abc", "limit=0&cursor=abc"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_tag_is_listed_without_listing(deploy: Deploy, method: str, query: str) -> None:
    request("POST", "/tag/secret")
    deploy(listing=False)
    answer = request(method, f"/counts?{query}")
    assert answer.status == 400
    assert "secret" not in answer.body
    if method == "GET":
        assert answer.json["field"] == query.partition("=")[0]
        assert "does not list its tags" in answer.json["detail"]
    assert request("GET", "/counts").json == {"total": 0, "asOf": None}
    assert request("GET", "/counts/secret").json["count"] == 1


@pytest.mark.parametrize("path", ["/", "/counts", "/counts/hello", "/tag/hello"])
def test_pages_offer_only_what_works(deploy: Deploy, path: str) -> None:
    assert "counts?limit" in request("GET", path, PAGE).body or path == "/tag/hello"
    assert '<form method="post"' in request("GET", path, PAGE).body or path in ("/", "/counts")
    for changed in ({"record": Access("AWS_IAM")}, {"allowed_tags": ["hell"]}):
        deploy(listing=False, **changed)
        if path != "/tag/hello":
            page = request("GET", path, PAGE).body
            assert "counts?limit" not in page
            assert '<form method="post"' not in page
            assert "<ul" not in page or "<li>" in page
            assert ("Any name can be a tag" in page) == (path == "/" and "allowed_tags" not in changed)


def test_tag_that_is_not_allowed_is_refused_unwritten(deploy: Deploy, tables: Any) -> None:
    deploy(allowed_tags=["news", "blog-*"])
    for method, target in (
        *(("POST", "/tag/other"), ("GET", "/tag/other"), ("POST", "/tags/blog"), ("GET", "/tags/News")),
        *(("GET", "/badge/other"), ("GET", "/badge/other?count=true")),
    ):
        refused = request(method, target, {"Idempotency-Key": "k", "Sec-Purpose": "none"})
        assert (refused.status, refused.json["field"]) == (400, "tag")
        assert refused.json["value"] == target.rpartition("/")[2].partition("?")[0]
        assert refused.json["allowed"] == "one of 'news', 'blog-*', where * stands for any characters"
        if method == "GET":
            assert request("HEAD", target).status == 400
    assert items(tables) == 0
    assert [request("POST", f"/tag/{tag}").status for tag in ("news", "blog-", "blog-1")] == [200] * 3
    assert items(tables) == 3


def test_tag_that_is_not_allowed_can_be_read(deploy: Deploy, tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "old"}, "Count": {"N": "7"}})
    deploy(allowed_tags=["news"])
    assert request("GET", "/counts/old").json["count"] == 7
    assert ">7</text>" in request("GET", "/badge/old?count=false").body
    assert request("HEAD", "/badge/old?count=false").status == 200
    assert request("GET", "/counts?limit=5").json["tags"] == [{"tag": "old", "count": 7}]


def test_long_list_of_allowed_tags_is_shortened() -> None:
    assert Features(allowed_tags=["a"]).allowed == "'a'"
    assert Features(allowed_tags=[f"t{n}" for n in range(12)]).allowed.endswith("'t9' or one of 2 more")


TEXT = st.text(st.sampled_from("ab[]!-]^. "), max_size=8)


@given(st.lists(TEXT, min_size=1, max_size=4), TEXT)
def test_star_stands_for_any_characters(literals: list[str], between: str) -> None:
    tag, pattern = f"x{between.join(literals)}", f"x{'*'.join(literals)}"
    assert Features(allowed_tags=[pattern]).allows(tag)
    assert Features(allowed_tags=["other", tag]).allows(tag)
    assert not Features(allowed_tags=["other", f"{pattern}c"]).allows(tag)
    if len(literals) == 1:
        assert not Features(allowed_tags=[pattern]).allows(f"{tag}a")


def test_allowed_tag_is_normalised_as_tags_are() -> None:
    assert Features(allowed_tags=["cafe\u0301\u00a0*"]).allows(validate_tag("caf\u00e9\u2003x"))


def test_pattern_with_many_stars_is_matched_quickly() -> None:
    assert not Features(allowed_tags=["a*" * 60 + "b"]).allows("a" * 200)


@pytest.mark.parametrize(
    "features",
    [
        Features(),
        Features(count_by_get=False, listing=False, allowed_tags=["é"]),
        Features(record=Access("JWT", ["write"]), read=Access("AWS_IAM"), issuer="https://example.org"),
    ],
)
def test_features_survive_the_environment_variable(features: Features) -> None:
    parsed = Features.parse(json.dumps(features.changed()))
    assert json.dumps(asdict(parsed)) == json.dumps(asdict(features))
    assert Features.parse("") == Features()


@pytest.mark.parametrize("text", ["{", "[]", "[1]", "7", '{"unknown": 1}', '{"record": 1}', '{"record": {"x": 1}}'])
def test_malformed_features_variable_is_refused(text: str) -> None:
    with pytest.raises(RuntimeError, match=API_FEATURES):
        Features.parse(text)


def test_document_describes_what_is_left(deploy: Deploy) -> None:
    deploy(count_by_get=False, listing=False, allowed_tags=["news"])
    served = request("GET", "/openapi.json").json
    assert "get" not in served["paths"]["/tag/{tag}"]
    assert "The tag must be 'news'." in served["paths"]["/tag/{tag}"]["post"]["description"]
    assert "The tag must be" not in served["paths"]["/badge/{tag}"]["get"]["description"]
    assert "parameters" not in served["paths"]["/counts"]["get"]
    assert "x-switched-off" not in served


@pytest.mark.parametrize("count_by_get", [True, False])
@pytest.mark.parametrize("listing", [True, False])
@pytest.mark.parametrize("kind", ["NONE", "JWT", "AWS_IAM"])
def test_served_document_has_only_used_components(count_by_get: bool, listing: bool, kind: str) -> None:
    features = Features(count_by_get, listing, ["news"], Access(kind), issuer="https://example.org")
    described = describe(FULL, features)
    referred = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(described)))
    kinds = described["components"].keys() - {"securitySchemes"}
    assert referred == {(kind, name) for kind in kinds for name in described["components"][kind]}


def test_document_describes_the_credentials(deploy: Deploy) -> None:
    deploy(record=Access("JWT", ["write", "admin"]), read=Access("AWS_IAM"), issuer="https://example.org/pool/")
    served = request("GET", "/openapi.json").json
    assert served["components"]["securitySchemes"] == {
        "jwt": {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://example.org/pool/.well-known/openid-configuration",
        },
        "iam": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
    }
    expected: dict[str | None, object] = {
        "record": [{"jwt": ["write"]}, {"jwt": ["admin"]}],
        "read": [{"iam": []}],
        None: None,
    }
    for _, _, operation in operations(served):
        group, answers = operation.get("x-group"), operation["responses"]
        assert operation.get("security") == expected[group]
        assert ("401" in answers) == (group == "record")
        assert ("403" in answers) == (group is not None)
        if group:
            assert "application/json" in answers["403"]["content"]
    # The functions' own 403 is still described, beside the gateway's.
    refused = served["paths"]["/tag/{tag}"]["post"]["responses"]["403"]
    assert set(refused["content"]) == {"application/json", "application/problem+json", "text/html"}
    own = FULL["components"]["responses"]
    plain = FULL["paths"]["/tag/{tag}"]["post"]["responses"]["403"]["$ref"].rpartition("/")[2]
    assert refused["description"].endswith(f"Nothing was counted. Or: {own[plain]['description']}")
    assert "The tag must be" not in json.dumps(served["paths"])
    assert request("POST", "/tag/a", {"Purpose": "prefetch"}).status == 403


def test_unrouted_request_never_records_or_reads(tables: Any) -> None:
    """Requests without a route arrive without credentials, so they must not reach what may require them."""
    paths = ["/tag/a", "/tags/a", "/counts/a", "/count/a", "/counts", "/badge/a", "//tag/a", "/x/tag/a", "/tag/tag/a"]
    for path in paths:
        for method in ("GET", "POST", "HEAD", "PUT"):
            for mapping in (None, "", "v1", "tag"):
                made = event(method, path, mapping=mapping) | {"routeKey": "$default"}
                answer = welcome.handler(made, None)
                assert answer["statusCode"] >= 400 or answer["body"] == "", (method, path, mapping)
    assert items(tables) == 0


def test_every_route_that_records_or_reads_has_a_group() -> None:
    groups: dict[str, set[str | None]] = {"recordVisit": {"record"}, "viewCounts": {"read"}, "welcome": {None}}
    for _, _, operation in operations(FULL):
        assert operation.get("x-group") in groups[operation["x-function"]], operation["operationId"]
