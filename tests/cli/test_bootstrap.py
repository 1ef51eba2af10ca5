"""The parts of the preparation that the wrapper's tests do not reach."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cli.checkout import bootstrap
from tests.cli.conftest import ROOT, Checkout


def test_a_second_start_waits_for_the_first(checkout: Checkout) -> None:
    checkout.add_uv()
    handle = os.open(checkout.root / "constraints.txt", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    command = [sys.executable, "-I", str(checkout.root / "cli" / "checkout" / "bootstrap.py"), "local", "1 2"]
    environment = {"PATH": str(checkout.bin), "HOME": str(checkout.bin)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    assert process.stderr.readline() == "Waiting for another start that prepares .venv\n"
    time.sleep(0.2)
    assert process.poll() is None
    assert not (checkout.root / ".venv").exists()
    os.close(handle)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert (checkout.root / ".venv" / ".counter-local").read_text(encoding="utf-8") == "1 2\n"


@pytest.mark.parametrize("uv", ["/bin/uv", None])
@pytest.mark.parametrize("pip", [True, False])
def test_an_environment_without_pip_is_made_again_with_uv_and_without(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, uv: str | None, pip: bool
) -> None:
    checkout.add_python()
    checkout.add_uv()
    assert checkout.run("--help").returncode == 0
    if not pip:
        (checkout.root / ".venv" / "bin" / "pip").unlink()
    calls: list[str | None] = []
    monkeypatch.setattr(bootstrap, "VENV", checkout.root / ".venv")
    monkeypatch.setattr(bootstrap, "create", calls.append)
    monkeypatch.setattr(bootstrap, "install", lambda *_: None)
    monkeypatch.setattr(bootstrap, "verify", lambda *_: None)
    monkeypatch.setattr(shutil, "which", lambda _: uv)
    bootstrap.prepare("local", "1 2")
    assert calls == ([] if pip else [uv])


def test_ctrl_c_before_it_begins_ends_it_silently(checkout: Checkout) -> None:
    command = [sys.executable, "-I", str(checkout.root / "cli" / "checkout" / "bootstrap.py"), "local", "1 2"]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # Blocked by the wrapper, it waits until Python can handle it.
        script = ["sh", "-c", 'kill -INT $$; exec "$@"', "sh", *command]
        done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_requirements_build_on_each_other() -> None:
    for name, base in (
        ("benchmarks", "requirements-local.txt"),
        ("dev", "requirements-local.txt"),
        ("local", "requirements.txt"),
    ):
        assert f"-r {base}" in (ROOT / f"requirements-{name}.txt").read_text(encoding="utf-8").splitlines()


def test_every_requirement_is_pinned_and_agrees_with_the_constraints() -> None:
    constraints = _pins("constraints.txt")
    for name in (f"requirements{name}.txt" for name in ("", "-local", "-dev", "-benchmarks")):
        pins = _pins(name)
        assert pins
        assert {package: constraints.get(package) for package in pins} == pins


def test_a_folder_that_may_not_be_written_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(bootstrap.PrepareError, match=r"^cannot write to .*, where the environment \.venv belongs$"):
        bootstrap.prepare("local", "1 2")


def _pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = {}
    for line in lines:
        if line and not line.startswith(("#", "-r ")):
            package, separator, version = line.partition("==")
            assert separator, f"{name}: {line!r} is not pinned"
            found[package.lower().replace("_", "-")] = version
    return found
