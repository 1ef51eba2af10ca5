"""Following what happens on the local cloud: visits, and the batches of the stream that they lead to."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from .console import Console
from .emulator.process import Event
from .failures import Failures
from .site import Site

# A stream's function writes the total here; see the design's data model.
_TOTAL_KEY = {"ID": {"S": "COUNTER"}}


class Follower:
    """Prints each event as one line. Events may come from any thread."""

    def __init__(self, console: Console, site: Site, failures: Failures) -> None:
        self._console = console
        self._site = site
        self._failures = failures

    def show(self, event: Event) -> None:
        """Print one event of the emulator, and for a failure what the function's log says of it."""
        text = _SHOWN[event["event"]](self, event)
        self._console.line(f"{self._console.paint(time.strftime('%H:%M:%S'), 'faint')}  {text}")
        if event["event"] == "failure" or event.get("status", 0) >= 500:
            for line in self._failures.take():
                self._console.line(f"            {self._console.paint(_printable(line), 'faint')}")

    def _request(self, event: Event) -> str:
        status = event["status"]
        painted = self._console.paint(str(status), "ok" if status < 400 else "bad")
        path = _printable(urllib.parse.unquote(event["path"]))
        return f"{event['method']:<7} {path}  {painted}  {event['milliseconds']} ms{_describe(event['answer'])}"

    def _batch(self, event: Event) -> str:
        records = event["records"]
        plural = "record" if records == 1 else "records"
        total = self._read_total(event["table"])
        shown = "" if total is None else f"  total {self._console.paint(total, 'strong')}"
        return f"{'stream':<7} {records} {plural} to {event['function']}{shown}"

    def _failure(self, event: Event) -> str:
        reason = self._console.paint(_printable(event["reason"]), "bad")
        return f"{'stream':<7} {event['function']} failed and gets its batch again: {reason}"

    def _read_total(self, table: str) -> str | None:
        try:
            answer = self._site.client("dynamodb").get_item(TableName=table, Key=_TOTAL_KEY, ConsistentRead=True)
        except (BotoCoreError, ClientError):
            return None  # Some other program's table, or the emulator is ending.
        return _number(answer.get("Item", {}).get("TotalViews"))


_SHOWN = {"request": Follower._request, "batch": Follower._batch, "failure": Follower._failure}


def _describe(answer: Any) -> str:
    if not isinstance(answer, Mapping):
        return ""
    if "detail" in answer:
        return f"  {_printable(str(answer['detail']))}"
    return "".join(f"  {name} {_printable(str(answer[name]))}" for name in ("count", "total") if name in answer)


def _printable(text: str) -> str:
    """Return the text without what a client could use to command the terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _number(attribute: Mapping[str, str] | None) -> str | None:
    return attribute.get("N") if attribute else None
