"""Installing DynamoDB Local: once, completely, or with a message that says what is missing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.dynamodb_local.conftest import install_or_skip
from tests.dynamodb_local.engine import InstallError, MissingToolError, install


@pytest.fixture
def fake_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the whole search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return folder


def add_tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f'#!/bin/sh\necho {name} >> "$LOG"\n{script}\n', encoding="utf-8")
    (folder / name).chmod(0o755)


def test_missing_engine_skips_tests_but_not_in_ci(
    fake_tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tool(fake_tools, "java", "exit 0")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="javac is missing"):
        install_or_skip(tmp_path / "cache")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception, match="javac is missing"):
        install_or_skip(tmp_path / "cache")
    for name in ("javac", "mvn"):
        add_tool(fake_tools, name, "echo offline; exit 1")
    with pytest.raises(InstallError, match="mvn failed: offline"):
        install_or_skip(tmp_path / "cache")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="mvn failed: offline"):
        install_or_skip(tmp_path / "cache")


@pytest.mark.parametrize("missing", ["java", "javac", "mvn"])
def test_error_names_the_missing_tool_and_the_packages(fake_tools: Path, tmp_path: Path, missing: str) -> None:
    for name in {"java", "javac", "mvn"} - {missing}:
        add_tool(fake_tools, name, "exit 1")
    with pytest.raises(MissingToolError, match=rf"JDK of 17 or later and Maven .*; {missing} is missing"):
        install(tmp_path / "cache")


def test_failed_installation_can_be_repeated(fake_tools: Path, tmp_path: Path) -> None:
    for name in ("java", "javac"):
        add_tool(fake_tools, name, "exit 0")
    add_tool(fake_tools, "mvn", "echo '[ERROR] no network'; exit 1")
    cache = tmp_path / "cache"
    with pytest.raises(InstallError, match=r"mvn failed: \[ERROR\] no network"):
        install(cache)
    assert [path.name for path in cache.iterdir()] == ["lock"]
    add_tool(fake_tools, "mvn", "/bin/mkdir -p done/lib; /bin/sleep 0.2")
    with ThreadPoolExecutor(3) as pool:
        folders = set(pool.map(lambda _: install(cache), range(3)))
    assert len(folders) == 1
    assert (folders.pop() / "lib").is_dir()
    # One failure and one installation: concurrent processes did not install it again.
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["mvn", "mvn", "javac"]
