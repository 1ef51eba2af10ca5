"""Every invalid argument is refused before any resource exists, with an error that says why."""

import asyncio
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import ArgumentError, BillingMode, LogLevel, StreamTriggeredCounter
from components.checks import ANY_TEXT, KEY_ARN, Entries, Flag, Items, Member, Number, OneOf
from components.environment import RESERVED_BY_COMPONENT
from components.settings import Group, Settings, default_of
from components.stream_triggered_counter import StreamTriggeredCounterSettings
from components.testing import RecordingMonitor, run
from tests.samples import DOMAIN, TOKENS

counter_settings = StreamTriggeredCounterSettings.read
GROUPS = StreamTriggeredCounterSettings.groups()
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/tutorial/stream/2024-01-01T00:00:00.000"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/tutorial"

REFUSED: list[tuple[Any, str, str, str]] = [
    ({"table": {"billing_mode": "FREE"}}, "table.billing_mode", "'FREE'", "PAY_PER_REQUEST or PROVISIONED"),
    ({"table": {"read_capacity": 5}}, "table.read_capacity", "5", "PROVISIONED"),
    ({"table": {"write_capacity": 7}}, "table.write_capacity", "7", "PROVISIONED"),
    ({"table": {"billing_mode": "PROVISIONED", "read_capacity": 0}}, "table.read_capacity", "0", "1 or more"),
    ({"table": {"billing_mode": "PROVISIONED", "write_capacity": -1}}, "table.write_capacity", "-1", "1 or more"),
    ({"table": {"items_per_tag": 51}}, "table.items_per_tag", "51", "1 to 50"),
    ({"table": {"point_in_time_recovery": "yes"}}, "table.point_in_time_recovery", "'yes'", "true or false"),
    ({"table": {"deletion_protection": 1}}, "table.deletion_protection", "1", "true or false"),
    (
        {"table": {"encryption_key_arn": "alias/mine"}},
        "table.encryption_key_arn",
        "'alias/mine'",
        "the ARN of a KMS key",
    ),
    ({"table": "small"}, "table", "'small'", "a mapping with the keys billing_mode"),
    ({"stream": {"starting_position": "LATEST"}}, "stream.starting_position", "no such argument", "batch_size"),
    ({"stream": {"batch_size": 0}}, "stream.batch_size", "0", "1 to 10,000"),
    ({"stream": {"batch_size": 10_001}}, "stream.batch_size", "10001", "1 to 10,000"),
    ({"stream": {"batch_size": 1.5}}, "stream.batch_size", "1.5", "whole number"),
    ({"stream": {"batch_size": "100"}}, "stream.batch_size", "'100'", "whole number"),
    ({"stream": {"batch_size": True}}, "stream.batch_size", "True", "whole number"),
    ({"stream": {"batch_size": float("nan")}}, "stream.batch_size", "nan", "1 to 10,000"),
    (
        {"stream": {"maximum_batching_window_in_seconds": 301}},
        "stream.maximum_batching_window_in_seconds",
        "301",
        "0 to 300",
    ),
    ({"stream": {"maximum_retry_attempts": -2}}, "stream.maximum_retry_attempts", "-2", "-1, or 0 to 10,000"),
    ({"stream": {"maximum_record_age_in_seconds": 59}}, "stream.maximum_record_age_in_seconds", "59", "60 to 604,800"),
    (
        {"stream": {"dead_letter_queue_retention_seconds": 59}},
        "stream.dead_letter_queue_retention_seconds",
        "59",
        "1,209,600",
    ),
    ({"functions": {"runtime": "python3.9"}}, "functions.runtime", "'python3.9'", "python3.13"),
    ({"functions": {"architecture": "sparc"}}, "functions.architecture", "'sparc'", "arm64 or x86_64"),
    ({"functions": {"memory_size": 127}}, "functions.memory_size", "127", "128 to 10,240"),
    ({"functions": {"timeout": 901}}, "functions.timeout", "901", "1 to 900"),
    ({"functions": {"log_retention_in_days": 8}}, "functions.log_retention_in_days", "8", "7, 14"),
    ({"functions": {"log_retention_in_days": True}}, "functions.log_retention_in_days", "True", "1, 3"),
    ({"functions": {"log_level": "LOUD"}}, "functions.log_level", "'LOUD'", "INFO"),
    ({"functions": {"environment": ["A=1"]}}, "functions.environment", "list", "a mapping"),
    (
        {"functions": {"environment": {"AWS_REGION": "x"}}},
        "functions.environment (key)",
        "AWS_REGION",
        "Lambda reserves",
    ),
    ({"functions": {"environment": {"1A": "x"}}}, "functions.environment (key)", "1A", "starting with a letter"),
    ({"functions": {"environment": {"LIMIT": 5}}}, "functions.environment.LIMIT", "type int", "text"),
    ({"api": {"cors_allow_origins": "https://example.org"}}, "api.cors_allow_origins", "is not a list", "a list"),
    ({"api": {"cors_allow_origins": ["example.org"]}}, "api.cors_allow_origins[0]", "'example.org'", "an origin"),
    ({"api": {"throttling_rate_limit": 0}}, "api.throttling_rate_limit", "0", "1 or more"),
    ({"api": {"throttling_rate_limit": "5"}}, "api.throttling_rate_limit", "'5' is not a number", "1 or more"),
    ({"api": {"throttling_rate_limit": float("inf")}}, "api.throttling_rate_limit", "inf", "1 or more"),
    ({"api": {"throttling_rate_limit": float("nan")}}, "api.throttling_rate_limit", "nan", "1 or more"),
    ({"api": {"throttling_burst_limit": 0}}, "api.throttling_burst_limit", "0", "1 or more"),
    ({"api": {"record_throttling_rate_limit": 0}}, "api.record_throttling_rate_limit", "0", "1 or more"),
    ({"api": {"record_throttling_burst_limit": 1.5}}, "api.record_throttling_burst_limit", "1.5", "whole number"),
    ({"api": {"count_by_get": "no"}}, "api.count_by_get", "'no'", "true or false"),
    ({"api": {"listing": 0}}, "api.listing", "0", "true or false"),
    ({"api": {"allowed_tags": "news"}}, "api.allowed_tags", "is not a list", "each item a tag, or a pattern"),
    ({"api": {"allowed_tags": ["a/b"]}}, "api.allowed_tags[0]", "'a/b'", "* stands for any characters"),
    ({"api": {"allowed_tags": ["a", ""]}}, "api.allowed_tags[1]", "''", "a tag, or a pattern"),
    ({"api": {"allowed_tags": ["COUNTER"]}}, "api.allowed_tags[0]", "'COUNTER'", "a tag, or a pattern"),
    ({"api": {"allowed_tags": ["a\u200bb"]}}, "api.allowed_tags[0]", "u200b", "a tag, or a pattern"),
    ({"api": {"allowed_tags": ["x" * 201]}}, "api.allowed_tags[0]", "xxx", "at most 200"),
    ({"api": {"allowed_tags": ["x" * 190] * 11}}, "api.allowed_tags", "2,134 bytes", "2,000 bytes or less"),
    ({"api": {"record_authorization": "KEY"}}, "api.record_authorization", "'KEY'", "NONE, JWT or AWS_IAM"),
    ({"api": {"read_authorization": "JWT"}}, "api.jwt_issuer", "api.read_authorization is JWT", "the URL of an issuer"),
    (
        {"api": {"record_authorization": "JWT", "jwt_issuer": "https://id.example.org", "jwt_audiences": []}},
        "api.jwt_audiences",
        "is missing, and api.record_authorization is JWT",
        "a list of at most 50, each item an audience",
    ),
    (
        {"api": {"jwt_issuer": "https://id.example.org", "read_authorization": "AWS_IAM"}},
        "api.jwt_issuer",
        "has no effect unless api.record_authorization or api.read_authorization is JWT",
        "JWT with it, or neither",
    ),
    ({"api": {"jwt_audiences": ["a"]}}, "api.jwt_audiences", "has no effect unless", "JWT with it, or neither"),
    (
        {"api": {**TOKENS, "read_authorization": "NONE", "read_scopes": ["read"]}},
        "api.read_scopes",
        "['read'] has no effect with api.read_authorization NONE",
        "api.read_authorization JWT with it, or neither",
    ),
    (
        {"api": {**TOKENS, "record_authorization": "AWS_IAM", "record_scopes": ["write"]}},
        "api.record_scopes",
        "['write'] has no effect with api.record_authorization AWS_IAM",
        "api.record_authorization JWT with it, or neither",
    ),
    ({"api": {**TOKENS, "jwt_issuer": "id.example.org"}}, "api.jwt_issuer", "'id.example.org'", "the URL of an issuer"),
    ({"api": {**TOKENS, "jwt_issuer": "http://example.org"}}, "api.jwt_issuer", "'http://example.org'", "https://"),
    ({"api": {**TOKENS, "jwt_audiences": ["a b"]}}, "api.jwt_audiences[0]", "'a b'", "without spaces"),
    ({"api": {**TOKENS, "read_scopes": ['"']}}, "api.read_scopes[0]", "'\"'", "1 to 64 visible ASCII"),
    ({"api": {"domain_name": "example"}}, "api.domain_name", "'example'", "a domain name in lower case"),
    ({"api": {"domain_name": "https://example.org"}}, "api.domain_name", "'https://example.org'", "a domain name"),
    ({"api": {"domain_name": "*.example.org"}}, "api.domain_name", "'*.example.org'", "a domain name in lower case"),
    ({"api": {"domain_name": "count.example.org"}}, "api.certificate_arn", "api.domain_name needs it", "ACM"),
    ({"api": {**DOMAIN, "certificate_arn": "arn:x"}}, "api.certificate_arn", "'arn:x'", "an ACM certificate"),
    ({"api": {**DOMAIN, "hosted_zone_id": "/hostedzone/Z1"}}, "api.hosted_zone_id", "'/hostedzone/Z1'", "such as Z0"),
    (
        {"api": {"certificate_arn": DOMAIN["certificate_arn"]}},
        "api.certificate_arn",
        "is given without api.domain_name",
        "api.domain_name with it, or neither",
    ),
    ({"api": {"hosted_zone_id": "Z1"}}, "api.hosted_zone_id", "without api.domain_name", "or neither"),
    (
        {"api": {"disable_execute_api_endpoint": True}},
        "api.disable_execute_api_endpoint",
        "without api.domain_name",
        "or neither",
    ),
    ({"tags": {"aws:owner": "me"}}, "tags (key)", "'aws:owner'", "not starting with aws:"),
    ({"tags": {"AWS:owner": "me"}}, "tags (key)", "'AWS:owner'", "not starting with aws:"),
    ({"tags": {"": "me"}}, "tags (key)", "''", "1 to 128 letters"),
    ({"tags": {"owner": "x" * 257}}, "tags.owner", "xxx", "at most 256"),
    ({"tags": {"owner": "me & you"}}, "tags.owner", "'me & you'", "letters, digits, spaces and _.:/=+-@"),
    ({"tags": {"owner": "two\nlines"}}, "tags.owner", "two", "letters, digits, spaces and _.:/=+-@"),
    ({"tags": {"owner!": "me"}}, "tags (key)", "'owner!'", "letters, digits, spaces and _.:/=+-@"),
    ({"tags": {"Owner": "me", "owner": "you"}}, "tags (key)", "'Owner' appears twice", "more than case"),
    ({"tags": {str(n): "" for n in range(51)}}, "tags", "51 entries", "at most 50"),
    ({"existing_table": {"table_arn": TABLE}}, "existing_table.stream_arn", "without a stream", "stream"),
    (
        {"existing_table": {"stream_arn": STREAM}},
        "existing_table.table_arn",
        "is missing; allowed: ",
        "the ARN of a DynamoDB table",
    ),
    (
        {"existing_table": {"table_arn": STREAM, "stream_arn": STREAM}},
        "existing_table.table_arn",
        STREAM,
        "the ARN of a DynamoDB table",
    ),
    (
        {"streams": {}},
        "streams",
        "did you mean 'stream'",
        "table, existing_table, stream, functions, api, monitoring, tags",
    ),
    ({"stream": {"batchsize": 5}}, "stream.batchsize", "did you mean 'batch_size'", "mapping_metrics"),
    ({"zzz": 5}, "zzz", "there is no such argument; allowed: ", "table, existing_table"),
    ("small", "args", "'small' is not a mapping", "a mapping with the keys table, existing_table"),
]


