"""What each configuration key changes in a deployed stack, and what the CLI says of configuration that is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from components.alarms import ALARMS as ALL_ALARMS
from components.config import config_fields
from components.settings import config_key
from tests.samples import needed, sample
from tests.share import ci_only

from .conftest import Engine
from .stack import Done, Stack

FIELDS = {config_key(declared.name): declared for _, declared in config_fields()}
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
FUNCTIONS = {"counter-process-stream", "counter-record-visit", "counter-view-counts", "counter-welcome"}
ALARMS = {f"counter-{one.name}" for one in ALL_ALARMS}
TABLES = {"counter-idempotency", "counter-table"}


@dataclass(frozen=True)
class Change:
    """Configuration that differs from a deployed stack's, and what becomes of the resources: type and names."""

    values: dict[str, Any]
    updates: dict[str, set[str]]


MAPPING = {"EventSourceMapping": {"counter-process-stream"}}


def alarm(name: str) -> dict[str, set[str]]:
    """Return an alarm that follows the value, and the dashboard that shows its threshold."""
    return {"MetricAlarm": {f"counter-{name}"}, "Dashboard": {"counter-dashboard"}}


def mapping(**values: Any) -> Change:
    return Change(values, updates=MAPPING)


def functions(**values: Any) -> Change:
    return Change(values, updates={"Function": FUNCTIONS})


CHANGES = {
    "architecture": functions(architecture="x86_64"),
    "batchSize": mapping(batchSize=500),
    "billingMode": Change({"billingMode": "PROVISIONED"}, updates={"Table": TABLES}),
    "corsAllowOrigins": Change({"corsAllowOrigins": ["https://example.org"]}, updates={"Api": {"counter-api"}}),
    "deadLetterQueueRetentionSeconds": Change(
        {"deadLetterQueueRetentionSeconds": 3600}, updates={"Queue": {"counter-process-stream-failures"}}
    ),
    "deletionProtection": Change({"deletionProtection": True}, updates={"Table": TABLES}),
    "encryptionKeyArn": Change(
        {"encryptionKeyArn": KEY_ARN},
        updates={
            "Table": TABLES,
            "RolePolicy": {"counter-process-stream-consume", "counter-record-visit", "counter-view-counts"},
        },
    ),
    "environment": functions(environment={"STAGE": "test"}),
    "itemsPerTag": Change({"itemsPerTag": 4}, updates={"Function": {"counter-record-visit", "counter-view-counts"}}),
    "logLevel": functions(logLevel="DEBUG"),
    "logRetentionInDays": Change({"logRetentionInDays": 7}, updates={"LogGroup": FUNCTIONS}),
    "maximumBatchingWindowInSeconds": Change({"maximumBatchingWindowInSeconds": 5}, MAPPING | alarm("total-stale")),
    "maximumRecordAgeInSeconds": Change({"maximumRecordAgeInSeconds": 3600}, MAPPING | alarm("records-at-risk")),
    "maximumRetryAttempts": mapping(maximumRetryAttempts=3),
    "memorySize": functions(memorySize=512),
    "pointInTimeRecovery": Change({"pointInTimeRecovery": False}, updates={"Table": {"counter-table"}}),
    "readCapacity": Change({"billingMode": "PROVISIONED", "readCapacity": 9}, updates={"Table": TABLES}),
    "runtime": functions(runtime="python3.12"),
    "tags": Change(
        {"tags": {"team": "web"}},
        updates={
            "Api": {"counter-api"},
            "EventSourceMapping": {"counter-process-stream"},
            "Function": FUNCTIONS,
            "LogGroup": FUNCTIONS | {"counter-api-access"},
            "MetricAlarm": ALARMS,
            "Queue": {"counter-process-stream-failures"},
            "Role": FUNCTIONS,
            "Stage": {"counter-api"},
            "Table": TABLES,
        },
    ),
    "throttlingBurstLimit": Change({"throttlingBurstLimit": 50}, updates={"Stage": {"counter-api"}}),
    "throttlingRateLimit": Change({"throttlingRateLimit": 0.5 + 9}, updates={"Stage": {"counter-api"}}),
    "timeout": Change({"timeout": 60}, {"Function": FUNCTIONS} | alarm("processor-slow")),
    "writeCapacity": Change({"billingMode": "PROVISIONED", "writeCapacity": 9}, updates={"Table": TABLES}),
}
# Both belong to adoption, which test_adoption.py is about.
ADOPTION = {"tableArn", "streamArn"}


