"""What people and programs see."""

import errno
import io
import json
import os
import re
from pathlib import Path

import pytest
from rich.text import Text

from cli.console import Console
from tests.running import broken_pipe

CLEAR_LINE = "\r\x1b[2K"
LONG = "http://127.0.0.1:4566/" + "x" * 300


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show what rich makes of the stream, not of the settings of whoever runs the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def render(*, terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(stream, terminal=terminal)
    console.progress("Starting")
    console.progress("Creating", detail="1 of 9")
    console.line(Text.assemble("event ", ("[bold]failed[/] :smile:", "red")))
    console.end_progress()
    console.progress("pass 1", done=15, total=30)
    console.end_progress(keep=True)
    return stream.getvalue()


def test_without_a_terminal_progress_is_plain_lines_and_details_are_left_out() -> None:
    assert render(terminal=False) == "Starting\nevent [bold]failed[/] :smile:\npass 1\n"


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_nothing_puts_escape_codes_into_a_pipe(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    assert render(terminal=False) == "Starting\nevent [bold]failed[/] :smile:\npass 1\n"


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert render(terminal=True) == "Starting\nevent [bold]failed[/] :smile:\npass 1\n"


def test_on_a_terminal_progress_is_replaced_and_lines_go_above_it() -> None:
    text = render(terminal=True)
    parts = ("Starting", "\x1b[2m1 of 9", "event \x1b[31m[bold]failed[/]", "smile:\x1b[0m\nCreating", "pass 1")
    starting, creating, event, again, kept = map(text.index, parts)
    assert starting < creating < event < again < kept
    assert CLEAR_LINE in text[starting:creating]
    assert CLEAR_LINE in text[creating:event]
    # The progress is removed at its end, unless its text is kept as a line.
    assert "\x1b[2K" in text[again:kept]
    assert text.endswith("\x1b[2Kpass 1\n")
    # A process that is killed could not show the cursor again.
    assert "\x1b[?25" not in text


@pytest.mark.parametrize(("done", "total", "filled"), [(0, 30, 0), (15, 30, 15), (30, 30, 30), (99, 30, 30), (5, 0, 0)])
def test_a_bar_shows_the_share_that_is_done_if_the_total_is_known(done: int, total: int, filled: int) -> None:
    stream = io.StringIO()
    Console(stream, terminal=True).progress("pass 1", done=done, total=total)
    # The two parts of the bar have colours of their own.
    parts = [part for part in re.split("\x1b\\[[0-9;]*m", stream.getvalue()) if set(part) & set("━╸╺")]
    assert sum(map(len, parts)) == (30 if total else 0)
    assert sum(map(len, parts[:1] if filled else [])) == filled


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = render(terminal=True)
    assert "failed" in text
    assert not re.search("\x1b\\[[0-9;]*3[0-9]", text)


@pytest.mark.parametrize("terminal", [True, False])
def test_text_is_printed_as_it_is(terminal: bool) -> None:
    stream = io.StringIO()
    Console(stream, terminal=terminal).line("[bold]tag[/] :smile: 12 'a'")
    assert stream.getvalue() == "[bold]tag[/] :smile: 12 'a'\n"


@pytest.mark.parametrize("total", [0, 30])
def test_progress_that_is_too_long_is_cut_off(total: int) -> None:
    stream = io.StringIO()
    Console(stream, terminal=True).progress("Creating", detail=LONG, total=total)
    assert "Creating" in stream.getvalue()
    assert "…" in stream.getvalue()
    assert "\n" not in stream.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_lines_are_not_wrapped(terminal: bool) -> None:
    stream = io.StringIO()
    Console(stream, terminal=terminal).line(LONG)
    assert stream.getvalue() == f"{LONG}\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_json_is_one_line_and_keeps_every_character(terminal: bool) -> None:
    stream = io.StringIO()
    Console(stream, terminal=terminal).json({"a": {"n": 1}, "b": "é [red]", "c": LONG, "d": Path("/x")})
    out = stream.getvalue()
    assert out == f'{{"a": {{"n": 1}}, "b": "é [red]", "c": "{LONG}", "d": "/x"}}\n'
    assert json.loads(out)["c"] == LONG


@pytest.mark.parametrize("full", [False, True])
def test_a_stream_that_cannot_be_written_to_is_reported_once(full: bool) -> None:
    calls: list[None] = []
    descriptor = os.open("/dev/full", os.O_WRONLY) if full else broken_pipe()
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        console = Console(stream, on_error=lambda: calls.append(None))
        console.line("lost")
        console.line("lost, too")
        console.json("lost, too")
    assert len(calls) == 1
    # A reader that is gone is not an error.
    assert (console.error.errno if console.error else None) == (errno.ENOSPC if full else None)


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", "caf\\xe9 \\U0001f600 \\udcff"),
        ("latin-1", "café \\U0001f600 \\udcff"),
        ("cp437", "café \\U0001f600 \\udcff"),
        ("utf-8", "café 😀 \\udcff"),
    ],
)
def test_characters_of_another_encoding_are_escaped(encoding: str, expected: str, terminal: bool) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    console = Console(stream, terminal=terminal)
    console.line("café 😀 \udcff")
    console.progress("café 😀", detail="…", done=1, total=2)
    console.end_progress(keep=True)
    console.line("next")
    console.json({"tag": "café 😀 \udcff"})
    lines = written.getvalue().decode(encoding).splitlines()
    assert lines[0] == expected
    assert "next" in lines
    assert json.loads(lines[-1]) == {"tag": "café 😀 \udcff"}