@pytest.mark.parametrize(
    ("args", "path", "value", "allowed"), REFUSED, ids=[f"{path}-{value[:20]}" for _, path, value, _ in REFUSED]
)
def test_an_invalid_argument_is_refused_before_any_resource_exists(
    args: Any, path: str, value: str, allowed: str
) -> None:
    monitor = RecordingMonitor()
    with pytest.raises(ArgumentError) as raised:
        run(lambda: StreamTriggeredCounter("counter", args), monitor=monitor)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert value in message
    assert allowed in message.partition("; allowed: ")[2] or allowed in message
    assert [resource for resource in monitor.resources if resource.type != "pulumi:pulumi:Stack"] == []


@pytest.mark.parametrize("variable", RESERVED_BY_COMPONENT)
def test_the_components_own_variables_cannot_be_set(variable: str) -> None:
    with pytest.raises(ArgumentError, match=variable):
        counter_settings({"functions": {"environment": {variable: "x"}}})


@pytest.mark.parametrize("wrap", [list, pulumi.Output.from_input, pulumi.Output.secret])
def test_an_environment_value_never_appears_in_an_error_message(wrap: Callable[[Any], Any]) -> None:
    with pytest.raises(ArgumentError, match=r"^functions\.environment\.TOKEN: a value of type list") as raised:
        run(lambda: StreamTriggeredCounter("counter", {"functions": {"environment": {"TOKEN": wrap(["hush"])}}}))
    assert "hush" not in str(raised.value)


