"""Resource transforms have the effect that they have in a deployment."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.engine.resource import Alias
from components.testing import run

QUEUE = "aws:sqs/queue:Queue"


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Part", name, {}, opts)
        aws.sqs.Queue(f"{name}-queue", tags={"by": "part"}, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def add_tag(args: pulumi.ResourceTransformArgs, key: str) -> pulumi.ResourceTransformResult | None:
    if args.type_ != QUEUE:
        return None
    before: Any = args.props.get("tags", {})
    tags = {**before, key: str(len(before))}
    return pulumi.ResourceTransformResult({**args.props, "tags": tags}, args.opts)


def test_a_components_transforms_reach_its_children() -> None:
    transform = pulumi.ResourceOptions(transforms=[lambda args: add_tag(args, "added")])
    assert run(lambda: Part("p", transform)).one(QUEUE).inputs["tags"] == {"by": "part", "added": "1"}


def test_own_transforms_run_before_the_parents_and_the_stacks() -> None:
    def program() -> None:
        pulumi.runtime.register_stack_transform(lambda args: add_tag(args, "stack"))
        parent = pulumi.ComponentResource(
            "test:index:Parent", "p", {}, pulumi.ResourceOptions(transforms=[lambda args: add_tag(args, "parent")])
        )
        options = pulumi.ResourceOptions(parent=parent, transforms=[lambda args: add_tag(args, "own")])
        aws.sqs.Queue("q", opts=options)

    assert run(program).one("q").inputs["tags"] == {"own": "0", "parent": "1", "stack": "2"}


def test_a_transform_changes_options() -> None:
    def harden(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        options = pulumi.ResourceOptions(
            protect=True,
            retain_on_delete=True,
            delete_before_replace=True,
            ignore_changes=["tags"],
            aliases=[pulumi.Alias(name="older")],
            custom_timeouts=pulumi.CustomTimeouts(delete="5m"),
        )
        return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, options))

    queue = run(lambda: aws.sqs.Queue("q", opts=pulumi.ResourceOptions(transforms=[harden]))).one("q")
    assert (queue.protect, queue.retain_on_delete, queue.delete_before_replace) == (True, True, True)
    assert queue.ignore_changes == ("tags",)
    assert queue.aliases == (Alias(name="older"),)
    assert queue.custom_timeouts == {"delete": "5m"}


def test_dependencies_survive_a_transform() -> None:
    def program() -> None:
        first = aws.sqs.Queue("first")
        options = pulumi.ResourceOptions(depends_on=[first], transforms=[lambda args: add_tag(args, "t")])
        aws.sqs.Queue("second", opts=options)

    result = run(program)
    assert result.one("second").dependencies == (result.one("first").urn,)


def test_a_transform_can_take_an_option_away() -> None:
    def open_up(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        args.opts.protect = None
        args.opts.ignore_changes = None
        return pulumi.ResourceTransformResult(args.props, args.opts)

    options = pulumi.ResourceOptions(protect=True, ignore_changes=["tags"], transforms=[open_up])
    queue = run(lambda: aws.sqs.Queue("q", opts=options)).one("q")
    assert not queue.protect
    assert queue.ignore_changes == ()


def test_an_exception_in_a_transform_fails_the_program() -> None:
    def fail(args: pulumi.ResourceTransformArgs) -> None:
        raise ValueError(f"no {args.type_} here")

    with pytest.raises(Exception, match=f"no {QUEUE} here"):
        run(lambda: aws.sqs.Queue("q", opts=pulumi.ResourceOptions(transforms=[fail])))
