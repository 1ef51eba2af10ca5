"""The pages in use: by mouse, by keyboard, and while others record visits."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import assert_is_accessible
from tests.browser.conftest import Open, Watcher
from tests.running import RunningCloud, eventually
from tests.share import ci_only, share

MARKUP = "<script>window.hacked=1<b><img src=x onerror=window.hacked=1>\"'&amp;"
MIN_INTERVAL = 2_000  # milliseconds between two updates of a page

# Speeds up a page's timers, and records its intervals and the number of its requests.
FAST = """
  window.intervals = [];
  window.requests = 0;
  const [originalSetTimeout, originalFetch] = [window.setTimeout, window.fetch];
  window.setTimeout = (run, time) => { intervals.push(time); return originalSetTimeout(run, 10); };
  window.fetch = (...request) => { requests += 1; return originalFetch(...request); };
"""
# Shows or hides a page's tab, and returns the number of its requests so far.
SHOW = """state => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  return requests;
}"""


def visits(cloud: RunningCloud, tag: str, times: int = 1) -> None:
    for _ in range(times):
        assert cloud.request(f"/tag/{quote(tag, safe='')}", "POST").status == 200


def number(page: Page, name: str) -> int:
    return int(page.locator(f"#{name}").inner_text().replace(",", ""))


@pytest.mark.parametrize("scripts", [True, False])
def test_a_visit_can_be_recorded_and_read_by_mouse(open_page: Open, cloud: RunningCloud, scripts: bool) -> None:
    before = int(cloud.request("/counts/hello").json["count"])
    page = open_page("/", java_script_enabled=scripts)
    page.get_by_role("button", name="Record a visit of hello").click()
    expect(page.get_by_role("heading", name="hello")).to_be_visible()
    expect(page.locator("#count")).to_have_text(str(before + 1))
    page.reload()
    expect(page.locator("#count")).to_have_text(str(before + 1))
    page.get_by_role("button", name="Record a visit").click()
    expect(page.locator("#count")).to_have_text(str(before + 2))
    page.get_by_role("link", name="All tags", exact=True).click()
    expect(page.get_by_role("heading", name="All tags")).to_be_visible()
    while not page.get_by_role("link", name="hello", exact=True).is_visible():
        page.get_by_role("link", name="More tags").click()
    page.get_by_role("link", name="hello", exact=True).click()
    expect(page.locator("#count")).to_have_text(str(before + 2))


def test_the_page_of_a_visit_leads_to_another_visit_and_to_the_count(open_page: Open, tag: str) -> None:
    page = open_page(f"/tag/{tag}")
    expect(page.get_by_role("heading", name="Visit recorded")).to_be_visible()
    page.get_by_role("button", name="Record another visit").click()
    expect(page.get_by_role("heading", name=tag)).to_be_visible()
    expect(page.locator("#count")).to_have_text("2")
    page.go_back()
    page.get_by_role("link", name="See the count").click()
    expect(page.get_by_role("heading", name=tag)).to_be_visible()


def test_a_visit_can_be_recorded_by_keyboard(open_page: Open, tag: str) -> None:
    page = open_page(f"/counts/{tag}")
    targets = page.locator("a, button").evaluate_all("all => all.map(one => one.textContent)")
    reached = []
    for _ in targets:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
        style, width = page.evaluate(
            "(({outlineStyle, outlineWidth}) => [outlineStyle, parseFloat(outlineWidth)])"
            "(getComputedStyle(document.activeElement))"
        )
        assert style != "none", f"the focus of {reached[-1]} is not visible"
        assert width >= 2
    assert reached == targets
    for _ in range(len(targets) - 1 - targets.index("Record a visit")):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=tag)).to_be_visible()
    expect(page.locator("#count")).to_have_text("1")


def test_the_page_of_a_problem_links_to_the_start_page(browser: Browser, cloud: RunningCloud) -> None:
    for scheme in ("light", "dark"):
        page = browser.new_page(base_url=cloud.outputs["apiEndpoint"], color_scheme=scheme)
        answer = page.goto(f"/tag/{quote('<b>' * 70)}")
        assert answer is not None
        assert answer.status == 400
        expect(page.get_by_role("heading", level=1)).to_have_text("Bad Request")
        assert_is_accessible(page)
        page.get_by_role("link", name="Start page").click()
        expect(page.get_by_role("button", name="Record a visit of hello")).to_be_visible()
        page.close()


def test_the_count_page_shows_new_visits_without_a_reload(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    visits(cloud, tag)
    page = open_page(f"/counts/{tag}")
    page.evaluate("window.notReloaded = true")
    expect(page.locator("#count")).to_have_text("1")
    expect(page.locator("#trend")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("Live")
    visits(cloud, tag, 3)
    expect(page.locator("#count")).to_have_text("4")
    expect(page.locator("#trend-text")).to_have_text(re.compile(r"^3 visits in the last \d+ seconds$"))
    expect(page.locator("#trend")).to_be_visible()
    line = page.locator("#trend-line").get_attribute("d") or ""
    heights = [float(height) for height in re.findall(r"[ML][\d.]+ ([\d.]+)", line)]
    assert heights[0] == max(heights)
    assert heights[-1] == min(heights) < heights[0]
    assert page.evaluate("window.notReloaded")


def test_the_total_page_follows_the_stream(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    page = open_page("/counts")
    before = number(page, "total")
    visits(cloud, tag, 2)
    page.wait_for_function(
        "before => Number(document.getElementById('total').textContent.replaceAll(',', '')) >= before + 2", arg=before
    )


@ci_only("waits for pages")
def test_the_time_of_the_total_looks_the_same_with_and_without_scripts(
    open_page: Open, cloud: RunningCloud, tag: str
) -> None:
    visits(cloud, tag)
    eventually(lambda: cloud.request("/counts").json["asOf"] is not None, 5, "a total")
    for scripts in (False, True):
        page = open_page("/counts", java_script_enabled=scripts)
        if scripts:
            page.evaluate("document.getElementById('as-of').textContent = ''")
        shown = page.locator("#as-of")
        expect(shown).not_to_be_empty()
        moment = datetime.fromisoformat(shown.get_attribute("datetime") or "")
        assert shown.inner_text() == f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"


@ci_only("waits for pages")
def test_a_page_updates_less_often_without_visits(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    page = open_page(f"/counts/{tag}")
    page.add_init_script(FAST)
    page.reload()
    page.wait_for_function("() => intervals.at(-1) === 10000")
    intervals = page.evaluate("intervals")
    assert intervals[:4] == [MIN_INTERVAL, 1.25 * MIN_INTERVAL, 1.25**2 * MIN_INTERVAL, 1.25**3 * MIN_INTERVAL]
    assert intervals == sorted(intervals)
    visits(cloud, tag)
    expect(page.locator("#count")).to_have_text("1")
    page.wait_for_function("() => intervals.lastIndexOf(2000) > 0")


def test_a_hidden_page_does_not_update(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    page = open_page(f"/counts/{tag}")
    page.add_init_script(FAST)
    page.reload()
    page.wait_for_function("() => requests > 1")
    requests = page.evaluate(SHOW, "hidden")
    visits(cloud, tag, 5)
    assert page.evaluate("requests") == requests
    page.evaluate(SHOW, "visible")
    expect(page.locator("#count")).to_have_text("5")


def test_a_page_shows_when_it_loses_and_regains_the_connection(open_page: Open, watcher: Watcher, tag: str) -> None:
    page = open_page(f"/counts/{tag}")
    page.add_init_script(FAST)
    page.reload()
    page.context.set_offline(True)
    expect(page.get_by_role("status")).to_have_text("Cannot reach the API; retrying")
    page.context.set_offline(False)
    expect(page.get_by_role("status")).to_have_text("Live")
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in watcher.problems)
    watcher.problems.clear()


@pytest.mark.parametrize("route", share(["tag", "counts"], in_ci=["tag", "tags", "counts", "count"]))
def test_markup_in_a_tag_is_shown_as_text(open_page: Open, route: str) -> None:
    page = open_page(f"/{route}/{quote(MARKUP, safe='')}")
    expect(page.locator("main bdi").first).to_have_text(MARKUP)
    assert MARKUP in page.title()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img, main b").count() == 0


def test_a_badge_is_a_valid_image(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    visits(cloud, tag, 2)
    page = open_page("/counts")
    width, height = page.evaluate(
        """address => new Promise((resolve, reject) => {
            const image = new Image();
            image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
            image.onerror = reject;
            image.src = address;
        })""",
        f"{cloud.outputs['apiEndpoint']}/badge/{tag}?label=hits",
    )
    assert height == 20
    assert width > 40
    assert cloud.request(f"/counts/{tag}").json["count"] == 3
