"""A counter's table on moto; and a checkout with the wrapper, which is prepared without a network."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from moto import mock_aws

from cli import aws
from cli.commands import reconcile, verify
from tests.cli.counted import Counted
from tests.share import IN_CI

ROOT = Path(__file__).resolve().parents[2]
# What the wrapper may use besides a Python.
OLD_PYTHON = 'case "$1" in --version) echo "Python 3.8.1" ;; *) exit 1 ;; esac'
TOOLS = ("sh", "dirname", "readlink", "cat", "cksum")
# What `uv venv` does with a folder, its last argument: pip comes with `--seed` alone, and here as an empty package.
UV_VENV = """
import pathlib, sys, venv
folder = pathlib.Path(sys.argv[-1])
venv.create(folder)
if "--seed" in sys.argv:
    package = next(folder.glob("lib/python*")) / "site-packages" / "pip"
    package.mkdir()
    (package / "__init__.py").touch()
    (folder / "bin" / "pip").touch(0o755)
"""


class Checkout:
    """A copy of the files that prepare the environment, and a search path that the test fills."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout's folder"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.root.mkdir()
        shutil.copy2(ROOT / "counter", self.root)
        shutil.copytree(ROOT / "cli", self.root / "cli", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "click").symlink_to(Path(click.__file__).parent)
        for name in ("", "-local", "-dev", "-benchmarks"):
            (self.root / f"requirements{name}.txt").write_text("# nothing\n", encoding="utf-8")
        (self.root / "constraints.txt").write_text("# nothing\n", encoding="utf-8")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is needed to run the wrapper"
            (self.bin / tool).symlink_to(found)

    def add_program(self, name: str, script: str) -> None:
        """Put a shell script on the search path."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def add_python(self, name: str = "python3") -> None:
        """Put this Python on the search path."""
        self.add_program(name, f'exec "{sys.executable}" "$@"')

    def add_uv(self, pip: str = "exit 0") -> None:
        """Put a program on the search path that does what uv does, in a moment, and `pip` to install packages."""
        (self.bin / "uv-venv.py").write_text(UV_VENV, encoding="utf-8")
        venv = f'exec "{sys.executable}" "{self.bin}/uv-venv.py" "$@"'
        self.add_program("uv", f'echo "$@" >> "{self.bin}/uv.log"\ncase "$1" in venv) {venv} ;; esac\n{pip}')

    def run(self, *arguments: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call the wrapper from another folder, with nothing in the environment but the search path."""
        return subprocess.run(
            [self.bin / "sh", path or self.root / "counter", *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": str(self.bin), "HOME": str(self.bin), **environment},
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Call the wrapper and do not wait for it."""
        return subprocess.Popen(
            [self.bin / "sh", self.root / "counter", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": str(self.bin), "HOME": str(self.bin)},
        )


class Prepared(Checkout):
    """A checkout that was called once."""

    first: subprocess.CompletedProcess[str]


def no_venv(python: Path) -> str:
    """Return the script of a Python without venv, as Debian installs it."""
    return f'case "$2" in *ensurepip*) exit 1 ;; esac\nexec "{python}" "$@"'


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Make a checkout without an environment."""
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Make a checkout whose environment is complete, with unusable Pythons on the search path."""
    checkout = Prepared(tmp_path_factory.mktemp("prepared"))
    if not IN_CI:
        # Python's own way of making an environment with pip takes seconds.
        checkout.add_uv()
    checkout.add_python("real")
    checkout.add_program("python3.14", OLD_PYTHON)
    checkout.add_program("python3.12", no_venv(checkout.bin / "real"))
    checkout.add_python()
    checkout.first = checkout.run("--help")
    assert checkout.first.returncode == 0, checkout.first.stderr
    return checkout


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Counted]:
    """Make a counter's table. While `reconcile` waits, its stream is delivered."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        found = Counted(capsys)
        clock = SimpleNamespace(now=0.0)

        def sleep(seconds: float) -> None:
            clock.now += seconds
            found.waits()

        slow = SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep, time=time.time)
        monkeypatch.setattr(reconcile, "time", slow)
        monkeypatch.setattr(verify, "time", slow)
        # A session of its own would read botocore's data again for each command.
        session = aws.new_session()
        monkeypatch.setattr(aws, "new_session", lambda: session)
        yield found
