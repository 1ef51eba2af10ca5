"""Each command works with exactly the permissions that the runbook lists for it, and names the one that is missing."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pytest

from cli.main import main
from tests.e2e.test_failures import report_of
from tests.e2e.test_visits import settled_total, visit
from tests.operator import Operator
from tests.running import ROOT, RunningCloud
from tests.share import ci_only

RUNBOOK = ROOT / "docs" / "operations.md"


CHECKED_AS = {"lambda:GetEventSourceMapping": "lambda:ListEventSourceMappings"}
"""Actions that the emulator takes for others."""


class Right(NamedTuple):
    """An action on a resource, both as the runbook names them."""

    action: str
    resource: str


@cache
def documented() -> Mapping[str, tuple[Right, ...]]:
    """Read the runbook's table: the rights of each command."""
    section = RUNBOOK.read_text(encoding="utf-8").partition("\n### Permissions of operators\n")[2].partition("\n## ")[0]
    found: dict[str, list[Right]] = {}
    for commands, actions, resources in re.findall(r"^\| (`.+) \| (`.+) \| (.+) \|$", section, re.MULTILINE):
        for command in re.findall("`([^`]+)`", commands):
            rights = (Right(action, on) for action in re.findall("`([^`]+)`", actions) for on in resources.split(", "))
            found.setdefault(command, []).extend(rights)
    found["failures --redrive"] += found["failures"]
    return {command: tuple(rights) for command, rights in found.items()}


