"""The stand-ins themselves, without the CLI: what they say forces a replacement, and a machine that cannot build."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.site import Clients, Site

from .build import BuildError, build
from .cloud import KINDS, Cloud

REPLACING = {
    "aws:apigatewayv2/api:Api": ({"corsConfiguration", "name", "protocolType", "tags"}, {"protocolType"}),
    "aws:apigatewayv2/route:Route": ({"apiId", "routeKey", "target"}, {"apiId"}),
    "aws:apigatewayv2/stage:Stage": ({"apiId", "name", "defaultRouteSettings"}, {"apiId", "name"}),
    "aws:cloudwatch/logGroup:LogGroup": ({"name", "retentionInDays"}, {"name"}),
    "aws:dynamodb/table:Table": (
        {
            "name",
            "hashKey",
            "attributes",
            "billingMode",
            "readCapacity",
            "streamViewType",
            "ttl",
            "pointInTimeRecovery",
        },
        {"name", "hashKey"},
    ),
    "aws:iam/role:Role": ({"assumeRolePolicy", "name", "tags"}, {"name"}),
    "aws:iam/rolePolicy:RolePolicy": ({"name", "policy", "role"}, {"name", "role"}),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        {"batchSize", "destinationConfig", "eventSourceArn", "filterCriteria", "functionName", "startingPosition"},
        {"eventSourceArn", "startingPosition"},
    ),
    "aws:lambda/function:Function": (
        {"architectures", "code", "environment", "loggingConfig", "name", "packageType", "runtime"},
        {"name", "packageType"},
    ),
    "aws:lambda/permission:Permission": ({"principal", "sourceArn"}, {"principal", "sourceArn"}),
    "aws:sqs/queue:Queue": ({"messageRetentionSeconds", "name", "sqsManagedSseEnabled"}, {"name"}),
}


@pytest.mark.parametrize("type_", REPLACING)
def test_what_no_update_of_aws_accepts_forces_a_replacement(type_: str) -> None:
    cloud = Cloud(Site(Clients("http://127.0.0.1:9"), "eu-west-1", "http://127.0.0.1:9", Path.cwd()))
    names, replacing = REPLACING[type_]
    assert cloud.replacing(type_, names) == replacing
    assert type_ in KINDS


def test_without_go_nothing_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="Go is not installed"):
        build(tmp_path)
    assert list(tmp_path.iterdir()) == []
