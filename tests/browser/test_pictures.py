"""Screenshots of the pages for the README; `SCREENSHOTS=1` writes them to docs/images."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.running import ROOT, RunningCloud
from tests.share import IN_CI

IMAGES = ROOT / "docs" / "images"
TAG = "coffee"
BEFORE = {TAG: 1_204, "tea": 2_087}
# The number of visits between two updates of the page.
VISITS = (1, 3, 1, 2, 6, 4, 1, 1, 2)
INTERVAL = 2_000  # milliseconds between two updates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return IMAGES if os.environ.get("SCREENSHOTS") else tmp_path


@pytest.mark.skipif(not (IN_CI or os.environ.get("SCREENSHOTS")), reason="takes screenshots; CI=true runs it")
def test_the_screenshots_show_a_rising_count(open_page: Open, cloud: RunningCloud, folder: Path) -> None:
    for tag, visits in BEFORE.items():
        item = {"ID": {"S": tag}, "Count": {"N": str(visits)}}
        cloud.client("dynamodb").put_item(TableName=cloud.outputs["tableName"], Item=item)
    count = BEFORE[TAG]
    pages = {
        f"count-page{suffix}.png": open_page(
            f"/counts/{TAG}", color_scheme=scheme, viewport={"width": 680, "height": 400}, device_scale_factor=1.25
        )
        for suffix, scheme in (("", "light"), ("-dark", "dark"))
    }
    for page in pages.values():
        page.clock.install(time=0)
        page.reload()
        page.clock.pause_at(1)
    for visits in VISITS:
        for _ in range(visits):
            count = cloud.request(f"/tag/{TAG}", "POST").json["count"]
        for page in pages.values():
            with page.expect_response(f"**/counts/{TAG}"):
                page.clock.fast_forward(INTERVAL)
            expect(page.locator("#count")).to_have_text(f"{count:,}")
    for name, page in pages.items():
        expect(page.locator("#trend-text")).to_contain_text(f"{sum(VISITS)} visits in the last ")
        picture = page.screenshot(path=folder / name, full_page=True, animations="disabled")
        width, height = struct.unpack(">II", picture[16:24])
        assert (width, height > width / 2) == (850, True)
        assert 10_000 < len(picture) < 60_000, "a screenshot is empty, or too large for a README"
    badge = cloud.request(f"/badge/{TAG}?count=false").text
    assert ">1.2k<" in badge
    (folder / "badge.svg").write_text(badge + "\n", encoding="utf-8")
