"""The plausible answers of AWS: names, ids and ARNs of resources, and the results of provider functions."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.engine.answers import InvokeFailedError, Place, UnknownInvokeError
from components.testing import RecordingMonitor, run


def test_made_up_arns_and_ids_are_written_as_aws_writes_them() -> None:
    def program() -> None:
        api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
        aws.apigatewayv2.Stage("stage", api_id=api.id, name="live")
        aws.apigatewayv2.Stage("default", api_id=api.id, name="$default")
        aws.apigatewayv2.Integration("integration", api_id=api.id, integration_type="AWS_PROXY")
        aws.cloudwatch.LogGroup("log", name="/mine")
        aws.dynamodb.Table("table", name="t", stream_enabled=True)
        aws.dynamodb.Table("unread", name="u")
        aws.iam.Role("role", name="r", path="/team/", assume_role_policy="{}")
        aws.iam.RolePolicy("policy", name="p", role="arn:aws:iam::123456789012:role/team/r", policy="{}")
        aws.lambda_.Function("function", name="f", role="r")
        aws.lambda_.Function("published", name="g", role="r", publish=True)
        aws.lambda_.EventSourceMapping("mapping", function_name="f")
        aws.lambda_.EventSourceMapping("by-arn", function_name="arn:aws:lambda:eu-north-1:111111111111:function:g:live")
        aws.lambda_.Permission("permission", action="a", function="f", principal="p", statement_id="allow")
        aws.cloudwatch.MetricAlarm("alarm", name="a", comparison_operator="c", evaluation_periods=1)
        aws.sns.Topic("topic", name="news")
        aws.sqs.Queue("queue", name="q.fifo", fifo_queue=True)
        aws.kinesis.Stream("other", name="s")
        aws.Provider("provider", region="eu-north-1")
        certificate: Any = {"certificate_arn": "c", "endpoint_type": "REGIONAL", "security_policy": "TLS_1_2"}
        aws.apigatewayv2.DomainName("domain", domain_name="example.com", domain_name_configuration=certificate)

    result = run(program)
    regional, api = "us-east-1:123456789012", result.one("api").id
    function, label = f"arn:aws:lambda:{regional}:function:f", "2026-01-01T00:00:00.000"
    mapping = result.one("mapping").id
    for name, property_name, expected in (
        ("api", "arn", f"arn:aws:apigateway:us-east-1::/apis/{api}"),
        ("api", "executionArn", f"arn:aws:execute-api:{regional}:{api}"),
        ("stage", "arn", f"arn:aws:apigateway:us-east-1::/apis/{api}/stages/live"),
        ("stage", "executionArn", f"arn:aws:execute-api:{regional}:{api}/live"),
        ("log", "arn", f"arn:aws:logs:{regional}:log-group:/mine"),
        ("table", "arn", f"arn:aws:dynamodb:{regional}:table/t"),
        ("table", "streamArn", f"arn:aws:dynamodb:{regional}:table/t/stream/{label}"),
        ("role", "arn", "arn:aws:iam::123456789012:role/team/r"),
        ("function", "arn", function),
        ("function", "qualifiedArn", f"{function}:$LATEST"),
        (
            "function",
            "invokeArn",
            f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
        ),
        ("mapping", "functionArn", function),
        ("mapping", "arn", f"arn:aws:lambda:{regional}:event-source-mapping:{mapping}"),
        ("by-arn", "functionArn", "arn:aws:lambda:eu-north-1:111111111111:function:g:live"),
        ("published", "version", "1"),
        ("published", "qualifiedArn", f"arn:aws:lambda:{regional}:function:g:1"),
        ("permission", "statementId", "allow"),
        ("alarm", "arn", f"arn:aws:cloudwatch:{regional}:alarm:a"),
        ("topic", "arn", f"arn:aws:sns:{regional}:news"),
        ("queue", "arn", f"arn:aws:sqs:{regional}:q.fifo"),
        ("queue", "url", "https://sqs.us-east-1.amazonaws.com/123456789012/q.fifo"),
        ("other", "arn", f"arn:aws:kinesis:{regional}:stream/s"),
        ("domain", "arn", "arn:aws:apigateway:us-east-1::/domainnames/example.com"),
    ):
        assert result.one(name).state[property_name] == expected
    assert "streamArn" not in result.one("unread").state
    made = {name: result.one(name).state.get("invokeUrl") for name in ("stage", "default")}
    address = f"https://{api}.execute-api.us-east-1.amazonaws.com/"
    assert made == {"stage": f"{address}live", "default": address}
    assert result.one("api").state["apiEndpoint"] == address.removesuffix("/")
    assert re.fullmatch(r"[0-9a-f]{10}", api)
    assert re.fullmatch(r"[0-9a-f]{32}", result.one("provider").id)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", mapping)
    assert re.fullmatch(r"[0-9a-f]{7}", result.one("integration").id)
    assert re.fullmatch(r"AROA[0-9A-F]{17}", result.one("role").state["uniqueId"])
    ids = {name: result.one(name).id for name in ("policy", "permission", "topic", "queue", "domain", "stage", "table")}
    assert ids == {
        "policy": "r:p",
        "permission": "allow",
        "topic": result.one("topic").state["arn"],
        "queue": result.one("queue").state["url"],
        "domain": "example.com",
        "stage": "live",
        "table": "t",
    }
    configuration = result.one("domain").state["domainNameConfiguration"]
    assert configuration["certificateArn"] == "c"
    assert re.fullmatch(r"d-[0-9a-f]{10}\.execute-api\.us-east-1\.amazonaws\.com", configuration["targetDomainName"])


def test_automatic_names_are_pulumis() -> None:
    def program() -> None:
        aws.sqs.Queue("plain")
        aws.sqs.Queue("line", fifo_queue=True)
        aws.cloudwatch.LogGroup("log", name_prefix="/aws/vendedlogs/")
        aws.lambda_.Permission("permission", action="a", function="f", principal="p")
        aws.apigatewayv2.Stage("stage", api_id="api")

    result = run(program)
    assert re.fullmatch("plain-[0-9a-f]{7}", result.one("plain").state["name"])
    assert re.fullmatch(r"line-[0-9a-f]{7}\.fifo", result.one("line").state["name"])
    assert re.fullmatch("/aws/vendedlogs/[0-9a-f]{7}", result.one("log").state["name"])
    assert re.fullmatch("permission-[0-9a-f]{7}", result.one("permission").state["statementId"])
    assert re.fullmatch("stage-[0-9a-f]{7}", result.one("stage").id)


def test_the_place_is_in_arns_and_invokes() -> None:
    def program() -> None:
        pulumi.export("arn", aws.sqs.Queue("q", name="n").arn)
        pulumi.export("region", aws.get_region_output().region)
        pulumi.export("account", aws.get_caller_identity_output().account_id)
        pulumi.export("caller", aws.get_caller_identity_output().arn)
        pulumi.export("partition", aws.get_partition_output().partition)

    monitor = RecordingMonitor(place=Place(region="cn-north-1", account="111111111111", partition="aws-cn"))
    result = run(program, monitor=monitor)
    assert result.outputs == {
        "arn": "arn:aws-cn:sqs:cn-north-1:111111111111:n",
        "region": "cn-north-1",
        "account": "111111111111",
        "caller": "arn:aws-cn:iam::111111111111:root",
        "partition": "aws-cn",
    }
    assert {invoke.token for invoke in result.invokes} == {
        "aws:index/getRegion:getRegion",
        "aws:index/getCallerIdentity:getCallerIdentity",
        "aws:index/getPartition:getPartition",
    }


def test_an_invoke_without_an_answer_is_named() -> None:
    with pytest.raises(UnknownInvokeError, match="'aws:index/getAvailabilityZones:getAvailabilityZones'"):
        run(lambda: pulumi.export("zones", aws.get_availability_zones_output().names))


def test_answers_to_invokes_can_be_added() -> None:
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    monitor = RecordingMonitor(invokes={token: lambda arguments: {"names": [arguments["state"]]}})
    result = run(lambda: pulumi.export("zones", aws.get_availability_zones_output(state="open").names), monitor=monitor)
    assert result.outputs == {"zones": ["open"]}


def test_an_answer_may_fail_as_the_provider_would() -> None:
    def fail(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise InvokeFailedError("there are none")

    monitor = RecordingMonitor(invokes={"aws:index/getAvailabilityZones:getAvailabilityZones": fail})
    with pytest.raises(Exception, match=r"^invoke of aws:index/getAvailabilityZones.* failed: there are none"):
        run(lambda: pulumi.export("zones", aws.get_availability_zones_output().names), monitor=monitor)
    assert monitor.invokes == []


def test_the_answer_to_a_lookup_is_about_its_id() -> None:
    def program() -> None:
        aws.apigatewayv2.Api.get("api", "abc123")
        aws.apigatewayv2.DomainName.get("domain", "example.com")
        aws.apigatewayv2.Stage.get("stage", "live")
        aws.dynamodb.Table.get("table", "visits")
        aws.lambda_.EventSourceMapping.get("mapping", "0-1-2")
        aws.lambda_.Function.get("function", "f")

    result = run(program)
    assert {
        name: result.one(name).state[property_name]
        for name, property_name in (
            ("api", "apiEndpoint"),
            ("domain", "arn"),
            ("stage", "invokeUrl"),
            ("table", "arn"),
            ("mapping", "uuid"),
            ("function", "arn"),
        )
    } == {
        "api": "https://abc123.execute-api.us-east-1.amazonaws.com",
        "domain": "arn:aws:apigateway:us-east-1::/domainnames/example.com",
        "stage": "https://stage.execute-api.us-east-1.amazonaws.com/live",
        "table": "arn:aws:dynamodb:us-east-1:123456789012:table/visits",
        "mapping": "0-1-2",
        "function": "arn:aws:lambda:us-east-1:123456789012:function:f",
    }
