"""What execution roles may do: their policies, evaluated over every action of AWS, and the table in docs/operations.md.

Every action is asked for on each of a program's resources, on others of the same kinds, and with each partition key and
each way to a KMS key that a condition may tell apart. What is allowed then has to be what the table says, no more and
no less; so the table is complete, and a statement that allows more does not pass.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from pathlib import Path
from typing import Any, NamedTuple

RUNBOOK = Path(__file__).parents[1] / "docs" / "operations.md"
ANYWHERE = "any resource"
Statement = Mapping[str, Any]
Context = Mapping[str, Sequence[str]]
Allowed = Mapping[tuple[str, str], frozenset[str]]
"""The actions that are allowed on a resource in a context, both by their names."""

TAGS = ["home", "home/%/1", "COUNTERS", "COUNTER%"]
CONTEXTS: Mapping[str, tuple[str, Context]] = {
    "the key is `COUNTER`": (
        "dynamodb",
        {
            "dynamodb:LeadingKeys": ["COUNTER", "COUNTER/%/1", "COUNTER/%/49"],
            "dynamodb:Attributes": ["ID", "TotalViews"],
        },
    ),
    "the key is not `COUNTER`": (
        "dynamodb",
        {"dynamodb:LeadingKeys": TAGS, "dynamodb:Attributes": ["ID", "Reconciled", "Count"]},
    ),
    "the key is not `COUNTER`, and the item is returned": (
        "dynamodb",
        {
            "dynamodb:LeadingKeys": TAGS,
            "dynamodb:Attributes": ["ID", "Reconciled"],
            "dynamodb:ReturnValues": ["ALL_NEW"],
        },
    ),
    "the key is not `COUNTER`, and only `Reconciled` is written": (
        "dynamodb",
        {"dynamodb:LeadingKeys": TAGS, "dynamodb:Attributes": ["ID", "Reconciled"]},
    ),
    "one of several keys is `COUNTER`": ("dynamodb", {"dynamodb:LeadingKeys": ["home", "COUNTER"]}),
    "one of several keys is a further item of `COUNTER`": (
        "dynamodb",
        {"dynamodb:LeadingKeys": ["home", "COUNTER/%/1"]},
    ),
    "through DynamoDB": ("kms", {"kms:ViaService": ["dynamodb.eu-west-1.amazonaws.com"]}),
    "through SQS": ("kms", {"kms:ViaService": ["sqs.eu-west-1.amazonaws.com"]}),
    "through another service": ("kms", {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}),
    "directly": ("kms", {}),
    "": ("", {}),
}
"""The contexts of requests: the service whose requests have them (empty for all others), and the condition keys.