def test_a_secret_never_appears_in_an_error_message() -> None:
    with pytest.raises(ArgumentError, match=r"^table\.encryption_key_arn: a value of type str is invalid") as raised:
        run(lambda: StreamTriggeredCounter("counter", {"table": {"encryption_key_arn": pulumi.Output.secret("hush")}}))
    assert "hush" not in str(raised.value)


def test_variables_may_differ_in_case_alone() -> None:
    variables = {"LIMIT": "1", "Limit": "2"}
    assert counter_settings({"functions": {"environment": variables}}).functions.environment == variables


@pytest.mark.parametrize(
    ("path", "args"),
    [
        ("stream.batch_size", lambda output: {"stream": {"batch_size": output}}),
        ("stream", lambda output: {"stream": output}),
        ("args", lambda output: output),
    ],
)
def test_an_output_instead_of_a_plain_value_is_refused_by_name(path: str, args: Callable[[Any], Any]) -> None:
    with pytest.raises(ArgumentError, match=rf"^{re.escape(path)}: is an Output"):
        run(lambda: StreamTriggeredCounter("counter", args(pulumi.Output.from_input(5))))


def output_known_at_once() -> pulumi.Output[str]:
    return pulumi.Output.from_input("nonsense")


def output_of_a_resource() -> pulumi.Output[str]:
    return aws.sqs.Queue("queue", name="nonsense").name


