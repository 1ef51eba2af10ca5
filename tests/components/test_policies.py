"""The permissions of every execution role: exactly those in docs/operations.md, and policies without findings."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from functools import cache
from typing import Any

import pulumi_aws as aws
import pytest

from components import StreamConsumer, StreamTriggeredCounter
from components.testing import RecordingMonitor, Resource, Result, run
from tests.permissions import FOREIGN, RUNBOOK, Role, allows, documented, findings
from tests.samples import DESCRIBED_TABLE, STREAM
from tests.samples import TABLE as TABLE_ARN
from tests.share import share

from .test_function import code

TABLE, POLICY, ROLE = "aws:dynamodb/table:Table", "aws:iam/rolePolicy:RolePolicy", "aws:iam/role:Role"
KEYS = {
    "`encryptionKeyArn`": "arn:aws:kms:us-east-1:123456789012:key/tables",
    "`deadLetterQueueEncryptionKeyArn`": "arn:aws:kms:us-east-1:123456789012:key/queue",
    # CloudWatch Logs uses it, and no role may.
    "`logEncryptionKeyArn`": "arn:aws:kms:us-east-1:123456789012:key/logs",
}
EXISTING = "arn:aws:lambda:eu-west-1:123456789012:function:existing"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "lambda.amazonaws.com"}}]}'
)
# Each role's name in the table, and its function.
FUNCTIONS = {
    "counter-welcome": ("welcome", "counter-welcome"),
    "counter-record-visit": ("recordVisit", "counter-record-visit"),
    "counter-view-counts": ("viewCounts", "counter-view-counts"),
    "counter-process-stream": ("processStream", "counter-process-stream"),
}
GRANTED = {"importer": ("grant_count", ""), "their-reader": ("grant_read", "")}


def make(*, keys: bool = False, adopted: bool = False, existing: bool = False, tracing: bool = False) -> None:
    """Make a counter, a further consumer of its stream, and roles that may count and read."""
    args: dict[str, Any] = {}
    function: dict[str, Any] = {"code": code(), "handler": "app.handler"}
    if existing:
        function = {"function_arn": EXISTING, "function_role_name": "their-role"}
    if keys:
        tables, queue, logs = KEYS.values()
        args = {"table": {"encryption_key_arn": tables}, "functions": {"log_encryption_key_arn": logs}}
        args["stream"] = function["stream"] = {"dead_letter_queue_encryption_key_arn": queue}
        function["encryption_key_arn"] = tables
    if tracing:
        args["functions"] = function["function"] = {"tracing": True}
    if adopted:
        args["existing_table"] = {"table_arn": TABLE_ARN, "stream_arn": STREAM}
    counter = StreamTriggeredCounter("counter", args)  # type: ignore[arg-type]
    counter.grant_count(aws.iam.Role("importer", assume_role_policy=TRUST))
    counter.grant_read("their-reader")
    StreamConsumer("audit", {"stream_arn": counter.stream_arn, **function})  # type: ignore[typeddict-item]


PROGRAMS: dict[str, dict[str, bool]] = {
    "default": {},
    "keys": {"keys": True},
    "adopted table": {"adopted": True},
    "existing function": {"existing": True},
    "tracing": {"tracing": True},
    "existing function with keys": {"existing": True, "keys": True},
}


@cache
def recorded(program: str) -> Result:
    monitor = RecordingMonitor(invokes={"aws:dynamodb/getTable:getTable": lambda _: DESCRIBED_TABLE})
    return run(lambda: make(**PROGRAMS[program]), monitor=monitor)


def roles(result: Result, named: Mapping[str, tuple[str, str]], keys: Mapping[str, str]) -> list[Role]:
    """List the roles of a program, with a counter `counter`, that have policies.

    `named` has, for each role, its name in the table and the logical name of its function; `keys` the KMS keys, and
    what the table calls a switch that allows actions on any resource.
    """
    outputs = result.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs or {}
    named_in_policies = {
        "the table": outputs["tableArn"],
        "the stream": outputs["streamArn"],
        "the idempotency table": result.one(TABLE, "counter-idempotency").state["arn"],
        **{name: arn for name, arn in keys.items() if arn != "*"},
    }
    own = {
        **named_in_policies,
        **_neighbours(named_in_policies),
        "an index of the table": f"{outputs['tableArn']}/index/other",
        "an earlier stream of the table": f"{outputs['tableArn']}/stream/2020-01-01T00:00:00.000",
        **{f"function {each.name}": each.state["arn"] for each in result.all("aws:lambda/function:Function")},
        **{f"role {each.name}": each.state["arn"] for each in result.all(ROLE)},
        **keys,
        **FOREIGN,
    }
    logical = {role.state["name"]: role.name for role in result.all(ROLE)}
    policies: dict[str, list[Resource]] = defaultdict(list)
    for policy in result.all(POLICY):
        policies[logical.get(policy.inputs["role"], policy.inputs["role"])].append(policy)
    assert policies.keys() == named.keys()
    return [
        Role(name, [json.loads(each.inputs["policy"]) for each in policies[role]], own | _of_function(result, function))
        for role, (name, function) in named.items()
    ]


def _of_function(result: Result, function: str) -> dict[str, str]:
    """Return the log streams and queues of a program, one of which may be the function's own."""
    found = {}
    for group in result.all("aws:cloudwatch/logGroup:LogGroup"):
        name = "its own log group" if group.name == function else f"log group {group.name}"
        found[name] = f"{group.state['arn']}:log-stream:2026/01/01/[$LATEST]0"
    for queue in result.all("aws:sqs/queue:Queue"):
        name = "its own dead-letter queue" if queue.name == f"{function}-failures" else f"queue {queue.name}"
        found[name] = queue.state["arn"]
    return found | _neighbours({name: arn for name, arn in found.items() if name.startswith("its own")})


