"""Prepares .venv for `./counter`: runs in the system's Python, before anything is installed.

Called with the requirements to install (`local`, `dev` or `benchmarks`) and their checksum, which is written to a
marker file once every package can be imported: an environment whose marker is missing or differs is not complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    # Python's option -I leaves out the folder of the script.
    sys.path.insert(0, str(ROOT))

from cli.checkout import installer  # noqa: E402

VENV = ROOT / ".venv"
CLEAR_LINE = "\r\x1b[K"
# Compiling every module of the AWS SDK would take longer than all else; Python compiles what it imports.
PIP_OPTIONS = ("--no-compile", "--prefer-binary", "--disable-pip-version-check", "--no-input")
# Prints the first package that is missing, has another version, or cannot be imported.
CHECK = """
import importlib, sys
from importlib import metadata

modules = {}
for module, names in metadata.packages_distributions().items():
    for name in names:
        modules.setdefault(name.lower().replace("_", "-"), set()).add(module)
for pin in sys.argv[1:]:
    name, _, version = pin.partition("==")
    try:
        if metadata.version(name) != version:
            sys.exit(f"{name} is {metadata.version(name)} instead of {version}")
        for module in sorted(modules.get(name.lower().replace("_", "-"), ())):
            if module.isidentifier() and not module.startswith("_"):
                importlib.import_module(module)
    except Exception as error:
        sys.exit(f"{name} cannot be imported: {type(error).__name__}: {error}")
"""


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
    except (PrepareError, installer.SettingsError) as error:
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
    # Half of a package can look like one that is installed, so an environment with this file is made again.
    _incomplete().touch()
    install(name, uv)
    verify(name)
    _incomplete().unlink()
    # The requirements of the tests and of the benchmarks include those of the other commands.
    for each in {name, "local"}:
        part = _marker(each).with_suffix(".part")
        part.write_text(f"{checksum}\n")
        part.replace(_marker(each))
    _show(f"Prepared in {time.monotonic() - started:.0f} s")


def is_usable() -> bool:
    """Tell whether the environment's Python starts, is recent enough, and has pip, which `pulumi up` uses there."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if _incomplete().exists() or not os.access(VENV / "bin" / "pip", os.X_OK):
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
    options = ["venv", "--quiet", "--seed", "--python", sys.executable, str(VENV)]
    status, output = _run_uv(uv, options) if uv else _execute([sys.executable, "-I", "-m", "venv", str(VENV)])
    if status:
        shutil.rmtree(VENV, ignore_errors=True)
        if reason := installer.explain(output, by_uv=bool(uv)):
            raise PrepareError(f"cannot download pip; {reason} ({installer.first_error(output)})")
        raise PrepareError(
            f"cannot make a virtual environment in {VENV} ({installer.first_error(output)}); "
            "on Debian and Ubuntu: apt install python3-venv"
        )


def install(name: str, uv: str | None) -> None:
    """Install the requirements."""
    files = ["-r", str(ROOT / f"requirements-{name}.txt"), "-c", str(ROOT / "constraints.txt")]
    log = VENV / "counter-install.log"
    log.unlink(missing_ok=True)
    if uv:
        status, output = _run_uv(uv, ["pip", "install", "--python", str(VENV / "bin" / "python"), *files])
        log.write_text(output, encoding="utf-8")
    else:
        status, output = _run_pip(["install", *PIP_OPTIONS, "--log", str(log), *files])
    if status:
        # pip's log has more than its output, such as the reasons why a page could not be fetched.
        details = log.read_text(encoding="utf-8", errors="replace") if log.exists() else output
        if reason := installer.explain(details, by_uv=bool(uv)):
            raise PrepareError(f"cannot download the packages; {reason} ({log} has the details)")
        raise PrepareError(f"cannot install the packages: {installer.first_error(output)} ({log} has the details)")


def verify(name: str) -> None:
    """Import the packages. Raises PrepareError if one of them is missing or does not work."""
    status, output = _execute([_python(), "-I", "-W", "ignore", "-c", CHECK, *pins(ROOT / f"requirements-{name}.txt")])
    if status:
        raise PrepareError(
            f"the packages are installed but do not work: {output.strip()}; the next start makes .venv anew"
        )


def pins(path: Path) -> Iterator[str]:
    """Return the requirements in a file, and in the files that it names, that are pinned: `name==version`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from pins(path.parent / line.removeprefix("-r ").strip())
        elif "==" in line and not line.startswith("#"):
            yield line.strip()


def _run_pip(arguments: list[str]) -> tuple[int, str]:
    pip = [_python(), "-I", "-m", "pip"]
    environment = installer.pip_environment(os.environ, lambda given: _execute([*pip, "config", "list"], given))
    # pip's five would take a minute without a network.
    return _execute([*pip, *arguments], {"PIP_RETRIES": "2", **environment})


def _run_uv(uv: str, arguments: list[str]) -> tuple[int, str]:
    with tempfile.NamedTemporaryFile("w", prefix="counter-uv-", suffix=".toml", encoding="utf-8") as file:
        file.write(installer.uv_configuration(os.environ, ROOT))
        file.flush()
        environment = installer.installer_environment(os.environ)
        return _execute([uv, *arguments], {**environment, "UV_CONFIG_FILE": file.name})


def _execute(command: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a program and return its status and output; on a terminal, show which package pip is at."""
    lines = []
    with subprocess.Popen(  # noqa: S603
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if sys.stderr.isatty() and line.startswith("Collecting "):
                _show(f"  {line.split()[1][:70]}", end="")
    if sys.stderr.isatty():
        _show("", end="")
    return process.returncode, "".join(lines)


def _python() -> str:
    return str(VENV / "bin" / "python")


def _marker(name: str) -> Path:
    return VENV / f".counter-{name}"


def _incomplete() -> Path:
    return VENV / ".counter-incomplete"


def _show(text: str, *, end: str = "\n") -> None:
    sys.stderr.write(f"{CLEAR_LINE if sys.stderr.isatty() else ''}{text}{end}")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
