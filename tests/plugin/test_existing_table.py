"""An existing table is adopted through the plugin, or refused with an error."""

from collections.abc import Mapping
from typing import Any

import pytest

from components.engine.answers import InvokeFailedError
from tests.samples import DESCRIBED_TABLE, STREAM, TABLE

from .engine import Plugin, RefusedError, output


def adopt(plugin: Plugin, arn: Any = TABLE, preview: bool = False, **different: Any) -> Any:
    def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return DESCRIBED_TABLE | different

    return plugin.construct(
        "StreamTriggeredCounter",
        {"existingTable": {"tableArn": arn, "streamArn": STREAM}},
        invokes={"aws:dynamodb/getTable:getTable": answer},
        preview=preview,
    )


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_table_is_adopted(plugin: Plugin, preview: bool) -> None:
    constructed = adopt(plugin, preview=preview)
    assert constructed.state["tableName"] == "Counts"
    assert constructed.state["streamArn"] == STREAM
    tables = [resource.name for resource in constructed.resources if resource.type == "aws:dynamodb/table:Table"]
    assert tables == ["counter-idempotency"]


def test_table_may_come_from_another_resource(plugin: Plugin) -> None:
    constructed = adopt(
        plugin, output(TABLE, dependencies=("urn:pulumi:test::project::aws:dynamodb/table:Table::old",))
    )
    assert constructed.state["tableName"] == "Counts"


@pytest.mark.parametrize(
    ("different", "sentence"),
    [
        ({"streamEnabled": False}, "existingTable.streamArn: table Counts has no stream, and without one"),
        ({"streamViewType": "KEYS_ONLY"}, "existingTable.streamArn: the view type of table Counts's stream is"),
        ({"streamArn": f"{TABLE}/stream/other"}, f"existingTable.streamArn: '{STREAM}' is not the stream"),
        ({"hashKey": "pk"}, "existingTable.tableArn: the key of table Counts is 'pk'"),
    ],
)
def test_table_that_cannot_be_counted_in_is_refused(
    plugin: Plugin, different: Mapping[str, Any], sentence: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        adopt(plugin, preview=True, **different)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    # The engine shows what a plugin prints; the sentence is enough.
    assert "ArgumentError" not in plugin.standard_error


def test_a_refusal_leaves_the_plugin_as_it_was(plugin: Plugin) -> None:
    with pytest.raises(RefusedError):
        adopt(plugin, preview=True, streamEnabled=False)
    assert adopt(plugin).state["tableName"] == "Counts"


def test_missing_table_is_refused_under_its_own_name(plugin: Plugin) -> None:
    def fail(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise InvokeFailedError("couldn't find resource")

    arn = TABLE.replace("Counts", "my_counts")
    with pytest.raises(RefusedError) as refused:
        plugin.construct(
            "StreamTriggeredCounter",
            {"existingTable": {"tableArn": arn, "streamArn": STREAM}},
            invokes={"aws:dynamodb/getTable:getTable": fail},
            preview=True,
        )
    assert str(refused.value) == (
        f"existingTable.tableArn: '{arn}' does not exist in the account and region that the stack deploys to; "
        "allowed: the ARN of a table that exists there"
    )
