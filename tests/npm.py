"""Tools from npm for the tests that use them, installed once into a cache outside the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stream-triggered-counter"
OPTIONS = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error")


def installed(name: str, *packages: str) -> Path:
    """Return the folder of `packages`, each with its version, from the registry that npm is configured for.

    Skips the test, saying what to install, if Node.js with npm is missing or the packages cannot be had.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"{name} needs Node.js with npm (20.19 or later), which is not installed")
    home = CACHE / "-".join([name, *(package.rpartition("@")[2] for package in packages)])
    if not home.exists():
        part = home.with_name(f"{home.name}-{uuid.uuid4().hex}")
        part.mkdir(parents=True)
        try:
            done = subprocess.run(
                [npm, "install", "--prefix", str(part), *OPTIONS, *packages],
                cwd=part,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except subprocess.TimeoutExpired:
            shutil.rmtree(part)
            pytest.skip(f"npm cannot install {', '.join(packages)} within 60 s; is there a network?")
        if done.returncode:
            shutil.rmtree(part)
            pytest.skip(f"npm cannot install {', '.join(packages)}: {done.stderr[-500:]}")
        try:
            part.rename(home)
        except OSError:
            # Another process was faster.
            shutil.rmtree(part)
    return home
