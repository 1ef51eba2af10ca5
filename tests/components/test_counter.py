"""The counter as a whole: its tree, the order of its resources, its outputs, and several of it side by side."""

import importlib
import inspect
import json
from typing import Any

import pulumi
import pytest

from components import StreamTriggeredCounter
from components.testing import UNKNOWN, Resource, Result, run
from tests.samples import OUTPUTS

from .conftest import Build, exactly

MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
POLICY = "aws:iam/rolePolicy:RolePolicy"
FUNCTION = "aws:lambda/function:Function"


def ancestors(result: Result, resource: Resource) -> list[str]:
    names = []
    while resource.parent and not resource.parent.endswith("project-test"):
        resource = result.by_urn(resource.parent)
        names.append(resource.name)
    return names


def test_every_resource_descends_from_the_component(counter: Result) -> None:
    for resource in counter.resources:
        if resource.name != "counter":
            assert ancestors(counter, resource)[-1] == "counter"


def test_urns_are_unique_and_no_output_was_turned_into_text(counter: Result) -> None:
    urns = [resource.urn for resource in counter.resources]
    assert len(set(urns)) == len(urns)
    assert "Calling __str__" not in json.dumps([resource.inputs for resource in counter.resources], default=str)


def test_outputs_are_those_of_the_resources(counter: Result) -> None:
    component = counter.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert component.outputs is not None
    assert set(component.outputs) == OUTPUTS
    table = counter.one("aws:dynamodb/table:Table", "counter-table")
    assert component.outputs["tableName"] == table.state["name"]
    assert component.outputs["tableArn"] == table.state["arn"]
    assert component.outputs["streamArn"] == table.state["streamArn"]
    idempotency = counter.one("aws:dynamodb/table:Table", "counter-idempotency")
    assert component.outputs["idempotencyTableName"] == idempotency.state["name"]
    assert component.outputs["eventSourceMappingId"] == counter.one(MAPPING).state["uuid"]
    assert component.outputs["deadLetterQueueUrl"] == counter.one("aws:sqs/queue:Queue").state["url"]
    endpoint = counter.one("aws:apigatewayv2/api:Api").state["apiEndpoint"]
    assert component.outputs["apiEndpoint"] == endpoint
    assert not endpoint.endswith("/")
    assert component.outputs["functionNames"] == {
        key: counter.one(FUNCTION, f"counter-{name}").state["name"]
        for key, name in {
            "welcome": "welcome",
            "recordVisit": "record-visit",
            "viewCounts": "view-counts",
            "processStream": "process-stream",
        }.items()
    }


def test_policies_come_before_what_uses_them(counter: Result) -> None:
    mapping = counter.one(MAPPING)
    consume = counter.one(POLICY, "counter-process-stream-consume")
    own = counter.one(POLICY, "counter-process-stream")
    assert {consume.urn, own.urn} <= set(mapping.dependencies)
    for function in exactly(4, counter, FUNCTION):
        assert counter.one(POLICY, function.name).urn in function.dependencies


def test_every_dependency_is_registered_earlier(counter: Result) -> None:
    seen: set[str] = set()
    for resource in counter.monitor.resources:
        assert set(resource.dependencies) <= seen
        seen.add(resource.urn)


def test_names_are_automatic(counter: Result) -> None:
    physical = {"name", "namePrefix", "functionName"}
    for resource in counter.resources:
        given = physical & set(resource.inputs)
        allowed = {
            "aws:apigatewayv2/stage:Stage": {"name"},  # the stage that needs no path is called $default
            # Without the prefix, each such log group would take room in a policy of the account.
            "aws:cloudwatch/logGroup:LogGroup": {"namePrefix"},
            MAPPING: {"functionName"},  # the function that is called, not the mapping's own name
        }
        assert given <= allowed.get(resource.type, set()), resource


def takes_tags(resource_type: str) -> bool:
    """Return whether the provider's class for a type, such as `aws:sqs/queue:Queue`, has the argument `tags`."""
    _, module, name = resource_type.split(":")
    service = importlib.import_module(f"pulumi_aws.{module.partition('/')[0].replace('lambda', 'lambda_')}")
    return "tags" in inspect.signature(getattr(service, f"{name}Args")).parameters


def test_tags_reach_every_resource_that_can_have_them(build: Build) -> None:
    result = build(lambda: {"tags": {"team": pulumi.Output.from_input("counting")}})
    taggable = [one for one in result.resources if one.type.startswith("aws:") and takes_tags(one.type)]
    assert {"aws:dynamodb/table:Table", "aws:sqs/queue:Queue", "aws:iam/role:Role"} < {one.type for one in taggable}
    assert [one for one in taggable if one.inputs.get("tags") != {"team": "counting"}] == []


def test_two_instances_live_side_by_side() -> None:
    def program() -> None:
        StreamTriggeredCounter("blue")
        StreamTriggeredCounter("green", {"stream": {"batch_size": 7}})

    result = run(program)
    assert len({resource.urn for resource in result.resources}) == len(result.resources)
    assert len(result.all(MAPPING)) == 2
    sources = {resource.inputs["eventSourceArn"] for resource in result.all(MAPPING)}
    assert len(sources) == 2
    assert result.warnings == []
    blue = {r.state["arn"] for r in result.all("aws:dynamodb/table:Table") if r.name.startswith("blue")}
    green_policies = "".join(p.inputs["policy"] for p in result.all(POLICY) if p.name.startswith("green"))
    assert len(blue) == 2
    assert green_policies.count("Effect") > 10
    assert not any(arn in green_policies for arn in blue)


def test_preview_with_unknowns_registers_the_same_resources(counter: Result, build: Build) -> None:
    preview = build(preview=True)
    assert {r.urn for r in preview.resources} == {r.urn for r in counter.resources}
    component = preview.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert component.outputs is not None
    assert set(component.outputs) == OUTPUTS
    assert component.outputs["apiEndpoint"] is UNKNOWN


@pytest.mark.parametrize("no_args", [None, {}])
def test_arguments_may_be_left_out(counter: Result, no_args: Any) -> None:
    result = run(lambda: StreamTriggeredCounter("counter", no_args))
    assert {r.urn for r in result.resources} == {r.urn for r in counter.resources}