def _neighbours(resources: Mapping[str, str]) -> dict[str, str]:
    """Return what an ARN with a wildcard too many would also match: namesakes elsewhere, and similar names."""
    found = {}
    for name, arn in resources.items():
        resource, separator, log_stream = arn.partition(":log-stream:")
        parts = resource.split(":", 5)
        for where, changed in {
            "in another region": [*parts[:3], "ap-south-1", *parts[4:]],
            "in another account": [*parts[:4], "999999999999", parts[5]],
            "with a longer name": [*parts[:5], f"{parts[5]}-other"],
            "with something below it": [*parts[:5], f"{parts[5]}/other"],
        }.items():
            found[f"{name} {where}"] = ":".join(changed) + separator + log_stream
    return found


def roles_of(program: str) -> list[Role]:
    options = PROGRAMS[program]
    audit = {"their-role" if options.get("existing") else "audit": ("StreamConsumer", "audit")}
    switches = {"any resource, with `tracing`": "*"} if options.get("tracing") else {}
    return roles(recorded(program), FUNCTIONS | GRANTED | audit, (KEYS if options.get("keys") else {}) | switches)


every_program = pytest.mark.parametrize("program", PROGRAMS)
# Together these have every statement of the others.
every_statement = pytest.mark.parametrize("program", ["keys", "existing function with keys", "tracing"])


@every_program
def test_every_role_may_do_exactly_what_the_runbook_says(program: str) -> None:
    found = roles_of(program)
    assert len(found) == 7
    assert [difference for role in found for difference in role.differences()] == []


@pytest.mark.parametrize("program", share(["keys"], in_ci=["keys", "existing function with keys", "tracing"]))
def test_a_statement_that_allows_more_is_found(program: str) -> None:
    tried = [(how, bool(wider.differences())) for role in roles_of(program) for how, wider in role.widened()]
    assert len(tried) > 100
    assert [how for how, is_found in tried if not is_found] == []


@every_statement
def test_a_statement_that_is_missing_is_found(program: str) -> None:
    for role in roles_of(program):
        for policy in role.policies:
            for index in range(len(policy["Statement"])):
                fewer = [*policy["Statement"][:index], *policy["Statement"][index + 1 :]]
                others = [one for one in role.policies if one is not policy]
                assert Role(role.name, [*others, {"Statement": fewer}], role.resources).differences()


def test_every_row_of_the_runbook_is_a_right_that_some_role_has() -> None:
    names = {role.name for program in PROGRAMS for role in roles_of(program)}
    resources = {name for program in PROGRAMS for role in roles_of(program) for name in role.resources}
    rows = documented()
    assert len(rows) > 10
    assert {name for row in rows for name in row.roles} == names
    assert {row.resource for row in rows} <= resources | {"any resource"}


WRITTEN = {"dynamodb:LeadingKeys": ["home"], "dynamodb:ReturnValues": ["NONE"]}
TOTAL = {"dynamodb:Attributes": ["ID", "TotalViews", "Ended"], "dynamodb:ReturnValues": ["ALL_NEW"]}


