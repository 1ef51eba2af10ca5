"""A table that exists already, adopted by a stack that has counted in a table of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.running import eventually

from .conftest import Engine
from .stack import Done, Step
from .test_lifecycle import request

NAME = "tutorial"


@dataclass
class Adoption:
    """What happened, in order."""

    preview: Done
    adopted: Done
    outputs: dict[str, Any]
    counts: Any
    tables: list[str]
    tables_after_destroy: list[str]


@pytest.fixture(scope="module")
def adoption(engine: Engine) -> Adoption:
    client = engine.client("dynamodb")
    stack = engine.stack()
    stack.up().ok()
    table = engine.create_table(NAME)
    client.put_item(TableName=NAME, Item={"ID": {"S": "old"}, "Count": {"N": "41"}})
    stack.configure({"tableArn": table["TableArn"], "streamArn": table["LatestStreamArn"]})
    preview = stack.preview().ok()
    adopted = stack.up().ok()
    outputs = stack.outputs()
    tables = client.list_tables()["TableNames"]
    request(f"{outputs['apiEndpoint']}/tag/old", "POST")
    eventually(lambda: request(f"{outputs['apiEndpoint']}/counts")["total"] == 42, 20, "the total")
    counts = request(f"{outputs['apiEndpoint']}/counts")
    stack.run("destroy", "--yes", "--skip-preview").ok()
    after = client.list_tables()["TableNames"]
    return Adoption(preview, adopted, outputs, counts, tables, after)


def of(done: Done, operation: str) -> list[Step]:
    return [step for step in done.changes if step.operation == operation]


def test_the_preview_shows_that_the_stacks_own_table_goes(adoption: Adoption) -> None:
    assert {step.name for step in of(adoption.preview, "delete")} == {"counter-table"}
    assert "If the stack has a table of its own, this preview shows it as deleted (counter-table)" in (
        adoption.preview.text
    )


def test_the_mapping_is_replaced_to_read_the_adopted_tables_stream(adoption: Adoption) -> None:
    assert [step.type for step in of(adoption.preview, "replace")] == [
        "aws:lambda/eventSourceMapping:EventSourceMapping"
    ]
    assert of(adoption.preview, "create") == []


def test_the_update_does_what_the_preview_shows(adoption: Adoption) -> None:
    shown = sorted(str(step) for step in adoption.preview.changes)
    assert sorted(str(step) for step in adoption.adopted.changes) == shown


def test_the_adopted_table_is_counted_in_with_its_history(adoption: Adoption) -> None:
    assert adoption.outputs["tableName"] == NAME
    assert adoption.counts["total"] == 42
    assert NAME in adoption.tables
    assert not any(name.startswith("counter-table") for name in adoption.tables)


def test_destroy_leaves_the_adopted_table_alone(adoption: Adoption) -> None:
    assert adoption.tables_after_destroy == [NAME]
