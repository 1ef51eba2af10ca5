"""What people see: lines, and the progress of long work. Results for programs are lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO

import rich.console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .streams import discard, encodable, encoding_of

_BAR_WIDTH = 30


class Console:
    """Prints to one stream. May be used from any thread.

    On a terminal it prints in colour, unless NO_COLOR is set, with progress below the lines; elsewhere only lines.
    `on_error` is called once if the stream cannot be written to; whatever is printed after that is dropped.
    """

    def __init__(
        self, stream: TextIO, *, terminal: bool | None = None, on_error: Callable[[], object] = lambda: None
    ) -> None:
        self._stream = _Stream(stream, on_error)
        # FORCE_COLOR and its like must not put escape codes into a file or a pipe.
        self._rich = _Rich(
            file=self._stream,  # type: ignore[arg-type]
            force_terminal=stream.isatty() if terminal is None else terminal,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=True,
        )
        self._live: Live | None = None
        self._text = ""

    @property
    def error(self) -> OSError | None:
        """The reason why the stream cannot be written to; None if its reader is gone, which is not an error."""
        return None if isinstance(self._stream.error, BrokenPipeError) else self._stream.error

    @property
    def is_terminal(self) -> bool:
        """Whether people read the stream on a terminal that can show more than lines."""
        return self._rich.is_terminal and not self._rich.is_dumb_terminal

    @property
    def closed(self) -> bool:
        """Whether a write has failed, so that nothing arrives any more."""
        return self._stream.error is not None

    def line(self, content: rich.console.RenderableType = "") -> None:
        """Print text, or anything that rich can render, above the progress."""
        self._rich.print(content)

    def json(self, value: Any) -> None:
        """Print one line for other programs to read."""
        line = json.dumps(value, default=str, ensure_ascii=False)
        # JSON is UTF-8 (RFC 8259) and has escapes of its own.
        if not self._stream.has_utf8(line):
            line = json.dumps(value, default=str)
        self._stream.write(line + "\n")
        self._stream.flush()

    def progress(self, text: str, *, detail: str = "", done: int = 0, total: int = 0) -> None:
        """Show the state of some work, replacing the state shown before; with a bar if the total is known.

        Without a terminal, each call prints a line, unless it has a detail.
        """
        if not self.is_terminal:
            if not detail:
                self.line(text)
            return
        if self._live is None:
            # Refreshed by each call: no thread of its own, and nothing else writes to the stream.
            self._live = Live(
                console=self._rich, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        self._text = text
        row = Table.grid(padding=(0, 1))
        if total > 0:
            row.add_column(width=_BAR_WIDTH)
        row.add_column(no_wrap=True, overflow="ellipsis")
        bar = [ProgressBar(total=total, completed=done)] if total > 0 else []
        row.add_row(*bar, Text.assemble(text, " ", (detail, "dim")))
        self._live.update(row, refresh=True)

    def end_progress(self, *, keep: bool = False) -> None:
        """Remove the progress, or keep its last text as a line."""
        if self._live:
            self._live.stop()
            self._live = None
            if keep:
                self.line(self._text)


class _Rich(rich.console.Console):
    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor as it is: a process that is killed could not bring it back."""
        return show


class _Stream:
    """The part of a file that rich uses. Writes at once; nowhere, after a write failed."""

    def __init__(self, stream: TextIO, on_error: Callable[[], object]) -> None:
        self._stream = stream
        self._on_error = on_error
        self.error: OSError | None = None

    def has_utf8(self, text: str) -> bool:
        """Tell whether the text is written as UTF-8, without escapes."""
        return encoding_of(self._stream) == "utf-8" and encodable(text, self._stream) == text

    def write(self, text: str) -> None:
        """Write text, with escapes for characters that the stream cannot encode."""
        self._attempt(lambda: self._stream.write(encodable(text, self._stream)))

    def flush(self) -> None:
        """Write what is buffered."""
        self._attempt(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            discard(self._stream)
            self.error = error
            self._on_error()
