"""Names, descriptions and addresses: what AWS would reject is an error here, and its limits are those of its models."""

import re
from typing import Any

import botocore.session  # type: ignore[import-untyped]
import pulumi
import pulumi_aws as aws
import pytest

from components import ArgumentError, StreamConsumer, StreamTriggeredCounter
from components.alarms import ALARMS, MAX_RUNBOOK_LENGTH
from components.policies import MAX_POLICIES_SIZE
from components.testing import RecordingMonitor, Result, run
from tests.samples import DOMAIN, TOKENS

from .conftest import Build
from .test_stream_consumer import FUNCTION, OWN, STREAM

ACCOUNT = "123456789012"
LABEL = "x" * 63
SUFFIX = "-1a2b3c4"
"""What Pulumi appends to a logical name to make a physical one."""


def error_of(program: Any) -> str:
    monitor = RecordingMonitor()
    with pytest.raises(ArgumentError) as raised:
        run(program, monitor=monitor)
    assert [resource.type for resource in monitor.resources if resource.custom] == []
    return str(raised.value)


def group(path: str, value: Any) -> dict[str, Any]:
    """Return arguments in which `path` (such as `api.domain_name`) has a value."""
    first, *rest = path.split(".")
    return {first: group(".".join(rest), value) if rest else value}


