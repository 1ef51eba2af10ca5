"""Prepares .venv for `./counter`: runs in the system's Python, before anything is installed.

Called with the requirements to install (`local`, `dev` or `benchmarks`) and their checksum, which is written to a
marker file once everything is in place: an environment whose marker is missing or differs is not complete.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
CLEAR_LINE = "\r\x1b[K"
NETWORK_SIGNS = ("NewConnectionError", "NameResolutionError", "ConnectTimeout", "Failed to establish", "error sending")
# Compiling every module of the AWS SDK would take longer than all else; Python compiles what it imports.
PIP_OPTIONS = ("--no-compile", "--prefer-binary", "--disable-pip-version-check", "--no-input", "--retries", "2")


class PrepareError(Exception):
    """The environment cannot be prepared; the message is a sentence for the user."""


def main() -> int:
    """Prepare the environment and return the exit status."""
    name, checksum = sys.argv[1:3]
    try:
        # The wrapper starts this with Ctrl-C blocked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        # The system frees the lock when the process ends, however it ends.
        with (ROOT / "constraints.txt").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _show("Waiting for another start that prepares .venv")
                fcntl.flock(lock, fcntl.LOCK_EX)
            # The other start may have prepared this one's, too.
            if not (is_usable() and _marker(name).exists() and _marker(name).read_text().strip() == checksum):
                prepare(name, checksum)
    except PrepareError as error:
        _show(f"counter: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare(name: str, checksum: str) -> None:
    """Install the requirements, in a new environment if there is none that can be used."""
    if not os.access(ROOT, os.W_OK):
        raise PrepareError(f"cannot write to {ROOT}, where the environment .venv belongs")
    started = time.monotonic()
    uv = shutil.which("uv")
    _show(f"Preparing {VENV} (once; it takes about a minute)")
    if not is_usable():
        create(uv)
    install(name, uv)
    # The requirements of the tests and of the benchmarks include those of the other commands.
    for each in {name, "local"}:
        part = _marker(each).with_suffix(".part")
        part.write_text(f"{checksum}\n")
        part.replace(_marker(each))
    _show(f"Prepared in {time.monotonic() - started:.0f} s")


def is_usable() -> bool:
    """Tell whether the environment's Python starts, is recent enough, and has pip, which `pulumi up` uses there."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if not os.access(VENV / "bin" / "pip", os.X_OK):
        return False
    with contextlib.suppress(OSError):
        python = VENV / "bin" / "python"
        return subprocess.run([python, "-I", "-c", check], capture_output=True, check=False).returncode == 0  # noqa: S603
    return False


def create(uv: str | None) -> None:
    """Make an empty environment with pip, in place of whatever is there."""
    if VENV.is_dir() and not VENV.is_symlink():
        shutil.rmtree(VENV)
    else:
        VENV.unlink(missing_ok=True)
    # By itself, uv leaves pip out.
    by_uv = [uv, "venv", "--quiet", "--seed", "--python", sys.executable] if uv else None
    status, output = _execute([*(by_uv or [sys.executable, "-I", "-m", "venv"]), str(VENV)])
    if status:
        shutil.rmtree(VENV, ignore_errors=True)
        if _is_network_error(output):
            raise PrepareError(f"cannot download pip; is there a network? ({_reason(output)})")
        raise PrepareError(
            f"cannot make a virtual environment in {VENV} ({_reason(output)}); "
            "on Debian and Ubuntu: apt install python3-venv"
        )


def install(name: str, uv: str | None) -> None:
    """Install the requirements."""
    python = str(VENV / "bin" / "python")
    installer = (
        [uv, "pip", "install", "--python", python] if uv else [python, "-I", "-m", "pip", "install", *PIP_OPTIONS]
    )
    files = ["-r", str(ROOT / f"requirements-{name}.txt"), "-c", str(ROOT / "constraints.txt")]
    status, output = _execute([*installer, *files])
    log = VENV / "counter-install.log"
    log.write_text(output, encoding="utf-8")
    if status and _is_network_error(output):
        raise PrepareError(f"cannot download the packages; is there a network? ({log} has the details)")
    if status:
        raise PrepareError(f"cannot install the packages: {_reason(output)} ({log} has the details)")


def _execute(command: list[str]) -> tuple[int, str]:
    """Run an installer and return its status and output; on a terminal, show which package pip is at."""
    lines = []
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if sys.stderr.isatty() and line.startswith("Collecting "):
                _show(f"  {line.split()[1][:70]}", end="")
    if sys.stderr.isatty():
        _show("", end="")
    return process.returncode, "".join(lines)


def _is_network_error(output: str) -> bool:
    return any(sign in output for sign in NETWORK_SIGNS)


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no message"]
    return next((line for line in lines if line.lower().startswith("error")), lines[-1])


def _marker(name: str) -> Path:
    return VENV / f".counter-{name}"


def _show(text: str, *, end: str = "\n") -> None:
    sys.stderr.write(f"{CLEAR_LINE if sys.stderr.isatty() else ''}{text}{end}")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