@pytest.mark.parametrize("output", [output_known_at_once, output_of_a_resource])
def test_an_output_is_checked_once_it_is_known_and_refused_in_the_same_sentence(
    output: Callable[[], pulumi.Output[str]],
) -> None:
    with pytest.raises(ArgumentError) as raised:
        run(lambda: StreamTriggeredCounter("counter", {"table": {"encryption_key_arn": output()}}))
    assert str(raised.value).startswith(
        "table.encryption_key_arn: 'nonsense' is invalid; allowed: the ARN of a KMS key"
    )


def test_an_output_whose_value_is_known_already_is_refused_before_anything_is_created() -> None:
    async def check() -> None:
        known = pulumi.Output.from_input("nonsense")
        await known.future()
        KEY_ARN("field", known)

    with pytest.raises(ArgumentError, match=r"^field: 'nonsense' is invalid; allowed: the ARN of a KMS key"):
        asyncio.run(check())


@pytest.mark.parametrize("name", ["", "two words", "a" * 42, "ünïcode", "a/b"])
def test_a_name_that_aws_would_refuse_in_a_child_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"^name: .*1 to 41 letters"):
        run(lambda: StreamTriggeredCounter(name))


def test_values_arrive_in_their_proper_type() -> None:
    settings = counter_settings(
        {"stream": {"batch_size": 250.0}, "table": {"billing_mode": "PROVISIONED"}, "functions": {"log_level": "WARN"}}
    )
    assert type(settings.stream.batch_size) is int
    assert settings.table.billing_mode is BillingMode.PROVISIONED
    assert settings.functions.log_level is LogLevel.WARN


