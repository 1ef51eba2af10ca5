"""Builds the Pulumi CLI and its SDK generators from their Go module, for machines that have Go but no CLI.

Prints the folder to put on PATH: `PATH="$(python tests/pulumi/build.py):$PATH"`. The first build takes several minutes
and 2 GB of memory; the result lies in a cache outside the project.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

MODULE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stream-triggered-counter"
SDK = "github.com/pulumi/pulumi/sdk/v3"
CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
RUNNER = "pulumi-language-python-exec"


class BuildError(Exception):
    """The CLI cannot be built; the message says why."""


def build(cache: Path = CACHE) -> Path:
    """Return the folder with `pulumi`, `sdkgen` and the Python runner, built if that was not done before."""
    if shutil.which("go") is None:
        raise BuildError("Go is not installed")
    pinned = b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum", "sdkgen/main.go", "build.py"))
    version = _go("list", "-m", "-f", "{{.Version}}", SDK)
    home = cache / f"pulumi-{version.removeprefix('v')}-{hashlib.sha256(pinned).hexdigest()[:8]}"
    if home.exists():
        return home
    part = home.with_name(f"{home.name}-{uuid.uuid4().hex}")
    part.mkdir(parents=True)
    try:
        stamp = f"-X {SDK}/go/common/version.Version={version}"
        _go("build", "-ldflags", stamp, "-o", str(part / "pulumi"), CLI)
        _go("build", "-o", str(part / "sdkgen"), "./sdkgen")
        sdk = Path(json.loads(_go("list", "-m", "-json", SDK))["Dir"])
        shutil.copyfile(sdk / "python" / "cmd" / RUNNER, part / RUNNER)
        (part / RUNNER).chmod(0o755)
        part.rename(home)
    except OSError as error:
        if not home.exists():
            raise BuildError(f"{error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return home


def _go(*arguments: str) -> str:
    done = subprocess.run(["go", *arguments], cwd=MODULE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"`go {' '.join(arguments[:1])}` failed: {done.stderr.strip()[-1500:]}")
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build()}\n")
    except BuildError as problem:
        sys.exit(f"{problem}")
