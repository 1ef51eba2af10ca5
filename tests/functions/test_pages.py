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
from functions.dynamodb.items import MAX_COUNT, MAX_TOTAL
from functions.http import routes
from functions.http.features import Access, Features
from functions.http.problems import ProblemError
from functions.pages import badge, static, templates
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
            TABLE_FACTS | {"name": tag}, {"method": "GET", "path": tag, "query": {tag: tag}}, "./", tag
        ),
        "problem": templates.problem_page(
            ProblemError(HTTPStatus.NOT_FOUND, tag, path="x", field=tag, value="x", allowed=tag, reason=tag), "./"
        ),
    }


@pytest.mark.parametrize("kind", ["visit", "count", "tags", "welcome", "problem"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_structure_of_a_page_with_any_tag(category: Any, kind: str) -> None:
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
def test_addresses_of_a_page(path: str, tables: Any) -> None:
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
    forms = [dict(named) for element, named in outline.named if element == "form"]
    assert len(forms) == len(outline.values("action"))
    for form in forms:
        action = urlsplit(urljoin(f"https://x{path}", form["action"])).path
        assert route(form["method"].upper(), action) is not None
        assert form["method"] == ("post" if "/tag/" in action else "get")
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
def test_form_redirects_to_a_page_that_may_be_reloaded(prefix: str, headers: dict[str, str], tables: Any) -> None:
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
    ("GET", "/tag/COUNTER"): (400, ["This tag is not valid", "It is reserved.", "COUNTER"]),
    ("GET", "/tag/te%E2%80%8Bch%20"): (400, ["This tag is not valid", "te", "U+200B", "ch", "U+0020"]),
    ("GET", "/tag/%E2%A0%80%00"): (400, ["It has a control character, U+0000, at position 2.", "U+2800", "U+0000"]),
    ("GET", "/?tag=a%2Fb"): (400, ["This tag is not valid", "It has a '/' at position 2.", "a/b"]),
    ("GET", "/?tag="): (400, ["This tag is not valid", "It is empty.", "nothing"]),
    ("GET", "/tag/%3Cb%3E%2Fa"): (404, ["There is no such page", "/tag/<b>/a"]),
    ("GET", "/a/b%3Cscript%3E/c"): (404, ["There is no such page", "/a/b<script>/c"]),
    ("GET", "/counts?limit=%3Cb%3E"): (
        400,
        ["This limit is not valid", "It must be a whole number from 1 to 100.", "<b>"],
    ),
    ("GET", "/counts?cursor=x"): (400, ["This page of the list does not exist", "x"]),
    ("GET", "/badge/a?color=%3Cb%3E"): (400, ["This colour is not valid", "<b>"]),
    ("GET", "/badge/a?label=%E2%80%AE"): (400, ["This label is not valid", "U+202E"]),
    ("DELETE", "/counts/a"): (405, ["This is not possible here"]),
}


@pytest.mark.parametrize(("method", "path"), PROBLEMS)
@pytest.mark.usefixtures("tables")
def test_page_of_a_problem(method: str, path: str) -> None:
    status, texts = PROBLEMS[method, path]
    page = request(method, path, HTML)
    assert (page.status, page.type) == (status, "text/html")
    assert page.headers["vary"] == "Accept"
    outline = Outline(page.body)
    shown = iter(outline.texts)
    assert all(text in shown for text in texts), outline.texts
    assert f"{status} {HTTPStatus(status).phrase}" in outline.texts[0]
    assert not {"b", "script"} & {element for element, _ in outline.elements}
    assert {urlsplit(urljoin(f"https://x{decoded(path)}", link)).path for link in outline.values("href")} == {
        "/", "/static/counter.css", "/static/icon.svg",
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [problem for problem in PROBLEMS if "?tag=" not in problem[1]])
@pytest.mark.usefixtures("tables")
def test_page_and_document_of_a_problem_agree(method: str, path: str) -> None:
    problem, page = request(method, path), request(method, path, HTML)
    assert (problem.status, problem.type) == (page.status, "application/problem+json")
    same = {"allow", "retry-after", "vary", "cache-control", "x-robots-tag"}
    assert {name: page.headers[name] for name in same & set(page.headers)} == {
        name: problem.headers[name] for name in same & set(problem.headers)
    }


@pytest.mark.parametrize(("method", "path"), PROBLEMS)
@pytest.mark.usefixtures("tables")
def test_page_of_a_problem_states_its_rule_once(method: str, path: str) -> None:
    texts = [text for text in Outline(request(method, path, HTML).body).texts if len(text) > 30]
    for text in texts[2:]:
        assert sum(text.rstrip(".") in other for other in texts) == 1, text


def start_page(tag: str = "", **facts: Any) -> str:
    query = {"a": "1"} if not facts else {}
    echo = {"method": "GET", "path": "/", "query": query}
    return templates.welcome_page(TABLE_FACTS | facts, echo, "./", tag)


def test_start_page_shows_the_table_and_the_request() -> None:
    texts = Outline(start_page()).texts
    shown = dict(pairwise(texts))
    assert {name: shown[name] for name in ("Name", "Status", "Items (approximate)", "Size (approximate)")} == {
        "Name": "visits", "Status": "Active", "Items (approximate)": "1,234", "Size (approximate)": "56,789 bytes",
    }  # fmt: skip
    assert (shown["Created"], shown["Stream view type"]) == ("2 January 2026, 03:04:05 UTC", "New and old images")
    assert (shown["Method"], shown["Path"], shown["Query"]) == ("GET", "/", "a=1")


@pytest.mark.usefixtures("tables")
def test_start_page_leads_to_the_tag_that_was_typed() -> None:
    for sent, path in (("tech", "tech"), ("a+b%2Bc", "a%20b%2Bc"), ("caf%C3%A9", "caf%C3%A9"), ("%3Cb%3E", "%3Cb%3E")):
        answer = request("GET", f"/?tag={sent}", HTML)
        assert (answer.status, answer.headers["location"]) == (303, f"./counts/{path}")
        assert answer.headers["x-robots-tag"] == "noindex"
        assert f"./counts/{path}" in Outline(answer.body).values("href")
    assert request("GET", "/?tag=tech").json["request"]["query"] == {"tag": "tech"}


@pytest.mark.parametrize(
    ("features", "form", "texts"),
    [
        (Features(), True, ["Any name can be a tag, such as ", "hello", "Show visits"]),
        (Features(allowed_tags=["news"]), True, ["Visits are counted for 'news'."]),
        (Features(record=Access("JWT")), True, ["Show visits"]),
        (Features(read=Access("JWT")), True, ["Continue"]),
        (Features(record=Access("JWT"), read=Access("AWS_IAM")), False, []),
    ],
)
def test_field_of_the_start_page(
    features: Features, form: bool, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "FEATURES", features)
    outline = Outline(start_page())
    assert ("tag" in outline.values("name")) == form
    assert set(texts) <= set(outline.texts)


@pytest.mark.parametrize(
    ("features", "tag"),
    [
        (Features(), "hello"),
        (Features(allowed_tags=["blog-*", "news"]), "news"),
        (Features(allowed_tags=["blog-*"]), ""),
        (Features(count_by_get=False, record=Access("JWT")), "hello"),
        (Features(record=Access("JWT")), None),
        (Features(count_by_get=False, read=Access("JWT")), None),
    ],
)
def test_badge_of_the_start_page(features: Features, tag: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FEATURES", features)
    outline = Outline(start_page())
    assert outline.values("data-tag") == ([] if tag is None else [tag])
    assert outline.values("data-base") == ([] if tag is None else ["./badge/"])


def test_start_page_reads_one_page_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    for features, sources in (
        (Features(), ["./counts?limit=100"]),
        (Features(listing=False), ["./counts"]),
        (Features(read=Access("JWT")), []),
    ):
        monkeypatch.setattr(routes, "FEATURES", features)
        assert Outline(start_page()).values("data-source") == sources


@pytest.mark.parametrize("kind", ["JWT", "AWS_IAM"])
@pytest.mark.usefixtures("tables")
def test_pages_link_nothing_that_needs_credentials(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FEATURES", Features(read=Access(kind)))
    pages = {
        **tag_pages("a"),
        "total": templates.total_page(7, None),
        "more": templates.tags_page(7, [{"tag": "a", "count": 3}], 1, "YQ"),
    }
    for name, page in pages.items():
        outline = Outline(page)
        assert not any("counts" in link for link in outline.values("href")), name
        # The script would ask for the counts without credentials, again and again.
        assert outline.values("data-live") == outline.values("data-source") == [], name
    assert "./tag/a" in Outline(pages["welcome"]).values("action")
    for method, path in (("POST", "/tag/a"), ("GET", "/?tag=a"), ("GET", "/")):
        answer = request(method, path, HTML)
        assert answer.status == 200, path
        assert "location" not in answer.headers
    assert request("GET", "/", HTML).headers["x-robots-tag"] == "all"
    assert request("GET", "/?tag=a", HTML).headers["x-robots-tag"] == "noindex"


NUMBERS = {0: 7, 999_999: 7, 1_000_000: 11, -999_999: 11, 123_456_789: 11, 10**12: 19, MAX_COUNT: 39, -MAX_TOTAL: 50}


@pytest.mark.parametrize(("number", "digits"), NUMBERS.items())
def test_size_of_a_number(number: int, digits: int) -> None:
    assert Outline(templates.total_page(number, None)).values("data-digits") == [str(digits)]
    assert Outline(templates.count_page("a", 1, number, None)).values("data-digits") == [str(digits)]
    listed = templates.tags_page(1, [{"tag": "a", "count": number}], 1, None)
    assert Outline(listed).values("data-digits") == ["7", str(digits)]


def test_style_sheet_and_script_have_every_size() -> None:
    sizes = [str(length) for length in templates.DIGITS]
    assert re.findall(r'^\[data-digits="(\d+)"\] \{', static.content("counter.css"), re.MULTILINE) == sizes
    found = re.search(r"const DIGITS = \[([\d, ]+)\]", static.content("counter.js"))
    assert found
    assert found[1].split(", ") == sizes


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        *((" ", "(1 blank character)"), ("  ", "(2 blank characters)"), ("   ", "(3 blank characters)")),
        *(("\u2800", "(1 blank character)"), (" \u2800", "(2 blank characters)"), (" a ", " a ")),
    ],
)
def test_a_tag_of_spaces_alone_can_be_seen(tag: str, shown: str) -> None:
    count, total = templates.count_page(tag, 1, 1, None), templates.tags_page(1, [{"tag": tag, "count": 1}], 1, None)
    assert shown in Outline(count).texts
    assert shown in Outline(total).texts


def test_start_page_without_a_stream_and_a_query() -> None:
    shown = dict(pairwise(Outline(start_page(streamViewType=None)).texts))
    assert (shown["Stream view type"], shown["Query"]) == ("none", "none")


@pytest.mark.parametrize("root", ["/", "/live", "/live/", "/v1%20x"])
@pytest.mark.usefixtures("tables")
def test_links_of_the_start_page_without_a_trailing_slash(root: str) -> None:
    stage = {"/live": "live", "/live/": "live"}.get(root, "$default")
    named = event("GET", "/", HTML, stage) | {"rawPath": unquote(root)}
    outline = Outline(welcome.handler(named, None)["body"])
    links = outline.values("href") + outline.values("src") + outline.values("action")
    linked = {urlsplit(urljoin(f"https://x{root}", link)).path for link in links}
    below = root.rstrip("/")
    assert linked == {
        f"{below}/{name}"
        for name in ("", "counts", "openapi.json", "static/counter.css", "static/counter.js", "static/icon.svg")
    }
    assert {urljoin(f"https://x{root}", base) for base in outline.values("data-base")} == {f"https://x{below}/badge/"}
    typed = welcome.handler(named | {"queryStringParameters": {"tag": "a b"}}, None)
    assert urljoin(f"https://x{root}", typed["headers"]["Location"]) == f"https://x{below}/counts/a%20b"


MOMENT = "2026-01-02T03:04:05.678Z"
AS_OF = ["The total is as of ", "2 January 2026, 03:04:05 UTC", "."]
REBUILDING = "The total is being rebuilt and may be too low."
FACTS = {"streamViewType": None, "createdAt": None}
ECHO = {"method": "GET", "path": "/x", "query": {"a": "1", "b": "2"}}
BADGE = [
    *("A badge is an image of a count. Each time it is loaded, it records a visit.", "Label ", "Colour "),
    *(*badge.COLORS, "Markdown", "Copy", " Markdown", "HTML", "Copy", " HTML", "Address", "Copy", " Address"),
]
WELCOME = [
    *("Count the visits of anything", templates.LEAD, "Tag", "Show visits", "Any name can be a tag, such as ", "hello"),
    *(".", "All visits", "All visits", "All tags", "API description", "Put a badge somewhere", *BADGE),
    *("About this deployment", "The table", "Name", "visits", "Status", "Active", "Items (approximate)", "1,234"),
    *("Size (approximate)", "56,789 bytes", "Created", "unknown", "Stream view type", "none", "Your request"),
    *("Method", "GET", "Path", "/x", "Query", "a=1, b=2"),
]
SHARE = ["Show this count on another page", *BADGE]
TITLED: list[tuple[str, list[str], list[str]]] = [
    (
        templates.visit_page("a b", 1234),
        ["Visit 1,234 of a b", "Visit recorded", "Visits of ", "a b", "1,234", "Record another visit", "See the count"],
        ["../tag/a%20b", "../counts/a%20b"],
    ),
    (
        templates.count_page("a b", 3, 1234, MOMENT),
        ["a b: 3", "a b", "Visits", "3", "All tags together", "1,234", *AS_OF, "Record a visit", "All tags", *SHARE],
        ["../tag/a%20b", "../counts?limit=50"],
    ),
    (
        templates.count_page("a", 1234, 7, None, rebuilding=True),
        [
            "a: 1,234",
            "a",
            "Visits",
            "1,234",
            "All tags together",
            "7",
            REBUILDING,
            "Record a visit",
            "All tags",
            *SHARE,
        ],
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
        templates.welcome_page(TABLE_FACTS | FACTS, ECHO, "./"),
        [templates.NAME, *WELCOME],
        ["./", "./counts", "./counts?limit=50", "./openapi.json"],
    ),
    (
        templates.problem_page(ProblemError(HTTPStatus.CONFLICT, "No.", value="v", other="o"), "../"),
        ["409 Conflict", "This tag has no count", "No.", "You sent", "v", "Start page", "409 Conflict"],
        ["../"],
    ),
    (
        templates.problem_page(ProblemError(HTTPStatus.CONFLICT, "No."), "../"),
        ["409 Conflict", "This tag has no count", "No.", "Start page", "409 Conflict"],
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
        *("role", "scope", "datetime", "alt", "width", "height", "hidden", "for", "value", "pattern", "title"),
        *("required", "maxlength", "autocomplete", "autocapitalize", "spellcheck", "aria-describedby", "data-live"),
        *("data-value", "data-digits", "data-source", "data-tag", "data-base", "data-copies"),
    }


def test_count_page_of_a_tag_that_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FEATURES", Features(listing=False, allowed_tags=["other"]))
    count = Outline(templates.count_page("a", 3, 7, MOMENT)).texts
    assert count[-3:] == [*AS_OF[2:], REBUILDING, "Counted per tag, and in total."]


def test_pages_have_the_elements_that_the_script_uses() -> None:
    script = static.content("counter.js")
    ids = set(re.findall(r'(?:find|setText|setNumber)\("([\w-]+)"', script))
    pages = {name: Outline(page) for name, page in tag_pages("a").items()}
    live = {"trend", "trend-line", "trend-area", "trend-end", "trend-text", "as-of", "rebuilding", "state"}
    start = {"overview", "ranking", "ranking-title", "total", "rebuilding", "tag"}
    maker = {f"snippet-{key}" for key in ("markdown", "html", "address")} | {
        *("badge-image", "badge-label", "badge-color", "copied"),
    }
    assert ids == live | start | maker
    assert live | maker | {"count", "total"} <= set(pages["count"].values("id"))
    assert start | maker <= set(pages["welcome"].values("id"))
    assert (pages["count"].values("data-live"), pages["count"].values("data-value")) == (["count"], ["3"])
    total = Outline(templates.total_page(7, None))
    assert live | {"total"} <= set(total.values("id"))
    assert (total.values("data-live"), total.values("data-value")) == (["total"], ["7"])


@pytest.mark.parametrize("name", static.TYPES)
@pytest.mark.usefixtures("tables")
def test_static_file_is_immutable_with_its_version(name: str) -> None:
    plain = request("GET", f"/static/{name}")
    assert plain.body == static.content(name)
    assert plain.headers["cache-control"] == "public, max-age=300"
    assert request("GET", f"/static/{name}?v=0").headers["cache-control"] == "public, max-age=300"
    versioned = request("GET", static.address(name, "/"))
    assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"


STORED = ["/openapi.json", "/robots.txt", *(f"/static/{name}" for name in static.TYPES)]


@pytest.mark.parametrize("path", [*STORED, static.address("icon.svg", "/")])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_stored_file_is_not_sent_again(method: str, path: str) -> None:
    first = request("GET", path)
    etag = first.headers["etag"]
    assert re.fullmatch('"[0-9a-f]{12}"', etag)
    assert "no-store" not in first.headers["cache-control"]
    for match in (etag, f"W/{etag}", f'"other", {etag}', f'W/"other",W/{etag}', "*"):
        answer = request(method, path, {"If-None-Match": match})
        assert (answer.status, answer.body) == (304, "")
        same = ("etag", "cache-control", "content-type", "content-security-policy")
        assert {name: answer.headers[name] for name in same} == {name: first.headers[name] for name in same}
    for match in ("", '"other"', etag.strip('"'), f'"{etag}"', "W/*"):
        answer = request(method, path, {"If-None-Match": match})
        assert (answer.status, answer.body) == (200, first.body if method == "GET" else "")


def test_entity_tags_differ() -> None:
    assert len({request("GET", path).headers["etag"] for path in STORED}) == len(STORED)


@pytest.mark.parametrize("path", ["/", "/tag/a", "/counts/a", "/counts", "/badge/a", "/tag/COUNTER", "/static/x"])
@pytest.mark.usefixtures("tables")
def test_other_responses_must_not_be_stored(path: str) -> None:
    answer = request("GET", path, {"If-None-Match": "*"})
    assert answer.status != 304
    assert "no-store" in answer.headers["cache-control"]
    assert "etag" not in answer.headers


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
def test_readable_time(moment: str, shown: str) -> None:
    page = Outline(templates.total_page(7, moment))
    assert page.values("datetime") == [moment]
    assert shown in page.texts
