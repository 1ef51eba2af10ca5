"""Every page is accessible in light and dark mode, on small screens and without scripts."""

from __future__ import annotations

import json
from urllib.parse import quote, urljoin

import pytest
from playwright.sync_api import Page

from functions.dynamodb.items import MAX_COUNT, MAX_TOTAL
from functions.http.routes import document
from functions.pages import templates
from tests.browser.accessibility import assert_is_accessible
from tests.browser.conftest import Open, answer
from tests.running import RunningCloud
from tests.share import share

LONG_TAG = "w" * 200
PAGES = ["/", "/tag/{tag}", "/counts/{tag}", "/counts", "/counts?limit=5"]
ALIASES = {"/tags/{tag}", "/count/{tag}"}


def luminance(page: Page, property_: str) -> float:
    """Return the relative luminance of a colour of the body, from 0 to 1 (WCAG 2.2)."""
    color = page.evaluate(f"getComputedStyle(document.body).{property_}")
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_list_of_pages_matches_the_document() -> None:
    gets = {path: item["get"]["responses"]["200"] for path, item in json.loads(document())["paths"].items()}
    paths = {path for path, answer in gets.items() if "text/html" in answer["content"]}
    assert paths - ALIASES == {path.partition("?")[0] for path in PAGES}


@pytest.mark.parametrize("path", share(PAGES[2:4], in_ci=PAGES))
def test_every_page_is_accessible_in_light_and_dark_mode(open_page: Open, path: str, tag: str) -> None:
    page = open_page(path.format(tag=tag))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        dark, light = sorted((luminance(page, "backgroundColor"), luminance(page, "color")))
        assert (light + 0.05) / (dark + 0.05) >= 7, "the contrast of text and background is too low"
        assert (luminance(page, "backgroundColor") > luminance(page, "color")) == (scheme == "light")
        assert_is_accessible(page)


@pytest.mark.parametrize("path", share(PAGES[2:4], in_ci=PAGES))
def test_every_page_fits_a_screen_of_320_pixels(open_page: Open, cloud: RunningCloud, path: str) -> None:
    cloud.request(f"/tag/{quote(LONG_TAG)}", "POST")
    page = open_page(path.format(tag=quote(LONG_TAG)), viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    overflowing = "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 320.5)"
    assert page.evaluate(f"{overflowing}.map((e) => e.outerHTML)") == []
    assert_is_accessible(page)


# The height of one line is that of a box around the text; a broken number has two.
LINES = """() => [...document.querySelectorAll('.figures dd, td[data-digits], .ranking span')].map((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const box = element.getBoundingClientRect();
  const text = range.getBoundingClientRect();
  const tops = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)));
  return [element.textContent, tops.size <= 1 && text.left >= box.left - 0.5 && text.right <= box.right + 0.5];
})"""
NUMBERS = [123_456_789, 12_345_678, -123_456_789, 10**12, MAX_COUNT, -MAX_TOTAL]


def pages_with(number: int) -> dict[str, str]:
    """Return pages that show a number, by their paths."""
    return {
        "/tag/a": templates.visit_page("a", number),
        "/counts/a": templates.count_page("a", number, number, None),
        "/counts": templates.total_page(number, None),
        "/counts?limit=5": templates.tags_page(number, [{"tag": "w" * 200, "count": number}], 5, None),
    }


@pytest.mark.parametrize("number", share(NUMBERS[:2], in_ci=NUMBERS))
def test_numbers_never_break(open_page: Open, number: int) -> None:
    page = open_page("/")
    page.add_init_script("sessionStorage.clear()")
    rows = [{"tag": "w" * 200, "count": number}, {"tag": "a", "count": number}]
    answer(page, "**/counts?limit=100", {"total": number, "asOf": None, "tags": rows, "nextCursor": None})
    for path, html in {"/": None, **pages_with(number)}.items():
        if html:
            page.route(
                f"**{path}", lambda route, _request, html=html: route.fulfill(body=html, content_type="text/html")
            )
        page.goto(path)
        if not html:
            page.locator("#overview").wait_for()
        for width in (320, 360, 700, 768, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            shown = page.evaluate(LINES)
            assert f"{number:,}" in [text for text, _ in shown]
            assert all(is_whole for _, is_whole in shown), (path, width, shown)
            assert page.evaluate("document.documentElement.scrollWidth") == width, (path, width)


@pytest.mark.parametrize("path", PAGES)
def test_targets_are_large_enough(open_page: Open, cloud: RunningCloud, path: str) -> None:
    for one in ("a", "i"):
        cloud.request(f"/tag/{one}", "POST")
    page = open_page(path.format(tag="i"))
    if path == "/":
        page.locator("#overview").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    targets = page.locator("a:visible, button:visible, input:visible, select:visible, summary:visible")
    assert targets.count() >= 2
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        # WCAG 2.2, success criterion 2.5.8.
        small = targets.evaluate_all(
            "all => all.filter((one) => { const box = one.getBoundingClientRect();"
            " return box.width < 24 || box.height < 24; }).map((one) => one.outerHTML)"
        )
        assert small == [], (path, width)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_works_without_scripts_and_its_links_exist(
    open_page: Open, cloud: RunningCloud, path: str, tag: str
) -> None:
    page = open_page(path.format(tag=tag), java_script_enabled=False)
    assert page.get_by_role("heading", level=1).inner_text()
    assert page.get_by_role("main").get_by_role("link").count() >= 1
    links = page.get_by_role("link").all()
    assert links
    for link in links:
        address = urljoin(page.url, link.get_attribute("href"))
        assert address.startswith(cloud.outputs["apiEndpoint"] + "/")
        answer = cloud.request(address.removeprefix(cloud.outputs["apiEndpoint"]), headers={"Accept": "text/html"})
        assert answer.status == 200, address
