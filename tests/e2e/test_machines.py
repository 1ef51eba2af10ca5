"""The local cloud on machines with settings that have nothing to do with it."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT, RunningCloud

NOWHERE = "http://127.0.0.1:9"
PROXIES = (
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "grpc_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "GRPC_PROXY",
)
HOSTILE = {
    **dict.fromkeys(PROXIES, NOWHERE),
    "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii",
    "AWS_PROFILE": "missing", "AWS_CONFIG_FILE": "/nowhere", "AWS_CA_BUNDLE": "/nowhere", "AWS_RETRY_MODE": "x",
    "AWS_USE_FIPS_ENDPOINT": "true", "AWS_MAX_ATTEMPTS": "x",
}  # fmt: skip


def copy_checkout(folder: Path) -> Path:
    for name in ("cli", "components", "functions", "local"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy2(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """Start a local cloud from a folder whose name is not ASCII, with settings that must not matter."""
    root = copy_checkout(tmp_path_factory.mktemp("Über uns 😀"))
    cloud = RunningCloud("--port", "0", environment=HOSTILE, root=root)
    yield cloud
    cloud.kill()


def test_local_cloud_runs_on_a_hostile_machine(hostile: RunningCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert hostile.request("/tag/%F0%9F%98%80", "POST").json == {"tag": "😀", "count": 1}
    # The feed goes on after a tag that its stream cannot encode.
    assert hostile.request("/tag/later", "POST").status == 200
    deadline = time.monotonic() + 20
    while "/tag/later  200" not in hostile.errors:
        assert time.monotonic() < deadline, hostile.errors
        time.sleep(0.1)
    assert "POST    /tag/\\U0001f600  200" in hostile.errors
    assert "Traceback" not in hostile.errors


def test_path_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    folder = Path(f"{tmp_path}/caf\udce9")
    folder.mkdir()
    root = copy_checkout(folder)
    command = [sys.executable, str(root / "cli"), "local", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("is not a UTF-8 path, which Pulumi requires; rename the folder")
    assert "Traceback" not in done.stderr
