"""The lowest versions that the package declares work: the components, the kit and the plugin run on them."""

import re
import subprocess
import tomllib
import venv
from pathlib import Path

from tests.share import ci_only

ROOT = Path(__file__).parents[2]
# What the tests below import besides the package; their versions are those of constraints.txt.
TOOLS = ("pytest", "hypothesis", "PyYAML", "boto3")
TESTS = (
    "tests/testing",
    "tests/components/test_counter.py",
    "tests/components/test_pulumi_mocks.py",
    "tests/plugin/test_equality.py",
)
SECONDS = 400


def lowest() -> list[str]:
    """Read the lowest versions from pyproject.toml, as requirements."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [re.sub(r">=([0-9.]+),.*", r"==\1.*", requirement) for requirement in declared]


def test_every_dependency_declares_its_lowest_version() -> None:
    assert [re.fullmatch(r"pulumi(-aws)?==\d+\.\d+\.\*", each) is not None for each in lowest()] == [True, True]


@ci_only("downloads packages for two minutes")
def test_the_lowest_versions_work(tmp_path: Path) -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tools = [pin for pin in pins if pin.partition("==")[0] in TOOLS]
    assert len(tools) == len(TOOLS)
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-compile", "--prefer-binary")
    run(*pip, *lowest(), *tools)
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, (done.stdout + done.stderr)[-8_000:]
