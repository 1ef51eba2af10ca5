"""Each command works with exactly the permissions that the runbook lists for it, and names the one that is missing."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pytest

from cli.main import main
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
        return {
            "any resource": ["*"],
            "the table": [outputs["tableArn"]],
            "the idempotency table": [
                outputs["tableArn"].replace(outputs["tableName"], outputs["idempotencyTableName"])
            ],
            # The emulator checks requests to it as if they had no resource.
            "the mapping": ["*"],
            "the functions": [f"{functions}:function:{name}" for name in names.values()],
            "the dead-letter queue": [f"arn:aws:sqs:{region}:{account}:{queue}"],
            "the log groups of the functions": [f"arn:aws:logs:{region}:{account}:log-group:counter-*"],
        }[resource]


def damage(cloud: RunningCloud) -> None:
    """Leave a total that has to be started anew, and a tag that has to be marked."""
    visit(cloud, "rights")
    cloud.client("dynamodb").update_item(
        TableName=cloud.outputs["tableName"],
        Key={"ID": {"S": "COUNTER"}},
        UpdateExpression="SET TotalViews = :views",
        ExpressionAttributeValues={":views": {"N": "1"}},
    )


def report(cloud: RunningCloud) -> None:
    """Leave a message in the dead-letter queue."""
    queue, client = cloud.outputs["deadLetterQueueUrl"], cloud.client("sqs")
    client.purge_queue(QueueUrl=queue)
    client.send_message(QueueUrl=queue, MessageBody="{}")


Prepare = Callable[[RunningCloud], Any]
COMMANDS: Mapping[str, tuple[tuple[str, ...], Prepare]] = {
    "status": ((), lambda cloud: (visit(cloud, "rights"), settled_total(cloud))),
    "logs": (("--since", "1h"), lambda cloud: visit(cloud, "rights")),
    "smoke-test": (("--timeout", "30s"), lambda _: None),
    "verify": ((), settled_total),
    "delete": (("rights", "--yes"), lambda cloud: visit(cloud, "rights")),
    "failures": ((), report),
    "failures --clear": (("--yes",), report),
    "reconcile": (("--restart",), damage),
}
"""The arguments of each command, and what makes it do everything that it can."""


@pytest.fixture(scope="module", autouse=True)
def whole_again(cloud: RunningCloud) -> Iterator[None]:
    """Leave nothing broken for other tests of the shared cloud."""
    yield
    outputs = cloud.outputs
    cloud.client("sqs").purge_queue(QueueUrl=outputs["deadLetterQueueUrl"])
    where = ("--region", cloud.region, "--endpoint-url", outputs["endpointUrl"])
    assert main(["reconcile", "--table", outputs["tableName"], *where]) == 0
    settled_total(cloud)


@pytest.fixture
def role(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Role:
    return Role(operator, monkeypatch)


@ci_only("breaks and repairs the total for each command")
@pytest.mark.parametrize("command", COMMANDS)
def test_documented_permissions_suffice_and_are_necessary(role: Role, command: str) -> None:
    rights = documented()[command]
    arguments, prepare = COMMANDS[command]
    assert len(set(rights)) == len(rights)
    for omitted in rights:
        prepare(role.cloud)
        role.may(tuple(right for right in rights if right != omitted))
        out = role.operator.call(*command.split(), *arguments, status=1)
        action = CHECKED_AS.get(omitted.action, omitted.action)
        assert f"not authorized to perform: {action}" in out + role.operator.errors, omitted
    prepare(role.cloud)
    role.may(rights)
    # Looking at a message does not take it away.
    role.operator.call(*command.split(), *arguments, status=int(command == "failures"))


def test_commands_have_documented_permissions() -> None:
    assert documented().keys() == COMMANDS.keys()


def test_doctor_without_permissions(role: Role, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--region", role.cloud.region, "--endpoint-url", role.cloud.outputs["endpointUrl"])
    main(["doctor", *where, "--json"])
    found = {one["subject"]: one["remedy"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found["AWS credentials"] == ""
