"""Chromium with the local cloud. Without Chromium, these tests are skipped."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, expect, sync_playwright

from tests.running import RunningCloud

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",  # the sandbox does not work as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
]
TIMEOUT_SECONDS = 15.0

Open = Callable[..., Page]


class Watcher:
    """Records console messages, failed requests and requests to other origins: no page may cause them."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.problems: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """Watch every page of `context`."""
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.problems.append(f"error: {error.error}"))
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self._origin:
            self.problems.append(f"another origin: {request.url}")

    def _on_failure(self, request: Request) -> None:
        # Leaving a page aborts its requests.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url} ({request.failure})")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium), so the pages are not tested in a browser")
    expect.set_options(timeout=1000 * TIMEOUT_SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watcher(cloud: RunningCloud) -> Watcher:
    return Watcher(cloud.outputs["apiEndpoint"])


@pytest.fixture
def open_page(browser: Browser, cloud: RunningCloud, watcher: Watcher) -> Iterator[Open]:
    """Open pages, each in its own browser context. Fails if the watcher recorded a problem."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, **options: Any) -> Page:
        context = browser.new_context(base_url=cloud.outputs["apiEndpoint"], locale="en-GB", **options)
        contexts.append(context)
        context.set_default_timeout(1000 * TIMEOUT_SECONDS)
        watcher.watch(context)
        page = context.new_page()
        response = page.goto(path)
        assert response is not None
        assert response.ok, response.status
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert watcher.problems == []


@pytest.fixture
def tag() -> str:
    """Return a tag that has never been visited."""
    return f"tag-{uuid.uuid4().hex[:8]}"


def answer(page: Page, address: str, document: Mapping[str, Any]) -> None:
    """Answer the page's requests for JSON in the API's place: the total never forgets numbers that are stored."""

    def respond(route: Route) -> None:
        if route.request.headers["accept"] == "application/json":
            route.fulfill(json=document)
        else:
            route.fallback()

    page.route(address, respond)
