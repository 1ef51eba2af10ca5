"""The tracebacks in functions' logs, which on AWS are in CloudWatch."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from components.engine.resource import Resource

from .site import Site

_BEGIN = "Traceback (most recent call last)"
_MAX_LINES = 40
_RECENT_SECONDS = 60


class Failures:
    """Finds tracebacks in the logs of functions, each of them once. May be used from any thread."""

    def __init__(self, site: Site, functions: Iterable[Resource]) -> None:
        self._site = site
        self._groups = {_log_group(function): function for function in functions}
        self._seen: dict[str, set[tuple[str, int, str]]] = {group: set() for group in self._groups}
        self._lock = threading.Lock()

    def take(self) -> list[str]:
        """Return the lines of every traceback since the last call."""
        with self._lock:
            return [line for group in self._groups for line in self._take(group)]

    def _take(self, group: str) -> list[str]:
        client = self._site.client_beside(self._groups[group], "logs")
        try:
            events = client.filter_log_events(logGroupName=group, startTime=_milliseconds_ago(_RECENT_SECONDS))[
                "events"
            ]
        except (BotoCoreError, ClientError):
            return []  # No invocation has created the group yet, or the emulator is stopping.
        new = [event["message"] for event in events if _key(event) not in self._seen[group]]
        self._seen[group] = {_key(event) for event in events}
        return _tracebacks(new)


def _key(event: Mapping[str, Any]) -> tuple[str, int, str]:
    # The emulator's events have no id.
    return event["logStreamName"], event["timestamp"], event["message"]


def _tracebacks(messages: Iterable[str]) -> list[str]:
    """Return the lines from each traceback's first to the one that names the exception."""
    found: list[str] = []
    inside = False
    for line in (line for message in messages for line in message.splitlines()):
        inside = inside or line.startswith(_BEGIN)
        if inside:
            found.append(line)
            inside = line.startswith((" ", _BEGIN)) or not line
    return found[-_MAX_LINES:]


def _milliseconds_ago(seconds: float) -> int:
    return int(1000 * (time.time() - seconds))


def _log_group(function: Resource) -> str:
    configured = function.inputs.get("loggingConfig", {}).get("logGroup")
    return str(configured or f"/aws/lambda/{function.id}")
