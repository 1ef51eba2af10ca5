"""Pages: input never becomes markup, pages load only this API's own files, and every link works."""

import re
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions import welcome
from functions.counting.tags import is_tag, validate_tag
from functions.http import routes
from functions.http.features import Features
from functions.http.problems import ProblemError
from functions.pages import static, templates
from tests.functions.conftest import TABLE
from tests.functions.gateway import DOCUMENT, PAGE_POLICY, decoded, event, request, route
from tests.outline import Outline

HTML = {"Accept": "text/html"}
CATEGORIES = [
    *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"),
    *("Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cf", "Co", "Cn"),
]
"""All of Unicode's categories except control characters and surrogates, which no tag contains."""

EVIL = [
    *("<script>alert(1)</script>", '"><img src=x onerror=a>', "' onload='", "&lt;", "</title><b>", "--><b>"),
    *("javascript:x", "]]>", "${x}", "{{x}}"),
]
ANYTHING = settings(max_examples=15, deadline=None, derandomize=True, database=None)


TABLE_FACTS = {
    "name": "visits",
    "status": "ACTIVE",
    "itemCount": 1234,
    "sizeBytes": 56789,
    "createdAt": "2026-01-02T03:04:05+00:00",
    "streamViewType": "NEW_AND_OLD_IMAGES",
}


def tag_pages(tag: str) -> dict[str, str]:
    moment = "2026-01-02T03:04:05.678Z"
    return {
        "visit": templates.visit_page(tag, 3),
        "count": templates.count_page(tag, 3, 7, moment),
        "tags": templates.tags_page(7, [{"tag": tag, "count": 3}], 1, "YQ"),
        "welcome": templates.welcome_page(
            "hello", TABLE_FACTS | {"name": tag}, {"method": "GET", "path": tag, "query": {tag: tag}}, "./"
        ),
        "problem": templates.problem_page(
            ProblemError(HTTPStatus.NOT_FOUND, tag, path=tag, field=tag, value=tag, allowed=tag), "./"
        ),
    }


@pytest.mark.parametrize("kind", ["visit", "count", "tags", "welcome", "problem"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_tag_of_any_category_never_changes_the_structure_of_a_page(category: Any, kind: str) -> None:
    plain, foreign = Outline(tag_pages("plain")[kind]), Outline(tag_pages("a/b")[kind])
    piece = st.text(st.characters(categories=[category]), min_size=1, max_size=20)

    @ANYTHING
    @given(st.lists(piece | st.sampled_from(EVIL) | st.text("<>&\"'/=`{}", min_size=1), min_size=1).map("".join))
    @example("".join(EVIL))
    def holds(drawn: str) -> None:
        tag = f"around {drawn} it"
        made = tag_pages(tag)[kind]
        outline = Outline(made)
        assert outline.elements == (plain if is_tag(tag) else foreign).elements
        assert tag in "".join(outline.texts)
        if any(character in tag for character in "<>&\"'"):
            assert tag not in made

    holds()


@pytest.mark.parametrize("kind", ["visit", "count"])
def test_the_links_of_a_page_lead_to_the_same_tag(kind: str) -> None:
    @settings(ANYTHING, max_examples=100)
    @given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=3, max_size=20))
    def holds(tag: str) -> None:
        outline = Outline(tag_pages(tag)[kind])
        links = outline.values("href") + outline.values("action")
        there = [urlsplit(urljoin(f"https://x/stage/tag/{quote(tag, safe='')}", link)) for link in links]
        led = {link.path for link in there if "/tag/" in link.path or "/counts/" in link.path}
        assert led <= {f"/stage/{name}/{quote(tag, safe='')}" for name in ("tag", "counts")}
        assert f"/stage/tag/{quote(tag, safe='')}" in led
        assert {unquote(path.rpartition("/")[2]) for path in led} == {tag}

    holds()