A condition in the table applies to every context whose name starts with it.
"""

FOREIGN: Mapping[str, str] = {
    "another table": "arn:aws:dynamodb:us-east-1:123456789012:table/other",
    "another account's table": "arn:aws:dynamodb:us-east-1:999999999999:table/other",
    "another table's stream": "arn:aws:dynamodb:us-east-1:123456789012:table/other/stream/2026-01-01T00:00:00.000",
    "another queue": "arn:aws:sqs:us-east-1:123456789012:other",
    "another log stream": "arn:aws:logs:us-east-1:123456789012:log-group:other:log-stream:2026",
    "another function": "arn:aws:lambda:us-east-1:123456789012:function:other",
    "another role": "arn:aws:iam::123456789012:role/other",
    "another key": "arn:aws:kms:us-east-1:123456789012:key/0000",
    "another service's resource": "arn:aws:s3:::bucket/object",
    "no resource in particular": "*",
}


class Right(NamedTuple):
    """A row of the table: roles may do actions on a resource, if the request has a context."""

    roles: frozenset[str]
    actions: frozenset[str]
    resource: str
    condition: str


@cache
def documented() -> list[Right]:
    """Read the table of permissions."""
    section = RUNBOOK.read_text(encoding="utf-8").partition("\n## Permissions\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) *\| (.+?) *\| (.+?) *\| (.*?) *\|$", section, re.MULTILINE)
    return [Right(_names(roles), _names(actions), resource, condition) for roles, actions, resource, condition in rows]


def _names(cell: str) -> frozenset[str]:
    return frozenset(re.findall(r"`([^`]+)`", cell))


@dataclass(frozen=True)
class Role:
    """An execution role: its name in the table, its policies, and every resource that they are tried on."""

    name: str
    policies: Sequence[Mapping[str, Any]]
    resources: Mapping[str, str]

    def differences(self) -> list[str]:
        """Say what the role may do beyond the table, and what it may not do although it stands there."""
        actual, expected = evaluate(self.policies, self.resources), _expected(self.name, self.resources)
        found = []
        for resource, condition in sorted({*actual, *expected}):
            may, should = (
                actual.get((resource, condition), frozenset()),
                expected.get((resource, condition), frozenset()),
            )
            for what, actions in (("may also", may - should), ("may not", should - may)):
                if actions:
                    some = ", ".join(nsmallest(3, actions)) + (
                        f" and {len(actions) - 3} more" if len(actions) > 3 else ""
                    )
                    found.append(f"{self.name} {what}: {some} on {resource} ({condition or 'always'})")
        return found

    def widened(self) -> Iterator[tuple[str, Role]]:
        """Yield, with a description, the role with each statement widened in each way that makes a difference."""
        for number, policy in enumerate(self.policies):
            for index, statement in enumerate(policy["Statement"]):
                for how, wider in _widenings(statement):
                    statements = [*policy["Statement"][:index], wider, *policy["Statement"][index + 1 :]]
                    policies = [
                        *self.policies[:number],
                        {**policy, "Statement": statements},
                        *self.policies[number + 1 :],
                    ]
                    yield f"{self.name}, {how}: {statement}", Role(self.name, policies, self.resources)


def _widenings(statement: Statement) -> Iterator[tuple[str, Statement]]:
    service = statement["Action"][0].partition(":")[0]
    others = sorted(matching(f"{service}:*") - {*statement["Action"]})
    yield "every action", {**statement, "Action": ["*"]}
    yield "every action of the service", {**statement, "Action": [f"{service}:*"]}
    yield "another action", {**statement, "Action": [*statement["Action"], others[0]]}
    yield (
        "every action but one",
        {**{key: statement[key] for key in statement if key != "Action"}, "NotAction": others[:1]},
    )
    if statement["Resource"] != ["*"]:
        yield "every resource", {**statement, "Resource": ["*"]}
        yield "another resource", {**statement, "Resource": [*statement["Resource"], *FOREIGN.values()]}
        first = statement["Resource"][0].removesuffix(":*")
        head, separator, _ = first.rpartition("/" if "/" in first else ":")
        yield "every resource of the kind", {**statement, "Resource": [f"{head}{separator}*"]}
        arns = [each.split(":", 5) for each in statement["Resource"]]
        yield "every region", {**statement, "Resource": [":".join([*one[:3], "*", *one[4:]]) for one in arns]}
        yield "every account", {**statement, "Resource": [":".join([*one[:4], "*", one[5]]) for one in arns]}
        longer = [f"{each.removesuffix(':*')}*{':*' if each.endswith(':*') else ''}" for each in statement["Resource"]]
        yield "every name that starts so", {**statement, "Resource": longer}
        within = [f"{each.removesuffix(':*')}/*{':*' if each.endswith(':*') else ''}" for each in statement["Resource"]]
        yield "what is below it", {**statement, "Resource": [*statement["Resource"], *within]}
    if "Condition" in statement:
        yield "no condition", {key: statement[key] for key in statement if key != "Condition"}
        for operator, keys in statement["Condition"].items():
            for key, values in keys.items():
                rest = {each: wanted for each, wanted in statement["Condition"].items() if each != operator}
                if "ForAllValues" in operator:
                    relaxed = {operator.replace("ForAllValues", "ForAnyValue"): {key: values}}
                    yield f"any value of {key} instead of all", {**statement, "Condition": rest | relaxed}
                yield f"any {key}", {**statement, "Condition": rest}


def _expected(role: str, resources: Mapping[str, str]) -> Allowed:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for right in (one for one in documented() if role in one.roles):
        assert not right.condition or right.condition in CONTEXTS, f"{RUNBOOK.name}: {right.condition!r} is not known"
        there = right.resource == ANYWHERE or right.resource in resources
        on = resources if there and right.resource.startswith(ANYWHERE) else {right.resource} & resources.keys()
        for context, (service, _) in CONTEXTS.items():
            if context.startswith(right.condition):
                _add(found, on, context, _of_service(right.actions, service))
    return found


def evaluate(policies: Iterable[Mapping[str, Any]], resources: Mapping[str, str]) -> Allowed:
    """Return what policies that only allow, and do not deny, allow on resources."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        actions = _actions(statement)
        patterns = [_pattern(wanted) for wanted in statement["Resource"]]
        on = [name for name, arn in resources.items() if any(pattern.fullmatch(arn) for pattern in patterns)]
        for context, (service, keys) in CONTEXTS.items():
            if _holds(statement.get("Condition", {}), keys):
                _add(found, on, context, _of_service(actions, service))
    return found


