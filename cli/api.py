"""Requests to a deployment's HTTP API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_OWN_HOSTS = ("127.0.0.1", "localhost", "::1")
_MAX_BYTES = 1_000_000


class ApiError(Exception):
    """The API does not respond."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its status, its body, and how long it took, in milliseconds."""

    status: int
    body: str
    milliseconds: int

    @property
    def json(self) -> Mapping[str, Any]:
        """The body's object; empty if it is not one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def reason(self) -> str:
        """Say in a few words what an answer that is not a success says: its problem's detail, or its first line."""
        found = self.json.get("detail") or self.json.get("message") or (self.body.strip().splitlines() or [""])[0]
        shown = str(found)[:300]
        return f"status {self.status}: {shown}" if shown else f"status {self.status}"


def request(
    url: str, method: str = "GET", *, headers: Mapping[str, str] | None = None, timeout: float = 30.0
) -> Answer:
    """Send a request without a body, and return the answer, whatever its status.

    Raises ApiError if none comes within `timeout` seconds.
    """
    asked = urllib.request.Request(url, method=method, headers={"Accept": "application/json", **(headers or {})})  # noqa: S310
    # None stands for the proxies that the environment names.
    proxies: dict[str, str] | None = {} if urlsplit(url).hostname in _OWN_HOSTS else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    started = time.monotonic()
    try:
        try:
            with opener.open(asked, timeout=timeout) as response:
                status, body = response.status, response.read(_MAX_BYTES)
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ApiError(f"{url} does not respond: {reason}") from None
    return Answer(status, body.decode(errors="replace"), round(1000 * (time.monotonic() - started)))
