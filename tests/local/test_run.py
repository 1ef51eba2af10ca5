"""Signals, and the outputs as people see them; tests/e2e/test_lifecycle.py has the rest of the command."""

import io
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.console import Console
from local import run
from local.cloud import Options
from local.emulator.process import EmulatorError
from local.run import print_outputs

OUTPUTS = {"apiEndpoint": "http://127.0.0.1:1", "functionNames": {"a": "b"}, "endpointUrl": "http://127.0.0.1:1"}


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


@pytest.fixture
def _handlers_are_restored() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in run._SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers_are_restored")
@pytest.mark.parametrize("before", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_hangup_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch, before: signal.Handlers) -> None:
    # As nohup starts it, and a shell's background processes.
    for number in run._SIGNALS:
        signal.signal(number, before)
    handlers: dict[int, Any] = {}

    def start(*_: object) -> None:
        handlers.update({number: signal.getsignal(number) for number in run._SIGNALS})
        raise EmulatorError("did not start")

    monkeypatch.setattr(run, "LocalCloud", start)
    assert run.run(Options(Path(), "dev", sys.executable, 0), as_json=True, watch=False) == 1
    assert handlers[signal.SIGINT] is handlers[signal.SIGTERM] is run._stop
    assert handlers[signal.SIGHUP] is (before if before is signal.SIG_IGN else run._stop)
