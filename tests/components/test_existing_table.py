"""An existing table is adopted, or refused with an error that says why."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import ArgumentError, StreamTriggeredCounter
from components.config import args_from_config
from components.engine.answers import InvokeFailedError, InvokeHandler
from components.stream_triggered_counter import WITHOUT_EFFECT_ON_EXISTING_TABLE
from components.table import TableSettings
from components.testing import RecordingMonitor, Result, run
from tests.samples import DESCRIBED_TABLE, STREAM, TABLE, sample

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
GET_TABLE = "aws:dynamodb/getTable:getTable"
GET_KEY = "aws:kms/getKey:getKey"
ENCRYPTED: dict[str, Any] = {"serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY}}


def adopt(
    preview: bool = False,
    find: InvokeHandler | None = None,
    key: InvokeHandler | None = None,
    args: Any = None,
    **different: Any,
) -> Result:
    invokes: dict[str, InvokeHandler] = {GET_TABLE: find or (lambda _: DESCRIBED_TABLE | different)}
    monitor = RecordingMonitor(preview=preview, invokes=invokes | ({GET_KEY: key} if key else {}))
    existing: Any = {"existing_table": {"table_arn": TABLE, "stream_arn": STREAM}, "monitoring": {"alarms": False}}
    return run(lambda: StreamTriggeredCounter("counter", existing | (args or {})), monitor=monitor)


def fail(message: str) -> InvokeHandler:
    def handler(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise InvokeFailedError(message)

    return handler


@pytest.mark.parametrize("preview", [False, True])
def test_an_adopted_table_is_used_and_not_created(preview: bool) -> None:
    result = adopt(preview)
    assert [table.name for table in result.all("aws:dynamodb/table:Table")] == ["counter-idempotency"]
    [invoke] = result.invokes
    assert invoke.arguments["name"] == "Counts"
    assert result.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs["eventSourceArn"] == STREAM
    variables = result.one("aws:lambda/function:Function", "counter-record-visit").inputs["environment"]["variables"]
    assert variables["TABLE_NAME"] == "Counts"
    outputs = result.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs
    assert outputs is not None
    assert (outputs["tableName"], outputs["tableArn"], outputs["streamArn"]) == ("Counts", TABLE, STREAM)


@pytest.mark.parametrize(
    "different",
    [
        pytest.param({"attributes": None}, id="no description of the key"),
        pytest.param({"serverSideEncryption": None}, id="no description of the encryption"),
        pytest.param({"serverSideEncryption": {"enabled": False, "kmsKeyArn": KEY}}, id="encryption switched off"),
        pytest.param({"serverSideEncryption": {"enabled": True, "kmsKeyArn": ""}}, id="a key without an ARN"),
    ],
)
def test_what_is_enough_to_count_in_a_table(different: dict[str, Any]) -> None:
    result = adopt(**different)
    assert result.warnings == []
    assert [invoke.token for invoke in result.invokes] == [GET_TABLE]


@pytest.mark.parametrize(
    ("different", "sentence"),
    [
        ({"streamEnabled": False, "streamArn": "", "streamViewType": ""}, r"stream_arn: .*Counts has no stream"),
        ({"streamArn": f"{TABLE}/stream/2025"}, r"stream_arn: .*is not the stream that table Counts has now"),
        ({"hashKey": "pk"}, r"table_arn: the key of table Counts is 'pk'"),
        ({"rangeKey": "sk"}, r"table_arn: the key of table Counts is 'ID and sk'"),
        (
            {"attributes": [{"name": "Other", "type": "S"}, {"name": "ID", "type": "N"}]},
            r"table_arn: the key of table Counts is of the type N; allowed: a table whose key is 'ID' alone, of .* S",
        ),
    ],
)
def test_a_table_that_cannot_be_counted_in_is_refused(different: dict[str, Any], sentence: str) -> None:
    # The table is known only while resources are created; the sentence still comes out alone.
    with pytest.raises(ArgumentError, match=rf"^existing_table\.{sentence}"):
        adopt(**different)


def test_answer_with_a_key_alone_is_checked() -> None:
    with pytest.raises(ArgumentError, match=r"^existing_table\.table_arn: the key of table Counts is 'pk'"):
        adopt(find=lambda _: {"hashKey": "pk"})


def test_global_table_is_an_error_with_the_reason() -> None:
    replicas = [{"regionName": region, "kmsKeyArn": ""} for region in ("us-east-1", "eu-west-1", "eu-central-1")]
    with pytest.raises(ArgumentError) as raised:
        adopt(replicas=replicas)
    assert str(raised.value) == (
        "existing_table.table_arn: table Counts is a global table, with replicas in eu-central-1, us-east-1: DynamoDB "
        "replicates whole items and keeps the last write, so visits of two regions would overwrite each other; "
        "allowed: a table without replicas"
    )


@pytest.mark.parametrize("replicas", [None, [], [{"regionName": "eu-west-1", "kmsKeyArn": ""}]])
def test_table_of_one_region_is_adopted(replicas: Any) -> None:
    assert adopt(replicas=replicas).warnings == []


@pytest.mark.parametrize("recovery", [True, False])
def test_recovery_has_no_effect_on_an_existing_table(recovery: bool) -> None:
    with pytest.raises(ArgumentError) as raised:
        adopt(args={"table": {"point_in_time_recovery": recovery}})
    assert str(raised.value) == (
        f"table.point_in_time_recovery: {recovery} has no effect on an existing table, and idempotency keys are never "
        "kept for it; allowed: no value; set it where the table is created"
    )


@pytest.mark.parametrize("name", sorted({*TableSettings.declared()} - {*WITHOUT_EFFECT_ON_EXISTING_TABLE}))
def test_other_table_argument_has_an_effect_beside_it(name: str) -> None:
    base = {"billing_mode": "PROVISIONED"} if "capacity" in name else {}
    value = sample(TableSettings.declared()[name])
    without, with_it = (
        [(resource.urn, resource.inputs) for resource in adopt(args={"table": given}).resources]
        for given in (base, {**base, name: value})
    )
    assert with_it != without


@pytest.mark.parametrize(("recovery", "accepted"), [("true", True), ("false", False)])
def test_configured_default_is_not_taken_for_an_argument(recovery: str, accepted: bool) -> None:
    project = "stream-triggered-counter"
    config = {"tableArn": TABLE, "streamArn": STREAM, "pointInTimeRecovery": recovery}
    monitor = RecordingMonitor(project=project, invokes={GET_TABLE: lambda _: DESCRIBED_TABLE})

    def deploy() -> Result:
        return run(
            lambda: StreamTriggeredCounter("counter", args_from_config(pulumi.Config())),
            config={f"{project}:{key}": value for key, value in config.items()},
            monitor=monitor,
        )

    if accepted:
        assert deploy().warnings == []
    else:
        with pytest.raises(ArgumentError, match=r"^pointInTimeRecovery: False has no effect on an existing table"):
            deploy()


@pytest.mark.parametrize("view_type", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"])
def test_a_stream_without_both_images_is_refused_with_the_way_out(view_type: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        adopt(streamViewType=view_type)
    assert str(raised.value) == (
        f"existing_table.stream_arn: the view type of table Counts's stream is '{view_type}', and it cannot be "
        "changed; allowed: the ARN of the table's stream, with the view type NEW_AND_OLD_IMAGES: disable the stream, "
        "enable it again with NEW_AND_OLD_IMAGES, and give its new ARN"
    )


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        "reading DynamoDB Table (Counts): couldn't find resource",
        "operation error DynamoDB: DescribeTable, https response error StatusCode: 400, ResourceNotFoundException:\n"
        "Requested resource not found: Table: Counts not found",
    ],
)
def test_a_missing_table_is_refused_in_a_sentence(preview: bool, words: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        adopt(preview, fail(words))
    assert str(raised.value) == (
        f"existing_table.table_arn: '{TABLE}' does not exist in the account and region that the stack deploys to; "
        "allowed: the ARN of a table that exists there"
    )


def test_a_table_that_cannot_be_looked_up_is_refused_with_the_providers_words() -> None:
    with pytest.raises(ArgumentError) as raised:
        adopt(find=fail("AccessDeniedException:\n  not authorized"))
    assert str(raised.value) == (
        f"existing_table.table_arn: '{TABLE}' cannot be looked up (invoke of {GET_TABLE} failed: "
        "AccessDeniedException: not authorized ()); allowed: the ARN of a table that the deployment may describe"
    )


def test_a_refusal_names_the_configuration_keys_if_the_table_comes_from_there() -> None:
    project = "stream-triggered-counter"
    config = {f"{project}:tableArn": TABLE, f"{project}:streamArn": STREAM}

    def refusal(answer: InvokeHandler) -> str:
        monitor = RecordingMonitor(
            project=project, invokes={GET_TABLE: answer, GET_KEY: lambda _: {"keyManager": "CUSTOMER"}}
        )
        with pytest.raises(ArgumentError) as raised:
            run(
                lambda: StreamTriggeredCounter("counter", args_from_config(pulumi.Config())),
                config=config,
                monitor=monitor,
            )
        return str(raised.value).partition(":")[0]

    assert refusal(fail("not found")) == "tableArn"
    assert refusal(lambda _: DESCRIBED_TABLE | {"hashKey": "pk"}) == "tableArn"
    assert refusal(lambda _: DESCRIBED_TABLE | {"streamEnabled": False}) == "streamArn"
    assert refusal(lambda _: DESCRIBED_TABLE | ENCRYPTED) == "encryptionKeyArn"


OTHER_KEY = KEY.replace("1234abcd", "5678ef")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (None, "is missing, and table Counts is encrypted with a customer-managed key"),
        (OTHER_KEY, f"'{OTHER_KEY}' is not the key that encrypts table Counts"),
    ],
)
@pytest.mark.parametrize(
    "key", [lambda _: {"keyManager": "CUSTOMER"}, fail("not authorized")], ids=["found", "unknown"]
)
def test_the_key_of_an_encrypted_table_is_asked_for(given: str | None, problem: str, key: InvokeHandler) -> None:
    with pytest.raises(ArgumentError) as raised:
        adopt(key=key, args={"table": {"encryption_key_arn": given}} if given else {}, **ENCRYPTED)
    assert str(raised.value) == f"table.encryption_key_arn: {problem}; allowed: {KEY}"


@pytest.mark.parametrize(("given", "manager"), [(KEY, "CUSTOMER"), (None, "AWS"), (OTHER_KEY, "AWS")])
def test_an_encrypted_table_is_adopted_with_its_key_or_if_aws_manages_it(given: str | None, manager: str) -> None:
    result = adopt(
        key=lambda arguments: {"keyManager": manager, "keyId": arguments["keyId"]},
        args={"table": {"encryption_key_arn": given}},
        **ENCRYPTED,
    )
    assert [invoke.arguments for invoke in result.invokes if invoke.token == GET_KEY] == [{"keyId": KEY}]
    outputs = result.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs
    assert outputs is not None
    assert outputs["tableName"] == "Counts"


def test_on_an_emulator_a_table_with_that_name_stands_in() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/Counts"
    result = adopt(arn=arn, streamArn=f"{arn}/stream/now")
    mapping = result.one("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mapping.inputs["eventSourceArn"] == f"{arn}/stream/now"


def test_a_preview_warns_that_the_stacks_own_table_is_deleted() -> None:
    [warning] = adopt(preview=True).warnings
    assert "counter-table" in warning
    assert "deleted" in warning
    assert adopt().warnings == []
    assert run(lambda: StreamTriggeredCounter("counter"), preview=True).warnings == []
