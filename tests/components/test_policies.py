"""The permissions of every execution role, as the complete text of its policies: one more or less changes the text."""

from typing import Any

import pulumi_aws as aws
import pytest

from components import StreamConsumer, StreamTriggeredCounter
from components.testing import Resource, Result, run

from .test_function import code

FUNCTION = "aws:lambda/function:Function"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
TABLE = "aws:dynamodb/table:Table"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/Busy/stream/2026-01-01T00:00:00.000"
EXISTING = "arn:aws:lambda:eu-west-1:123456789012:function:existing"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "lambda.amazonaws.com"}}]}'
)

# The statements, one a line. <logs>, <table> and so on stand for the ARNs of the one run.
LOGS = ['{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": ["<logs>:*"]}']
DECRYPT = [
    '{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["<key>"], '
    '"Condition": {"StringLike": {"kms:ViaService": ["dynamodb.*.amazonaws.com"]}}}'
]
KEEP_TOTAL = [
    '{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"], "Resource": ["<table>"], '
    '"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["COUNTER"]}}}',
    '{"Effect": "Allow", "Action": ["dynamodb:DescribeTable"], "Resource": ["<table>"]}',
    '{"Effect": "Allow", "Action": ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], '
    '"Resource": ["<ledger>"]}',
]
DESCRIBE_TABLE = ['{"Effect": "Allow", "Action": ["dynamodb:DescribeTable"], "Resource": ["<table>"]}']
RECORD_VISITS = [
    '{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"], "Resource": ["<table>"], '
    '"Condition": {"ForAllValues:StringNotEquals": {"dynamodb:LeadingKeys": ["COUNTER"]}}}',
    '{"Effect": "Allow", "Action": ["dynamodb:UpdateItem"], "Resource": ["<idempotency>"]}',
]
VIEW_COUNTS = ['{"Effect": "Allow", "Action": ["dynamodb:BatchGetItem", "dynamodb:Scan"], "Resource": ["<table>"]}']
CONSUME = [
    '{"Effect": "Allow", "Action": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", '
    '"dynamodb:ListStreams"], "Resource": ["<stream>"]}',
    '{"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": ["<queue>"]}',
]
GRANT_COUNT = [
    '{"Effect": "Allow", "Action": ["dynamodb:UpdateItem"], "Resource": ["<table>"], '
    '"Condition": {"ForAllValues:StringNotEquals": {"dynamodb:LeadingKeys": ["COUNTER"]}}}'
]
GRANT_READ = ['{"Effect": "Allow", "Action": ["dynamodb:BatchGetItem", "dynamodb:GetItem"], "Resource": ["<table>"]}']


def policies(result: Result) -> dict[str, dict[str, str]]:
    """Return the policies of each role by their names, with a placeholder for each ARN."""
    # Rights come from nowhere else.
    types = {resource.type for resource in result.resources if resource.type.startswith(("aws:iam", "aws:kms"))}
    assert types <= {POLICY, ROLE}
    for role in result.all(ROLE):
        assert set(role.inputs) <= {"assumeRolePolicy", "tags"}
        assert role.inputs["assumeRolePolicy"] == TRUST
    found: dict[str, dict[str, str]] = {}
    roles = {role.state["name"]: role.name for role in result.all(ROLE)}
    for policy in result.all(POLICY):
        role_name = policy.inputs["role"]
        text = policy.inputs["policy"]
        for arn, name in arns(result, policy):
            text = text.replace(arn, name)
        found.setdefault(roles.get(role_name, role_name), {})[policy.name] = text
    return found


def arns(result: Result, policy: Resource) -> list[tuple[str, str]]:
    """Return every ARN that the policy of a function may name, the longer ones first."""
    named = [(KEY, "<key>"), (STREAM, "<stream>")]
    for kind, logical, placeholder in (
        (TABLE, "counter-table", "<table>"),
        (TABLE, "counter-ledger", "<ledger>"),
        (TABLE, "counter-idempotency", "<idempotency>"),
        ("aws:cloudwatch/logGroup:LogGroup", policy.name, "<logs>"),
    ):
        for resource in result.all(kind, logical):
            named += [(resource.state["streamArn"], "<stream>")] if "streamArn" in resource.state else []
            named.append((resource.state["arn"], placeholder))
    return [*named, *((queue.state["arn"], "<queue>") for queue in result.all("aws:sqs/queue:Queue"))]