@pytest.mark.parametrize(
    "path", ["/", "/tag/a%3Cb%3E", "/tags/a", "/counts/a%3Cb%3E", "/count/a", "/counts", "/counts?limit=1"]
)
def test_a_page_loads_and_links_only_existing_addresses_of_this_api(path: str, tables: Any) -> None:
    for tag in ("one", "two", "<three>"):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": tag}, "Count": {"N": "1234"}})
    answer = request("GET", path, HTML)
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    outline = Outline(answer.body)
    for link in outline.values("href") + outline.values("src"):
        assert "://" not in link
        assert not link.startswith(("/", "javascript:", "data:"))
        target = urlsplit(urljoin(f"https://x{path}", link))
        assert route("GET", target.path) is not None, link
        assert request("GET", target.path + (f"?{target.query}" if target.query else ""), HTML).status == 200
    names = {name for _, names in outline.elements for name in names}
    assert not any(name.startswith("on") or name == "style" for name in names)
    assert all("src" in names for element, names in outline.elements if element == "script")
    assert not any(element == "style" for element, _ in outline.elements)
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    assert outline.elements[0] == ("html", ("lang",))
    assert [element for element, _ in outline.elements].count("h1") == 1
    forms = [names for element, names in outline.elements if element == "form"]
    assert (forms, outline.values("method")) == ([("method", "action")] * len(forms), ["post"] * len(forms))
    for action in outline.values("action"):
        assert route("POST", urlsplit(urljoin(f"https://x{path}", action)).path) is not None
    assert ("name", "viewport") in outline.attributes


def counts(tables: Any) -> dict[str, Any]:
    return {item["ID"]["S"]: item for item in tables.scan(TableName=TABLE)["Items"]}


def test_a_crawl_of_every_page_counts_nothing(tables: Any) -> None:
    for number in range(120):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": f"tag {number} <&"}, "Count": {"N": "7"}})
    for foreign in ("a/b", "\u202e", "50%", "."):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": foreign}, "Count": {"N": "7"}})
    before, seen, pending = counts(tables), set[str](), ["/"]
    while pending:
        target = pending.pop()
        if target in seen:
            continue
        seen.add(target)
        answer = request("GET", target, HTML)
        assert answer.status == 200, target
        if answer.type == "text/html":
            outline = Outline(answer.body)
            for link in outline.values("href") + outline.values("src"):
                part = urlsplit(urljoin(f"https://x{target}", link))
                pending.append(part.path + (f"?{part.query}" if part.query else ""))
    assert len([target for target in seen if target.startswith("/counts/")]) == 120
    assert len([target for target in seen if "cursor=" in target]) > 1
    assert not any(target.startswith(("/tag/", "/tags/", "/badge/")) for target in seen)
    assert counts(tables) == before


@pytest.mark.parametrize("prefix", ["/tag/", "/tags/"])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "key"}])
def test_a_form_records_a_visit_and_redirects_to_a_page_that_may_be_reloaded(
    prefix: str, headers: dict[str, str], tables: Any
) -> None:
    answer = request("POST", f"{prefix}a%3Cb%20c", HTML | headers)
    assert (answer.status, answer.type) == (303, "text/html")
    there = urlsplit(urljoin(f"https://x{prefix}a%3Cb%20c", answer.headers["location"])).path
    assert there == "/counts/a%3Cb%20c"
    assert answer.headers["location"] in Outline(answer.body).values("href")
    for _ in range(2):
        assert request("GET", there, HTML).status == 200
    assert request("GET", there).json["count"] == 1


def test_crawlers_are_asked_not_to_record_visits() -> None:
    answer = request("GET", "/robots.txt")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    rules = RobotFileParser()
    rules.parse(answer.body.splitlines())
    for path, item in DOCUMENT["paths"].items():
        counting = item["get"]["x-function"] == "recordVisit"
        assert rules.can_fetch("a crawler", f"https://x{path.replace('{tag}', 'a')}") != counting, path


@pytest.mark.parametrize("headers", [{}, HTML])
@pytest.mark.parametrize("path", ["/tag/a", "/counts/a", "/counts", "/counts?limit=1", "/badge/a", "/tag/COUNTER"])
@pytest.mark.usefixtures("tables")
def test_search_engines_must_not_index_counts(path: str, headers: dict[str, str]) -> None:
    assert request("GET", path, headers).headers["x-robots-tag"] == "noindex"


@pytest.mark.usefixtures("tables")
def test_search_engines_may_index_the_start_page() -> None:
    assert request("GET", "/", HTML).headers["x-robots-tag"] == "all"


