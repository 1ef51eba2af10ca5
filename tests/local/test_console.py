"""What people see."""

import errno
import io
import json
import os
import signal

import pytest

from local.console import Console, print_json, print_outputs
from tests.running import broken_pipe

OUTPUTS = {"apiEndpoint": "http://127.0.0.1:1", "functionNames": {"a": "b"}, "endpointUrl": "http://127.0.0.1:1"}


def test_without_a_terminal_progress_is_plain_lines_and_details_are_left_out() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.progress("Starting")
    console.progress("Creating", detail="1 of 9")
    console.line(console.paint("told", "bad"))
    console.end_progress()
    assert stream.getvalue() == "Starting\ntold\n"


def test_on_a_terminal_progress_is_rewritten_and_lines_go_above_it() -> None:
    stream = io.StringIO()
    console = Console(stream, terminal=True)
    console.progress("Creating", detail="1")
    console.line("told")
    console.end_progress()
    faint = "\x1b[2m1\x1b[0m"
    expected = f"\r\x1b[KCreating {faint}" + f"\r\x1b[Ktold\nCreating {faint}" + "\r\x1b[K"
    assert stream.getvalue() == expected


def test_json_is_one_line_and_keeps_every_character() -> None:
    stream = io.StringIO()
    print_json(Console(stream), {"b": "é", "a": {"n": 1}})
    out = stream.getvalue()
    assert out == '{"a": {"n": 1}, "b": "é"}\n'
    assert json.loads(out) == {"a": {"n": 1}, "b": "é"}


@pytest.mark.parametrize("full", [False, True])
def test_what_cannot_be_written_asks_the_process_to_end_once(monkeypatch: pytest.MonkeyPatch, full: bool) -> None:
    signals: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", signals.append)
    descriptor = os.open("/dev/full", os.O_WRONLY) if full else broken_pipe()
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        console = Console(stream)
        console.line("lost")
        console.line("lost, too")
    assert signals == [signal.SIGTERM]
    # A reader that is gone is not an error.
    assert (console.error.errno if console.error else None) == (errno.ENOSPC if full else None)


def test_outputs_come_with_commands_to_try() -> None:
    stream = io.StringIO()
    print_outputs(Console(stream), OUTPUTS)
    lines = stream.getvalue().splitlines()
    assert "  apiEndpoint    http://127.0.0.1:1" in lines
    assert '  functionNames  {"a": "b"}' in lines
    assert "  curl -X POST http://127.0.0.1:1/tag/tech" in lines


def test_without_an_api_there_is_nothing_to_try() -> None:
    stream = io.StringIO()
    print_outputs(Console(stream), {"endpointUrl": "http://127.0.0.1:1"})
    assert "curl" not in stream.getvalue()
