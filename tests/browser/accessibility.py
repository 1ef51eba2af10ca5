"""axe-core, an accessibility checker that looks at a page as the browser has laid it out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

RUN = """
async () => {
  const found = await axe.run({ resultTypes: ["violations", "incomplete"] });
  const told = (rules) => rules.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
  return { violations: told(found.violations), incomplete: told(found.incomplete), passes: found.passes.length };
}
"""


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def assert_is_accessible(page: Page) -> None:
    """Hold a page to every rule of axe, those included of which it is not sure."""
    page.evaluate(_script())
    found: dict[str, Any] = page.evaluate(RUN)
    assert (found["violations"], found["incomplete"]) == ([], [])
    assert found["passes"] > 10, "axe found next to nothing to look at"
