"""What the recording monitor records of a program, and the programs that it refuses."""

import re
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime.proto import resource_pb2

from components.engine.monitor import DuplicateURNError
from components.engine.resource import Alias
from components.testing import UNKNOWN, RecordingMonitor, Resource, run
from tests.testing.options import every_option


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
        aws.sqs.Queue("second", name=first.name.apply(lambda name: f"{name}-dead"), opts=every_option(first))

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
    assert second.custom_timeouts == {"create": "1m", "update": "2m", "delete": "3m"}
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