ORIGINS = "api.cors_allow_origins"
INVALID: list[tuple[str, Any, str]] = [
    ("table.encryption_key_arn", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{'a' * 65}", "the ARN of a KMS key"),
    ("table.encryption_key_arn", "arn:aws:kms:eu-west-1:١٢٣٤٥٦٧٨٩٠١٢:key/1234abcd", "the ARN of a KMS key"),
    ("monitoring.notification_email", f"{'a' * 65}@example.org", "an e-mail address"),
    ("monitoring.notification_email", f"on-call@{LABEL}.{LABEL}.{LABEL}.{LABEL}.org", "at most 254 characters"),
    ("monitoring.notification_email", f"on-call@{LABEL}x.org", "an e-mail address"),
    ("monitoring.notification_email", "on-call@-example.org", "an e-mail address"),
    ("monitoring.notification_email", "on..call@example.org", "an e-mail address"),
    ("monitoring.notification_email", ".on-call@example.org", "an e-mail address"),
    ("monitoring.notification_email", "on-call.@example.org", "an e-mail address"),
    ("monitoring.notification_email", "dienst@bücher.example", "an e-mail address"),
    ("monitoring.notification_email", "Ops (all)@example.org", "an e-mail address"),
    ("monitoring.runbook_url", f"https://example.org/{'a' * 500}", "at most 512 characters"),
    ("monitoring.runbook_url", "https://example.org/a\0b", "an http or https address"),
    ("monitoring.runbook_url", "file:///runbook", "an http or https address"),
    ("monitoring.notification_topic_arn", f"arn:aws:sns:eu-west-1:{ACCOUNT}:{'a' * 257}", "the ARN of an SNS topic"),
    (ORIGINS, ["https://*.example.org"], "an origin as browsers send it"),
    (ORIGINS, ["https://example.*"], "an origin as browsers send it"),
    (ORIGINS, ["https://Example.org"], "an origin as browsers send it"),
    (ORIGINS, ["HTTPS://example.org"], "an origin as browsers send it"),
    (ORIGINS, ["https://example.org/"], "an origin as browsers send it"),
    (ORIGINS, ["https://example.org:443"], "an origin as browsers send it"),
    (ORIGINS, ["http://example.org:80"], "an origin as browsers send it"),
    (ORIGINS, ["https://example.org:0"], "an origin as browsers send it"),
    (ORIGINS, ["https://example.org:x"], "an origin as browsers send it"),
    (ORIGINS, ["https://me@example.org"], "an origin as browsers send it"),
    (ORIGINS, ["https://example.org?a"], "an origin as browsers send it"),
    (ORIGINS, ["https://bücher.example"], "an origin as browsers send it"),
    (ORIGINS, ["https://"], "an origin as browsers send it"),
    (ORIGINS, ["https://a..b"], "an origin as browsers send it"),
    (ORIGINS, [f"https://{LABEL}x.org"], "an origin as browsers send it"),
    (ORIGINS, ["*.example.org"], "an origin as browsers send it"),
    (ORIGINS, ["null"], "an origin as browsers send it"),
    (ORIGINS, [""], "an origin as browsers send it"),
    ("api", {**DOMAIN, "domain_name": f"{f'{LABEL}.' * 4}org"}, "at most 253 characters"),
    ("api", {**DOMAIN, "domain_name": "Count.example.org"}, "a domain name in lower case"),
    ("api", {**DOMAIN, "certificate_arn": f"{DOMAIN['certificate_arn']}{'0' * 65}"}, "an ACM certificate"),
    ("api", {**TOKENS, "jwt_issuer": f"https://example.org/{'a' * 2_029}"}, "at most 2,048 characters"),
    ("api", {**TOKENS, "jwt_audiences": ["a"] * 51}, "a list of at most 50"),
    ("api", {**TOKENS, "jwt_audiences": ["a\0b"]}, "an audience, without spaces"),
    ("api", {**TOKENS, "record_scopes": ["a"] * 11}, "a list of at most 10"),
    ("api", {**TOKENS, "read_scopes": ["a"] * 11}, "a list of at most 10"),
    ("api", {**TOKENS, "read_scopes": ["a" * 65]}, "1 to 64 visible ASCII characters"),
    ("tags", {"owner": "aws:me"}, "not starting with aws:"),
    ("tags", {"o" * 129: "me"}, "1 to 128 letters"),
    ("existing_table", {"table_arn": f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/ab", "stream_arn": STREAM}, "table"),
    (
        "existing_table",
        {"table_arn": f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{'a' * 256}", "stream_arn": STREAM},
        "the ARN of a DynamoDB table",
    ),
]
CONSUMER: list[tuple[dict[str, Any], str]] = [
    ({"handler": f"{'a' * 125}.app"}, "handler: 129 characters are too many"),
    ({"handler": "äpp.handler"}, "handler: 'äpp.handler' is invalid"),
    ({"stream_arn": f"{STREAM} x"}, "stream_arn: "),
    ({"stream_arn": STREAM.replace("tags", "a" * 256)}, "stream_arn: "),
    ({"statements": [{"actions": [], "resources": ["*"]}]}, "statements[0].actions: 0 items are too few"),
    ({"statements": [{"actions": ["s3:*"], "resources": []}]}, "statements[0].resources: 0 items are too few"),
    ({"statements": [{"actions": ["s3:*"], "resources": ["arn:aws:s3"]}]}, "statements[0].resources[0]: 'arn:aws:s3'"),
    (
        {"statements": [{"actions": ["s3:*"], "resources": ["*"], "conditions": {"StringSame": {"aws:a": ["b"]}}}]},
        "statements[0].conditions (key): 'StringSame' is invalid",
    ),
    (
        {"statements": [{"actions": ["s3:*"], "resources": ["*"], "conditions": {"Bool": {"a": ["b"]}}}]},
        "statements[0].conditions.Bool (key): 'a' is invalid",
    ),
    (
        {"statements": [{"actions": ["s3:GetObject"], "resources": [f"arn:aws:s3:::{'b' * 100}/*"] * 90}]},
        "statements: 10,",
    ),
]


@pytest.mark.parametrize(("path", "value", "allowed"), INVALID, ids=lambda part: str(part)[:40])
def test_value_that_aws_rejects_is_an_error(path: str, value: Any, allowed: str) -> None:
    args: Any = group(path, value)
    message = error_of(lambda: StreamTriggeredCounter("counter", args))
    assert message.startswith(path)
    assert allowed in message.partition("; allowed: ")[2]


@pytest.mark.parametrize(("given", "start"), CONSUMER, ids=lambda part: str(part)[:40])
def test_consumer_value_that_aws_rejects_is_an_error(given: Any, start: str) -> None:
    args: Any = OWN | given
    assert error_of(lambda: StreamConsumer("audit", args)).startswith(start)


@pytest.mark.parametrize("function", ["a" * 65, "a:$OTHER", f"a:{'b' * 129}", "ä"])
def test_function_arn_that_aws_rejects_is_an_error(function: str) -> None:
    arn = FUNCTION.replace("existing", function)
    args: Any = {"stream_arn": STREAM, "function_arn": arn, "function_role_name": "role"}
    assert error_of(lambda: StreamConsumer("audit", args)).startswith("function_arn: ")


@pytest.mark.parametrize("role", ["a" * 65, "rôle", "a/b", ""])
def test_role_name_that_aws_rejects_is_an_error(role: str) -> None:
    args: Any = {"stream_arn": STREAM, "function_arn": FUNCTION, "function_role_name": role}
    assert error_of(lambda: StreamConsumer("audit", args)).startswith("function_role_name: ")


VALID: list[tuple[str, Any]] = [
    (ORIGINS, ["*"]),
    (ORIGINS, ["https://*", "http://*"]),
    (ORIGINS, ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:8080"]),
    (ORIGINS, ["https://xn--bcher-kva.example", "https://my_app.example.org", "https://example.org:8443"]),
    (ORIGINS, ["http://example.org:443", "chrome-extension://abcdefghijklmnop", "capacitor://localhost"]),
    ("monitoring.notification_email", f"on.call+counter@{LABEL}.{LABEL}.{LABEL}.{'x' * 45}"),
    ("monitoring.notification_email", "O'Brien_1@sub.Example.ORG"),
    ("monitoring.runbook_url", f"https://example.org/{'a' * 492}"),
    ("monitoring.runbook_url", "https://wiki.example.org/a?page=Zähler"),
    ("api", {**DOMAIN, "domain_name": f"{LABEL}.{LABEL}.{LABEL}.{'x' * 57}.org"}),
    ("api", {**TOKENS, "jwt_audiences": [f"audience-{n}" for n in range(50)], "record_scopes": ["a" * 64] * 10}),
    ("tags", {"o" * 128: "v" * 256, "laws:x": "laws:x", **{f"tag-{n}": "" for n in range(48)}}),
]


@pytest.mark.parametrize(("path", "value"), VALID, ids=lambda part: str(part)[:40])
def test_value_within_the_limits_is_accepted(path: str, value: Any) -> None:
    args: Any = group(path, value)
    assert run(lambda: StreamTriggeredCounter("counter", args)).resources


def test_alarm_description_fits_with_the_longest_runbook_url(build: Build) -> None:
    url = f"https://example.org/{'a' * (MAX_RUNBOOK_LENGTH - 20)}"
    most = shape("cloudwatch", "AlarmDescription")["max"]
    made = build({"monitoring": {"runbook_url": url}}).all("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert len(made) == len(ALARMS)
    assert max(len(one.inputs["alarmDescription"]) for one in made) <= most == 1_024


def shape(service: str, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = botocore.session.get_session().get_service_model(service).shape_for(name).metadata
    return metadata


NAMES: dict[str, tuple[int, str]] = {
    "aws:apigatewayv2/api:Api": (128, r".*"),
    "aws:apigatewayv2/authorizer:Authorizer": (128, r".*"),
    "aws:cloudwatch/logGroup:LogGroup": (512, r"[.\-_/#A-Za-z0-9]+"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (255, r".*"),
    "aws:dynamodb/table:Table": (255, r"[a-zA-Z0-9_.-]+"),
    "aws:iam/role:Role": (64, r"[\w+=,.@-]+"),
    "aws:iam/rolePolicy:RolePolicy": (128, r"[\w+=,.@-]+"),
    "aws:lambda/function:Function": (64, r"[a-zA-Z0-9-_]+"),
    "aws:lambda/permission:Permission": (100, r"[a-zA-Z0-9-_]+"),
    "aws:sns/topic:Topic": (256, r"[A-Za-z0-9_-]+"),
    "aws:sqs/queue:Queue": (80, r"[A-Za-z0-9_-]+"),
}
"""The most characters in a name of each type, and their pattern, in the services' API references."""
NAMELESS = {
    *(f"aws:apigatewayv2/{name}" for name in ("apiMapping:ApiMapping", "integration:Integration", "route:Route")),
    *("aws:apigatewayv2/domainName:DomainName", "aws:apigatewayv2/stage:Stage", "aws:cloudwatch/dashboard:Dashboard"),
    *("aws:kms/key:Key", "aws:lambda/eventSourceMapping:EventSourceMapping", "aws:route53/record:Record"),
    *("aws:sns/topicSubscription:TopicSubscription", "aws:sqs/queuePolicy:QueuePolicy"),
}
"""Types whose name does not follow from the logical name."""


def test_limits_of_names_are_those_of_the_models() -> None:
    models = {
        "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch", "AlarmName"),
        "aws:cloudwatch/logGroup:LogGroup": ("logs", "LogGroupName"),
        "aws:dynamodb/table:Table": ("dynamodb", "TableName"),
        "aws:iam/role:Role": ("iam", "roleNameType"),
        "aws:iam/rolePolicy:RolePolicy": ("iam", "policyNameType"),
        "aws:lambda/permission:Permission": ("lambda", "StatementId"),
    }
    assert {kind: shape(*model)["max"] for kind, model in models.items()} == {kind: NAMES[kind][0] for kind in models}


def longest(arguments: Any) -> Result:
    def program() -> None:
        StreamTriggeredCounter("c" * 41, arguments)
        StreamConsumer("a" * 56, OWN)  # type: ignore[arg-type]

    return run(program)


def test_names_derived_from_the_longest_name_fit() -> None:
    arguments: Any = {
        "api": {**TOKENS, **DOMAIN, "hosted_zone_id": "Z0123456789EXAMPLE"},
        "monitoring": {"notification_email": "on-call@example.org"},
    }
    resources = [one for one in longest(arguments).resources if one.custom]
    assert {one.type for one in resources} == {*NAMES, *NAMELESS}
    for one in resources:
        if one.type in NAMES:
            most, pattern = NAMES[one.type]
            prefix = one.inputs.get("namePrefix")
            # The provider appends 26 characters to a prefix of its own making.
            name = f"{prefix}{'0' * 26}" if prefix else f"{one.name}{SUFFIX}"
            assert len(name) <= most, one.name
            assert re.fullmatch(pattern, name, re.ASCII), one.name
    [dashboard] = [one for one in resources if one.type == "aws:cloudwatch/dashboard:Dashboard"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", dashboard.inputs["dashboardName"])


@pytest.mark.parametrize("name", ["two words", "a/b", "ä", "a" * 110])
def test_grant_name_that_aws_rejects_is_an_error(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"^name: .* is invalid; allowed: 1 to 109 letters, digits and _\+=,\.@-$"):
        run(lambda: StreamTriggeredCounter("hits").grant_count("their-role", name))


def test_longest_grant_name_fits() -> None:
    result = run(lambda: StreamTriggeredCounter("c" * 41).grant_count("their-role", "a" * 72))
    [policy] = [one for one in result.all("aws:iam/rolePolicy:RolePolicy") if one.name.endswith("aaaa")]
    assert len(f"{policy.name}{SUFFIX}") == 128


def test_role_whose_logical_name_is_invalid_needs_a_name() -> None:
    def program(name: str | None) -> None:
        counter = StreamTriggeredCounter("hits")
        counter.grant_read(aws.iam.Role("teams/web", assume_role_policy="{}"), name=name)

    with pytest.raises(ArgumentError, match=r"^name: 'teams/web' is invalid"):
        run(lambda: program(None))
    assert run(lambda: program("web")).one("hits-read-web")


def test_policy_is_measured_again_once_its_arns_are_known() -> None:
    def program() -> None:
        queues: list[Any] = [aws.sqs.Queue(f"queue-{n}", name="q" * 80).arn for n in range(90)]
        args: Any = OWN | {"statements": [{"actions": ["sqs:SendMessage"], "resources": queues}]}
        StreamConsumer("audit", args)

    monitor = RecordingMonitor()
    with pytest.raises(ArgumentError, match=r"^statements: 1\d,\d{3} characters of a role's policy are too many"):
        run(program, monitor=monitor)
    made = [resource.type for resource in monitor.resources]
    assert "aws:lambda/function:Function" not in made
    assert MAX_POLICIES_SIZE == 10_240


def test_secret_that_is_too_long_is_not_shown() -> None:
    def program() -> None:
        url = pulumi.Output.secret(f"https://example.org/{'hush' * 200}")
        StreamTriggeredCounter("counter", {"monitoring": {"runbook_url": url}})

    with pytest.raises(ArgumentError, match=r"^monitoring\.runbook_url: 820 characters are too many") as raised:
        run(program)
    assert "hush" not in str(raised.value)