def text(*statements: list[str]) -> str:
    return f'{{"Version": "2012-10-17", "Statement": [{", ".join(line for group in statements for line in group)}]}}'


@pytest.mark.parametrize("key", [None, KEY], ids=["no key", "key"])
def test_the_rights_of_every_role_of_the_counter(key: str | None) -> None:
    def program() -> None:
        counter = StreamTriggeredCounter("counter", {"table": {"encryption_key_arn": key}} if key else {})
        worker = aws.iam.Role("worker", assume_role_policy=TRUST)
        for grant in (counter.grant_count, counter.grant_read):
            grant(worker)
            grant("their-role")

    result = run(program)
    decrypt = DECRYPT if key else []
    granted = {right: text(rule, decrypt) for right, rule in (("count", GRANT_COUNT), ("read", GRANT_READ))}
    assert policies(result) == {
        "counter-welcome": {"counter-welcome": text(LOGS, DESCRIBE_TABLE)},
        "counter-record-visit": {"counter-record-visit": text(LOGS, RECORD_VISITS, decrypt)},
        "counter-view-counts": {"counter-view-counts": text(LOGS, VIEW_COUNTS, decrypt)},
        "counter-process-stream": {
            "counter-process-stream": text(LOGS, KEEP_TOTAL, decrypt),
            "counter-process-stream-consume": text(CONSUME, decrypt),
        },
        **{
            role: {f"counter-{right}-{role}": policy for right, policy in granted.items()}
            for role in ("worker", "their-role")
        },
    }
    # Each function runs under the role of its own name.
    roles = {role.state["arn"]: role.name for role in result.all(ROLE)}
    functions = {function.name: roles[function.inputs["role"]] for function in result.all(FUNCTION)}
    names = ("counter-welcome", "counter-record-visit", "counter-view-counts", "counter-process-stream")
    assert functions == {name: name for name in names}


@pytest.mark.parametrize("key", [None, KEY], ids=["no key", "key"])
@pytest.mark.parametrize("existing", [False, True], ids=["new function", "existing function"])
def test_the_rights_of_a_further_consumer(key: str | None, existing: bool) -> None:
    function = (
        {"function_arn": EXISTING, "function_role_name": "their-role"}
        if existing
        else {"code": code(), "handler": "app.handler"}
    )
    encryption = {"encryption_key_arn": key} if key else {}
    result = run(lambda: StreamConsumer("audit", {"stream_arn": STREAM, **function, **encryption}))  # type: ignore[typeddict-item]
    consume = {"audit-consume": text(CONSUME, DECRYPT if key else [])}
    assert policies(result) == ({"their-role": consume} if existing else {"audit": {"audit": text(LOGS), **consume}})


STATEMENTS: list[tuple[dict[str, object], str]] = [
    (
        {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::bucket/key"]},
        '{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::bucket/key"]}',
    ),
    (
        {"actions": ["s3:ListBucket"], "resources": ["*"], "conditions": {"StringLike": {"s3:prefix": ["a*"]}}},
        '{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["*"], '
        '"Condition": {"StringLike": {"s3:prefix": ["a*"]}}}',
    ),
]


def test_further_rights_are_those_that_were_asked_for() -> None:
    args: Any = {
        "stream_arn": STREAM,
        "code": code(),
        "handler": "app.handler",
        "statements": [given for given, _ in STATEMENTS],
    }
    own = text(LOGS, [expected for _, expected in STATEMENTS])
    assert policies(run(lambda: StreamConsumer("audit", args))) == {
        "audit": {"audit": own, "audit-consume": text(CONSUME)}
    }
