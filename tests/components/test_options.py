"""Resource options given to the component have the effect on its children that Pulumi documents."""

import pulumi
import pulumi_aws as aws
import pytest

from components import StreamTriggeredCounter
from components.testing import Result, run

from .conftest import exactly

PROVIDER = "pulumi:providers:aws"


def children(result: Result) -> list[str]:
    found = [r.urn for r in result.resources if r.custom and r.name.startswith("counter")]
    assert len(found) > 30
    return found


@pytest.mark.parametrize("option", ["provider", "providers", "providers-map"])
def test_a_provider_reaches_every_child(option: str) -> None:
    def program() -> None:
        provider = aws.Provider("elsewhere", region="us-west-2")
        options = {
            "provider": pulumi.ResourceOptions(provider=provider),
            "providers": pulumi.ResourceOptions(providers=[provider]),
            "providers-map": pulumi.ResourceOptions(providers={"aws": provider}),
        }
        StreamTriggeredCounter("counter", {}, options[option])

    result = run(program)
    provider = result.one(PROVIDER)
    for urn in children(result):
        assert result.by_urn(urn).provider == f"{provider.urn}::{provider.id}"


def test_protection_reaches_every_child() -> None:
    result = run(lambda: StreamTriggeredCounter("counter", {}, pulumi.ResourceOptions(protect=True)))
    assert all(result.by_urn(urn).protect for urn in children(result))


def test_an_alias_of_the_component_can_be_inherited_by_every_child() -> None:
    # The engine makes a child's alias out of its parent's, and renames it only where the child's name starts with it.
    def program() -> None:
        StreamTriggeredCounter("counter", {}, pulumi.ResourceOptions(aliases=[pulumi.Alias(name="hits")]))

    result = run(program)
    component = result.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert [alias.name for alias in component.aliases] == ["hits"]
    for resource in result.resources:
        if resource != component:
            assert resource.name.startswith(result.by_urn(resource.parent).name)


def test_depends_on_applies_to_the_component() -> None:
    def program() -> None:
        bucket = aws.s3.Bucket("first")
        StreamTriggeredCounter("counter", {}, pulumi.ResourceOptions(depends_on=[bucket]))

    result = run(program)
    bucket = result.one("aws:s3/bucket:Bucket")
    component = result.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert bucket.urn in component.dependencies
    assert result.resources.index(bucket) < min(result.resources.index(result.by_urn(u)) for u in children(result))


def test_dependents_of_the_component_wait_for_its_children() -> None:
    def program() -> None:
        counter = StreamTriggeredCounter("counter")
        aws.s3.Bucket("last", opts=pulumi.ResourceOptions(depends_on=[counter]))

    result = run(program)
    bucket = result.one("aws:s3/bucket:Bucket")
    assert result.one("aws:lambda/eventSourceMapping:EventSourceMapping").urn in bucket.dependencies
    assert set(children(result)) <= set(bucket.dependencies)


def test_a_transform_reaches_every_child() -> None:
    seen: list[str] = []

    def note(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        seen.append(args.type_)
        if args.type_ != "aws:dynamodb/table:Table":
            return None
        return pulumi.ResourceTransformResult(
            props={**args.props, "tableClass": "STANDARD_INFREQUENT_ACCESS"}, opts=args.opts
        )

    result = run(lambda: StreamTriggeredCounter("counter", {}, pulumi.ResourceOptions(transforms=[note])))
    assert set(seen) == {r.type for r in result.resources}
    for table in exactly(2, result, "aws:dynamodb/table:Table"):
        assert table.inputs["tableClass"] == "STANDARD_INFREQUENT_ACCESS"


def test_options_of_the_component_are_not_copied_to_children() -> None:
    # Pulumi leaves these to the engine, which applies them to the component.
    options = pulumi.ResourceOptions(retain_on_delete=True, replace_on_changes=["name"])
    result = run(lambda: StreamTriggeredCounter("counter", {}, options))
    component = result.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert len(result.resources) > len(children(result))
    for resource in result.resources:
        given = (bool(resource.retain_on_delete), resource.replace_on_changes)
        expected = (True, ("name",)) if resource == component else (False, ())
        assert given == expected, resource
