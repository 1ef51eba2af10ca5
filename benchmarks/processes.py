"""Programs in fresh interpreters, measured: processor time, memory, and instructions if Valgrind is installed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

FUNCTION: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "t" * 400,
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "TABLE_NAME": "visits",
    "IDEMPOTENCY_TABLE_NAME": "visits-idempotency",
    "METRICS_NAMESPACE": "StreamTriggeredCounter",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
}
"""The environment of a function, as far as it matters here."""

TIMEOUT = 300


# Linux passes the peak of `getrusage` on to the programs that a process starts, so it may be this process's own.
_PRINT_PEAK = """
import pathlib, resource, sys
status = pathlib.Path("/proc/self/status")
if status.exists():
    print(next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**10)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))
"""


class Usage(NamedTuple):
    """What a process used: seconds of processor time, and at most how many MiB of memory."""

    cpu: float
    memory: float


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with a function's variables and `variables`, without this process's settings of AWS."""
    dropped = ("AWS_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", **FUNCTION, **variables}


def used(code: str, variables: Mapping[str, str]) -> Usage:
    """Run Python code, and return what its process used. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-c", f"{code}\n{_PRINT_PEAK}"]
    with subprocess.Popen(command, env=environment(**variables), stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(usage.ru_utime + usage.ru_stime, float(printed.split()[-1]))


def counts_instructions() -> bool:
    """Whether Valgrind is installed."""
    return shutil.which("valgrind") is not None


def instructions(code: str, variables: Mapping[str, str]) -> int:
    """Run Python code under Valgrind, and return the number of instructions, which hardly varies."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(  # noqa: S603
        [*command, sys.executable, "-c", code],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    return instructions_in(done.stderr)


def instructions_in(shown: str) -> int:
    """Return the number of instructions in Valgrind's report. Raises ValueError if it has none."""
    found = re.search(r"I\s+refs:\s+([0-9,]+)", shown)
    if found is None:
        raise ValueError(f"Valgrind reported no instructions: {shown[-300:]!r}")
    return int(found[1].replace(",", ""))
