"""The version is written in one place, and everything that names it agrees."""

import re
import tomllib
from pathlib import Path

import yaml

import components
from components.version import VERSION

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
    *sorted((ROOT / "examples").glob("*/requirements.txt")),
]


def test_version_is_one_that_the_cli_can_find_a_tag_for() -> None:
    # `pulumi package add <repository>/components@0.1.0` looks for the tag v0.1.0. It takes what comes after a hyphen
    # for a commit, and 0.0.0 for the newest one.
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert VERSION != "0.0.0"


def test_distribution_takes_the_version_from_its_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "components.version.VERSION"}
    assert components.__version__ == VERSION


def test_plugin_file_has_no_version_of_its_own() -> None:
    assert "version" not in yaml.safe_load((ROOT / "components" / "PulumiPlugin.yaml").read_text())


def test_documentation_names_this_version() -> None:
    named = {
        (page.name, version)
        for page in PAGES
        for version in re.findall(r"(?:components@|git\+\S+@v|tag `?v|`v)(\d[\w.-]*)", page.read_text())
    }
    assert len(named) >= 3
    assert {version for _, version in named} == {VERSION}
