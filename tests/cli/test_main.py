"""The command line."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.commands import local
from cli.main import main
from tests.running import broken_pipe

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, str(ROOT / "cli"))
RECONCILE = ("reconcile", "--table", "t", "--ledger", "l", "--region", "eu-west-1", "--passes", "1")


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: counter ")
    for text in ("local     run the stack", "test      run the tests", "reconcile"):
        assert text in out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["local", "--nonsense"], ["reconcile"]])
def test_a_wrong_call_is_status_2_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: counter" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5", ""])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["local", f"--port={port}"])
    assert f"{port!r} is no port; allowed are 0 to 65535" in capsys.readouterr().err


def test_the_defaults_of_local() -> None:
    parser = argparse.ArgumentParser()
    local.add_arguments(parser)
    parsed = vars(parser.parse_args([]))
    assert parsed == {
        "stack": "dev",
        "program": ROOT,
        "python": sys.executable,
        "port": None,
        "json": False,
        "watch": False,
    }


def test_pytest_gets_its_arguments_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *arguments: calls.append((Path.cwd(), *arguments)))
    monkeypatch.setattr(os, "chdir", calls.append)
    main(["test", "-k", "a and b", "tests/cli", "--help"])
    assert calls[0] == ROOT
    program, command = calls[1][1:]
    assert program == sys.executable
    assert command[:3] == [sys.executable, "-m", "pytest"]
    assert command[-4:] == ["-k", "a and b", "tests/cli", "--help"]


@pytest.fixture
def blocked() -> Iterator[None]:
    """Block Ctrl-C in the processes that the test starts, as the wrapper does."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def interrupt(process: subprocess.Popen[str]) -> str:
    """Send what Ctrl-C sends and return what the process has to say to it."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=20)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.mark.usefixtures("blocked")
@pytest.mark.parametrize("imports", [0, 1, 50, 120, 600])
def test_ctrl_c_before_a_command_begins_ends_it_without_a_word(imports: int) -> None:
    # Python prints a line for each module that it has imported, so each run is interrupted at a place of its own.
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    with subprocess.Popen(
        [*COMMAND, "local", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        for _ in range(imports):
            assert process.stderr.readline().startswith("import time:")
        errors = interrupt(process)
    # A shell calls this status 130.
    told = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, told) == (-signal.SIGINT, [])


@pytest.mark.usefixtures("blocked")
def test_ctrl_c_stops_a_reconciliation_with_a_sentence() -> None:
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "NO_PROXY": "*"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        with subprocess.Popen(
            [*COMMAND, *RECONCILE, "--endpoint-url", endpoint], stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            # It is asking for something by now, and waits for the answer.
            server.settimeout(30)
            connection, _ = server.accept()
            errors = interrupt(process)
            connection.close()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "counter: stopped; a pass may be stopped and started again at any time"
    assert "Traceback" not in errors


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("--help",), ("reconcile", "--help")])
class TestAStandardOutput:
    """What may stand behind a standard stream, on a command that only prints."""

    def call(self, arguments: tuple[str, ...], unbuffered: str, output: int) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=output, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
        return done.returncode, done.stderr

    def test_that_is_full_is_a_sentence_and_status_1(self, arguments: tuple[str, ...], unbuffered: str) -> None:
        with Path("/dev/full").open("w", encoding="utf-8") as full:
            status = self.call(arguments, unbuffered, full.fileno())
        assert status == (1, "counter: cannot write to standard output: No space left on device\n")

    def test_whose_reader_is_gone_is_no_error(self, arguments: tuple[str, ...], unbuffered: str) -> None:
        writing = broken_pipe()
        status = self.call(arguments, unbuffered, writing)
        os.close(writing)
        assert status == (0, "")

    def test_that_is_closed_is_no_error(self, arguments: tuple[str, ...], unbuffered: str) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        script = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *arguments]
        done = subprocess.run(script, capture_output=True, text=True, env=environment, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_a_wrong_call_is_status_2_wherever_its_usage_goes(redirection: str, unbuffered: str) -> None:
    script = ["sh", "-c", f'"$@" {redirection}', "sh", *COMMAND, "nonsense"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(script, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
