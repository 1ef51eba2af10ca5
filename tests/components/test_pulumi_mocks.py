"""The components under Pulumi's own mocks, as an embedder would test a program that uses them."""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components import (
    ArgumentError,
    ExistingTableArgs,
    StreamConsumer,
    StreamTriggeredCounter,
    StreamTriggeredCounterArgs,
)
from components.testing import run
from tests.samples import DESCRIBED_TABLE, STREAM, TABLE

MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


@pytest.fixture(autouse=True)
def _event_loop() -> Iterator[None]:
    """Provide the thread's event loop, which `pulumi.runtime.test` needs and other tests may have taken away."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


class Echo(pulumi.runtime.Mocks):
    """The mocks of Pulumi's documentation: every resource has its inputs as its state, so no name and no ARN."""

    def __init__(self) -> None:
        self.registered: list[pulumi.runtime.MockResourceArgs] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.registered.append(args)
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return {}

    def of(self, type_: str) -> list[pulumi.runtime.MockResourceArgs]:
        return [one for one in self.registered if one.typ == type_]


class Computing(Echo):
    """Mocks that answer with what the test is about."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        identifier, state = super().new_resource(args)
        service = args.typ.partition(":")[2].partition("/")[0]
        computed = {
            "name": args.name,
            "arn": f"arn:aws:{service}:eu-west-1:123456789012:{args.name}",
            "streamArn": STREAM,
            "url": f"https://sqs.example/{args.name}",
            "uuid": f"{args.name}-uuid",
            "apiEndpoint": "https://api.example",
        }
        if args.typ == "aws:lambda/function:Function":
            computed["arn"] = f"arn:aws:lambda:eu-west-1:123456789012:function:{args.name}"
        return identifier, {**computed, **state}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        assert args.token == "aws:dynamodb/getTable:getTable"
        return DESCRIBED_TABLE


def mocked(program: Callable[[], object], mocks: Echo, *, preview: bool = False) -> Any:
    """Run a program as `@pulumi.runtime.test` does, and give the value of the Output that it returns."""
    found: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def test() -> Any:
        returned: Any = program()
        return pulumi.Output.from_input(returned).apply(found.append)

    def isolated() -> None:
        pulumi.runtime.set_mocks(mocks, project="project", stack="test", preview=preview)
        test()

    # The mocks stay in this context: other tests of this process have an engine of their own.
    contextvars.copy_context().run(isolated)
    return found[0] if found else None


def counter(args: StreamTriggeredCounterArgs | None = None) -> StreamTriggeredCounter:
    return StreamTriggeredCounter("hits", args or {})


def everything() -> None:
    made = counter({"stream": {"batch_size": 7}, "monitoring": {"notification_email": "on-call@example.org"}})
    StreamConsumer(
        "audit",
        {"stream_arn": made.stream_arn, "code": pulumi.AssetArchive({}), "handler": "audit.handler"},
    )
    role = aws.iam.Role("report", assume_role_policy="{}")
    made.grant_read(role)
    made.grant_count("importer")


@pytest.mark.parametrize("kind", [Echo, Computing])
@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_the_same_resources_are_registered_as_on_an_engine(kind: type[Echo], preview: bool) -> None:
    mocks = kind()
    mocked(everything, mocks, preview=preview)
    on_an_engine = run(everything, preview=preview).resources
    assert Counter((one.typ, one.name) for one in mocks.registered) == Counter(
        (one.type, one.name) for one in on_an_engine
    )
    assert len(mocks.of("aws:lambda/function:Function")) == 5


def test_no_input_of_a_resource_is_lost() -> None:
    mocks = Computing()
    mocked(everything, mocks)
    on_an_engine = run(everything).resources
    expected = {(one.type, one.name): one.inputs.keys() for one in on_an_engine if one.custom}
    assert {(one.typ, one.name): one.inputs.keys() for one in mocks.registered if one.custom} == expected


def test_outputs_come_from_the_mocks() -> None:
    def program() -> Any:
        made = counter()
        return pulumi.Output.all(**made.outputs())

    outputs = mocked(program, Computing())
    assert outputs == {
        "apiEndpoint": "https://api.example",
        "tableName": "hits-table",
        "tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:hits-table",
        "streamArn": STREAM,
        "idempotencyTableName": "hits-idempotency",
        "eventSourceMappingId": "hits-process-stream-uuid",
        "functionNames": {
            "welcome": "hits-welcome",
            "recordVisit": "hits-record-visit",
            "viewCounts": "hits-view-counts",
            "processStream": "hits-process-stream",
        },
        "deadLetterQueueUrl": "https://sqs.example/hits-process-stream-failures",
        "apiId": "hits-api-id",
        "dashboardUrl": (
            "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/hits-hits-api-id"
        ),
    }


def test_arguments_reach_the_resources_inputs() -> None:
    mocks = Computing()
    mocked(lambda: counter({"stream": {"batch_size": 7}, "functions": {"memory_size": 512}}) and None, mocks)
    [mapping] = mocks.of(MAPPING)
    assert (mapping.inputs["batchSize"], mapping.inputs["eventSourceArn"]) == (7, STREAM)
    assert {one.inputs["memorySize"] for one in mocks.of("aws:lambda/function:Function")} == {512}
    variables = [one.inputs["environment"]["variables"] for one in mocks.of("aws:lambda/function:Function")]
    assert {each["TABLE_NAME"] for each in variables} == {"hits-table"}


def test_an_adopted_table_is_looked_up_through_the_mocks() -> None:
    mocks = Computing()
    adopted: ExistingTableArgs = {"table_arn": TABLE, "stream_arn": STREAM}
    assert mocked(lambda: counter({"existing_table": adopted}).table_name, mocks) == "Counts"
    assert [one.name for one in mocks.of("aws:dynamodb/table:Table")] == ["hits-idempotency"]


def test_existing_table_is_as_named_if_the_mocks_answer_nothing() -> None:
    mocks = Echo()
    adopted: ExistingTableArgs = {"table_arn": TABLE, "stream_arn": STREAM}

    def program() -> Any:
        made = counter({"existing_table": adopted})
        return pulumi.Output.all(made.table_name, made.table_arn, made.stream_arn)

    assert mocked(program, mocks) == ["Counts", TABLE, STREAM]
    assert [one.name for one in mocks.of("aws:dynamodb/table:Table")] == ["hits-idempotency"]
    variables = [one.inputs["environment"]["variables"] for one in mocks.of("aws:lambda/function:Function")]
    assert {each["TABLE_NAME"] for each in variables} == {"Counts"}


def test_a_bad_argument_is_refused_under_mocks_too() -> None:
    mocks = Echo()
    with pytest.raises(ArgumentError, match=r"^stream\.batch_size: 0 "):
        mocked(lambda: counter({"stream": {"batch_size": 0}}), mocks)
    assert mocks.registered == []
