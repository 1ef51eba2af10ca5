"""The pages, as people use them: by mouse and keyboard, in light and dark, wide and narrow."""

import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.running import RunningCloud

from .conftest import Open

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PAGES = ["/", "/tag/page", "/counts/page", "/counts", "/counts?limit=2", "/counts/never-visited"]
MARKUP = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'&amp;"
PATIENCE = 30_000  # milliseconds; the page looks every 2 to 10 seconds


def visit(cloud: RunningCloud, tag: str, times: int = 1) -> None:
    for _ in range(times):
        assert cloud.request(f"/tag/{quote(tag, safe='')}", "POST").status == 200


def test_a_visit_is_recorded_and_read_by_links_alone(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("link", name="tag/hello").click()
    expect(page.get_by_role("heading", name="Visit recorded")).to_be_visible()
    before = int(page.locator("#count").inner_text())
    page.get_by_role("link", name="Record another visit").click()
    expect(page.locator("#count")).to_have_text(str(before + 1))
    page.get_by_role("link", name="See the count").click()
    expect(page.get_by_role("heading", name="hello")).to_be_visible()
    expect(page.locator("#count")).to_have_text(str(before + 1))
    page.get_by_role("link", name="All tags", exact=True).click()
    first = page.locator("tbody tr").first
    count = first.locator("td").nth(1).inner_text()
    first.get_by_role("link").click()
    expect(page.locator("#count")).to_have_text(count)


def test_the_count_page_shows_others_visits_without_being_loaded_again(open_page: Open, cloud: RunningCloud) -> None:
    visit(cloud, "live")
    page = open_page("/counts/live")
    page.evaluate("window.stillTheSamePage = true")
    expect(page.locator("#count")).to_have_text("1")
    visit(cloud, "live", 3)
    expect(page.locator("#count")).to_have_text("4", timeout=PATIENCE)
    expect(page.locator("#trend-text")).to_have_text(re.compile(r"^3 visits in the last"), timeout=PATIENCE)
    line = page.locator("#trend-line").get_attribute("d") or ""
    heights = {float(height) for height in re.findall(r"[MV](?:0 )?([\d.]+)", line)}
    assert min(heights) < max(heights)
    assert page.evaluate("window.stillTheSamePage")


def test_the_total_page_follows_the_stream(open_page: Open, cloud: RunningCloud) -> None:
    page = open_page("/counts")
    before = int(page.locator("#total").inner_text().replace(",", ""))
    visit(cloud, "total", 2)
    page.wait_for_function(
        "before => Number(document.getElementById('total').textContent.replaceAll(',', '')) >= before + 2",
        arg=before,
        timeout=PATIENCE,
    )


def test_without_scripts_the_figures_are_there(open_page: Open, cloud: RunningCloud) -> None:
    visit(cloud, "plain", 2)
    page = open_page("/counts/plain", java_script_enabled=False)
    expect(page.locator("#count")).to_have_text("2")
    expect(page.locator("#trend")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_an_accessibility_violation(open_page: Open, path: str, scheme: str) -> None:
    page = open_page(path, color_scheme=scheme)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_dark_mode_is_dark_and_light_is_light(open_page: Open) -> None:
    def brightness(scheme: str) -> int:
        page = open_page("/counts/page", color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    assert brightness("dark") < 150
    assert brightness("light") > 600


@pytest.mark.parametrize("path", [*PAGES, f"/counts/{'w' * 200}", f"/tag/{'long ' * 39}"])
def test_a_page_fits_a_narrow_screen(open_page: Open, path: str) -> None:
    page = open_page(path, viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_everything_is_reached_by_keyboard_and_focus_is_seen(open_page: Open) -> None:
    page = open_page("/counts/keyboard")
    links = page.locator("a").evaluate_all("links => links.map(link => link.href)")
    reached = []
    for _ in links:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.href"))
        style = page.evaluate(
            "(({outlineStyle, outlineWidth}) => [outlineStyle, parseFloat(outlineWidth)])"
            "(getComputedStyle(document.activeElement))"
        )
        assert style[0] != "none"
        assert style[1] >= 2
    assert reached == links
    page.locator("a", has_text="Record a visit").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Visit recorded")).to_be_visible()


@pytest.mark.parametrize("route", ["tag", "counts"])
def test_a_tag_of_markup_is_shown_and_not_run(open_page: Open, route: str) -> None:
    page = open_page(f"/{route}/{quote(MARKUP.replace('/', ''), safe='')}")
    expect(page.locator("main bdi").first).to_have_text(MARKUP.replace("/", ""))
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img").count() == 0


def test_a_badge_is_an_image_in_any_page(open_page: Open, cloud: RunningCloud) -> None:
    visit(cloud, "badge", 2)
    page = open_page("/counts")
    size = page.evaluate(
        """address => new Promise((resolve, reject) => {
            const image = new Image();
            image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
            image.onerror = reject;
            image.src = address;
        })""",
        f"{cloud.outputs['apiEndpoint']}/badge/badge?label=hits",
    )
    assert size[1] == 20
    assert size[0] > 40
    assert cloud.request("/counts/badge").json["count"] == 3


def test_screenshots(open_page: Open, cloud: RunningCloud, tmp_path: Path) -> None:
    """Take the pictures of the README; `SCREENSHOTS=1` keeps them in docs/images."""
    folder = IMAGES if os.environ.get("SCREENSHOTS") else tmp_path
    folder.mkdir(exist_ok=True)
    visit(cloud, "tech", 37)
    page = open_page("/counts/tech", viewport={"width": 720, "height": 650}, device_scale_factor=1.5)
    before = int(page.locator("#count").inner_text())
    for number in range(1, 4):
        visit(cloud, "tech", number)
        before += number
        expect(page.locator("#count")).to_have_text(str(before), timeout=PATIENCE)
    picture = page.screenshot(path=folder / "count-page.png", animations="disabled")
    badge = cloud.request("/badge/tech?count=false").text
    (folder / "badge.svg").write_text(badge + "\n")
    blank = open_page("/static/icon.svg", viewport={"width": 720, "height": 650}, device_scale_factor=1.5)
    blank.evaluate("document.documentElement.remove()")
    assert len(picture) > 2 * len(blank.screenshot())
    assert str(before) in badge
