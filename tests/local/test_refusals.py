"""A resource that the local cloud does not support is refused by name, and never left out."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from local.environment import ACCOUNT
from local.errors import ResourceError, UnknownInputError, UnknownTypeError
from tests.local.conftest import CODE, Cloud


def test_an_unknown_type_is_named_with_its_resource(cloud: Cloud) -> None:
    with pytest.raises(UnknownTypeError, match="s3/bucket:Bucket 'pail': the local cloud does not support this type"):
        cloud.deploy(lambda: aws.s3.Bucket("pail"))


def test_an_unknown_input_is_named_and_nothing_is_made(cloud: Cloud) -> None:
    def program() -> None:
        aws.lambda_.Function(
            "f",
            name="never-made",
            role=f"arn:aws:iam::{ACCOUNT}:role/r",
            code=CODE,
            handler="main.handler",
            runtime="python3.13",
            vpc_config={"subnet_ids": ["s"], "security_group_ids": []},
        )

    with pytest.raises(UnknownInputError, match="Function 'f': the local cloud does not support the input vpcConfig"):
        cloud.deploy(program)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.client("lambda").get_function(FunctionName="never-made")


def test_what_aws_refuses_is_named_with_its_resource(cloud: Cloud) -> None:
    def program() -> None:
        aws.lambda_.Function(
            "f", role=f"arn:aws:iam::{ACCOUNT}:role/none", code=CODE, handler="main.handler", runtime="python3.13"
        )

    with pytest.raises(ResourceError, match=r"Function 'f': .*The role with name none cannot be found"):
        cloud.deploy(program)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"code": pulumi.FileArchive("gone")}, r"code: .*gone is neither a folder nor a zip file: it does not exist"),
        ({"image_uri": "image", "package_type": "Image"}, "the local cloud creates functions only from `code`"),
    ],
)
def test_code_that_cannot_be_packed_is_refused(cloud: Cloud, arguments: Any, message: str) -> None:
    def program() -> None:
        aws.lambda_.Function(
            "f", role=f"arn:aws:iam::{ACCOUNT}:role/r", handler="a.b", runtime="python3.13", **arguments
        )

    with pytest.raises(ResourceError, match=f"Function 'f': {message}"):
        cloud.deploy(program)


def test_a_websocket_api_and_a_named_stage_are_refused(cloud: Cloud) -> None:
    with pytest.raises(ResourceError, match="Api 'a': protocolType is 'WEBSOCKET', must be 'HTTP'"):
        cloud.deploy(lambda: aws.apigatewayv2.Api("a", protocol_type="WEBSOCKET"))
    with pytest.raises(ResourceError, match=r"name is 'prod'; the local cloud serves only the stage '\$default'"):
        cloud.deploy(lambda: aws.apigatewayv2.Stage("s", api_id="00000001", name="prod"))


def test_a_lookup_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ResourceError, match="Table 't': looks up 'visits', but nothing exists before"):
        cloud.deploy(lambda: aws.dynamodb.Table.get("t", "visits"))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ('{"eventName": "REMOVE"}', 'filterCriteria: eventName "REMOVE" is not a list'),
        ("REMOVE", "filterCriteria: is not valid JSON"),
        (
            '{"$or": [{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}]}',
            r"the local cloud does not support the input filterCriteria: \$or;",
        ),
        (
            '{"dynamodb": {"Keys": {"ID": {"S": [{"equals-ignore-case" : "a"}]}}}}',
            "the local cloud does not support the input filterCriteria: equals-ignore-case;",
        ),
    ],
)
def test_event_filter_that_does_not_work_is_an_error(cloud: Cloud, pattern: str, message: str) -> None:
    def program() -> None:
        aws.lambda_.EventSourceMapping(
            "m",
            event_source_arn=f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t/stream/now",
            function_name="f",
            filter_criteria={"filters": [{"pattern": pattern}]},
        )

    with pytest.raises(ResourceError, match=f"EventSourceMapping 'm': {message}"):
        cloud.deploy(program)


def test_origin_that_never_matches_is_an_error(cloud: Cloud) -> None:
    def program() -> None:
        aws.apigatewayv2.Api("a", protocol_type="HTTP", cors_configuration={"allow_origins": ["https://*"]})

    with pytest.raises(
        UnknownInputError, match=r"does not support the input corsConfiguration.allowOrigins: https://\*;"
    ):
        cloud.deploy(program)
