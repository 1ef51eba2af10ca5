"""A function on a DynamoDB stream: the event source mapping, its rights, and the queue for what it gives up."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from . import policies
from .args import FunctionArgs, StatementArgs, StreamArgs
from .function_with_role import FunctionWithRole, FunctionWithRoleArgs
from .naming import check_name
from .readers import warn_of_third_reader
from .settings import FILTER, FUNCTION_ARN, KEY_ARN, ROLE_NAME, STREAM_ARN, TAGS, StreamSettings
from .validation import ArgumentError, Items, read, refuse_unknown

OWN_FUNCTION = ("code", "handler", "statements", "variables", "function")
EXISTING_FUNCTION = ("function_arn", "function_role_name")


class StreamConsumerArgs(TypedDict):
    """The arguments of `StreamConsumer`: a stream, and either code for a new function or an existing one's ARN."""

    stream_arn: pulumi.Input[str]
    """The ARN of the stream to read.
    Allowed: an ARN that matches arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\\d{12}:table/[A-Za-z0-9_.-]+/stream/.+."""
    code: NotRequired[pulumi.Archive]
    """The code of a new function, as an archive of files. Goes with `handler`."""
    handler: NotRequired[str]
    """The function in `code` that Lambda calls. Allowed: module.function, such as app.handler."""
    statements: NotRequired[list[StatementArgs]]
    """What a new function may do besides reading the stream and writing its log. Default: []."""
    variables: NotRequired[dict[str, pulumi.Input[str]]]
    """Environment variables of a new function. Default: {}. Allowed: a mapping; key: the name of an environment
    variable; value: text."""
    function: NotRequired[FunctionArgs]
    """Runtime, memory, timeout, log and environment of a new function."""
    function_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing function, instead of `code`. Goes with `function_role_name`.
    Allowed: an ARN that matches arn:aws[a-z-]*:lambda:[a-z0-9-]+:\\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?."""
    function_role_name: NotRequired[pulumi.Input[str]]
    """The name of the existing function's execution role, which is given the rights to read the stream.
    Allowed: the name (not the ARN) of an IAM role."""
    filters: NotRequired[list[str]]
    """Event filter patterns in JSON; a record that matches one of them reaches the function. Default: [], which lets
    every record through. Allowed: a list of at most 10, each item a JSON object; Lambda takes 5 unless AWS raises your
    quota."""
    stream: NotRequired[StreamArgs]
    """Batches, retries and the failure queue."""
    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """The ARN of the KMS key that encrypts the table, where it is not one that AWS owns. Default: none.
    Allowed: an ARN that matches arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/[A-Za-z0-9-]+."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags of every resource that can have tags. Default: {}. Allowed: a mapping; key: 1 to 128 letters, digits, spaces
    and _.:/=+-@, not starting with aws:; value: at most 256 letters, digits, spaces and _.:/=+-@. The characters are
    IAM's, the strictest of the services."""


