"""The permissions of each execution role: pure functions that make IAM policy statements.

Least privilege here means exact ARNs, single actions, and for DynamoDB also the partition keys: the function that
records visits cannot touch the total, and the one that keeps the total cannot change a count.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .checks import ANY_TEXT, ArgumentError, Entries, Items, Text
from .functions_package import MARK, PARTITION_KEY, SEPARATOR, TOTAL_KEY
from .settings import Settings, required, setting

TOTAL_KEYS = [TOTAL_KEY, f"{TOTAL_KEY}{SEPARATOR}*"]
"""Patterns of the keys of the items that hold the total."""

Conditions = Mapping[str, Mapping[str, Sequence[str]]]
UNCONDITIONAL: Conditions = {}

_VERSION = "2012-10-17"
MAX_POLICIES_SIZE = 10_240
"""The maximum number of characters, without white space, of all inline policies of a role."""

ARN_OR_ANY = Text("an ARN or *", r"\*|arn(:[^:\s]+){2}(:[^:\s]*){2}:\S.*")
OPERATOR = Text(
    "a condition operator of IAM, such as StringEquals or ForAllValues:StringLike",
    r"((ForAllValues|ForAnyValue):)?("
    r"(String(Not)?(Equals(IgnoreCase)?|Like)|Numeric((Not)?Equals|(LessThan|GreaterThan)(Equals)?)|"
    r"Date((Not)?Equals|(LessThan|GreaterThan)(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))"
    r"(IfExists)?|Null)",
)


@dataclass(frozen=True, kw_only=True)
class StatementSettings(Settings):
    """A permission of an execution role: actions on resources."""

    actions: Sequence[str] = required(Items(Text("service:Action", r"[a-z0-9-]+:[A-Za-z0-9*?]+"), least=1))
    """IAM actions, such as dynamodb:UpdateItem."""
    resources: Sequence[pulumi.Input[str]] = required(Items(ARN_OR_ANY, least=1))
    """The ARNs that the actions are allowed on."""
    conditions: Mapping[str, Mapping[str, Sequence[str]]] = setting(
        {},
        Entries(OPERATOR, Entries(Text("a condition key", r"[^\s:]+:\S.*"), Items(ANY_TEXT, least=1))),
    )
    """IAM conditions: operator to condition key to values."""


def allow(
    actions: Sequence[str], resources: Sequence[pulumi.Input[str]], conditions: Conditions = UNCONDITIONAL
) -> StatementSettings:
    """Allow actions on resources, under conditions if there are any."""
    return StatementSettings(actions=actions, resources=resources, conditions=conditions)


def document(statements: Iterable[StatementSettings]) -> pulumi.Output[str]:
    """Make the JSON of an execution role's policy, once all ARNs in it are known; it must not be too large then."""
    return _policy(_rendered(statements)).apply(lambda text: _limited("statements", text))


def check_size(path: str, statements: Iterable[StatementSettings]) -> None:
    """Raise `ArgumentError` if a policy is too large even if all values that are not known yet are empty."""
    _limited(path, json.dumps({"Version": _VERSION, "Statement": _rendered(statements)}, default=lambda _: ""))


def _limited(path: str, policy: str) -> str:
    if (length := len("".join(policy.split()))) > MAX_POLICIES_SIZE:
        problem = f"{length:,} characters of a role's policy are too many"
        raise ArgumentError(path, problem, f"{MAX_POLICIES_SIZE:,} or fewer for all inline policies of a role")
    return policy


def _rendered(statements: Iterable[StatementSettings]) -> list[dict[str, Any]]:
    return [
        {"Effect": "Allow", "Action": list(statement.actions), "Resource": list(statement.resources)}
        | ({"Condition": statement.conditions} if statement.conditions else {})
        for statement in statements
    ]


def _policy(statements: list[dict[str, Any]]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": _VERSION, "Statement": statements})


def assumed_by_lambda() -> pulumi.Output[str]:
    """Make the trust policy of an execution role."""
    return _policy([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}])


