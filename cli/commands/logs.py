"""`counter logs`: the logs of all functions in one, by time."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..deployment import FUNCTIONS, Deployment
from ..options import Duration, deployment_options, json_option
from ..show import BAD, DIM, printable, span

if TYPE_CHECKING:
    from rich.text import Text

_POLL_SECONDS = 1.0
# An event may be stored this long after its timestamp, so each poll reads so much again.
_LATE_SECONDS = 15.0
_METRIC = '{"_aws":'
_PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START ", "INIT_REPORT ", "XRAY TraceId:")
_COLOURS = ("cyan", "magenta", "blue", "yellow", "green")
_OWN_FIELDS = {"timestamp", "level", "message", "logger", "requestId", "type", "time"}


class Event(NamedTuple):
    """A log event: when, in milliseconds since 1970, of which function, in which stream of its log."""

    timestamp: int
    function: str
    stream: str
    message: str

    @property
    def is_platform(self) -> bool:
        """Whether it is for Lambda or CloudWatch: a line of Lambda itself, or a metric."""
        written_as_json = '"type":"platform.' in self.message.replace(" ", "")[:200]
        return written_as_json or self.message.startswith((*_PLATFORM, _METRIC))


@click.command("logs")
@deployment_options(FUNCTIONS)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "--since", type=Duration(), default="10m", show_default=True, metavar="TIME", help="How far back to begin."
)
@click.option("--function", "only", multiple=True, metavar="KEY", help="Only this function, such as processStream.")
@click.option("--platform", is_flag=True, help="Also the lines of Lambda itself (START, END, REPORT) and metrics.")
@json_option
def command(
    *, deployment: Deployment, follow: bool, since: float, only: tuple[str, ...], platform: bool, as_json: bool
) -> int:
    """Show the functions' logs, merged by time.

    With --json, each event is a line.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415

    for key in only:
        if key not in deployment.functions:
            known = ", ".join(sorted(deployment.functions))
            raise click.UsageError(f"--function: {key!r} is not one of the functions; allowed: {known}")
    chosen = {key: name for key, name in deployment.functions.items() if not only or key in only}
    output = Console(sys.stdout)
    seen = Seen()
    start = time.time() - since
    shown = False
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        groups = _groups(deployment, chosen)
        client = deployment.client("logs")
        while True:
            begun = time.time()
            events = [event for key, group in groups.items() for event in _read(client, key, group, start)]
            for event in seen.take(events):
                if platform or not event.is_platform:
                    if as_json:
                        output.json(_data(event))
                    else:
                        output.line(_line(event, list(deployment.functions)))
                    shown = True
            if not follow or output.closed:
                if not shown:
                    said = "" if platform else "; --platform shows Lambda's own lines and metrics too"
                    Console(sys.stderr).line(f"No log events in the last {span(since)}{said}.")
                return 0
            start = max(start, begun - _LATE_SECONDS)
            seen.forget_before(start)
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        return 0
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error


class Seen:
    """Lets each event through once. Events have no id everywhere, so equal ones at one time count as one."""

    def __init__(self) -> None:
        self._seen: set[Event] = set()

    def take(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that no earlier call was given, by time; those of one time in the order given."""
        new = sorted(dict.fromkeys(event for event in events if event not in self._seen), key=lambda one: one.timestamp)
        self._seen.update(new)
        return new

    def forget_before(self, start: float) -> None:
        """Forget the events before `start`, which will not be read again."""
        self._seen = {event for event in self._seen if event.timestamp >= int(1000 * start)}


def _groups(deployment: Deployment, functions: Mapping[str, str]) -> dict[str, str]:
    client = deployment.client("lambda")
    found = {}
    for key, name in functions.items():
        configured = client.get_function_configuration(FunctionName=name).get("LoggingConfig", {})
        found[key] = configured.get("LogGroup") or f"/aws/lambda/{name}"
    return found


def _read(client: Any, function: str, group: str, start: float) -> Iterable[Event]:
    from .. import aws  # noqa: PLC0415

    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(1000 * start))
    try:
        for page in pages:
            for event in page["events"]:
                yield Event(event["timestamp"], function, event["logStreamName"], event["message"].rstrip("\n"))
    except aws.ClientError as error:
        # Lambda makes a group with the first event in it.
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _data(event: Event) -> dict[str, Any]:
    at = datetime.fromtimestamp(event.timestamp / 1000, UTC).isoformat(timespec="milliseconds")
    parsed: Any = event.message
    with suppress(ValueError):
        parsed = json.loads(event.message)
    return {"at": at, "function": event.function, "stream": event.stream, "message": parsed}


def _line(event: Event, functions: list[str]) -> Text:
    """Return the event for people: the level and the message of a JSON line first, its other fields after them."""
    from rich.text import Text  # noqa: PLC0415 - takes a while to import

    data = _data(event)
    at = datetime.fromtimestamp(event.timestamp / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    width = max(map(len, functions))
    text = Text.assemble(
        (f"{at}  ", DIM), (f"{event.function:<{width}}  ", _COLOURS[functions.index(event.function) % len(_COLOURS)])
    )
    message = data["message"]
    if not isinstance(message, dict) or "message" not in message:
        lines = event.message.splitlines() or [""]
        return text.append("\n  ".join(printable(line) for line in lines))
    level = str(message.get("level", ""))
    text.append(f"{printable(level)} " if level else "", BAD if level in ("ERROR", "CRITICAL", "FATAL") else "")
    text.append(printable(str(message["message"])))
    for name, value in message.items():
        if name not in _OWN_FIELDS:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            text.append(f"  {printable(name)}={printable(shown)}", DIM)
    return text
