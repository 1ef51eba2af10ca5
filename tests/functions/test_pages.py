"""Pages: input never becomes markup, pages load only this API's own files, and every link works."""

from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions import welcome
from functions.counting.tags import is_tag, validate_tag
from functions.pages import static
from tests.functions.conftest import TABLE
from tests.functions.gateway import DOCUMENT, PAGE_POLICY, decoded, event, request, route
from tests.functions.sample_pages import tag_pages
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


@pytest.mark.parametrize("kind", ["visit", "count", "tags", "welcome", "problem"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_page_structure_is_the_same_for_any_tag(category: Any, kind: str) -> None:
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
def test_links_of_a_page_lead_to_the_same_tag(kind: str) -> None:
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
def test_page_loads_and_links_only_existing_addresses(path: str, tables: Any) -> None:
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


def test_crawl_of_every_page_counts_nothing(tables: Any) -> None:
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
def test_form_records_a_visit_and_redirects(prefix: str, headers: dict[str, str], tables: Any) -> None:
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
def test_empty_page_of_tags_has_no_table() -> None:
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
def test_browser_gets_a_problem_as_a_page(method: str, path: str) -> None:
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


@pytest.mark.parametrize("root", ["/", "/live", "/live/", "/v1%20x"])
@pytest.mark.usefixtures("tables")
def test_start_page_links_work_without_a_trailing_slash(root: str) -> None:
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


@pytest.mark.parametrize("name", static.TYPES)
@pytest.mark.usefixtures("tables")
def test_static_file_is_immutable_only_with_its_version(name: str) -> None:
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
def test_path_of_any_bytes_is_answered_as_documented() -> None:
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
