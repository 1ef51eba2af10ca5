"""axe-core, an accessibility checker that examines the rendered page."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

RUN = """
async () => {
  const found = await axe.run({ resultTypes: ["violations", "incomplete"] });
  const nodes = (rules) => rules.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
  return { violations: nodes(found.violations), incomplete: nodes(found.incomplete), passes: found.passes.length };
}
"""


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def assert_is_accessible(page: Page) -> None:
    """Check a page against every rule of axe, including those with an uncertain result."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found: dict[str, Any] = page.evaluate(RUN)
    problems = found["violations"] + found["incomplete"]
    assert problems == [], problems
    assert found["passes"] > 10, "axe found almost nothing to check"
