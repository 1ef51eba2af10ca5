"""Inputs as other languages send them: each works, or is refused with a sentence that names the field."""

import asyncio
import json
from typing import Any

import pulumi
import pytest

from components import ArgumentError
from components.plugin import NAME
from components.received import read_inputs
from components.testing import UNKNOWN
from tests.running import run_async

from .engine import COMPONENTS, Plugin, RefusedError, output, text_archive

COUNTER = "StreamTriggeredCounter"
GOLDEN = COMPONENTS / "schema.json"
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/Counts/stream/2026-01-01T00:00:00.000"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234-abcd"
CODE = text_archive({"app.py": "def handler(event, context): ..."})
CONSUMER = {"streamArn": STREAM, "code": CODE, "handler": "app.handler"}
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


@pytest.mark.parametrize(
    "batch_size",
    [
        pytest.param(7.0, id="float"),
        pytest.param(output(7.0), id="known Output"),
        pytest.param(output(7.0, dependencies=("urn:pulumi:test::project::a:b:C::d",)), id="with dependencies"),
    ],
)
def test_integer_arrives_as_one(plugin: Plugin, batch_size: Any) -> None:
    constructed = plugin.construct(COUNTER, {"stream": {"batchSize": batch_size}})
    assert constructed.one(MAPPING).inputs["batchSize"] == 7


def test_null_means_left_out(plugin: Plugin) -> None:
    constructed = plugin.construct(COUNTER, {"stream": {"batchSize": None}, "existingTable": None, "tags": None})
    assert constructed.one(MAPPING).inputs["batchSize"] == 1_000


def test_enum_is_its_value(plugin: Plugin) -> None:
    constructed = plugin.construct(COUNTER, {"table": {"billingMode": "PROVISIONED"}})
    assert constructed.one("counter-idempotency").inputs["billingMode"] == "PROVISIONED"


def test_group_may_be_an_output_whose_value_is_known(plugin: Plugin) -> None:
    upstream = "urn:pulumi:test::project::aws:kms/key:Key::key"
    # A transform in the program makes the engine wrap each input that depends on something.
    table = output({"encryptionKeyArn": KEY, "deletionProtection": True}, dependencies=(upstream,))
    made = plugin.construct(COUNTER, {"table": table}).one("counter-idempotency")
    assert made.inputs["deletionProtectionEnabled"] is True
    assert made.inputs["serverSideEncryption"]["kmsKeyArn"] == KEY
    assert upstream in made.dependencies


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"TOKEN": output("s3cret", secret=True)}, id="leaf"),
        pytest.param(output({"TOKEN": "s3cret"}, secret=True), id="mapping"),
    ],
)
def test_secret_stays_secret_down_to_the_resource(plugin: Plugin, environment: Any) -> None:
    constructed = plugin.construct(COUNTER, {"functions": {"environment": environment}})
    functions = [resource for resource in constructed.resources if resource.type == "aws:lambda/function:Function"]
    assert len(functions) == 4
    for function in functions:
        assert function.inputs["environment"]["variables"]["TOKEN"] == "s3cret"
        assert {path.partition(".")[0] for path in function.secrets} == {"environment"}
        assert "s3cret" not in str({key: value for key, value in function.inputs.items() if key != "environment"})


def test_number_is_its_text_where_text_is_expected(plugin: Plugin) -> None:
    inputs = {
        "tags": {"costCenter": 1234.0, "billed": True, "zip": output(5.0)},
        "functions": {"environment": output({"RETRIES": 3.0, "DEBUG": False})},
        "api": {
            "allowedTags": [2024.0],
            "recordAuthorization": "JWT",
            "jwtIssuer": "https://example.org",
            "jwtAudiences": [123456.0, output(7.0)],
        },
    }
    constructed = plugin.construct(COUNTER, inputs)
    function = next(one for one in constructed.resources if one.type == "aws:lambda/function:Function")
    assert function.inputs["tags"] == {"costCenter": "1234", "billed": "true", "zip": "5"}
    variables = function.inputs["environment"]["variables"]
    assert (variables["RETRIES"], variables["DEBUG"]) == ("3", "false")
    authorizer = next(one for one in constructed.resources if one.type == "aws:apigatewayv2/authorizer:Authorizer")
    assert authorizer.inputs["jwtConfiguration"]["audiences"] == ["123456", "7"]


def test_secret_number_is_its_text_and_stays_secret(plugin: Plugin) -> None:
    inputs = {"functions": {"environment": {"PIN": output(1234.0, secret=True)}}}
    constructed = plugin.construct(COUNTER, inputs)
    function = next(one for one in constructed.resources if one.type == "aws:lambda/function:Function")
    assert function.inputs["environment"]["variables"]["PIN"] == "1234"
    assert {path.partition(".")[0] for path in function.secrets} == {"environment"}


