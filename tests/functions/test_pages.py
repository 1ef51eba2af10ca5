"""Pages: nothing from outside is markup, everything they load is this API's own, every link leads where it says."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions import pages, static, welcome
from functions.responses import PAGE_POLICY
from functions.tags import checked
from tests.functions.conftest import TABLE
from tests.functions.gateway import DOCUMENT, event, request, route

HTML = {"Accept": "text/html"}
CATEGORIES = [
    *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"),
    *("Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cf", "Co", "Cn"),
]
"""All of Unicode's but control characters and surrogates, which no tag holds."""

EVIL = [
    *("<script>alert(1)</script>", '"><img src=x onerror=a>', "' onload='", "&lt;", "</title><b>", "--><b>"),
    *("javascript:x", "]]>", "${x}", "{{x}}"),
]
ANYTHING = settings(max_examples=15, deadline=None, derandomize=True, database=None)


class Outline(HTMLParser):
    """What a page consists of: its elements with their attributes' names, the values of these, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", ()))

    def named(self, name: str) -> list[str]:
        return [value for key, value in self.values if key == name]


def tag_pages(tag: str) -> dict[str, str]:
    moment = "2026-01-02T03:04:05.678Z"
    return {
        "visit": pages.visit_page(tag, 3),
        "count": pages.count_page(tag, 3, 7, moment),
        "tags": pages.tags_page(7, [{"tag": tag, "count": 3}], 1, "YQ"),
        "welcome": pages.welcome_page(
            "hello", {"name": tag}, {"method": "GET", "path": tag, "query": {tag: tag}}, "./"
        ),
    }


@pytest.mark.parametrize("kind", ["visit", "count", "tags", "welcome"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_no_tag_of_any_category_changes_what_a_page_consists_of(category: Any, kind: str) -> None:
    plain = Outline(tag_pages("plain")[kind])
    piece = st.text(st.characters(categories=[category]), min_size=1, max_size=20)

    @ANYTHING
    @given(st.lists(piece | st.sampled_from(EVIL) | st.text("<>&\"'/=`{}", min_size=1), min_size=1).map("".join))
    @example("".join(EVIL))
    def holds(drawn: str) -> None:
        tag = f"around {drawn} it"
        made = tag_pages(tag)[kind]
        outline = Outline(made)
        assert outline.elements == plain.elements
        assert tag in "".join(outline.text)
        if any(character in tag for character in "<>&\"'"):
            assert tag not in made

    holds()


@pytest.mark.parametrize("kind", ["visit", "count"])
def test_the_links_of_a_page_lead_back_to_the_tag(kind: str) -> None:
    @settings(ANYTHING, max_examples=100)
    @given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=3, max_size=20))
    def holds(tag: str) -> None:
        links = Outline(tag_pages(tag)[kind]).named("href")
        there = [urlsplit(urljoin(f"https://x/stage/tag/{quote(tag, safe='')}", link)) for link in links]
        led = {link.path for link in there if "/tag/" in link.path or "/counts/" in link.path}
        assert led <= {f"/stage/{name}/{quote(tag, safe='')}" for name in ("tag", "counts")}
        assert led
        assert {unquote(path.rpartition("/")[2]) for path in led} == {tag}

    holds()


@pytest.mark.parametrize(
    "path", ["/", "/tag/a%3Cb%3E", "/tags/a", "/counts/a%3Cb%3E", "/count/a", "/counts", "/counts?limit=1"]
)
def test_a_page_loads_and_links_only_what_there_is(path: str, tables: Any) -> None:
    for tag in ("one", "two", "<three>"):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": tag}, "Count": {"N": "1234"}})
    answer = request("GET", path, HTML)
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    outline = Outline(answer.body)
    for link in outline.named("href") + outline.named("src"):
        assert "://" not in link
        assert not link.startswith(("/", "javascript:", "data:"))
        target = urlsplit(urljoin(f"https://x{path}", link))
        assert route("GET", target.path) is not None, link
        assert request("GET", target.path + (f"?{target.query}" if target.query else ""), HTML).status == 200
    names = {name for _, names in outline.elements for name in names}
    assert not any(name.startswith("on") or name == "style" for name in names)
    assert all("src" in names for element, names in outline.elements if element == "script")
    assert not any(element == "style" for element, _ in outline.elements)
    ids = outline.named("id")
    assert len(ids) == len(set(ids))
    assert outline.elements[0] == ("html", ("lang",))
    assert [element for element, _ in outline.elements].count("h1") == 1
    assert ("name", "viewport") in outline.values


@pytest.mark.parametrize("root", ["/", "/live", "/live/", "/v1%20x"])
@pytest.mark.usefixtures("tables")
def test_the_greeting_links_below_itself_whether_or_not_its_address_ends_in_a_slash(root: str) -> None:
    stage = {"/live": "live", "/live/": "live"}.get(root, "$default")
    named = event("GET", "/", HTML, stage) | {"rawPath": unquote(root)}
    outline = Outline(welcome.handler(named, None)["body"])
    led = {urlsplit(urljoin(f"https://x{root}", link)).path for link in outline.named("href") + outline.named("src")}
    below = root.rstrip("/")
    assert led == {
        f"{below}/{name}"
        for name in ("", "counts", "openapi.json", "tag/hello", "static/counter.css", "static/icon.svg")
    }


def test_the_count_page_holds_what_its_script_needs() -> None:
    script = static.content("counter.js")
    wanted = set(re.findall(r'getElementById\("([\w-]+)"\)|show\("([\w-]+)"', script))
    ids = {first or second for first, second in wanted}
    assert {"trend", "trend-line", "trend-area", "trend-text", "as-of", "state"} <= ids
    count = Outline(tag_pages("a")["count"])
    assert ids | {"count", "total"} <= set(count.named("id"))
    assert (count.named("data-live"), count.named("data-value")) == (["count"], ["3"])
    total = Outline(pages.total_page(7, None))
    assert ids | {"total"} <= set(total.named("id"))
    assert (total.named("data-live"), total.named("data-value")) == (["total"], ["7"])


@pytest.mark.parametrize("name", static.TYPES)
@pytest.mark.usefixtures("tables")
def test_a_static_file_may_be_kept_for_good_under_its_version_alone(name: str) -> None:
    plain = request("GET", f"/static/{name}")
    assert plain.body == static.content(name)
    assert plain.headers["cache-control"] == "public, max-age=300"
    assert request("GET", f"/static/{name}?v=0").headers["cache-control"] == "public, max-age=300"
    mine = request("GET", static.address(name, "/"))
    assert mine.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_every_static_file_has_a_route() -> None:
    assert {f"/static/{name}" for name in static.TYPES} == {
        path for path in DOCUMENT["paths"] if path.startswith("/static/")
    }


@pytest.mark.usefixtures("tables")
def test_whatever_bytes_a_path_holds_it_is_answered_as_documented() -> None:
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
            assert tag == checked(path.decode()) or not answer.body

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
def test_a_moment_is_shown_as_people_read_it_or_as_it_is(moment: str, shown: str) -> None:
    page = Outline(pages.total_page(7, moment))
    assert page.named("datetime") == [moment]
    assert shown in page.text