@pytest.mark.usefixtures("tables")
def test_an_empty_page_of_tags_has_no_table() -> None:
    outline = Outline(request("GET", "/counts?limit=5", HTML).body)
    assert "There are no tags on this page." in outline.texts
    assert "table" not in [element for element, _ in outline.elements]


PROBLEMS = {
    ("GET", "/tag/COUNTER"): (400, "1 to 200 characters"),
    ("GET", "/tag/%3Cb%3E%2Fa"): (404, "no such route"),
    ("GET", "/a/b%3Cscript%3E/c"): (404, "/a/b<script>/c"),
    ("GET", "/counts?limit=%3Cb%3E"): (400, "limit is '<b>'"),
    ("GET", "/badge/a?color=%3Cb%3E"): (400, "color is '<b>'"),
    ("DELETE", "/counts/a"): (405, "GET, HEAD, OPTIONS"),
}


@pytest.mark.parametrize(("method", "path"), PROBLEMS)
@pytest.mark.usefixtures("tables")
def test_a_browser_gets_a_problem_as_a_page(method: str, path: str) -> None:
    status, text = PROBLEMS[method, path]
    problem, page = request(method, path), request(method, path, HTML)
    assert (problem.status, problem.type) == (status, "application/problem+json")
    assert (page.status, page.type) == (status, "text/html")
    same = {"allow", "retry-after", "vary", "cache-control", "x-robots-tag"}
    assert {name: page.headers[name] for name in same & set(page.headers)} == {
        name: problem.headers[name] for name in same & set(problem.headers)
    }
    assert page.headers["vary"] == "Accept"
    outline = Outline(page.body)
    assert text in " ".join(outline.texts)
    assert problem.json["detail"] in outline.texts
    assert not {"b", "script"} & {element for element, _ in outline.elements}
    assert {urlsplit(urljoin(f"https://x{decoded(path)}", link)).path for link in outline.values("href")} == {
        "/", "/static/counter.css", "/static/icon.svg",
    }  # fmt: skip


def test_the_start_page_shows_the_table_and_the_request() -> None:
    made = templates.welcome_page("hello", TABLE_FACTS, {"method": "GET", "path": "/", "query": {"a": "1"}}, "./")
    texts = Outline(made).texts
    shown = dict(pairwise(texts))
    assert {name: shown[name] for name in ("Name", "Status", "Items (approximate)", "Size (approximate)")} == {
        "Name": "visits", "Status": "Active", "Items (approximate)": "1,234", "Size (approximate)": "56,789 bytes",
    }  # fmt: skip
    assert (shown["Created"], shown["Stream view type"]) == ("2 January 2026, 03:04:05 UTC", "New and old images")
    assert (shown["Method"], shown["Path"], shown["Query"]) == ("GET", "/", "a=1")


@pytest.mark.parametrize(
    ("tag", "shown"),
    [(" ", "(1 blank character)"), ("  ", "(2 blank characters)"), ("   ", "(3 blank characters)"), (" a ", " a ")],
)
def test_a_tag_of_spaces_alone_can_be_seen(tag: str, shown: str) -> None:
    count, total = templates.count_page(tag, 1, 1, None), templates.tags_page(1, [{"tag": tag, "count": 1}], 1, None)
    assert shown in Outline(count).texts
    assert shown in Outline(total).texts


def test_the_start_page_of_a_table_without_a_stream_and_a_request_without_a_query_says_so() -> None:
    facts = TABLE_FACTS | {"streamViewType": None}
    made = templates.welcome_page("hello", facts, {"method": "GET", "path": "/", "query": {}}, "./")
    shown = dict(pairwise(Outline(made).texts))
    assert (shown["Stream view type"], shown["Query"]) == ("none", "none")


@pytest.mark.parametrize("root", ["/", "/live", "/live/", "/v1%20x"])
@pytest.mark.usefixtures("tables")
def test_the_links_of_the_start_page_work_with_and_without_a_trailing_slash(root: str) -> None:
    stage = {"/live": "live", "/live/": "live"}.get(root, "$default")
    named = event("GET", "/", HTML, stage) | {"rawPath": unquote(root)}
    outline = Outline(welcome.handler(named, None)["body"])
    links = outline.values("href") + outline.values("src") + outline.values("action")
    linked = {urlsplit(urljoin(f"https://x{root}", link)).path for link in links}
    below = root.rstrip("/")
    assert linked == {
        f"{below}/{name}"
        for name in ("", "counts", "openapi.json", "tag/hello", "static/counter.css", "static/icon.svg")
    }