def test_boolean_is_its_text_in_a_condition(plugin: Plugin) -> None:
    conditions = {"Bool": {"aws:SecureTransport": [True]}, "NumericLessThan": {"aws:MultiFactorAuthAge": [3600.0]}}
    statement = {"actions": ["sns:Publish"], "resources": ["*"], "conditions": conditions}
    constructed = plugin.construct("StreamConsumer", CONSUMER | {"statements": [statement]})
    policies = str([one.inputs.get("policy") for one in constructed.resources])
    assert '"aws:SecureTransport": ["true"]' in policies
    assert '"aws:MultiFactorAuthAge": ["3600"]' in policies


@pytest.mark.parametrize("unknown", [pytest.param(output(), id="Output"), pytest.param(UNKNOWN, id="bare")])
def test_unknown_text_stays_unknown_in_a_preview(plugin: Plugin, unknown: Any) -> None:
    inputs = {
        "table": {"encryptionKeyArn": unknown},
        "tags": {"owner": unknown, "team": "web"},
        "functions": {"environment": {"ADDRESS": unknown}},
    }
    constructed = plugin.construct(COUNTER, inputs, preview=True)
    made = constructed.one("counter-idempotency")
    assert made.inputs["serverSideEncryption"]["kmsKeyArn"] is UNKNOWN
    assert made.inputs["tags"] == {"owner": UNKNOWN, "team": "web"}
    function = next(resource for resource in constructed.resources if resource.type == "aws:lambda/function:Function")
    assert function.inputs["environment"]["variables"]["ADDRESS"] is UNKNOWN


