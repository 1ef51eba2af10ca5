"""The command line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import click
import pytest
from hypothesis import example, given, settings, strategies

from cli import installed
from cli.aws import LOCAL_KEY
from cli.main import main
from cli.options import Url
from cli.streams import flush_or_discard, say
from local.cloud import Options
from local.environment import ACCESS_KEY, SECRET_KEY
from tests.running import broken_pipe

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, str(ROOT / "cli"))
RECONCILE = ("reconcile", "--table", "t", "--region", "eu-west-1")
OPERATORS = ["delete", "doctor", "failures", "logs", "reconcile", "smoke-test", "status", "verify"]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert main([option]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Usage: counter ")
    for command, text in (("local", "Run the stack on"), ("test", "Run the tests"), ("reconcile", "Bring")):
        assert re.search(rf"^  {command} +{text}", out, re.MULTILINE)
    # Every command is described in one line that is not cut off.
    assert "..." not in out.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage: counter "),
        (["nonsense"], "No such command 'nonsense'"),
        (["local", "--nonsense"], "No such option '--nonsense'"),
        (["local", "surplus"], "Got unexpected extra argument (surplus)"),
        (["smoke-test", "--table", "t"], "Missing option '--api-endpoint'"),
        (["delete", "", "--table", "t", "--yes"], "The tag is empty; allowed: 1 character or more."),
    ],
)
def test_a_wrong_call_is_status_2_with_the_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage: counter" in captured.err
    assert message in captured.err


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5", "", "²", "9" * 5000])
def test_an_invalid_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", f"--port={port}"]) == 2
    expected = f"Invalid value for '--port': {port!r} is not a valid port; allowed: 0 to 65535\n"
    assert expected in capsys.readouterr().err


@settings(max_examples=30)
@given(strategies.from_regex(r"\Ahttps?://[\[\]a-z0-9.:_-]{1,8}(:[0-9]{0,6})?(/.?)?\Z"))
@example("http://127.0.0.1:4566")
@example("http://[::1]:4566")
def test_every_address_that_is_accepted_makes_a_client(address: str) -> None:
    # The SDK refuses others with a ValueError.
    with suppress(click.BadParameter):
        client = boto3.client("sts", region_name="eu-west-1", endpoint_url=Url().convert(address, None, None))
        assert client.meta.endpoint_url == address


@pytest.mark.parametrize("address", ["http://127.0.0.1:4566", "http://[::1]:4566", "https://dynamodb.example.org/path"])
def test_an_address_is_accepted(address: str) -> None:
    assert Url().convert(address, None, None) == address


@pytest.mark.parametrize("address", ["nonsense", "http://", "ftp://host", "http://host:99999", "http://a b", ""])
def test_an_invalid_address_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RECONCILE, "--endpoint-url", address]) == 2
    expected = (
        f"Invalid value for '--endpoint-url': {address!r} is not a URL; allowed: http:// or https:// and a host\n"
    )
    assert expected in capsys.readouterr().err


def test_the_defaults_of_local(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def run(*arguments: Any, **switches: bool) -> int:
        calls.append((arguments, switches))
        return 7

    monkeypatch.setattr("local.run.run", run)
    assert main(["local"]) == 7
    assert calls == [((Options(ROOT, "dev", sys.executable, None),), {"as_json": False, "watch": False})]


def test_pytest_gets_its_arguments_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *arguments: calls.append((Path.cwd(), *arguments)))
    monkeypatch.setattr(os, "chdir", calls.append)
    arguments = ["-k", "a and b", "tests/cli", "-n0", "--", "--unknown=1", "-h", "--help"]
    main(["test", *arguments])
    assert calls[0] == ROOT
    program, command = calls[1][1:]
    assert program == sys.executable
    assert command[:3] == [sys.executable, "-m", "pytest"]
    assert command[-len(arguments) :] == arguments


@pytest.fixture
def blocked() -> Iterator[None]:
    """Block Ctrl-C in the processes that the test starts, as the wrapper does."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def interrupt(process: subprocess.Popen[str]) -> str:
    """Send the signal of Ctrl-C and return what the process writes to standard error."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=20)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.mark.usefixtures("blocked")
@pytest.mark.parametrize("imports", [0, 1, 50, 120, 600])
def test_ctrl_c_before_a_command_begins_ends_it_silently(imports: int) -> None:
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
    lines = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, lines) == (-signal.SIGINT, [])


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
    assert errors.splitlines()[-1] == "counter: stopped; the next `counter reconcile` continues"
    assert "Traceback" not in errors


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("--help",), ("reconcile", "--help")])
class TestAStandardOutput:
    """Standard output that is full, closed, or has no reader."""

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


def test_a_result_without_a_reader_does_not_change_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    with os.fdopen(broken_pipe(), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        say("lost")
        flush_or_discard()
        say("lost, too")


def test_in_an_installed_distribution_it_has_the_operators_commands_alone(tmp_path: Path) -> None:
    package = tmp_path / "stream_triggered_counter"
    shutil.copytree(ROOT / "cli", package / "cli", ignore=shutil.ignore_patterns("checkout", "__pycache__"))
    shutil.copytree(ROOT / "functions", package / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").touch()
    script = (
        "import sys\n"
        "from stream_triggered_counter.cli import aws, console, core, main\n"
        "print(core.Total.__module__, sorted(main.counter.commands))\n"
        "print({'cli', 'functions', 'local', 'components'} & sys.modules.keys())\n"
        "sys.exit(main.main(['smoke-test', '--table', 't']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    module = "stream_triggered_counter.functions.total.total"
    assert (done.returncode, done.stdout) == (2, f"{module} {OPERATORS}\nset()\n")
    assert done.stderr.endswith("Error: Missing option '--api-endpoint'.\n")


def test_the_keys_for_a_local_cloud_are_its_own() -> None:
    assert {LOCAL_KEY} == {ACCESS_KEY, SECRET_KEY}


def test_without_its_packages_the_installed_command_names_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(installed, "find_spec", lambda name: None if name in ("boto3", "rich") else object())
    assert installed.main() == 1
    expected = "the packages boto3, rich must be installed: pip install 'stream-triggered-counter[cli]'"
    assert capsys.readouterr().err == f"counter: {expected}\n"
    monkeypatch.setattr(installed, "find_spec", lambda name: object())
    monkeypatch.setattr("cli.main.run", lambda: 7)
    assert installed.main() == 7