def only_over_tls(queue_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Make a queue's policy: no request without TLS, whoever sends it. Rights come from the senders' own policies."""
    return _policy(
        [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": queue_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
    )


def write_logs(log_group_arn: pulumi.Output[str]) -> StatementSettings:
    """Allow writing to a function's own log group, which exists already: creating one is not allowed."""
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.format("{}:*", log_group_arn)])


def write_traces() -> StatementSettings:
    """Allow sending traces to X-Ray, whose actions have no resources."""
    return allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"])


def read_stream(stream_arn: pulumi.Input[str]) -> list[StatementSettings]:
    """Allow reading a stream: Lambda requires these actions of a role before it polls.

    Listing streams knows no resources, so IAM ignores it in a statement that names one.
    """
    return [
        allow(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], [stream_arn]),
        allow(["dynamodb:ListStreams"], ["*"]),
    ]


def send_failures(queue_arn: pulumi.Input[str], key_arn: pulumi.Input[str] | None) -> list[StatementSettings]:
    """Allow Lambda to report a discarded batch, to a queue that a customer-managed key may encrypt.

    SQS asks KMS for the key that encrypts a message, and for that key's plain text when it uses it again.
    """
    encrypt = [_through("sqs", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn)] if key_arn else []
    return [allow(["sqs:SendMessage"], [queue_arn]), *encrypt]


def describe_table(table_arn: pulumi.Input[str]) -> list[StatementSettings]:
    """Allow reading the table's description, and no item."""
    return [allow(["dynamodb:DescribeTable"], [table_arn])]


def decrypt(key_arn: pulumi.Input[str]) -> StatementSettings:
    """Allow decrypting with a key through DynamoDB, and in no other way (aws/aws-cdk#22796)."""
    return _through("dynamodb", ["kms:Decrypt"], key_arn)


def _through(service: str, actions: Sequence[str], key_arn: pulumi.Input[str]) -> StatementSettings:
    """Allow using a key in requests that a service makes for the role."""
    return allow(actions, [key_arn], {"StringLike": {"kms:ViaService": [f"{service}.*.amazonaws.com"]}})


def only_the_total() -> Conditions:
    """Limit a statement to the items that hold the total, however many there are."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": TOTAL_KEYS}}


def all_but_the_total() -> Conditions:
    """Limit a statement to items other than those that hold the total."""
    return {"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": TOTAL_KEYS}}


def count_visits(table_arn: pulumi.Input[str]) -> list[StatementSettings]:
    """Allow adding to the count of any tag."""
    return [allow(["dynamodb:UpdateItem"], [table_arn], all_but_the_total())]


def read_counts(table_arn: pulumi.Input[str]) -> list[StatementSettings]:
    """Allow reading counts and the total by their keys."""
    return [allow(["dynamodb:BatchGetItem", "dynamodb:GetItem"], [table_arn])]


def record_visits(table_arn: pulumi.Input[str], idempotency_arn: pulumi.Input[str]) -> list[StatementSettings]:
    """Allow adding to the count of any tag, reading that count, and remembering idempotency keys."""
    return [
        allow(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], [table_arn], all_but_the_total()),
        allow(["dynamodb:UpdateItem"], [idempotency_arn]),
    ]


def view_counts(table_arn: pulumi.Input[str], *, listing: bool) -> list[StatementSettings]:
    """Allow reading counts and the total by their keys, and with `listing` also listing the tags."""
    return [allow(["dynamodb:BatchGetItem", *(["dynamodb:Scan"] if listing else [])], [table_arn])]


def only_the_mark() -> Conditions:
    """Limit a statement to requests that name and return nothing but an item's key and its mark.

    See "Using IAM policy conditions for fine-grained access control" in the DynamoDB Developer Guide.
    """
    return {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": [PARTITION_KEY, MARK]},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE"]},
    }


def keep_total(table_arn: pulumi.Input[str]) -> list[StatementSettings]:
    """Allow moving the total, marking tags, and telling the table from others with its name."""
    return [
        allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [table_arn], only_the_total()),
        *describe_table(table_arn),
        allow(["dynamodb:UpdateItem"], [table_arn], {**all_but_the_total(), **only_the_mark()}),
    ]