def test_unknown_stream_of_a_consumer_stays_unknown_in_a_preview(plugin: Plugin) -> None:
    constructed = plugin.construct("StreamConsumer", CONSUMER | {"streamArn": output()}, preview=True)
    assert constructed.one(MAPPING).inputs["eventSourceArn"] is UNKNOWN


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown input": (COUNTER, {"strem": {}}, "strem: there is no such argument (did you mean 'stream'?)"),
    "misspelt nested input": (
        COUNTER,
        {"stream": {"batchsize": 5.0}},
        "stream.batchsize: there is no such argument (did you mean 'batchSize'?)",
    ),
    "Python's spelling": (
        COUNTER,
        {"stream": {"batch_size": 5.0}},
        "stream.batch_size: there is no such argument (did you mean 'batchSize'?)",
    ),
    "misspelt item of a list": (
        "StreamConsumer",
        CONSUMER | {"statements": [{"actions": [], "resources": [], "acton": "x"}]},
        "statements[0].acton: there is no such argument (did you mean 'actions'?)",
    ),
    "missing input": ("StreamConsumer", {}, "streamArn: is missing; allowed: the ARN of a DynamoDB stream"),
    "missing input of two that go together": (
        "StreamConsumer",
        {"streamArn": STREAM, "code": CODE},
        "handler: is missing; allowed: code with handler, or functionArn with functionRoleName",
    ),
    "missing nested input": (
        COUNTER,
        {"existingTable": {"tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Counts"}},
        "existingTable.streamArn: is missing",
    ),
    "null for what is required": ("StreamConsumer", CONSUMER | {"streamArn": None}, "streamArn: is missing"),
    "out of range": (COUNTER, {"stream": {"batchSize": 0.0}}, "stream.batchSize: 0 is out of range; allowed: 1 to"),
    "fraction": (COUNTER, {"stream": {"batchSize": 1.5}}, "stream.batchSize: 1.5 is not a whole number"),
    "text for a number": (COUNTER, {"stream": {"batchSize": "ten"}}, "stream.batchSize: 'ten' is not a whole number"),
    "text for a boolean": (
        COUNTER,
        {"table": {"deletionProtection": "yes"}},
        "table.deletionProtection: 'yes' is not a boolean; allowed: true or false",
    ),
    "wrong enum": (
        COUNTER,
        {"table": {"billingMode": "ON_DEMAND"}},
        "table.billingMode: 'ON_DEMAND' is not a BillingMode; allowed: PAY_PER_REQUEST or PROVISIONED",
    ),
    "view type without the new image": (
        COUNTER,
        {"table": {"billingMode": "FREE"}},
        "table.billingMode: 'FREE' is not a BillingMode; allowed: PAY_PER_REQUEST or PROVISIONED",
    ),
    "argument without effect": (
        COUNTER,
        {"table": {"readCapacity": 5.0}},
        "table.readCapacity: 5 has no effect with table.billingMode PAY_PER_REQUEST; allowed: table.billingMode",
    ),
    "text for a group": (
        COUNTER,
        {"stream": "fast"},
        "stream: 'fast' is not a mapping; allowed: a mapping with the keys batchSize, maximumBatchingWindowInSeconds",
    ),
    "list for a group": (COUNTER, {"stream": ["a"]}, "stream: ['a'] is not a mapping; allowed: a mapping"),
    "mapping for a number": (
        COUNTER,
        {"stream": {"batchSize": {"a": 1.0}}},
        "stream.batchSize: {'a': 1.0} is not a whole number",
    ),
    "list for a mapping": (COUNTER, {"tags": ["a"]}, "tags: a value of type list is not a mapping; allowed: a mapping"),
    "text for a list": (
        COUNTER,
        {"api": {"corsAllowOrigins": "*"}},
        "api.corsAllowOrigins: '*' is not a list; allowed: a list",
    ),
    "bad item of a list": (COUNTER, {"api": {"corsAllowOrigins": ["x"]}}, "api.corsAllowOrigins[0]: 'x' is invalid"),
    "text for code": ("StreamConsumer", CONSUMER | {"code": "x"}, "code: a value of type str is invalid"),
    "bad text": (COUNTER, {"table": {"encryptionKeyArn": "key"}}, "table.encryptionKeyArn: 'key' is invalid"),
    "bad text in an Output": (
        COUNTER,
        {"table": {"encryptionKeyArn": output("key", dependencies=("urn:pulumi:test::project::a:b:C::d",))}},
        "table.encryptionKeyArn: 'key' is invalid",
    ),
    "bad text in a secret": (
        COUNTER,
        {"table": {"encryptionKeyArn": output("hush", secret=True)}},
        "table.encryptionKeyArn: a value of type str is invalid",
    ),
    "fraction for text": (
        COUNTER,
        {"tags": {"version": 1.1}},
        "tags.version: 1.1 is a number with a fraction, whose digits may have changed (1.10 arrives as 1.1)",
    ),
    "fraction in an Output for text": (
        COUNTER,
        {"tags": {"version": output(1.1)}},
        "tags.version: 1.1 is a number with a fraction",
    ),
    "fraction in a secret for text": (
        COUNTER,
        {"tags": output({"version": 1.1}, secret=True)},
        "tags.version: the value is a number with a fraction",
    ),
    "rounded number for text": (
        COUNTER,
        {"api": {"jwtAudiences": [2.0**53]}},
        "api.jwtAudiences[0]: 9007199254740992.0 is a number that may have been rounded; allowed: the same in quotes",
    ),
    "number for an ARN": (COUNTER, {"table": {"encryptionKeyArn": 5.0}}, "table.encryptionKeyArn: '5' is invalid"),
    "number in an Output for an ARN": (
        COUNTER,
        {"table": {"encryptionKeyArn": output(5.0)}},
        "table.encryptionKeyArn: '5' is invalid",
    ),
    "number for an enum": (COUNTER, {"table": {"billingMode": 5.0}}, "table.billingMode: 5 is not a BillingMode"),
    "mapping for text": (COUNTER, {"tags": {"a": {"b": 1.0}}}, "tags.a: {'b': 1.0} is not text"),
    "secret for a group": (COUNTER, {"stream": output("hush", secret=True)}, "stream: is a secret"),
    "secret for a list": (
        COUNTER,
        {"api": {"corsAllowOrigins": output("hush", secret=True)}},
        "api.corsAllowOrigins: is",
    ),
    "secret where it could not stay one": (
        COUNTER,
        {"stream": {"batchSize": output(5.0, secret=True)}},
        "stream.batchSize: is a secret",
    ),
    "unknown group": (COUNTER, {"stream": output()}, "stream: is not known before resources are created"),
    "unknown number": (
        COUNTER,
        {"stream": {"batchSize": output()}},
        "stream.batchSize: is not known before resources are created",
    ),
    "unknown code": (
        "StreamConsumer",
        CONSUMER | {"code": output()},
        "code: is not known before resources are created",
    ),
    "reserved variable": (
        COUNTER,
        {"functions": {"environment": {"TABLE_NAME": "x"}}},
        "functions.environment (key): 'TABLE_NAME' is invalid",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_is_a_sentence_that_names_the_field(plugin: Plugin, case: str) -> None:
    component, inputs, sentence = REFUSED[case]
    with pytest.raises(RefusedError) as refused:
        plugin.construct(component, inputs, preview=True)
    assert str(refused.value).startswith(sentence)
    assert "Traceback" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("computed", [False, True], ids=["still computed", "partly unknown"])
def test_group_whose_value_is_not_known_is_refused_as_a_whole(computed: bool) -> None:
    async def read() -> dict[str, Any]:
        value: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        known: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        known.set_result(not computed)
        stream = pulumi.Output(set(), value, known)
        if computed:
            value.set_result({"batchSize": 5.0})
            await stream.future(with_unknowns=True)
        schema = json.loads(GOLDEN.read_text(encoding="utf-8"))
        return read_inputs(schema, f"{NAME}:index:{COUNTER}", {"stream": stream})

    with pytest.raises(ArgumentError, match=r"^stream: is not known before resources are created"):
        run_async(read())


def test_bad_name_is_refused(plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match="name: 'a b' is invalid; allowed: 1 to"):
        plugin.construct(COUNTER, {}, name="a b")
