"""What the recording monitor records of a program, and the programs that it refuses."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime.proto import resource_pb2

from components.engine.answers import InvokeFailedError, Place, UnknownInvokeError
from components.engine.monitor import DuplicateURNError
from components.engine.resource import Alias
from components.testing import UNKNOWN, RecordingMonitor, Resource, run


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Part", name, {}, opts)
        self.queue = aws.sqs.Queue(f"{name}-queue", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({"queueUrl": self.queue.url, "secret": pulumi.Output.secret("hush")})


class Whole(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Whole", name, {}, opts)
        self.part = Part(f"{name}-part", pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def options(resource: Resource) -> set[str]:
    """Name the options of a resource that were given: the others are None, "" or empty, as its description promises."""
    identity = {"type", "name", "urn", "id", "custom", "inputs", "state", "outputs", "parent", "read"}
    return {
        name
        for name, value in vars(resource).items()
        if name not in identity and repr(value) not in ("None", "''", "()", "{}", "frozenset()", "False")
    }


def test_a_resource_made_by_hand_has_no_options() -> None:
    made = Resource(type="aws:x/y:Y", name="y", urn="urn", id="", custom=True, inputs={}, state={})
    assert options(made) == set()
    assert (made.parent, made.outputs, made.read) == ("", None, False)


def test_urns_name_every_ancestor_but_the_stack() -> None:
    result = run(lambda: Whole("w"), project="proj", stack="dev")
    assert result.one("w").urn == "urn:pulumi:dev::proj::test:index:Whole::w"
    assert (
        result.one("w-part-queue").urn
        == "urn:pulumi:dev::proj::test:index:Whole$test:index:Part$aws:sqs/queue:Queue::w-part-queue"
    )


def test_parents_lead_up_to_the_stack() -> None:
    result = run(lambda: Whole("w"))
    parent = result.by_urn(result.one("w-part-queue").parent)
    assert parent.name == "w-part"
    assert result.children(parent) == [result.one("w-part-queue")]
    whole = result.by_urn(parent.parent)
    assert result.by_urn(whole.parent).type == "pulumi:pulumi:Stack"


def test_component_outputs_are_kept_with_their_secrets() -> None:
    part = run(lambda: Part("p")).one("p")
    assert part.custom is False
    assert part.id == ""
    assert part.outputs is not None
    assert part.outputs["secret"] == "hush"
    assert part.outputs["queueUrl"].startswith("https://sqs.us-east-1.amazonaws.com/123456789012/p-queue-")
    assert part.secret_outputs == {"secret"}


def test_inputs_are_plain_and_secrets_noted() -> None:
    def program() -> None:
        aws.sqs.Queue("q", delay_seconds=5, tags={"token": pulumi.Output.secret("hush")})

    queue = run(program).one("q")
    assert queue.inputs == {"delaySeconds": 5, "tags": {"token": "hush"}}
    # Secretness travels with the whole property, as far as the SDK is concerned.
    assert any(path.startswith("tags") for path in queue.secrets)


def test_options_are_kept() -> None:
    def program() -> None:
        first = aws.sqs.Queue("first")
        aws.sqs.Queue(
            "second",
            name=first.name.apply(lambda name: f"{name}-dead"),
            opts=pulumi.ResourceOptions(
                depends_on=[first],
                protect=True,
                retain_on_delete=True,
                delete_before_replace=True,
                ignore_changes=["tags"],
                replace_on_changes=["name"],
                additional_secret_outputs=["url"],
                aliases=[pulumi.Alias(name="older"), "urn:pulumi:a::b::c::d"],
                custom_timeouts=pulumi.CustomTimeouts(create="1m"),
                deleted_with=first,
                version="7.0.0",
            ),
        )

    result = run(program)
    first, second = result.one("first"), result.one("second")
    assert second.dependencies == (first.urn,)
    assert second.property_dependencies["name"] == (first.urn,)
    assert (second.protect, second.retain_on_delete, second.delete_before_replace) == (True, True, True)
    assert second.ignore_changes == ("tags",)
    assert second.replace_on_changes == ("name",)
    assert second.additional_secret_outputs == ("url",)
    assert second.aliases == (Alias(name="older"), Alias(urn="urn:pulumi:a::b::c::d"))
    given = [{part: value for part, value in vars(alias).items() if value} for alias in second.aliases]
    assert given == [{"name": "older"}, {"urn": "urn:pulumi:a::b::c::d"}]
    assert second.custom_timeouts == {"create": "1m"}
    assert second.deleted_with == first.urn
    assert second.version == "7.0.0"
    assert (first.protect, first.retain_on_delete, first.delete_before_replace) == (None, None, None)
    assert options(first) <= {"version"}


def test_providers_reach_the_children() -> None:
    def program() -> None:
        provider = aws.Provider("elsewhere", region="eu-north-1")
        Part("p", pulumi.ResourceOptions(providers=[provider]))
        aws.sqs.Queue("direct", opts=pulumi.ResourceOptions(provider=provider))
        aws.sqs.Queue("default")

    result = run(program)
    provider = result.one("elsewhere")
    reference = f"{provider.urn}::{provider.id}"
    assert provider.inputs["region"] == "eu-north-1"
    assert result.one("p").providers == {"aws": reference}
    assert result.one("p-queue").provider == reference
    assert result.one("direct").provider == reference
    assert result.one("default").provider == ""


def test_a_duplicate_urn_fails_as_in_a_deployment() -> None:
    def program() -> None:
        aws.sqs.Queue("q")
        aws.sqs.Queue("q")

    monitor = RecordingMonitor()
    with pytest.raises(DuplicateURNError, match=re.escape("aws:sqs/queue:Queue 'q' is registered twice")):
        run(program, monitor=monitor)
    [problem] = monitor.problems
    assert "'q' is registered twice" in problem


def test_a_stringified_output_is_a_problem() -> None:
    def program() -> None:
        queue = aws.sqs.Queue("q")
        aws.sqs.Queue("r", name=f"{queue.name}-dead")

    with pytest.raises(AssertionError, match="aws:sqs/queue:Queue 'r': name is an Output turned into a string"):
        run(program)
    assert run(program, strict=False).monitor.problems != []


def test_a_stringified_stack_output_is_a_problem() -> None:
    def program() -> None:
        pulumi.export("bad", f"{aws.sqs.Queue('q').url}")

    with pytest.raises(AssertionError, match="bad is an Output turned into a string"):
        run(program)


def test_previews_leave_computed_outputs_unknown() -> None:
    seen: list[Any] = []

    def program() -> None:
        assert pulumi.runtime.is_dry_run()
        queue = aws.sqs.Queue("q", delay_seconds=5)
        queue.arn.apply(seen.append)
        pulumi.export("arn", queue.arn)
        pulumi.export("delay", queue.delay_seconds)

    result = run(program, preview=True)
    assert result.outputs == {"arn": UNKNOWN, "delay": 5}
    assert result.one("q").id == ""
    assert seen == []


def test_unknown_values_reach_later_inputs_in_a_preview() -> None:
    def program() -> None:
        queue = aws.sqs.Queue("q")
        aws.lambda_.Permission("p", action="a", function="f", principal="p", source_arn=queue.arn)

    assert run(program, preview=True).one("p").inputs["sourceArn"] is UNKNOWN


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


def test_a_lookup_is_recorded_as_one() -> None:
    def program() -> None:
        table = aws.dynamodb.Table.get("t", "visits")
        pulumi.export("arn", table.arn)

    result = run(program)
    assert result.one("t").read
    assert result.one("t").id == "visits"
    assert result.one("t").state["arn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/visits"
    assert result.outputs == {"arn": "arn:aws:dynamodb:us-east-1:123456789012:table/visits"}
    assert result.one("t").custom
    assert options(result.one("t")) <= {"version"}


def test_a_lookup_has_a_parent_as_every_resource_has() -> None:
    def program() -> None:
        part = Part("p")
        aws.dynamodb.Table.get("own", "visits")
        aws.dynamodb.Table.get("inner", "visits", opts=pulumi.ResourceOptions(parent=part))

    result = run(program)
    assert result.children(result.one("p")) == [result.one("p-queue"), result.one("inner")]
    assert result.one("inner").urn.endswith("::test:index:Part$aws:dynamodb/table:Table::inner")
    assert result.by_urn(result.one("own").parent).type == "pulumi:pulumi:Stack"


def test_the_state_of_a_lookup_is_unknown_in_a_preview() -> None:
    result = run(lambda: pulumi.export("arn", aws.dynamodb.Table.get("t", "visits").arn), preview=True)
    assert result.outputs == {"arn": UNKNOWN}
    assert result.one("t").id == "visits"


def test_a_lookup_of_a_domain_name_is_by_its_id() -> None:
    def program() -> None:
        pulumi.export("arn", aws.apigatewayv2.DomainName.get("d", "example.com").arn)

    assert run(program).outputs == {"arn": "arn:aws:apigateway:us-east-1::/domainnames/example.com"}


def test_nothing_is_recorded_before_the_program_runs() -> None:
    monitor = RecordingMonitor()
    assert (monitor.resources, monitor.outputs, monitor.invokes, monitor.problems) == ([], {}, [], [])


def test_a_component_without_outputs_has_none() -> None:
    assert run(lambda: pulumi.ComponentResource("test:index:Bare", "bare")).one("bare").outputs is None


def test_a_resource_handed_over_whole_can_be_exported() -> None:
    result = run(lambda: pulumi.export("queue", aws.sqs.Queue("q", name="n")))
    assert result.outputs["queue"]["name"] == "n"


def test_a_resource_is_found_by_its_urn() -> None:
    def program() -> None:
        queue = aws.sqs.Queue("q", name="n")
        again = queue.urn.apply(lambda urn: aws.sqs.Queue("q", opts=pulumi.ResourceOptions(urn=urn)))
        pulumi.export("again", again.apply(lambda found: found.name))

    assert run(program).outputs == {"again": "n"}


@pytest.mark.parametrize(("feature", "understood"), [("secrets", True), ("transforms", True), ("outputValues", False)])
def test_an_older_sdk_may_ask_for_one_feature(feature: str, understood: bool) -> None:
    request = resource_pb2.SupportsFeatureRequest(id=feature)
    assert RecordingMonitor().SupportsFeature(request).hasSupport is understood