@pytest.fixture(scope="module")
def deployed(engine: Engine) -> Stack:
    """Deploy the program with its defaults."""
    stack = engine.stack()
    stack.up().ok()
    return stack


def summary(done: Done) -> dict[str, dict[str, set[str]]]:
    """Group the resources that change by operation and type."""
    found: dict[str, dict[str, set[str]]] = {}
    for step in done.changes:
        kind = step.type.rpartition(":")[2]
        found.setdefault(f"{step.operation}s", {}).setdefault(kind, set()).add(step.name)
    return found


def test_every_change_is_of_a_key_that_there_is() -> None:
    assert CHANGES.keys() | ADOPTION <= FIELDS.keys()


@ci_only("a minute of previews")
@pytest.mark.parametrize("key", sorted(FIELDS.keys() - CHANGES.keys() - ADOPTION))
def test_any_other_key_changes_something_and_no_data_is_lost(deployed: Stack, key: str) -> None:
    declared = FIELDS[key]
    deployed.configure(
        {config_key(name): value for name, value in (needed(declared) | {declared.name: sample(declared)}).items()}
    )
    changes = summary(deployed.preview().ok())
    assert changes
    assert "replaces" not in changes
    assert not changes.get("deletes", {}).keys() & {"Table", "EventSourceMapping", "Queue"}


def test_all_keys_together_change_what_they_should(deployed: Stack) -> None:
    merged: dict[str, Any] = {}
    updates: dict[str, set[str]] = {}
    for change in CHANGES.values():
        merged |= change.values
        for kind, names in change.updates.items():
            updates.setdefault(kind, set()).update(names)
    deployed.configure(merged)
    assert summary(deployed.preview().ok()) == {"updates": updates}


@ci_only("a minute of previews")
@pytest.mark.parametrize("key", CHANGES)
def test_a_key_changes_what_it_should(deployed: Stack, key: str) -> None:
    change = CHANGES[key]
    assert key in change.values
    deployed.configure(change.values)
    assert summary(deployed.preview().ok()) == {"updates": change.updates}


def test_numbers_set_by_path_are_text(deployed: Stack) -> None:
    deployed.configure({"recordAuthorization": "JWT", "jwtIssuer": "https://example.org"})
    for path, value in {
        "tags.costCenter": "1234",
        "tags.billed": "true",
        "environment.RETRIES": "3",
        "allowedTags[0]": "2024",
        "jwtAudiences[0]": "123456",
    }.items():
        deployed.run("config", "set", "--path", path, value).ok()
    assert "costCenter: 1234\n" in deployed.file.read_text(encoding="utf-8")
    shown = deployed.preview("--diff").ok().text
    for line in (r'costCenter *: "1234"', r'billed *: "true"', r'RETRIES *: "3"', r'\[0\]: "123456"', "2024"):
        assert re.search(line, shown), line


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a type that Pulumi.yaml rules out": ({"batchSize": "many"}, "batchSize", "integer"),
    "a value out of range": ({"batchSize": 0}, "batchSize: 0 is out of range; allowed: 1 to 10,000", ""),
    "a value that is no choice": ({"architecture": "arm"}, "architecture: 'arm'", "arm64 or x86_64"),
    "half of what belongs together": ({"streamArn": "arn:aws:dynamodb:eu-west-1:1:table/a/stream/b"}, "tableArn", ""),
    "text for a list": ({"allowedTags": "tech"}, "allowedTags: 'tech' is not of type array; allowed: a list", ""),
    "a fraction for text": ({"tags": {"version": 1.5}}, "tags.version: 1.5 is a number with a fraction", "in quotes"),
    "a key that there is not": ({"batchsize": 5}, "batchsize", "did you mean 'batchSize'?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_configuration_is_refused_in_one_line(engine: Engine, deployed: Stack, case: str) -> None:
    values, *expected = WRONG[case]
    deployed.configure(values)
    engine.provider.calls.clear()
    done = deployed.run("up", "--yes")
    assert done.status != 0
    assert engine.provider.calls == []
    assert "Traceback" not in done.text
    # While it runs, the CLI shows the first line of each message as well.
    _, _, diagnostics = done.text.rpartition("Diagnostics:")
    [line] = [line for line in diagnostics.splitlines() if expected[0] in line]
    assert all(part in line for part in expected)