class Role:
    """A role whose permissions can be changed, and the commands that are called with its credentials."""

    def __init__(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.operator = operator
        self.cloud = operator.cloud
        self._name = f"operator-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
        policy = json.dumps({"Statement": [trust]})
        role = self.cloud.client("iam").create_role(RoleName=self._name, AssumeRolePolicyDocument=policy)["Role"]
        given = self.cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])

    def may(self, rights: tuple[Right, ...]) -> None:
        """Let the role do exactly this."""
        statements = [
            {
                "Effect": "Allow",
                "Action": [CHECKED_AS.get(right.action, right.action)],
                "Resource": self._arns(right.resource),
            }
            for right in rights
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.cloud.client("iam").put_role_policy(RoleName=self._name, PolicyName="permissions", PolicyDocument=document)

    def _arns(self, resource: str) -> list[str]:
        outputs, region = self.cloud.outputs, self.cloud.region
        account = outputs["tableArn"].split(":")[4]
        names, functions = outputs["functionNames"], f"arn:aws:lambda:{region}:{account}"
        queue = outputs["deadLetterQueueUrl"].rpartition("/")[2]
        tables = {"the ledger": "ledgerTableName", "the idempotency table": "idempotencyTableName"}
        if resource in tables:
            return [outputs["tableArn"].replace(outputs["tableName"], outputs[tables[resource]])]
        return {
            "any resource": ["*"],
            "the table": [outputs["tableArn"]],
            # The emulator checks requests to these as if they had no resource.
            "the stream": ["*"],
            "the mapping": ["*"],
            "the functions": [f"{functions}:function:{name}" for name in names.values()],
            "the function `processStream`": [f"{functions}:function:{names['processStream']}"],
            "the dead-letter queue": [f"arn:aws:sqs:{region}:{account}:{queue}"],
            "the log groups of the functions": [f"arn:aws:logs:{region}:{account}:log-group:counter-*"],
        }[resource]


def enable(cloud: RunningCloud, enabled: bool) -> None:
    """Start or stop the event source mapping."""
    cloud.client("lambda").update_event_source_mapping(UUID=cloud.outputs["eventSourceMappingId"], Enabled=enabled)


def damage(cloud: RunningCloud) -> None:
    """Leave a tag without an entry, which has to be marked, and no total, which has to be started."""
    visit(cloud, "rights")
    client, outputs = cloud.client("dynamodb"), cloud.outputs
    client.delete_item(TableName=outputs["ledgerTableName"], Key={"ID": {"S": "rights"}})
    client.delete_item(TableName=outputs["tableName"], Key={"ID": {"S": "COUNTER"}})


def leave_behind(cloud: RunningCloud) -> None:
    """Leave a tag whose visit arrives only once its deletion has marked it."""
    enable(cloud, False)
    visit(cloud, "rights to delete")
    client, request = cloud.client("dynamodb"), {"TableName": cloud.outputs["tableName"]}
    key = {"ID": {"S": "rights to delete"}}

    def mark() -> Any:
        return client.get_item(**request, Key=key).get("Item", {}).get("Reconciled")

    def enable_once_marked() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if mark() != before:
                enable(cloud, True)
                return
            time.sleep(0.05)

    before = mark()
    threading.Thread(target=enable_once_marked, daemon=True).start()


def discard(cloud: RunningCloud) -> None:
    """Leave a batch that is not in the total, and its report in the dead-letter queue."""
    enable(cloud, False)
    visit(cloud, "rights to redrive")
    send_report(cloud)


def report(cloud: RunningCloud) -> None:
    """Leave the report of a batch that is in the total in the dead-letter queue."""
    visit(cloud, "rights to redrive")
    settled_total(cloud)
    send_report(cloud)


def send_report(cloud: RunningCloud) -> None:
    queue, client = cloud.outputs["deadLetterQueueUrl"], cloud.client("sqs")
    client.purge_queue(QueueUrl=queue)
    client.send_message(QueueUrl=queue, MessageBody=json.dumps(report_of(cloud, "rights to redrive")))
    if (
        cloud.client("lambda").get_event_source_mapping(UUID=cloud.outputs["eventSourceMappingId"])["State"]
        == "Enabled"
    ):
        settled_total(cloud)


Prepare = Callable[[RunningCloud], Any]
COMMANDS: Mapping[str, tuple[tuple[str, ...], Prepare]] = {
    "status": ((), lambda _: None),
    "logs": (("--since", "1h"), lambda cloud: visit(cloud, "rights")),
    "smoke-test": (("--timeout", "30s"), lambda _: None),
    "verify": ((), settled_total),
    "delete": (("rights to delete", "--yes", "--timeout", "30s"), leave_behind),
    "failures": ((), report),
    "failures --redrive": ((), discard),
    "reconcile": (("--restart",), damage),
    "take-over": (("--yes",), damage),
}
"""The arguments of each command, and what makes it do everything that it can."""


SAME = {"failures": "failures --redrive", "take-over": "reconcile"}
"""Commands whose rights are all among those of another, where each is shown to be necessary."""


@pytest.fixture(scope="module", autouse=True)
def whole_again(cloud: RunningCloud) -> Iterator[None]:
    """Leave nothing broken for other tests of the shared cloud."""
    yield
    outputs = cloud.outputs
    cloud.client("sqs").purge_queue(QueueUrl=outputs["deadLetterQueueUrl"])
    tables = ("--table", outputs["tableName"], "--ledger", outputs["ledgerTableName"])
    assert main(["reconcile", *tables, "--region", cloud.region, "--endpoint-url", outputs["endpointUrl"]]) == 0
    settled_total(cloud)


@pytest.fixture
def role(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
    yield Role(operator, monkeypatch)
    enable(operator.cloud, True)


def tried(rights: tuple[Right, ...], command: str) -> tuple[Right, ...]:
    """Return the rights to try without."""
    return () if command in SAME else rights


@ci_only("breaks and repairs the total for each command")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_documented_permissions_suffice_and_each_is_necessary(role: Role, command: str) -> None:
    rights = documented()[command]
    arguments, prepare = COMMANDS[command]
    assert len(set(rights)) == len(rights)
    for omitted in tried(rights, command):
        prepare(role.cloud)
        role.may(tuple(right for right in rights if right != omitted))
        out = role.operator.call(*command.split(), *arguments, status=1)
        action = CHECKED_AS.get(omitted.action, omitted.action)
        assert f"not authorized to perform: {action}" in out + role.operator.errors, omitted
    prepare(role.cloud)
    role.may(rights)
    role.operator.call(*command.split(), *arguments)


def test_every_command_that_reads_a_deployment_has_its_permissions() -> None:
    assert documented().keys() == COMMANDS.keys()
    for command, other in SAME.items():
        assert set(documented()[command]) <= set(documented()[other])


def test_the_doctor_needs_no_permission(role: Role, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--region", role.cloud.region, "--endpoint-url", role.cloud.outputs["endpointUrl"])
    main(["doctor", *where, "--json"])
    found = {one["subject"]: one["remedy"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found["AWS credentials"] == ""
