"""Messages that a component logs during its construction reach the engine."""

import pytest

from .engine import Plugin
from .test_existing_table import adopt


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_a_preview_warns_that_the_stacks_own_table_is_deleted(plugin: Plugin, preview: bool) -> None:
    warnings = [one.text for one in adopt(plugin, preview=preview).messages if one.severity == "warning"]
    assert len(warnings) == preview
    assert all("(counter-table)" in warning for warning in warnings)
