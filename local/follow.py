"""Reports visits and the batches of the stream that follow from them."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from rich.text import Text

from cli.console import Console
from components.functions_package import PARTITION_KEY, TOTAL_KEY

from .emulator.process import Event
from .failures import Failures
from .site import Site

# The item that holds the total.
_TOTAL_KEY = {PARTITION_KEY: {"S": TOTAL_KEY}}

Parts = Iterator[str | tuple[str, str]]
"""The parts of a line, some of them with a style."""


class Follower:
    """Prints each event as one line. Events may come from any thread."""

    def __init__(self, console: Console, site: Site, failures: Failures) -> None:
        self._console = console
        self._site = site
        self._failures = failures

    def show(self, event: Event) -> None:
        """Print one event of the emulator, and for a failure the tracebacks in the function's log."""
        stamp = (time.strftime("%H:%M:%S"), "dim")
        self._console.line(Text.assemble(stamp, "  ", *_SHOWN[event["event"]](self, event)))
        if event["event"] == "failure" or event.get("status", 0) >= 500:
            for line in self._failures.take():
                self._console.line(Text(f"            {_printable(line)}", "dim"))

    def _request(self, event: Event) -> Parts:
        status = event["status"]
        path = _printable(urllib.parse.unquote(event["path"]))
        yield f"{event['method']:<7} {path}  "
        yield str(status), "green" if status < 400 else "red"
        yield f"  {event['milliseconds']} ms{_describe(event['answer'])}"

    def _batch(self, event: Event) -> Parts:
        records = event["records"]
        yield f"{'stream':<7} {records} {'record' if records == 1 else 'records'} to {event['function']}"
        if (total := self._read_total(event["table"], event["region"])) is not None:
            yield "  total "
            yield total, "bold"

    def _failure(self, event: Event) -> Parts:
        yield f"{'stream':<7} {event['function']} failed; its batch will be retried: "
        yield _printable(event["reason"]), "red"

    def _read_total(self, table: str, region: str) -> str | None:
        try:
            client = self._site.clients.get("dynamodb", region)
            answer = client.get_item(TableName=table, Key=_TOTAL_KEY, ConsistentRead=True)
        except (BotoCoreError, ClientError):
            return None  # Not a counter's table, or the emulator is stopping.
        return _number(answer.get("Item", {}).get("TotalViews"))


_SHOWN = {"request": Follower._request, "batch": Follower._batch, "failure": Follower._failure}


def _describe(answer: Any) -> str:
    if not isinstance(answer, Mapping):
        return ""
    if "detail" in answer:
        return f"  {_printable(str(answer['detail']))}"
    return "".join(f"  {name} {_printable(str(answer[name]))}" for name in ("count", "total") if name in answer)


def _printable(text: str) -> str:
    """Return the text without characters that could control the terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _number(attribute: Mapping[str, str] | None) -> str | None:
    return attribute.get("N") if attribute else None
