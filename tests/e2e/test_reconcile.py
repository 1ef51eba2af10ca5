"""`./counter reconcile` repairs the total, with exactly the permissions that its documentation lists."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping

import pytest

from cli.main import main
from tests.e2e.test_visits import settled_total, total, visit
from tests.running import ROOT, RunningCloud, eventually

PERMISSIONS = re.search(
    r"The command needs (.*?) on the table and\s(.*?) on the ledger",
    (ROOT / "docs/operations.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


def reconcile(cloud: RunningCloud, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    outputs = cloud.outputs
    command = [sys.executable, str(ROOT / "cli"), "reconcile", "--table", outputs["tableName"]]
    command += ["--ledger", outputs["ledgerTableName"], "--region", cloud.region]
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [*command, "--endpoint-url", outputs["endpointUrl"], *more],
        capture_output=True,
        text=True,
        cwd="/",
        env={**own, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        timeout=60,
        check=False,
    )


def documented_permissions(cloud: RunningCloud) -> list[tuple[str, str]]:
    """Return the documented permissions, each an action and the ARN of its table."""
    assert PERMISSIONS
    table = cloud.outputs["tableArn"]
    ledger = table.replace(cloud.outputs["tableName"], cloud.outputs["ledgerTableName"])
    actions = (re.findall(r"dynamodb:\w+", listed) for listed in PERMISSIONS.groups())
    return [(action, arn) for arn, each in zip((table, ledger), actions, strict=True) for action in each]


def credentials(cloud: RunningCloud, permissions: list[tuple[str, str]]) -> Mapping[str, str]:
    """Return the environment variables of a role with exactly these permissions."""
    iam, name = cloud.client("iam"), f"operator-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    statements = [{"Effect": "Allow", "Action": [action], "Resource": [arn]} for action, arn in permissions]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=document)
    given = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def test_a_deleted_total_is_rebuilt_including_deleted_tags(cloud: RunningCloud) -> None:
    visit(cloud, "reconciled")
    visit(cloud, "reconciled, then deleted")
    settled_total(cloud)
    table, client = cloud.outputs["tableName"], cloud.client("dynamodb")
    client.delete_item(TableName=table, Key={"ID": {"S": "reconciled, then deleted"}})
    before = settled_total(cloud)
    client.delete_item(TableName=table, Key={"ID": {"S": "COUNTER"}})
    assert total(cloud) == 0
    done = reconcile(cloud)
    assert done.returncode == 0, done.stderr
    assert "Every visit of" in done.stdout
    assert "pass 1" in done.stderr
    eventually(lambda: total(cloud) == before, 30, f"the total {before}")


def test_the_documented_permissions_suffice(cloud: RunningCloud) -> None:
    permissions = documented_permissions(cloud)
    assert len(permissions) == 8
    visit(cloud, "reconciled")
    cloud.client("dynamodb").delete_item(TableName=cloud.outputs["tableName"], Key={"ID": {"S": "COUNTER"}})
    done = reconcile(cloud, **credentials(cloud, permissions))
    assert done.returncode == 0, done.stderr


def test_every_documented_permission_is_necessary(
    cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client, outputs = cloud.client("dynamodb"), cloud.outputs
    tables = ("--table", outputs["tableName"], "--ledger", outputs["ledgerTableName"])
    where = ("--region", cloud.region, "--endpoint-url", outputs["endpointUrl"])
    visit(cloud, "reconciled")
    settled_total(cloud)
    for omitted in documented_permissions(cloud):
        # A tag without an entry has to be marked, and a missing total to be started.
        client.delete_item(TableName=outputs["ledgerTableName"], Key={"ID": {"S": "reconciled"}})
        client.delete_item(TableName=outputs["tableName"], Key={"ID": {"S": "COUNTER"}})
        permissions = [each for each in documented_permissions(cloud) if each != omitted]
        for name, value in credentials(cloud, permissions).items():
            monkeypatch.setenv(name, value)
        assert main(["reconcile", *tables, *where, "--passes", "1"]) == 1
        assert f"not authorized to perform: {omitted[0]} " in capsys.readouterr().err, omitted
    monkeypatch.undo()
    assert reconcile(cloud).returncode == 0
