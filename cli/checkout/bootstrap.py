"""Prepares .venv for `./counter`: runs in the system's Python, before anything is installed.

Called with the set to install (`local` or `dev`) and the checksum of the requirements, which is written to a marker
file once all is in place: an environment whose marker is missing or differs is not complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
FILES = {
    "local": ("requirements.txt", "requirements-local.txt"),
    "dev": ("requirements.txt", "requirements-local.txt", "requirements-dev.txt"),
}
_NETWORK_SIGNS = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeout",
    "Failed to establish",
    "error sending request",
)
_CLEAR = "\r\x1b[K"


class PrepareError(Exception):
    """The environment cannot be prepared; the message is a sentence for the user."""


def main() -> int:
    """Prepare the environment and return the exit status."""
    name, checksum = sys.argv[1:3]
    try:
        # The wrapper starts this with Ctrl-C blocked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        with _lock():
            # Another start may have done it while this one waited.
            if _read(_marker(name)) != checksum or not _has_pip():
                _prepare(name, checksum)
    except PrepareError as error:
        sys.stderr.write(f"counter: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _prepare(name: str, checksum: str) -> None:
    if not os.access(ROOT, os.W_OK):
        raise PrepareError(f"cannot write to {ROOT}, where the environment .venv belongs")
    started = time.monotonic()
    uv = shutil.which("uv")
    _show(f"Preparing {VENV} (once; it takes about a minute)")
    if not _has_pip():
        _make(uv)
    _install(name, uv)
    # A complete dev environment is a complete local one, too.
    for done in FILES if name == "dev" else (name,):
        part = _marker(done).with_suffix(".part")
        part.write_text(checksum + "\n", encoding="utf-8")
        part.replace(_marker(done))
    _show(f"Prepared in {time.monotonic() - started:.0f} s")


def _make(uv: str | None) -> None:
    # With pip, which uv leaves out by itself: the Pulumi CLI uses the same environment, and asks pip what is installed.
    command = (
        [uv, "venv", "--quiet", "--seed", "--python", sys.executable] if uv else [sys.executable, "-I", "-m", "venv"]
    )
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    done = subprocess.run([*command, str(VENV)], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        output = done.stdout + done.stderr
        if any(sign in output for sign in _NETWORK_SIGNS):
            raise PrepareError(f"cannot download pip; is there a network? ({_last_line(output)})")
        detail = _last_line(output)
        raise PrepareError(
            f"cannot make a virtual environment in {VENV} ({detail}); on Debian and Ubuntu: apt install python3-venv"
        )


def _install(name: str, uv: str | None) -> None:
    python = str(VENV / "bin" / "python")
    files = [argument for file in FILES[name] for argument in ("-r", str(ROOT / file))]
    constraints = ["-c", str(ROOT / "constraints.txt")]
    # Compiling every module of the AWS SDK takes longer than all else; Python compiles what it imports.
    command = (
        [uv, "pip", "install", "--python", python, *files, *constraints]
        if uv
        else [python, "-I", "-m", "pip", "install", "--no-compile", "--prefer-binary", "--disable-pip-version-check",
              "--no-input", "--retries", "2", "--progress-bar", "off", *files, *constraints]
    )  # fmt: skip
    log = VENV / "counter-install.log"
    with log.open("w", encoding="utf-8") as record:
        status = _run_shown(command, record)
    if status:
        raise PrepareError(_explain(log))


def _run_shown(command: list[str], record: IO[str]) -> int:
    """Run the installer, recording what it says, and on a terminal showing which package it is at."""
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    seen = 0
    try:
        for line in process.stdout:
            record.write(line)
            if line.startswith("Collecting "):
                seen += 1
                _show(f"  {seen} packages: {line.split()[1]}", passing=True)
            elif line.startswith("Installing collected"):
                _show(f"  installing {seen} packages", passing=True)
        return process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        if sys.stderr.isatty():
            sys.stderr.write(_CLEAR)


def _explain(log: Path) -> str:
    text = log.read_text(encoding="utf-8")
    if any(sign in text for sign in _NETWORK_SIGNS):
        return f"cannot download the packages; is there a network? ({log} has the details)"
    errors = [line for line in text.splitlines() if line.lower().startswith("error")]
    return f"cannot install the packages: {errors[0] if errors else _last_line(text)} ({log} has the details)"


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    """Keep a second start out until this one is done; the system frees the lock of a process that dies."""
    handle = os.open(ROOT / "constraints.txt", os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _show("Waiting for another start that prepares .venv")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _has_pip() -> bool:
    """Tell whether the environment's Python starts, is recent enough, and has pip, as a module and as a command."""
    python = VENV / "bin" / "python"
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if not os.access(VENV / "bin" / "pip", os.X_OK):
        return False
    try:
        return subprocess.run([python, "-I", "-c", check], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def _marker(name: str) -> Path:
    return VENV / f".counter-{name}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def _show(text: str, *, passing: bool = False) -> None:
    if not passing:
        sys.stderr.write(f"{text}\n")
    elif sys.stderr.isatty():
        sys.stderr.write(f"{_CLEAR}{text[:100]}")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