class StreamConsumer(pulumi.ComponentResource):
    """A function that is called with batches of a DynamoDB stream's records.

    The mapping is registered after the policy that it needs, since AWS refuses it otherwise. By default a failed batch
    is tried again until its records are almost as old as a stream keeps them; each batch given up is reported to a
    dead-letter queue. DynamoDB serves two readers of a stream's shard; a third gets a warning.
    """

    function_name: pulumi.Output[str]
    """The function's name."""
    function_arn: pulumi.Output[str]
    """The function's ARN."""
    function_role_name: pulumi.Output[str]
    """The name of the function's execution role."""
    event_source_mapping_id: pulumi.Output[str]
    """The UUID of the event source mapping."""
    dead_letter_queue_url: pulumi.Output[str]
    """The URL of the queue that batches given up are reported to."""
    dead_letter_queue_arn: pulumi.Output[str]
    """The ARN of that queue."""

    def __init__(self, name: str, args: StreamConsumerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        refuse_unknown("", args, StreamConsumerArgs.__annotations__)
        refuse_mixture(args)
        stream_arn = STREAM_ARN("stream_arn", args.get("stream_arn"))
        settings = read(StreamSettings, args.get("stream"), "stream")
        filters = Items(FILTER, most=10)("filters", args.get("filters") or [])
        key_arn = KEY_ARN("encryption_key_arn", args["encryption_key_arn"]) if args.get("encryption_key_arn") else None
        tags = TAGS("tags", args.get("tags") or {})
        if args.get("function_arn") is not None:
            FUNCTION_ARN("function_arn", args["function_arn"])
            ROLE_NAME("function_role_name", args.get("function_role_name"))
        super().__init__("stream-triggered-counter:index:StreamConsumer", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        function = self._function(name, args, child)
        queue = aws.sqs.Queue(
            f"{name}-failures",
            message_retention_seconds=settings.failure_queue_retention_seconds,
            sqs_managed_sse_enabled=True,
            tags=tags,
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-consume",
            role=self.function_role_name,
            policy=policies.document(
                [
                    policies.read_stream(stream_arn),
                    policies.send_failures(queue.arn),
                    *([policies.decrypt(key_arn)] if key_arn else []),
                ]
            ),
            opts=child,
        )
        mapping = aws.lambda_.EventSourceMapping(
            name,
            event_source_arn=stream_arn,
            function_name=self.function_arn,
            starting_position=settings.starting_position.value,
            batch_size=settings.batch_size,
            maximum_batching_window_in_seconds=settings.maximum_batching_window_in_seconds,
            maximum_retry_attempts=settings.maximum_retry_attempts,
            maximum_record_age_in_seconds=settings.maximum_record_age_in_seconds,
            bisect_batch_on_function_error=settings.bisect_batch_on_function_error,
            filter_criteria={"filters": [{"pattern": pattern} for pattern in filters]} if filters else None,
            destination_config={"on_failure": {"destination_arn": queue.arn}},
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *([function.policy] if function else [])]),
        )
        warn_of_third_reader(self, args["stream_arn"])

        self.event_source_mapping_id = mapping.uuid
        self.dead_letter_queue_url = queue.url
        self.dead_letter_queue_arn = queue.arn
        self.register_outputs(
            {
                "functionName": self.function_name,
                "functionArn": self.function_arn,
                "functionRoleName": self.function_role_name,
                "eventSourceMappingId": self.event_source_mapping_id,
                "deadLetterQueueUrl": self.dead_letter_queue_url,
                "deadLetterQueueArn": self.dead_letter_queue_arn,
            }
        )

    def _function(self, name: str, args: StreamConsumerArgs, child: pulumi.ResourceOptions) -> FunctionWithRole | None:
        if args.get("function_arn") is not None:
            self.function_arn = pulumi.Output.from_input(args["function_arn"])
            self.function_name = self.function_arn.apply(lambda arn: arn.split(":")[6])
            self.function_role_name = pulumi.Output.from_input(args["function_role_name"])
            return None
        own: Any = {key: value for key, value in args.items() if key in FunctionWithRoleArgs.__annotations__}
        function = FunctionWithRole(name, own, child)
        self.function_name = function.function_name
        self.function_arn = function.function_arn
        self.function_role_name = function.role_name
        return function


def refuse_mixture(args: Any) -> None:
    """Refuse code together with an existing function, or neither, or half of one; raises `ArgumentError`."""
    given = {key for key, value in args.items() if value is not None}
    choice = "code with handler, or function_arn with function_role_name"
    if "function_arn" in given and (mixed := sorted(given.intersection(OWN_FUNCTION))):
        raise ArgumentError(mixed[0], "has no effect on an existing function", choice)
    if "function_arn" not in given and "function_role_name" in given:
        raise ArgumentError("function_role_name", "names the role of an existing function, but there is none", choice)
    for key in EXISTING_FUNCTION if "function_arn" in given else ("code", "handler"):
        if key not in given:
            raise ArgumentError(key, "is missing", choice)