MOMENT = "2026-01-02T03:04:05.678Z"
AS_OF = ["The total is as of ", "2 January 2026, 03:04:05 UTC", "."]
REBUILDING = "The total is being rebuilt and may be too low."
FACTS = {"streamViewType": None, "createdAt": None}
ECHO = {"method": "GET", "path": "/x", "query": {"a": "1", "b": "2"}}
WELCOME = [
    *("hi", "Any name can be a tag, for example ", "hello", ".", "Record a visit of hello", "All visits", "All tags"),
    *("API description", "The table", "Name", "visits", "Status", "Active", "Items (approximate)", "1,234"),
    *("Size (approximate)", "56,789 bytes", "Created", "unknown", "Stream view type", "none", "Your request"),
    *("Method", "GET", "Path", "/x", "Query", "a=1, b=2"),
]
TITLED: list[tuple[str, list[str], list[str]]] = [
    (
        templates.visit_page("a b", 1234),
        ["Visit 1,234 of a b", "Visit recorded", "Visits of ", "a b", "1,234", "Record another visit", "See the count"],
        ["../tag/a%20b", "../counts/a%20b"],
    ),
    (
        templates.count_page("a b", 3, 1234, MOMENT),
        ["a b: 3", "a b", "Visits", "3", "All tags together", "1,234", *AS_OF, "Record a visit", "All tags"],
        ["../tag/a%20b", "../counts?limit=50"],
    ),
    (
        templates.count_page("a", 1234, 7, None, rebuilding=True),
        ["a: 1,234", "a", "Visits", "1,234", "All tags together", "7", REBUILDING, "Record a visit", "All tags"],
        ["../tag/a", "../counts?limit=50"],
    ),
    (
        templates.total_page(1234, MOMENT),
        ["Total: 1,234", "All visits", "All tags together", "1,234", *AS_OF, "All tags"],
        ["counts?limit=50"],
    ),
    (
        templates.tags_page(1234, [{"tag": "a b", "count": 1234}, {"tag": "c/d", "count": 5}], 2, "YQ"),
        [
            *("All tags", "All tags", "All tags together", "1,234", "By tag", "Tag", "Visits", "a b", "1,234"),
            *("c/d", "5", "More tags", "The total"),
        ],
        ["counts/a%20b", "counts?limit=2&cursor=YQ", "counts"],
    ),
    (
        templates.tags_page(7, [], 2, None, rebuilding=True),
        [
            *("All tags", "All tags", "All tags together", "7", REBUILDING, "By tag"),
            *("There are no tags on this page.", "The total"),
        ],
        ["counts"],
    ),
    (
        templates.welcome_page("hi", TABLE_FACTS | FACTS, ECHO, "./"),
        [templates.NAME, templates.NAME, *WELCOME],
        ["./tag/hello", "./counts", "./counts?limit=50", "./openapi.json"],
    ),
    (
        templates.problem_page(ProblemError(HTTPStatus.CONFLICT, "No.", value="v", other="o"), "../"),
        ["409 Conflict", "Conflict", "No.", "Details", "Value", "v", "Start page"],
        ["../"],
    ),
    (
        templates.problem_page(ProblemError(HTTPStatus.CONFLICT, "No."), "../"),
        ["409 Conflict", "Conflict", "No.", "Start page"],
        ["../"],
    ),
]


@pytest.mark.parametrize(("page", "texts", "links"), TITLED)
def test_a_page_shows_these_texts_and_links_in_this_order(page: str, texts: list[str], links: list[str]) -> None:
    shown = Outline(re.sub(r"<(p|figure)\b[^>]* hidden>.*?</\1>", "", page))
    title, *rest = texts
    assert shown.texts == [title, templates.NAME, *rest, "Counted per tag, and in total."]
    body = page[page.index("<main") :]
    assert [value for name, value in Outline(body).attributes if name in ("href", "action")] == links
    assert {name for _, names in shown.elements for name in names} <= {
        *("lang", "charset", "name", "content", "rel", "href", "src", "type", "method", "action", "class", "id"),
        *("role", "scope", "datetime", "data-live", "data-value"),
    }


