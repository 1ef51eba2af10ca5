"""A stack's life under the real engine, from its first preview to `destroy`: told once, and looked at by many tests."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, eventually

from .conftest import Engine
from .provider import MAPPING, TABLE, RefusedError
from .stack import Done, Stack

SECRET = "hush-hush"
STAGE = "aws:apigatewayv2/stage:Stage"


@dataclass
class Life:
    """What happened to one stack, in order."""

    stack: Stack
    preview: Done
    broken: Done
    created_by_then: set[str]
    completed: Done
    outputs: dict[str, Any]
    again: Done
    replaced: Done
    mappings: list[str]
    refreshed: Done
    from_elsewhere: Done
    visible: dict[str, str]
    read: Callable[[str], Any]
    refused: Done
    deleted_by_then: list[str]
    destroyed: Done
    left_over: list[str]


def request(url: str, method: str = "GET") -> Any:
    asked = urllib.request.Request(url, method=method, headers={"Accept": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as response:
        return json.load(response)


def elsewhere(folder: Path) -> Path:
    """Copy the program as another machine has it: in another folder, with compiled bytecode beside the sources."""
    for name in ("components", "functions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        cache = folder / name / "__pycache__"
        cache.mkdir()
        (cache / "process_stream.cpython-311.pyc").write_bytes(b"compiled by another Python")
    shutil.copy(ROOT / "__main__.py", folder)
    return folder


@pytest.fixture(scope="module")
def life(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Life:
    provider = engine.provider
    stack = engine.stack()
    stack.configure({"deletionProtection": True})
    stack.run("config", "set", "--path", "environment.TOKEN", "--secret", SECRET).ok()
    preview = stack.preview().ok()

    # IAM is slow, and the stage cannot be made.
    mapping_came = threading.Event()

    def before(operation: str, urn: str) -> None:
        if MAPPING in urn:
            mapping_came.set()
        if urn.endswith("-consume") and mapping_came.wait(3):
            # A mapping that does not wait for its policy is looked at without it.
            time.sleep(2)
        if STAGE in urn:
            # The first failure ends the update, so it comes last.
            deadline = time.monotonic() + 20
            while not any(MAPPING in made for _, made in provider.calls) and time.monotonic() < deadline:
                time.sleep(0.05)
            raise RefusedError("TooManyRequestsException: Too Many Requests")

    provider.before = before
    broken = stack.up()
    created_by_then = {urn for operation, urn in provider.calls if operation == "create"}
    provider.before = lambda _operation, _urn: None
    completed = stack.up().ok()
    outputs = stack.outputs()

    again = stack.up().ok()
    [mapping] = [step.urn for step in preview.changes if step.type == MAPPING]
    replaced = stack.up("--replace", mapping)
    listed = engine.client("lambda").list_event_source_mappings(EventSourceArn=outputs["streamArn"])
    mappings = [one["UUID"] for one in listed["EventSourceMappings"]]
    refreshed = stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    engine.python.program = elsewhere(tmp_path_factory.mktemp("elsewhere"))
    from_elsewhere = stack.preview()
    engine.python.program = ROOT

    detailed = stack.preview("--diff", "--show-config", "--show-sames").ok()
    visible = {
        "up": broken.text + completed.text,
        "preview": preview.text + detailed.text,
        "configuration": stack.file.read_text(encoding="utf-8") + stack.run("config").text,
        "export": stack.run("stack", "export").text,
        "outputs": stack.run("stack").text,
        "state": "".join(
            path.read_text(encoding="utf-8") for path in stack.state_folder.rglob("*.json*") if path.is_file()
        ),
    }
    api = outputs["apiEndpoint"]
    request(f"{api}/tag/tech", "POST")
    eventually(lambda: request(f"{api}/counts")["total"] == 1, 20, "the total")
    counts = {path: request(f"{api}{path}") for path in ("/counts/tech", "/counts")}
    environments = [
        engine.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        for name in outputs["functionNames"].values()
    ]
    assert [one["TOKEN"] for one in environments] == [SECRET] * 4

    provider.calls.clear()
    refused = stack.run("destroy", "--yes")
    deleted_by_then = [urn for operation, urn in provider.calls if operation == "delete"]
    stack.run("config", "set", "deletionProtection", "false").ok()
    stack.up().ok()
    destroyed = stack.run("destroy", "--yes", "--skip-preview")
    return Life(
        stack=stack,
        preview=preview,
        broken=broken,
        created_by_then=created_by_then,
        completed=completed,
        outputs=outputs,
        again=again,
        replaced=replaced,
        mappings=mappings,
        refreshed=refreshed,
        from_elsewhere=from_elsewhere,
        visible=visible,
        read=counts.__getitem__,
        refused=refused,
        deleted_by_then=deleted_by_then,
        destroyed=destroyed,
        left_over=left_over(engine),
    )


def left_over(engine: Engine) -> list[str]:
    """Name everything that is still on the emulator."""
    found = [
        *engine.client("dynamodb").list_tables()["TableNames"],
        *(one["FunctionName"] for one in engine.client("lambda").list_functions()["Functions"]),
        *(one["UUID"] for one in engine.client("lambda").list_event_source_mappings()["EventSourceMappings"]),
        *(one["RoleName"] for one in engine.client("iam").list_roles()["Roles"]),
        *(one["logGroupName"] for one in engine.client("logs").describe_log_groups()["logGroups"]),
        *engine.client("sqs").list_queues().get("QueueUrls", ()),
        *(one["ApiId"] for one in engine.client("apigatewayv2").get_apis()["Items"]),
    ]
    return sorted(found)


def kinds(done: Done) -> set[str]:
    return {step.operation for step in done.changes}


def test_a_preview_shows_every_resource_as_new(life: Life) -> None:
    assert kinds(life.preview) == {"create"}
    assert len(life.preview.changes) == len({step.urn for step in life.preview.changes}) > 50


def test_an_update_that_fails_half_way_keeps_what_it_made(life: Life) -> None:
    assert life.broken.status != 0
    assert "TooManyRequestsException" in life.broken.text
    assert not any(STAGE in urn for urn in life.created_by_then)
    assert any(TABLE in urn for urn in life.created_by_then)


def test_the_mapping_is_made_once_its_function_may_read_the_stream(life: Life) -> None:
    assert "Cannot access stream" not in life.broken.text
    assert any(MAPPING in urn for urn in life.created_by_then)


def test_the_next_update_makes_what_is_missing_and_nothing_else(life: Life) -> None:
    made = {step.urn for step in life.completed.changes}
    assert kinds(life.completed) == {"create"}
    assert any(STAGE in urn for urn in made)
    assert made.isdisjoint(life.created_by_then)
    # The engine counts the components that were there, and the provider's calls do not show them.
    planned = {step.urn for step in life.preview.changes}
    there = life.created_by_then | {step.urn for step in life.broken.changes if "aws:" not in step.type}
    assert made | there == planned | {urn for urn in there if "pulumi:providers:" in urn}


def test_the_deployed_api_counts(life: Life) -> None:
    assert life.read("/counts/tech")["count"] == 1
    assert life.read("/counts")["total"] == 1


def test_every_output_is_there(life: Life) -> None:
    assert life.outputs.keys() == {
        "apiEndpoint",
        "apiId",
        "dashboardUrl",
        "deadLetterQueueUrl",
        "eventSourceMappingId",
        "functionNames",
        "idempotencyTableName",
        "streamArn",
        "tableArn",
        "tableName",
    }


def test_another_update_changes_nothing(life: Life) -> None:
    assert life.again.changes == []


def test_a_replaced_mapping_is_never_beside_its_replacement(life: Life) -> None:
    assert life.replaced.status == 0, life.replaced.text
    assert [str(step) for step in life.replaced.changes if step.operation == "replace"] == [
        "replace EventSourceMapping counter-process-stream"
    ]
    assert len(life.mappings) == 1
    assert life.mappings != [life.outputs["eventSourceMappingId"]]


def test_a_refresh_finds_nothing_changed(life: Life) -> None:
    assert life.refreshed.status == 0, life.refreshed.text


def test_the_same_sources_on_another_machine_change_nothing(life: Life) -> None:
    assert life.from_elsewhere.status == 0, life.from_elsewhere.text
    assert [str(step) for step in life.from_elsewhere.changes] == []


@pytest.mark.parametrize("where", ["up", "preview", "configuration", "export", "outputs", "state"])
def test_a_secret_is_not_shown(life: Life, where: str) -> None:
    assert life.visible[where]
    assert SECRET not in life.visible[where]


def test_with_deletion_protection_destroy_deletes_nothing(life: Life) -> None:
    assert life.refused.status != 0
    assert life.deleted_by_then == []
    for name in ("counter-table", "counter-idempotency"):
        assert f"::{name}" in life.refused.text
    assert "protected" in life.refused.text


def test_without_it_destroy_leaves_nothing(life: Life) -> None:
    assert life.destroyed.status == 0, life.destroyed.text
    assert life.left_over == []