@pytest.mark.parametrize(
    ("action", "context", "allowed"),
    [
        ("UpdateItem", {**WRITTEN, "dynamodb:Attributes": ["ID", "Reconciled"]}, True),
        ("UpdateItem", {"dynamodb:LeadingKeys": ["home/%/1"], "dynamodb:Attributes": ["ID", "Reconciled"]}, True),
        ("UpdateItem", {**WRITTEN, "dynamodb:Attributes": ["ID", "Count"]}, False),
        ("UpdateItem", {**WRITTEN, "dynamodb:Attributes": ["ID", "Reconciled", "Count"]}, False),
        ("UpdateItem", {**WRITTEN, "dynamodb:Attributes": ["ID", "Since"]}, False),
        ("UpdateItem", {**WRITTEN, "dynamodb:Attributes": ["ID", "TotalViews"]}, False),
        *(
            (
                "UpdateItem",
                {**WRITTEN, "dynamodb:Attributes": ["ID", "Reconciled"], "dynamodb:ReturnValues": [returned]},
                False,
            )
            for returned in ("ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
        ),
        ("UpdateItem", {"dynamodb:LeadingKeys": ["COUNTER"], **TOTAL}, True),
        ("UpdateItem", {"dynamodb:LeadingKeys": ["COUNTER/%/1"], **TOTAL}, True),
        ("UpdateItem", {"dynamodb:LeadingKeys": ["COUNTER", "home"], **TOTAL}, False),
        ("GetItem", {"dynamodb:LeadingKeys": ["COUNTER"], **TOTAL}, True),
        ("GetItem", {"dynamodb:LeadingKeys": ["home"], "dynamodb:Attributes": ["ID", "Reconciled"]}, False),
        *(
            (action, {"dynamodb:LeadingKeys": [key], "dynamodb:Attributes": ["ID", "Reconciled"]}, False)
            for action in ("PutItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate")
            for key in ("home", "COUNTER")
        ),
    ],
)
def test_the_stream_processor_cannot_change_a_count(
    counter: Result, action: str, context: dict[str, list[str]], allowed: bool
) -> None:
    policies = [
        json.loads(counter.one(POLICY, f"counter-process-stream{suffix}").inputs["policy"])
        for suffix in ("", "-consume")
    ]
    table = counter.one(TABLE, "counter-table").state["arn"]
    assert allows(policies, f"dynamodb:{action}", table, context) is allowed


@every_program
def test_the_linter_finds_nothing(program: str) -> None:
    policies = recorded(program).all(POLICY)
    assert len(policies) == (8 if PROGRAMS[program].get("existing") else 9)
    policies += recorded(program).all("aws:sqs/queuePolicy:QueuePolicy")
    assert [(policy.name, finding) for policy in policies for finding in findings(policy.inputs["policy"])] == []


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        (lambda statement: {**statement, "Action": ["dynamodb:GetItems"]}, "UNKNOWN_ACTION"),
        (lambda statement: {**statement, "Resource": ["arn:aws:sqs:us-east-1:123456789012:q"]}, "RESOURCE_MISMATCH"),
        (lambda statement: {**statement, "Action": ["dynamodb:Scan"]}, "UNKNOWN_CONDITION_FOR_ACTION"),
    ],
)
def test_the_linter_finds_an_error(change: Callable[[Any], Any], issue: str) -> None:
    policy = json.loads(recorded("default").one(POLICY, "counter-record-visit").inputs["policy"])
    assert any("Condition" in statement for statement in policy["Statement"])
    policy["Statement"] = [change(one) for one in policy["Statement"] if "Condition" in one]
    assert [finding.partition(":")[0] for finding in findings(json.dumps(policy))] == [issue]


def test_the_key_policy_of_the_runbook_covers_the_log_groups(counter: Result) -> None:
    section = RUNBOOK.read_text(encoding="utf-8").partition("\n## Encryption\n")[2].partition("\n## ")[0]
    [text] = re.findall(r"^```json\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    statement = json.loads(text)
    issues = {
        each.partition(":")[0] for each in findings(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    }
    # In a key policy, * is the key itself; and AWS documents ArnLike for this key, although its data calls it a string.
    assert issues == {"RESOURCE_STAR", "MISMATCHED_TYPE"}
    [(key, patterns)] = statement["Condition"]["ArnLike"].items()
    assert key == "kms:EncryptionContext:aws:logs:arn"
    groups = counter.all("aws:cloudwatch/logGroup:LogGroup")
    assert len(groups) == 5
    for group in groups:
        arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{group.state['name']}"
        assert any(fnmatch(arn, pattern) for pattern in patterns), arn


@every_program
def test_rights_come_from_the_roles_own_policies_alone(program: str) -> None:
    result = recorded(program)
    assert {each.type for each in result.resources if each.type.startswith(("aws:iam", "aws:kms"))} == {POLICY, ROLE}
    for role in result.all(ROLE):
        assert set(role.inputs) <= {"assumeRolePolicy", "tags"}
        assert role.inputs["assumeRolePolicy"] == TRUST


def test_each_function_runs_under_the_role_of_its_own_name(counter: Result) -> None:
    roles = {role.state["arn"]: role.name for role in counter.all(ROLE)}
    functions = counter.all("aws:lambda/function:Function")
    assert {function.name: roles[function.inputs["role"]] for function in functions} == {
        name: name for name in FUNCTIONS
    }


STATEMENTS: list[tuple[dict[str, object], dict[str, object]]] = [
    (
        {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::bucket/key"]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::bucket/key"]},
    ),
    (
        {"actions": ["s3:ListBucket"], "resources": ["*"], "conditions": {"StringLike": {"s3:prefix": ["a*"]}}},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": ["*"],
            "Condition": {"StringLike": {"s3:prefix": ["a*"]}},
        },
    ),
]


def test_further_rights_are_those_that_were_asked_for() -> None:
    args: Any = {"stream_arn": STREAM, "code": code(), "handler": "app.handler"}

    def own(**more: Any) -> list[Any]:
        policy = run(lambda: StreamConsumer("audit", args | more)).one(POLICY, "audit").inputs["policy"]
        statements: list[Any] = json.loads(policy)["Statement"]
        return statements

    assert own(statements=[given for given, _ in STATEMENTS]) == [*own(), *(expected for _, expected in STATEMENTS)]