def test_without_listing_pages_of_a_tag_that_is_not_allowed_offer_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FEATURES", Features(listing=False, allowed_tags=["other"]))
    count = Outline(templates.count_page("a", 3, 7, MOMENT)).texts
    assert count[-3:] == [*AS_OF[2:], REBUILDING, "Counted per tag, and in total."]
    welcome_texts = Outline(templates.welcome_page("hi", TABLE_FACTS, ECHO, "./")).texts
    assert welcome_texts[2:7] == [templates.NAME, "hi", "All visits", "API description", "The table"]


def test_the_live_pages_have_the_elements_that_their_script_uses() -> None:
    script = static.content("counter.js")
    ids = set(re.findall(r'(?:getElementById|setText)\("([\w-]+)"', script))
    assert {"trend", "trend-line", "trend-area", "trend-text", "as-of", "rebuilding", "state"} <= ids
    count = Outline(tag_pages("a")["count"])
    assert ids | {"count", "total"} <= set(count.values("id"))
    assert (count.values("data-live"), count.values("data-value")) == (["count"], ["3"])
    total = Outline(templates.total_page(7, None))
    assert ids | {"total"} <= set(total.values("id"))
    assert (total.values("data-live"), total.values("data-value")) == (["total"], ["7"])


@pytest.mark.parametrize("name", static.TYPES)
@pytest.mark.usefixtures("tables")
def test_a_static_file_is_immutable_only_at_the_url_of_its_version(name: str) -> None:
    plain = request("GET", f"/static/{name}")
    assert plain.body == static.content(name)
    assert plain.headers["cache-control"] == "public, max-age=300"
    assert request("GET", f"/static/{name}?v=0").headers["cache-control"] == "public, max-age=300"
    versioned = request("GET", static.address(name, "/"))
    assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_every_static_file_has_a_route() -> None:
    assert {f"/static/{name}" for name in static.TYPES} == {
        path for path in DOCUMENT["paths"] if path.startswith("/static/")
    }


@pytest.mark.usefixtures("tables")
def test_a_path_of_any_bytes_is_answered_as_documented() -> None:
    evil = [b"/", b".", b"..", b"%", b"%2F", b"%00", b"\x00", b"\xff\xfe", b"COUNTER", "ä".encode(), b"a", b"?", b"#"]

    @settings(ANYTHING, max_examples=300)
    @given(
        st.sampled_from(["/tag/", "/tags/", "/counts/", "/count/", "/badge/", "/", "/static/"]),
        st.lists(st.sampled_from(evil) | st.binary(max_size=8), max_size=8).map(b"".join),
        st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
        st.sampled_from([{}, HTML]),
    )
    @example("/tag/", b"a" * 8000, "GET", {})
    @example("/tag/", "\U0010ffff".encode() * 2000, "GET", HTML)
    @example("/", b"/".join([b"x"] * 4000), "GET", {})
    def holds(prefix: str, path: bytes, method: str, headers: dict[str, str]) -> None:
        answer = request(method, prefix + quote(path, safe="/."), headers)
        assert answer.status in (200, 204, 400, 404, 405)
        if answer.status == 200 and prefix in ("/tag/", "/counts/") and answer.type == "application/json":
            tag = answer.json["tag"] if answer.body else ""
            assert tag == validate_tag(path.decode()) or not answer.body

    holds()


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-01-02T03:04:05.678Z", "2 January 2026, 03:04:05 UTC"),
        ("2026-12-31T23:30:00+02:00", "31 December 2026, 21:30:00 UTC"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
        ("<b>yesterday</b>", "<b>yesterday</b>"),
    ],
)
def test_a_time_is_shown_in_a_readable_form_and_other_text_unchanged(moment: str, shown: str) -> None:
    page = Outline(templates.total_page(7, moment))
    assert page.values("datetime") == [moment]
    assert shown in page.texts
