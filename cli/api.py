"""Requests to a deployment's HTTP API, with the credentials that its OpenAPI document requires."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from .deployment import Deployment

TOKEN_VARIABLE = "COUNTER_TOKEN"  # noqa: S105 - a name
"""The environment variable with the token for routes that require one."""

_OWN_HOSTS = ("127.0.0.1", "localhost", "::1")
_MAX_BYTES = 1_000_000
_DOCUMENT_SECONDS = 10.0


class ApiError(Exception):
    """The API does not respond, or requires credentials that are missing."""


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
        """Describe an answer without success: its status, and its problem's detail or its first line."""
        found = self.json.get("detail") or self.json.get("message") or (self.body.strip().splitlines() or [""])[0]
        shown = str(found)[:300]
        return f"status {self.status}: {shown}" if shown else f"status {self.status}"


def request(
    url: str, method: str = "GET", *, headers: Mapping[str, str] | None = None, timeout: float = 30.0
) -> Answer:
    """Send a request without a body, and return the answer, whatever its status.

    Raises ApiError if none comes within `timeout` seconds.
    """
    prepared = urllib.request.Request(url, method=method, headers={"Accept": "application/json", **(headers or {})})  # noqa: S310
    # None means the proxies that the environment names.
    proxies: dict[str, str] | None = {} if urlsplit(url).hostname in _OWN_HOSTS else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    started = time.monotonic()
    try:
        try:
            with opener.open(prepared, timeout=timeout) as response:
                status, body = response.status, response.read(_MAX_BYTES)
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ApiError(f"{url} does not respond: {reason}") from None
    return Answer(status, body.decode(errors="replace"), round(1000 * (time.monotonic() - started)))


class Api:
    """A deployment's API. Routes get a bearer token or a signature if the API's OpenAPI document says so."""

    def __init__(
        self, deployment: Deployment, *, token: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """`token` is for routes with the authorization JWT. `headers` go with every request and take precedence."""
        self._deployment = deployment
        self._token = token
        self._headers = {"Accept": "application/json", **(headers or {})}
        self.endpoint = deployment.text("apiEndpoint").rstrip("/")

    def request(self, template: str, method: str = "GET", *, tag: str = "", timeout: float = 30.0) -> Answer:
        """Send a request to the route with this path template, and return the answer, whatever its status.

        Raises ApiError if the API does not respond in time, or if the route needs credentials and there are none.
        """
        url = self.url(template, tag)
        return request(url, method, headers=self._authorized(template, method, url), timeout=timeout)

    def url(self, template: str, tag: str = "") -> str:
        """Return the address of a route with a path template."""
        return self.endpoint + template.replace("{tag}", quote(tag, safe=""))

    def hint(self, template: str, method: str, answer: Answer) -> str:
        """Say what an answer without success means for the credentials; "" if it says nothing about them."""
        kind, scopes = self._requirement(template, method)
        if kind == "iam" and answer.status == 403:
            return "; the caller needs execute-api:Invoke on this route"
        if kind == "jwt" and answer.status == 401:
            return "; the token is invalid, expired or for another audience"
        if kind == "jwt" and answer.status == 403 and scopes:
            return f"; the token needs one of the scopes {', '.join(scopes)}"
        return ""

    def _authorized(self, template: str, method: str, url: str) -> Mapping[str, str]:
        if "authorization" in map(str.lower, self._headers):
            return self._headers
        route = f"{method} {template}"
        kind, _ = self._requirement(template, method)
        if kind == "jwt":
            if not self._token:
                raise ApiError(f"{route} requires a token (JWT); give --token, or set {TOKEN_VARIABLE}")
            return {**self._headers, "Authorization": f"Bearer {self._token}"}
        if kind == "iam":
            return self._signed(route, method, url)
        return self._headers

    def _signed(self, route: str, method: str, url: str) -> Mapping[str, str]:
        from . import aws  # noqa: PLC0415 - takes a while, and `--help` does without

        one = self._deployment
        try:
            return aws.sign(
                method, url, self._headers, region=one.region, endpoint_url=one.endpoint_url, as_root=one.is_local
            )
        except aws.ERRORS as error:
            raise ApiError(f"{route} requires a request signed with AWS credentials (AWS_IAM): {error}") from None

    def _requirement(self, template: str, method: str) -> tuple[str, list[str]]:
        """Return what a route requires, `jwt`, `iam` or "" for nothing, and the scopes of which a token needs one."""
        operation = self._paths.get(template, {}).get(method.lower(), {})
        ways = [(kind, scopes) for way in operation.get("security", ()) for kind, scopes in way.items()]
        return (ways[0][0] if ways else "", [scope for _, scopes in ways for scope in scopes])

    @cached_property
    def _paths(self) -> Mapping[str, Any]:
        """The routes of the document, which is open to all; none if it cannot be read."""
        try:
            answer = request(f"{self.endpoint}/openapi.json", headers=self._headers, timeout=_DOCUMENT_SECONDS)
        except ApiError:
            # The request that needs it will say so.
            return {}
        found: Mapping[str, Any] = answer.json.get("paths", {})
        return found
