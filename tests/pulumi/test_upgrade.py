"""An update from the released layout: every resource is found again, and none is replaced."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from local.archive import pack
from tests.package.test_layout import LAYOUT
from tests.running import ROOT

from .conftest import Engine
from .stack import Done, Stack

PROGRAM = ROOT / "tests" / "pulumi" / "programs" / "released"
PROJECT = {"name": "project", "runtime": "python"}
RELEASED: list[str] = json.loads(LAYOUT.read_text(encoding="utf-8"))
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}


def needed(engine: Engine) -> dict[str, str]:
    """Make what the program expects to exist; gives its configuration."""
    iam = engine.client("iam")
    for name in ("audit", "importer", "reader"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    table = engine.create_table("Counts")
    function = engine.client("lambda").create_function(
        FunctionName="audit",
        Runtime="python3.13",
        Handler="audit.handler",
        Role=iam.get_role(RoleName="audit")["Role"]["Arn"],
        Code={"ZipFile": pack({"audit.py": b"def handler(event, context):\n    return None\n"})},
    )
    return {"streamArn": table["LatestStreamArn"], "functionArn": function["FunctionArn"]}


@pytest.fixture(scope="module")
def needs(engine: Engine) -> dict[str, str]:
    return needed(engine)


@pytest.fixture(scope="module")
def released(engine: Engine, needs: dict[str, str]) -> Stack:
    """Deploy, and give the state the URNs of the released layout."""
    stack = engine.stack(PROJECT, PROGRAM)
    stack.configure(needs)
    stack.up().ok()
    state = stack.state()
    urns = [one["urn"] for one in state["deployment"]["resources"] if not one["urn"].split("::")[2].startswith("pul")]
    text = json.dumps(state)
    for new, old in renamed(urns, RELEASED).items():
        text = text.replace(json.dumps(new), json.dumps(old))
    file = stack.directory / "released.json"
    file.write_text(text, encoding="utf-8")
    stack.run("stack", "import", "--file", str(file)).ok()
    return stack


def renamed(urns: Iterable[str], layout: Iterable[str]) -> dict[str, str]:
    """Pair each new URN with the released one of the same type that is gone; new resources have none."""
    gone = sorted(set(layout) - set(urns))
    pairs = {}
    for new in sorted(set(urns) - set(layout)):
        old = next((one for one in gone if kind(one) == kind(new)), None)
        if old:
            gone.remove(old)
            pairs[new] = old
    return pairs


def kind(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def lost(done: Done) -> list[str]:
    return [str(step) for step in done.changes if step.operation in ("replace", "delete")]


def test_a_gone_urn_is_paired_with_the_new_one_of_its_type() -> None:
    urn = "urn:pulumi:test::project::{}::{}"
    tables = {name: urn.format("a:b:C$aws:dynamodb/table:Table", name) for name in ("old", "new", "table")}
    queue = urn.format("aws:sqs/queue:Queue", "queue")
    found = renamed([tables["new"], tables["table"], queue], [tables["old"], tables["table"]])
    assert found == {tables["new"]: tables["old"]}


def test_an_update_of_a_released_stack_replaces_and_deletes_nothing(released: Stack, needs: dict[str, str]) -> None:
    released.configure(needs)
    before = {one["urn"] for one in released.state()["deployment"]["resources"]}
    assert set(RELEASED) <= before
    assert lost(released.preview().ok()) == []


def test_a_component_renamed_with_an_alias_keeps_everything(released: Stack, needs: dict[str, str]) -> None:
    released.configure({**needs, "name": "visits", "alias": "counter"})
    assert lost(released.preview().ok()) == []


def test_a_component_renamed_without_one_loses_its_table(released: Stack, needs: dict[str, str]) -> None:
    released.configure({**needs, "name": "visits"})
    assert "delete Table counter-table" in lost(released.preview().ok())
