"""Every Python program in the documentation runs as it is written there."""

import re
import sys
from pathlib import Path

import pytest

import components
import components.testing
from components.testing import RecordingMonitor, run
from tests.samples import DESCRIBED_TABLE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPETS = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE), 1)
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_snippet_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Installed, the package has another name than in a checkout; that it imports under it is the wheel's test.
    monkeypatch.setitem(sys.modules, "stream_triggered_counter", components)
    monkeypatch.setitem(sys.modules, "stream_triggered_counter.testing", components.testing)
    program = tmp_path / "snippet.py"
    program.write_text(code)
    monitor = RecordingMonitor(invokes={"aws:dynamodb/getTable:getTable": lambda _: DESCRIBED_TABLE})
    if "testing import" in code:  # it runs programs itself
        exec(compile(code, str(program), "exec"), {})
        return
    result = run(program, monitor=monitor)
    assert result.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs


def test_the_readme_and_the_page_on_embedding_have_programs() -> None:
    assert len(SNIPPETS) >= 7


def test_every_relative_link_leads_somewhere() -> None:
    for page in [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_file_that_a_recipe_names_exists() -> None:
    named = re.findall(
        r"`((?:benchmarks|components|docs|functions|local|tests)/[^`<]+\.\w+)`", (ROOT / "CONTRIBUTING.md").read_text()
    )
    assert len(named) > 12
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_runbook_names_every_environment_and_variable_of_the_workflows() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    workflows = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    section = runbook.partition("## Deploying from GitHub\n")[2].partition("\n## ")[0]
    used = set(re.findall(r"\bvars\.(\w+)", workflows))
    assert used == set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    [stacks] = re.findall(r"stack: \[(.*)\]", workflows)
    for stack in stacks.split(", "):
        assert f"environment: {stack}\n" in workflows
        assert f"`{stack}`" in section
        assert f"`{stack}-preview`" in section
    assert "environment: ${{ matrix.stack }}-preview" in workflows


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_anchor_of_a_link_exists() -> None:
    pages = [*PAGES, ROOT / "benchmarks" / "RESULTS.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    used = [
        (page, target, anchor)
        for page in pages
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert len(used) > 60
    assert [
        f"{page.name}: {target}#{anchor}"
        for page, target, anchor in used
        if anchor not in anchors(page.parent / target if target else page)
    ] == []