def test_every_argument_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def recording(check: Callable[[Any, str, Any], Any]) -> Callable[[Any, str, Any], Any]:
        def record(self: Any, path: str, value: Any) -> Any:
            checked.append(path)
            return check(self, path, value)

        return record

    for kind in (Number, Items, Flag, Member, OneOf):
        monkeypatch.setattr(kind, "__call__", recording(kind.__call__))
    args: Any = {
        "table": {"deletion_protection": True, "billing_mode": "PROVISIONED"},
        "stream": {"batch_size": 7},
        "functions": {"log_retention_in_days": 7},
        "api": {"cors_allow_origins": ["*"]},
    }
    run(lambda: StreamTriggeredCounter("counter", args))
    assert sorted(checked) == sorted(f"{group}.{name}" for group, given in args.items() for name in given)


def test_settings_are_frozen() -> None:
    settings = counter_settings({"existing_table": {"table_arn": TABLE, "stream_arn": STREAM}})
    for part in (settings, *(getattr(settings, group) for group in GROUPS)):
        for name in part.declared():
            with pytest.raises(FrozenInstanceError):
                setattr(part, name, None)


@pytest.mark.parametrize("settings", Settings.kinds())
def test_a_default_is_none_or_passes_its_own_check(settings: type[Settings]) -> None:
    for name, declared in settings.declared().items():
        default, check = default_of(declared), declared.metadata["check"]
        if default is not None and not isinstance(check, Group):
            assert check(name, default) == default


def test_none_means_the_default() -> None:
    assert counter_settings({"stream": {"batch_size": None}, "api": None, "tags": None}) == counter_settings({})


@pytest.mark.parametrize(
    "args",
    [
        {"table": {"billing_mode": "PROVISIONED", "read_capacity": 40_001, "write_capacity": 1_000_000}},
        {"api": {"throttling_rate_limit": 10_000.5, "throttling_burst_limit": 5_001}},
    ],
)
def test_a_quota_that_aws_raises_on_request_is_not_a_limit(args: Any) -> None:
    settings = counter_settings(args)
    [(group, given)] = args.items()
    assert {name: getattr(getattr(settings, group), name) for name in given} == given


def accepted_by_iam(text: str) -> bool:
    return all(unicodedata.category(character)[0] in "LNZ" or character in "_.:/=+-@" for character in text)


@given(st.text(st.sampled_from("aé漢½² \u00a0\u2028\t\n_.:/=+-@&!'\u0301\U0001f600") | st.characters(), max_size=5))
def test_a_tag_is_let_through_exactly_if_iam_takes_it(text: str) -> None:
    for tags, allowed in (({"key": text}, True), ({text: ""}, bool(text))):
        if allowed and accepted_by_iam(text):
            assert counter_settings({"tags": tags}).tags == tags
        else:
            with pytest.raises(ArgumentError):
                counter_settings({"tags": tags})


@pytest.mark.parametrize(("longest", "accepted"), [(196, True), (197, False)])
def test_allowed_tags_may_have_2000_bytes_as_json(longest: int, accepted: bool) -> None:
    tags = [*["x" * 196] * 9, "x" * longest]
    if accepted:
        assert len(json.dumps(tags)) == 2_000
        assert counter_settings({"api": {"allowed_tags": tags}}).api.allowed_tags == tuple(tags)
    else:
        with pytest.raises(ArgumentError, match=r"^api\.allowed_tags: 2,001 bytes"):
            counter_settings({"api": {"allowed_tags": tags}})


@given(st.integers(0, 5), st.integers(0, 5))
def test_the_number_of_items_and_entries_is_limited(most: int, size: int) -> None:
    values = [f"value-{number}" for number in range(size)]
    for check, value in (
        (Items(ANY_TEXT, most), values),
        (Entries(ANY_TEXT, ANY_TEXT, most), dict.fromkeys(values, "")),
    ):
        if size <= most:
            assert len(check("field", value)) == size
        else:
            with pytest.raises(ArgumentError, match=rf"^field: {size} .* too many"):
                check("field", value)


@given(st.integers(), st.integers(), st.integers())
def test_a_number_is_let_through_exactly_within_its_limits(low: int, high: int, value: int) -> None:
    check = Number(low, high)
    if low <= value <= high:
        assert check("field", float(value) if abs(value) < 2**53 else value) == value
    else:
        with pytest.raises(ArgumentError):
            check("field", value)
