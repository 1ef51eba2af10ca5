"""A headless Chromium; where there is none, these tests are skipped, and say so."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.running import RunningCloud

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser. It ends with the module, since while it runs its thread can run no other event loop."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, cloud: RunningCloud) -> Iterator[Open]:
    """Open pages of the API; afterwards, none may have complained or asked another origin for anything."""
    origin = cloud.outputs["apiEndpoint"]
    complaints: list[str] = []
    contexts = []

    def open_page(path: str, **context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(f"{origin}/") else complaints.append(asked.url))
        answer = page.goto(origin + path)
        assert answer is not None
        assert answer.ok, answer.status
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
