"""The machine that a chapter was measured on."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("botocore", "aws-lambda-powertools", "ministack", "pulumi")
"""The packages whose versions matter to figures."""


def describe() -> dict[str, Any]:
    """Describe this machine, its software, and the project's commit."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "loadAverage": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "measured": datetime.now(UTC).isoformat(timespec="minutes").replace("+00:00", "Z"),
    }


def sentence(machine: Mapping[str, Any]) -> str:
    """Write a description as one sentence."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"Measured {machine['measured']} at commit `{machine['commit']}` on {machine['cores']} cores of "
        f"{machine['processor']} ({machine['memoryGiB']:g} GiB, {machine['system']}; load {machine['loadAverage']:g} "
        f"at the start), Python {machine['python']}, {packages}."
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or "an unknown processor"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else "unknown"
