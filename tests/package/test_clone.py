"""A clone has the same bytes on every machine, whatever git is configured to do with line endings."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACK = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, ".")
from components.functions_package import function_archive
from local.archive import pack, read
print(hashlib.sha256(pack(read(function_archive(), Path(".")))).hexdigest())
"""
IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org")


def git(*arguments: str, cwd: Path) -> bytes:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Commit the files as they are now to a repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git repository")
    folder = tmp_path_factory.mktemp("repository")
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git("init", "--quiet", cwd=folder)
    git("-c", "core.autocrlf=false", "add", "--all", cwd=folder)
    git(*IDENTITY, "commit", "--quiet", "--message", "All files", cwd=folder)
    return folder


@pytest.mark.parametrize("settings", [["core.autocrlf=true"], ["core.autocrlf=input"], ["core.eol=crlf"]])
def test_clone_has_same_bytes_with_line_ending_settings(repository: Path, tmp_path: Path, settings: list[str]) -> None:
    options = [part for setting in settings for part in ("-c", setting)]
    git("clone", "--quiet", *options, str(repository), "clone", cwd=tmp_path)
    clone = tmp_path / "clone"
    names = [os.fsdecode(name) for name in git("ls-files", "-z", cwd=clone).split(b"\0") if name]
    assert len(names) > 300
    assert [name for name in names if (clone / name).read_bytes() != (repository / name).read_bytes()] == []
    assert git("status", "--porcelain", cwd=clone) == b""
    assert subprocess.run(["sh", "-n", clone / "counter"], check=False).returncode == 0
    assert pack_functions(clone) == pack_functions(ROOT)


def pack_functions(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", PACK], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_no_names_differ_only_in_case() -> None:
    """Windows and macOS cannot check out both of them."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git repository")
    names = os.fsdecode(git("ls-files", "-z", cwd=ROOT)).split("\0")
    assert len({name.lower() for name in names}) == len(names)
    assert [name for name in names if not name.isascii() or set(name) & set('<>:"|?*\\')] == []
