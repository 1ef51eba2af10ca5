"""The command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.commands import local
from cli.main import main

ROOT = Path(__file__).resolve().parents[2]


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
