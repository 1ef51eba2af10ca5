"""The emulator's process: serves on a socket that it inherits, until its parent ends.

Started by `process.py`, with the numbers of two inherited file descriptors as arguments: the bound socket, and a pipe
for the events it reports, one JSON object a line. Standard input is a pipe that ends with the parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.emulator import internals
from local.emulator.gateway import Gateway


class Events:
    """Writes events to the parent; when the parent no longer reads, they are dropped."""

    def __init__(self, descriptor: int) -> None:
        self._stream = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")
        self._lock = threading.Lock()

    def report(self, event: dict[str, Any]) -> None:
        """Write one event."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(json.dumps(event) + "\n")


class BatchHandler(logging.Handler):
    """Turns the poller's log records into events."""

    def __init__(self, events: Events) -> None:
        super().__init__(logging.INFO)
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """Report a batch that was processed or failed."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        if record.msg == internals.BATCH_DONE:
            function, count, table = arguments
            if count:  # The last invocation of a tumbling window may have no records.
                place = {"table": table, "region": internals.current_region()}
                self._events.report({"event": "batch", "function": function, "records": count, **place})
        elif record.msg.startswith(internals.BATCH_FAILED):
            function, table, kind, message = arguments[:4]
            reason = f"{kind}: {message}"
            self._events.report({"event": "failure", "function": function, "table": table, "reason": reason})


def main() -> None:
    """Serve until the process is terminated or its parent ends.

    Everything lies in memory and in a directory that is thrown away, so there is nothing to finish: functions'
    processes end with the pipes that connect them to this one.
    """
    # A Ctrl-C at the terminal is the parent's to handle; it stops this process in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    socket_descriptor, event_descriptor = map(int, sys.argv[1:3])
    events = Events(event_descriptor)
    app = internals.load()
    logging.getLogger().addHandler(BatchHandler(events))
    config = Config()
    config.bind = [f"fd://{socket_descriptor}"]
    config.loglevel = "WARNING"
    asyncio.run(_serve(Gateway(app, events.report, is_domain=internals.is_domain), config))


async def _serve(gateway: Gateway, config: Config) -> None:
    # A trigger that never fires keeps the server from handling signals in its own, slower way.
    await serve(gateway, config, shutdown_trigger=asyncio.Event().wait)  # type: ignore[arg-type]


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)
    os._exit(0)
