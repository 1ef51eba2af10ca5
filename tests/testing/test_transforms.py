"""Resource transforms have the effect that they have in a deployment."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.engine.resource import Alias
from components.testing import Result, run
from tests.testing.options import every_option

QUEUE = "aws:sqs/queue:Queue"
OPTIONS = (
    "aliases",
    "protect",
    "provider",
    "providers",
    "retain_on_delete",
    "delete_before_replace",
    "deleted_with",
    "ignore_changes",
    "replace_on_changes",
    "additional_secret_outputs",
    "custom_timeouts",
    "import_id",
    "version",
    "plugin_download_url",
)


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


def make_queues(transform: pulumi.ResourceTransform | None) -> Result:
    """Register two queues that run a transform twice: `full` has every option that a transform can see, `bare` none."""
    transforms = [transform, transform] if transform else []

    def program() -> None:
        first = aws.sqs.Queue("first")
        provider = aws.Provider("elsewhere", region="eu-north-1")
        pulumi.ComponentResource(
            "test:index:Part", "part", {}, pulumi.ResourceOptions(providers=[provider], transforms=transforms)
        )
        aws.sqs.Queue("bare", name=first.name, opts=pulumi.ResourceOptions(transforms=transforms))
        options = every_option(
            first, provider=provider, plugin_download_url="https://example.com", transforms=transforms
        )
        aws.sqs.Queue("full", opts=options)
        aws.sqs.Queue("imported", opts=pulumi.ResourceOptions(import_="id", transforms=transforms))

    return run(program)


def hand_back(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
    return pulumi.ResourceTransformResult(args.props, args.opts)


def hand_back_the_inputs(args: pulumi.ResourceTransformArgs) -> Any:
    return pulumi.ResourceTransformResult(args.props, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("transform", [hand_back, hand_back_the_inputs, lambda _: None])
def test_a_transform_that_changes_nothing_leaves_every_option_as_it_is(transform: pulumi.ResourceTransform) -> None:
    with_it, without = ({one.urn: one for one in make_queues(each).resources} for each in (transform, None))
    assert with_it == without


def test_a_transform_sees_every_option() -> None:
    seen: dict[str, pulumi.ResourceOptions] = {}

    def look(args: pulumi.ResourceTransformArgs) -> None:
        seen[args.name] = args.opts

    result = make_queues(look)
    full, first = seen["full"], result.one("first").urn
    assert (full.protect, full.retain_on_delete, full.delete_before_replace) == (True, True, True)
    assert (full.ignore_changes, full.replace_on_changes) == (["tags"], ["name"])
    assert full.additional_secret_outputs == ["url"]
    assert (full.version, full.plugin_download_url) == ("7.0.0", "https://example.com")
    assert full.aliases is not None
    assert len(full.aliases) == 2
    assert vars(full.custom_timeouts) == {"create": "1m", "update": "2m", "delete": "3m", "read": None}
    assert result.one("full").dependencies == (first,)
    assert seen["imported"].import_ == "id"
    assert set(seen["part"].providers or ()) == {"aws"}
    given = {name for name, value in vars(seen["bare"]).items() if value is not None}
    # The SDK gives these by itself.
    assert given <= {"parent", "depends_on", "version", "hooks", "replacement_trigger"}


def test_a_transform_can_take_every_option_away() -> None:
    def open_up(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions())

    result = make_queues(open_up)
    for name in ("full", "bare", "part", "imported"):
        options = {key: getattr(result.one(name), key) for key in OPTIONS}
        assert not any(options.values()), name
        assert options["delete_before_replace"] is None
    # What the inputs depend on stays.
    assert result.one("bare").dependencies == (result.one("first").urn,)
    assert result.one("full").dependencies == ()


def test_an_exception_in_a_transform_fails_the_program() -> None:
    def fail(args: pulumi.ResourceTransformArgs) -> None:
        raise ValueError(f"no {args.type_} here")

    with pytest.raises(Exception, match=f"no {QUEUE} here"):
        run(lambda: aws.sqs.Queue("q", opts=pulumi.ResourceOptions(transforms=[fail])))
