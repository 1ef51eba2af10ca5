"""The workflows of `.github` pass their two linters, and no action in them can change without a commit here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.share import ci_only

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    # It ends with a status above 10 for findings, and with 1 for a file that it cannot read.
    command = [
        str(Path(sys.executable).with_name("zizmor")),
        "--offline",
        "--pedantic",
        "--no-progress",
        "--color",
        "never",
        ".",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_zizmor_finds_nothing() -> None:
    done = zizmor(ROOT)
    assert (done.returncode, done.stdout.strip()) == (0, "No findings to report. Good job!"), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "unpinned-uses"),
        ("persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ('--stack "$STACK"', '--stack "${{ github.head_ref }}"', "template-injection"),
        ("permissions: {}\n", "permissions: write-all\n", "excessive-permissions"),
    ],
)
def test_zizmor_finds_what_must_not_be_there(tmp_path: Path, before: str, after: str, finding: str) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    workflow = tmp_path / ".github" / "workflows" / "stack.yml"
    text = workflow.read_text(encoding="utf-8")
    assert before in text
    workflow.write_text(text.replace(before, after), encoding="utf-8")
    done = zizmor(tmp_path)
    assert done.returncode > 10
    assert finding in done.stdout


@ci_only("builds actionlint")
def test_actionlint_finds_nothing() -> None:
    if shutil.which("go") is None:
        pytest.skip("actionlint needs Go (1.25 or later), which is not installed")
    files = [str(path) for path in sorted(WORKFLOWS.glob("*.yml"))]
    assert len(files) == 3
    done = subprocess.run(
        ["go", "run", ACTIONLINT, *files], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr[-2_000:]
