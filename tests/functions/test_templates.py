"""The texts, links and elements of pages."""

import re
from http import HTTPStatus
from itertools import pairwise

import pytest

from functions.http import routes
from functions.http.features import Features
from functions.http.problems import ProblemError
from functions.pages import static, templates
from tests.functions.sample_pages import TABLE_FACTS
from tests.outline import Outline

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
def test_page_texts_and_links_in_order(page: str, texts: list[str], links: list[str]) -> None:
    shown = Outline(re.sub(r"<(p|figure)\b[^>]* hidden>.*?</\1>", "", page))
    title, *rest = texts
    assert shown.texts == [title, templates.NAME, *rest, "Counted per tag, and in total."]
    body = page[page.index("<main") :]
    assert [value for name, value in Outline(body).attributes if name in ("href", "action")] == links
    assert {name for _, names in shown.elements for name in names} <= {
        *("lang", "charset", "name", "content", "rel", "href", "src", "type", "method", "action", "class", "id"),
        *("role", "scope", "datetime", "data-live", "data-value"),
    }


def test_page_of_disallowed_tag_without_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FEATURES", Features(listing=False, allowed_tags=["other"]))
    count = Outline(templates.count_page("a", 3, 7, MOMENT)).texts
    assert count[-3:] == [*AS_OF[2:], REBUILDING, "Counted per tag, and in total."]
    welcome_texts = Outline(templates.welcome_page("hi", TABLE_FACTS, ECHO, "./")).texts
    assert welcome_texts[2:7] == [templates.NAME, "hi", "All visits", "API description", "The table"]


def test_live_pages_have_the_elements_of_their_script() -> None:
    script = static.content("counter.js")
    ids = set(re.findall(r'(?:getElementById|setText)\("([\w-]+)"', script))
    assert {"trend", "trend-line", "trend-area", "trend-text", "as-of", "rebuilding", "state"} <= ids
    count = Outline(templates.count_page("a", 3, 7, MOMENT))
    assert ids | {"count", "total"} <= set(count.values("id"))
    assert (count.values("data-live"), count.values("data-value")) == (["count"], ["3"])
    total = Outline(templates.total_page(7, None))
    assert ids | {"total"} <= set(total.values("id"))
    assert (total.values("data-live"), total.values("data-value")) == (["total"], ["7"])


def test_start_page_shows_the_table_and_the_request() -> None:
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
def test_tag_of_spaces_alone_can_be_seen(tag: str, shown: str) -> None:
    count, total = templates.count_page(tag, 1, 1, None), templates.tags_page(1, [{"tag": tag, "count": 1}], 1, None)
    assert shown in Outline(count).texts
    assert shown in Outline(total).texts


def test_start_page_without_stream_and_query() -> None:
    facts = TABLE_FACTS | {"streamViewType": None}
    made = templates.welcome_page("hello", facts, {"method": "GET", "path": "/", "query": {}}, "./")
    shown = dict(pairwise(Outline(made).texts))
    assert (shown["Stream view type"], shown["Query"]) == ("none", "none")


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-01-02T03:04:05.678Z", "2 January 2026, 03:04:05 UTC"),
        ("2026-12-31T23:30:00+02:00", "31 December 2026, 21:30:00 UTC"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
        ("<b>yesterday</b>", "<b>yesterday</b>"),
    ],
)
def test_times_are_shown_in_a_readable_form(moment: str, shown: str) -> None:
    page = Outline(templates.total_page(7, moment))
    assert page.values("datetime") == [moment]
    assert shown in page.texts
