"""The pages in use: by mouse, by keyboard, and while others record visits."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import assert_is_accessible
from tests.browser.conftest import Open, Watcher, answer
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
def test_visit_by_mouse(open_page: Open, scripts: bool, tag: str) -> None:
    page = open_page("/", java_script_enabled=scripts)
    page.get_by_label("Tag").fill(f"{tag} & more")
    page.get_by_role("button", name="Show visits").click()
    expect(page.get_by_role("heading", name=f"{tag} & more")).to_be_visible()
    expect(page.locator("#count")).to_have_text("0")
    for count in ("1", "2"):
        page.get_by_role("button", name="Record a visit").click()
        expect(page.locator("#count")).to_have_text(count)
    page.reload()
    expect(page.locator("#count")).to_have_text("2")
    page.get_by_role("link", name="All tags", exact=True).click()
    expect(page.get_by_role("heading", name="All tags")).to_be_visible()
    while not page.get_by_role("link", name=f"{tag} & more", exact=True).is_visible():
        page.get_by_role("link", name="More tags").click()
    page.get_by_role("link", name=f"{tag} & more", exact=True).click()
    expect(page.locator("#count")).to_have_text("2")


def test_back_after_two_visits_leaves_the_page(open_page: Open, tag: str) -> None:
    page = open_page("/")
    page.get_by_label("Tag").fill(tag)
    page.get_by_role("button", name="Show visits").click()
    for count in ("1", "2"):
        page.get_by_role("button", name="Record a visit").click()
        expect(page.locator("#count")).to_have_text(count)
        expect(page).to_have_title(f"{tag}: {count}")
    page.go_back()
    expect(page.get_by_role("heading", name="Count the visits of anything")).to_be_visible()


def test_visit_that_is_refused_is_not_shown(open_page: Open, watcher: Watcher, tag: str) -> None:
    page = open_page(f"/counts/{tag}")
    busy = {"detail": "The database is busy."}
    page.route("**/tag/*", lambda route: route.fulfill(status=503, json=busy))
    page.get_by_role("button", name="Record a visit").click()
    expect(page.get_by_role("status")).to_have_text("The database is busy.")
    page.unroute("**/tag/*")
    page.route("**/tag/*", lambda route: route.abort())
    page.get_by_role("button", name="Record a visit").click()
    expect(page.get_by_role("status")).to_have_text("The visit may not have been recorded")
    expect(page.locator("#count")).to_have_text("0")
    watcher.problems.clear()


@pytest.mark.parametrize(("typed", "sent"), [("a/b", None), ("COUNTER", "This tag is not valid")])
def test_field_with_an_invalid_tag(open_page: Open, watcher: Watcher, typed: str, sent: str | None) -> None:
    page = open_page("/")
    page.get_by_label("Tag").fill(typed)
    page.get_by_role("button", name="Show visits").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(sent or "Count the visits of anything")
    assert page.evaluate("document.querySelector('#tag:invalid') !== null") == (sent is None)
    watcher.problems.clear()


def listing(counts: dict[str, int], cursor: str | None = None) -> dict[str, object]:
    tags = [{"tag": tag, "count": count} for tag, count in counts.items()]
    return {"total": 12_345_678, "asOf": None, "tags": tags, "nextCursor": cursor}


def test_start_page_shows_the_busiest_tags(open_page: Open, tag: str) -> None:
    page = open_page("/")
    others = {f"{tag} {number}": -number for number in range(9)}
    counts = {"a/b": 9_000, "\u2800" * 7: 2, f"{tag} & more": 1_234, "\u202e": 8_000, ".": 7_000, **others}
    answer(page, "**/counts?limit=100", listing(counts))
    page.add_init_script("sessionStorage.clear()")
    page.reload()
    expect(page.locator("#total")).to_have_text("12,345,678")
    expect(page.get_by_role("heading", name="Busiest tags")).to_be_visible()
    shown = [text.split("\n") for text in page.locator("#ranking li").all_inner_texts()]
    ranked = [[f"{tag} & more", "1,234"], ["(7 blank characters)", "2"], [f"{tag} 0", "0"], [f"{tag} 1", "-1"]]
    assert shown[:4] == ranked
    assert len(shown) == 8
    assert_is_accessible(page)
    page.get_by_role("link", name=f"{tag} & more").click()
    expect(page.get_by_role("heading", name=f"{tag} & more")).to_be_visible()


@pytest.mark.parametrize(
    ("counts", "cursor", "heading"),
    [({}, None, "No tag has been visited yet"), ({"a": 1, "b": 2}, "YQ", "Busiest of the first 2 tags")],
)
def test_heading_of_the_busiest_tags(open_page: Open, counts: dict[str, int], cursor: str | None, heading: str) -> None:
    page = open_page("/")
    answer(page, "**/counts?limit=100", listing(counts, cursor))
    page.add_init_script("sessionStorage.clear()")
    page.reload()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()


def test_start_page_reads_the_list_once_a_minute(open_page: Open) -> None:
    page = open_page("/")
    expect(page.locator("#overview")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "counts" in request.url else None)
    page.reload()
    expect(page.locator("#overview")).to_be_visible()
    assert asked == []
    page.clock.install(time=page.evaluate("Date.now()") / 1000 + 61)
    page.reload()
    expect(page.locator("#overview")).to_be_visible()
    assert [url.rpartition("/")[2] for url in asked] == ["counts?limit=100"]


def test_start_page_without_the_list(open_page: Open, watcher: Watcher) -> None:
    page = open_page("/")
    page.add_init_script("sessionStorage.clear()")
    page.route("**/counts?*", lambda route: route.fulfill(status=503, body="{}"))
    page.reload()
    expect(page.locator("#badge-image")).to_be_visible()
    expect(page.locator("#overview")).to_be_hidden()
    expect(page.get_by_role("link", name="All tags")).to_be_visible()
    watcher.problems.clear()


def test_badge_of_the_start_page(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    origin = cloud.outputs["apiEndpoint"]
    page = open_page("/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Tag").fill(f'{tag} "(1)"')
    page.get_by_label("Label").fill('[a] "b" & <c>')
    page.get_by_label("Colour").select_option("blue")
    path = f"{tag}%20%22(1)%22"
    query = "label=%5Ba%5D%20%22b%22%20%26%20%3Cc%3E&color=blue"
    address = page.locator("#snippet-address")
    expect(address).to_have_text(f"{origin}/badge/{path}?{query}")
    escaped = path.replace("(", "%28").replace(")", "%29")
    expect(page.locator("#snippet-markdown")).to_have_text(f'![\\[a\\] "b" & <c>]({origin}/badge/{escaped}?{query})')
    expect(page.locator("#snippet-html")).to_have_text(
        f'<img src="{origin}/badge/{path}?{query.replace("&", "&amp;")}" alt="[a] &quot;b&quot; &amp; &lt;c>">'
    )
    expect(page.locator("#badge-image")).to_have_js_property("complete", True)
    assert page.locator("#badge-image").evaluate("image => image.naturalWidth") > 40
    page.get_by_role("button", name="Copy HTML").click()
    expect(page.locator("#copied")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#snippet-html").inner_text()
    assert cloud.request(f"/counts/{path}").json["count"] == 0


def test_pages_with_a_badge_record_no_visit(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    before = cloud.request("/counts/hello").json["count"]
    page = open_page("/")
    expect(page.locator("#snippet-html")).to_contain_text("/badge/hello")
    page.wait_for_load_state("networkidle")
    page = open_page(f"/counts/{tag}")
    page.get_by_text("Show this count on another page").click()
    expect(page.locator("#snippet-html")).to_contain_text(f"/badge/{tag}")
    page.wait_for_load_state("networkidle")
    assert cloud.request("/counts/hello").json["count"] == before
    assert cloud.request(f"/counts/{tag}").json["count"] == 0


def test_problem_of_a_badge_is_shown(open_page: Open, cloud: RunningCloud, watcher: Watcher) -> None:
    page = open_page("/counts")
    width = page.evaluate(
        """address => new Promise((resolve, reject) => {
            const image = new Image();
            image.onload = () => resolve(image.naturalWidth);
            image.onerror = reject;
            image.src = address;
        })""",
        f"{cloud.outputs['apiEndpoint']}/badge/a?color=mauve",
    )
    assert width > 100
    watcher.problems.clear()


def test_links_of_the_page_of_a_visit(open_page: Open, tag: str) -> None:
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
    targets = page.locator("a:visible, button:visible, summary").evaluate_all("all => all.map(one => one.textContent)")
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
        expect(page.get_by_role("heading", level=1)).to_have_text("This tag is not valid")
        assert_is_accessible(page)
        page.get_by_role("link", name="Start page").click()
        expect(page.get_by_label("Tag")).to_be_visible()
        page.close()


def test_the_count_page_shows_new_visits_without_a_reload(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    visits(cloud, tag)
    page = open_page(f"/counts/{tag}")
    page.evaluate("window.notReloaded = true")
    expect(page.locator("#count")).to_have_text("1")
    expect(page.locator("#trend-text")).to_have_text("New visits appear here")
    expect(page.locator("#trend-line")).to_have_attribute("d", re.compile("^M0.0 92.0L600.0 92.0$"))
    expect(page.get_by_role("status")).to_have_text("Live")
    expect(page).to_have_title(f"{tag}: 1")
    visits(cloud, tag, 3)
    expect(page.locator("#count")).to_have_text("4")
    expect(page.locator("#trend-text")).to_have_text(re.compile(r"^3 visits in the last \d+ seconds$"))
    expect(page).to_have_title(f"{tag}: 4")
    line = page.locator("#trend-line").get_attribute("d") or ""
    heights = [float(height) for height in re.findall(r"[ML][\d.]+ ([\d.]+)", line)]
    assert heights[0] == max(heights)
    assert heights[-1] == min(heights) < heights[0]
    assert page.evaluate("window.notReloaded")


def test_count_page_after_a_deletion(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    visits(cloud, tag, 5)
    page = open_page(f"/counts/{tag}")
    cloud.client("dynamodb").delete_item(TableName=cloud.outputs["tableName"], Key={"ID": {"S": tag}})
    expect(page.locator("#trend-text")).to_have_text(re.compile(r"^0 visits in the last \d+ seconds?, and 5 removed$"))
    visits(cloud, tag)
    expect(page.locator("#trend-text")).to_have_text(re.compile(r"^1 visit in the last \d+ seconds?, and 5 removed$"))
    expect(page).to_have_title(f"{tag}: 1")


def test_number_that_grows(open_page: Open, tag: str) -> None:
    page = open_page(f"/counts/{tag}")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    before = page.locator("#count").evaluate(size)
    # More digits than a JavaScript number has.
    large = 12_345_678_901_234_567_891
    answer(page, f"**/counts/{tag}", {"tag": tag, "count": large, "total": large, "asOf": None})
    expect(page.locator("#count")).to_have_text("12,345,678,901,234,567,891")
    expect(page).to_have_title(f"{tag}: 12,345,678,901,234,567,891")
    expect(page.locator("#trend-text")).to_contain_text("12,345,678,901,234,567,891 visits in the last")
    assert page.locator("#count").evaluate(size) < before


def test_total_page_has_the_total_in_its_title(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    page = open_page("/counts")
    visits(cloud, tag)
    page.wait_for_function("document.title === `Total: ${document.getElementById('total').textContent}`")


def test_the_total_page_follows_the_stream(open_page: Open, cloud: RunningCloud, tag: str) -> None:
    page = open_page("/counts")
    before = number(page, "total")
    visits(cloud, tag, 2)
    page.wait_for_function(
        "before => Number(document.getElementById('total').textContent.replaceAll(',', '')) >= before + 2", arg=before
    )


@ci_only("waits for pages")
def test_time_of_the_total_without_scripts(open_page: Open, cloud: RunningCloud, tag: str) -> None:
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
    assert page.locator("main script, main img:not(#badge-image), main b").count() == 0


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
