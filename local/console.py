"""What people see: the progress of a start, the stack's outputs, and what happens while the cloud serves."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any, TextIO

from .environment import ACCESS_KEY

_CLEAR = "\r\x1b[K"
_COLORS = {"ok": "32", "bad": "31", "faint": "2", "strong": "1"}


class Console:
    """Prints to one stream: on a terminal in colour, with progress on one line that is rewritten; else line by line."""

    def __init__(self, stream: TextIO, *, terminal: bool | None = None) -> None:
        self._stream = stream
        self._terminal = stream.isatty() if terminal is None else terminal
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._pending = ""
        self.error: OSError | None = None
        """Why nothing could be written, unless the reader was gone."""

    def progress(self, text: str, *, detail: str = "") -> None:
        """Show what is being done. Details are shown on a terminal only, where they replace each other."""
        with self._lock:
            if self._terminal:
                line = f"{text} {self.paint(detail, 'faint')}" if detail else text
                self._write(f"{_CLEAR}{line}")
                self._pending = line
            elif not detail:
                self._write(f"{text}\n")

    def line(self, text: str = "") -> None:
        """Print one line, above whatever progress is shown."""
        with self._lock:
            start = _CLEAR if self._pending else ""
            self._write(f"{start}{text}\n{self._pending}")

    def end_progress(self) -> None:
        """Remove the line that shows progress."""
        with self._lock:
            if self._pending:
                self._write(_CLEAR)
                self._pending = ""

    def paint(self, text: str, style: str) -> str:
        """Return the text in a style (`ok`, `bad`, `faint`, `strong`), which only terminals show."""
        return f"\x1b[{_COLORS[style]}m{text}\x1b[0m" if self._terminal and text else text

    @property
    def seconds(self) -> float:
        """How long this console has existed, in seconds."""
        return time.monotonic() - self._started

    def _write(self, text: str) -> None:
        """Write at once. If the reader is gone, as after `| head`, or the disk is full, end as by SIGTERM."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.error = error
            # What is still buffered, or written until the end, has a place to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            signal.raise_signal(signal.SIGTERM)


def print_json(console: Console, outputs: Mapping[str, Any]) -> None:
    """Print the outputs as the one line that other programs read."""
    console.line(json.dumps(dict(sorted(outputs.items())), default=str, ensure_ascii=False))


def print_outputs(console: Console, outputs: Mapping[str, Any]) -> None:
    """Print the outputs for people, with addresses that a terminal makes clickable and commands to try."""
    width = max(len(name) for name in outputs)
    for name, value in sorted(outputs.items()):
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
        console.line(f"  {name:<{width}}  {text}")
    console.line()
    api = outputs.get("apiEndpoint")
    if api:
        console.line(console.paint("Try it:", "strong"))
        console.line(f"  curl -X POST {api}/tag/tech")
        console.line(f"  curl {api}/counts/tech")
        console.line(f"  {api}/ in a browser")
        console.line()
    console.line(
        console.paint(
            f"AWS clients work with endpointUrl and {ACCESS_KEY!r} as both keys. Ctrl-C ends it all.", "faint"
        )
    )
    console.line()
