"""Results for people: tables on a terminal, lines of aligned text in a pipe. Programs get JSON from `Console.json`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from .console import Console

Cell = str | tuple[str, str]
"""A text, or a text and its style."""

GOOD, BAD, DIM = "green", "bold red", "dim"

MAX_NAMED = 10
"""The maximum number of names in a sentence."""


def facts(console: Console, rows: Sequence[tuple[str, Cell]]) -> None:
    """Print names and values. A name that is empty continues the row above."""
    grid = [(f"{name}:" if name else "", value) for name, value in rows]
    if not console.is_terminal:
        _plain(console, grid)
        return
    from rich.table import Table  # noqa: PLC0415 - takes a while to import, and pipes do without

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in grid:
        table.add_row(name, _text(value))
    console.line(table)


def columns(console: Console, headings: Sequence[str], rows: Sequence[Sequence[Cell]], *, numbers: int = 0) -> None:
    """Print a table. Its last `numbers` columns hold numbers, which are aligned to the right."""
    if not console.is_terminal:
        _plain(console, [headings, *rows], numbers=numbers)
        return
    from rich.box import SIMPLE  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index >= len(headings) - numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    console.line(table)


def printable(text: str) -> str:
    """Return the text without characters that could control the terminal; tabs and line ends become spaces."""
    spaced = "".join(" " if letter in "\t\r\n" else letter for letter in text)
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in spaced)


def number(count: int, thing: str, things: str = "") -> str:
    """Return a count and what is counted: `1 tag`, `1,204 tags`, `2 entries`."""
    return f"{count:,} {thing if count == 1 else things or f'{thing}s'}"


def named(texts: Collection[str]) -> str:
    """Return texts in quotation marks: `'a', 'b' and 3 more`."""
    some = ", ".join(repr(printable(text)) for text in list(texts)[:MAX_NAMED])
    return f"{some} and {len(texts) - MAX_NAMED:,} more" if len(texts) > MAX_NAMED else some


def span(seconds: float) -> str:
    """Return a time span in one or two units: `40 s`, `3 min`, `2 h 5 min`, `1 d 4 h`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    days, hours = divmod(hours, 24)
    return f"{days} d" + (f" {hours} h" if hours else "")


def _text(cell: Cell) -> Text:
    from rich.text import Text  # noqa: PLC0415

    return Text(printable(cell)) if isinstance(cell, str) else Text(printable(cell[0]), cell[1])


def _plain(console: Console, rows: Sequence[Sequence[Cell]], *, numbers: int = 0) -> None:
    texts = [[printable(cell if isinstance(cell, str) else cell[0]) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in texts) for index in range(len(texts[0]))] if texts else []
    for row in texts:
        first = len(row) - numbers
        cells = [
            cell.rjust(width) if index >= first else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        console.line("  ".join(cells).rstrip())
