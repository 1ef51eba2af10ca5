"""The emulator's process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import process
from local.emulator.process import Emulator, EmulatorError, PortInUseError
from tests.local.conftest import REGION, Cloud

ROOT = Path(__file__).resolve().parents[2]


def start(port: int = 0) -> Emulator:
    return Emulator(port=port, region=REGION, on_event=lambda _: None)


def test_it_listens_on_the_loopback_interface_alone(cloud: Cloud) -> None:
    cloud.emulator.wait(30)
    with socket.create_connection(("127.0.0.1", cloud.emulator.port), timeout=5):
        pass
    # Another address of this machine: a server on all interfaces would answer there.
    with pytest.raises(OSError, match=r"refused|assign|timed out|unreachable"):
        socket.create_connection(("127.0.0.2", cloud.emulator.port), timeout=1)


def test_a_taken_port_is_a_sentence(cloud: Cloud) -> None:
    expected = f"^port {cloud.emulator.port} is in use; choose another with --port, or 0 for any free one$"
    with pytest.raises(PortInUseError, match=expected):
        start(cloud.emulator.port)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator that a test may end, or keep from answering."""
    emulator = start()
    emulator.wait(30)
    yield emulator
    if emulator._process.poll() is None:
        os.kill(emulator._process.pid, signal.SIGCONT)
    emulator.stop()


def test_stopping_ends_it_without_force_and_removes_its_files(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy the machine is, it is not killed while it ends by itself.
    monkeypatch.setattr(process, "_STOP_SECONDS", 60.0)
    directory = emulator._directory
    assert directory.is_dir()
    emulator.stop()
    emulator.stop()
    assert not directory.exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", emulator.port), timeout=5)
    with pytest.raises(EmulatorError, match="the emulator ended with status -15"):
        emulator.check()


def test_an_emulator_that_ends_by_itself_is_reported_with_its_log(emulator: Emulator) -> None:
    os.kill(emulator._process.pid, signal.SIGKILL)
    emulator._process.wait(10)
    with pytest.raises(EmulatorError, match=r"ended with status -9; the end of its log:\n(?s:.*)Ready"):
        emulator.wait(5)


def test_an_emulator_that_never_answers_is_given_up(emulator: Emulator) -> None:
    os.kill(emulator._process.pid, signal.SIGSTOP)
    with pytest.raises(EmulatorError, match=r"did not respond within 0\.3 s"):
        emulator.wait(0.3)


def test_it_ends_with_its_parent_however_that_ends() -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from local.emulator.process import Emulator\n"
        "emulator = Emulator(port=0, region='eu-west-1', on_event=print); emulator.wait(30)\n"
        "print(emulator._process.pid, emulator._directory, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    pid, directory = done.stdout.split()
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (_is_running(int(pid)) or Path(directory).exists()):
        time.sleep(0.05)
    assert not _is_running(int(pid))
    assert not Path(directory).exists()


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")