def allows(policies: Iterable[Mapping[str, Any]], action: str, arn: str, context: Context) -> bool:
    """Return whether policies that only allow, and do not deny, allow an action on a resource in a context."""
    return any(
        action in _actions(statement)
        and any(_pattern(wanted).fullmatch(arn) for wanted in statement["Resource"])
        and _holds(statement.get("Condition", {}), context)
        for policy in policies
        for statement in policy["Statement"]
    )


def _add(
    found: dict[tuple[str, str], frozenset[str]], resources: Iterable[str], context: str, actions: frozenset[str]
) -> None:
    for resource in resources if actions else ():
        before = found.get((resource, context))
        found[resource, context] = before | actions if before else actions


def _actions(statement: Statement) -> frozenset[str]:
    extra = {*statement} - {"Effect", "Action", "NotAction", "Resource", "Condition"}
    assert statement["Effect"] == "Allow", statement
    assert not extra, f"the evaluation does not know {extra}"
    named = frozenset[str]().union(*(matching(each) for each in statement.get("Action", statement.get("NotAction"))))
    return named if "Action" in statement else matching("*") - named


@cache
def _of_service(actions: frozenset[str], service: str) -> frozenset[str]:
    """Return the actions of a service that has contexts of its own, or (if empty) of all others."""
    names = tuple(f"{one}:" for one, _ in CONTEXTS.values() if one)
    if service:
        return frozenset(action for action in actions if action.startswith(f"{service}:"))
    return frozenset(action for action in actions if not action.startswith(names))


def _holds(condition: Mapping[str, Mapping[str, Sequence[str]]], context: Context) -> bool:
    return all(
        _compare(operator, context.get(key, ()), wanted)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _compare(operator: str, values: Sequence[str], wanted: Sequence[str]) -> bool:
    """Compare as IAM does: on no values, `ForAllValues:` and `…IfExists` hold, and every other operator fails."""
    qualifier, _, plain = operator.rpartition(":")
    matches = {
        "StringEquals": lambda value: value in wanted,
        "StringNotLike": lambda value: not any(_pattern(each).fullmatch(value) for each in wanted),
        "StringLike": lambda value: any(_pattern(each).fullmatch(value) for each in wanted),
    }[plain.removesuffix("IfExists")]
    if plain.endswith("IfExists") and not values:
        return True
    if qualifier == "ForAllValues":
        return all(map(matches, values))
    return any(map(matches, values))


@cache
def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(re.escape(wanted).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


@cache
def matching(pattern: str) -> frozenset[str]:
    """Return every action of AWS that a pattern names."""
    wanted = _pattern(pattern.lower())
    return frozenset(action for action in _every_action() if wanted.fullmatch(action.lower()))


@cache
def _every_action() -> frozenset[str]:
    return frozenset(
        f"{service['prefix']}:{one['privilege']}"
        for service in _parliament().iam_definition
        for one in service["privileges"]
    )


@cache
def _parliament() -> Any:
    with warnings.catch_warnings():
        # It reads its data with pkg_resources, which says so.
        warnings.simplefilter("ignore")
        import parliament  # type: ignore[import-untyped]  # noqa: PLC0415 - it reads ten megabytes
    return parliament


def findings(policy: str) -> list[str]:
    """Return what the linter says of a policy."""
    # It takes the colons in a stream's label for those between the parts of the ARN.
    readable = re.sub(r"(/stream/[0-9-]+T\d\d):(\d\d):", r"\1-\2-", policy)
    report = _parliament().analyze_policy_string(readable, include_community_auditors=True)
    return [f"{each.issue}: {each.detail}" for each in report.findings]
