"""A function on a DynamoDB stream: the event source mapping, its rights, and the dead-letter queue.

The limits are those of `CreateEventSourceMapping` in Lambda's API reference, and of `SetQueueAttributes` in SQS's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pulumi
import pulumi_aws as aws

from . import policies
from .args import StreamConsumerArgs
from .checks import (
    KEY_ARN,
    ROLE_NAME,
    STREAM_ARN,
    TAGS,
    ArgumentError,
    Code,
    EventFilter,
    Items,
    Number,
    Text,
    arn,
    check_name,
)
from .environment import VARIABLES, check_size, size
from .function import FunctionSettings, FunctionWithRole
from .policies import StatementSettings
from .settings import Group, Settings, group, required, setting
from .table import StartingPosition


@dataclass(frozen=True, kw_only=True)
class StreamSettings(Settings):
    """The event source mapping, and the dead-letter queue for the batches that it discards."""

    batch_size: int = setting(1_000, Number(1, 10_000))
    """The most records in a batch. A shard takes up to 1,000 writes a second, so the default holds all that can
    arrive within the default batching window of a second. The counter writes its total once for each batch, whatever
    the number of tags in it."""
    maximum_batching_window_in_seconds: int = setting(1, Number(0, 300))
    """How many seconds to wait for a batch to fill. The total lags by as much, and costs less: each batch takes one
    request, and one write unit for each KB of the item `COUNTER`, usually one or two. The first second saves most;
    docs/scaling.md has the figures. With 0, Lambda does not wait: it polls each shard four times a second and takes
    what is there."""
    maximum_retry_attempts: int = setting(-1, Number(0, 10_000, also=(-1,)))
    """How often a failed batch is retried; -1 means no limit. Without a limit an outage loses no records: the total
    lags until it is over, or until the records reach their maximum age."""
    maximum_record_age_in_seconds: int = setting(84_600, Number(60, 604_800, also=(-1,)))
    """The age, in seconds, at which a record is discarded; -1 means no limit. A stream keeps its records for 24 hours
    and then drops them without a message in the dead-letter queue. The default, 23 and a half hours, discards a record
    before that, with a message."""
    reserved_concurrency: int = setting(-1, Number(0, also=(-1,)))
    """Concurrent invocations that Lambda reserves for the stream's function, and the most that it may have; -1 reserves
    none. With a reservation, a flood of requests to the other functions cannot starve this one. It needs one for each
    shard of the stream; a new table on demand has four shards. With fewer the total lags; 0 stops the function. The
    reservation counts against the account's quota, of which 100 must stay unreserved: a new account, whose quota is 10,
    cannot reserve any, so there is none by default."""
    dead_letter_queue_retention_seconds: int = setting(1_209_600, Number(60, 1_209_600))
    """How many seconds the dead-letter queue keeps a message."""
    mapping_metrics: bool = setting(True)
    """Whether the mapping counts the records that it polled, filtered out, delivered, dropped, and reported to the
    dead-letter queue. CloudWatch charges for these metrics in every hour that has data; the alarm for dropped records
    needs them."""
    dead_letter_queue_encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the dead-letter queue; the function's role then gets kms:Decrypt and
    kms:GenerateDataKey on it, through SQS only. Queue consumers need kms:Decrypt. Without one, SQS encrypts with a key
    that AWS owns."""


@dataclass(frozen=True, kw_only=True)
class ConsumerStreamSettings(StreamSettings):
    """The event source mapping of a `StreamConsumer`, and its dead-letter queue."""

    starting_position: StartingPosition = setting(StartingPosition.TRIM_HORIZON)
    """Where a new mapping begins to read. It applies only when the mapping is created."""
    bisect_batch_on_function_error: bool = setting(True)
    """Whether a failed batch is split in two, which isolates a bad record without using up retries."""
    parallelization_factor: int = setting(1, Number(1, 10))
    """How many batches of a shard are processed at once. The records of one key stay in order."""
    tumbling_window_in_seconds: int = setting(0, Number(0, 900))
    """The length, in seconds, of a window over which the function aggregates records: Lambda passes the `state` in the
    function's answer to the next invocation of the same shard and window. With 0 there is no window. With a window,
    every answer must contain `state`, and the parallelization factor must be 1."""

    def check_combination(self, given: Mapping[str, Any]) -> None:
        """Refuse to process several batches of a shard at once if each hands its state to the next."""
        if given.get("tumbling_window_in_seconds") and given.get("parallelization_factor", 1) > 1:
            raise ArgumentError(
                self.path_of("parallelization_factor"),
                f"{self.parallelization_factor} is not supported with a tumbling window",
                f"1, or {self.path_of('tumbling_window_in_seconds')} 0",
            )


@dataclass(frozen=True, kw_only=True)
class StreamConsumerSettings(Settings):
    """The arguments of `StreamConsumer`: a stream, and either code for a new function or an existing one's ARN."""

    stream_arn: pulumi.Input[str] = required(STREAM_ARN)
    """The ARN of the stream to read."""
    code: pulumi.Archive | None = setting(None, Code())
    """The code of a new function. Goes with `handler`."""
    handler: str | None = setting(
        None,
        Text("module.function, such as app.handler", r"[A-Za-z_][A-Za-z0-9_/-]*(\.[A-Za-z_][A-Za-z0-9_]*)+", most=128),
    )
    """The function in `code` that Lambda calls."""
    statements: Sequence[StatementSettings] = setting((), Items(Group(StatementSettings)))
    """The permissions of a new function, besides reading the stream and writing its log. IAM allows 10,240 characters
    for all policies of the role."""
    variables: Mapping[str, pulumi.Input[str]] = setting({}, VARIABLES)
    """Environment variables of a new function; they win over `function.environment`. Lambda allows 4,096 bytes for all
    of them as JSON."""
    function: FunctionSettings = group(FunctionSettings)
    """Runtime, memory, timeout, log and environment of a new function."""
    function_arn: pulumi.Input[str] | None = setting(
        None,
        arn(
            "a Lambda function, with or without a version or an alias",
            "lambda",
            r"function:[A-Za-z0-9_-]{1,64}(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?",
        ),
    )
    """The ARN of an existing function, instead of `code`. Goes with `function_role_name`."""
    function_role_name: pulumi.Input[str] | None = setting(None, ROLE_NAME)
    """The name of the existing function's execution role, which is given the rights to read the stream."""
    filters: Sequence[str] = setting((), Items(EventFilter(), most=10))
    """Event filter patterns in JSON, such as `{"eventName": ["REMOVE"]}`; a record that matches one of them reaches the
    function. Without filters, every record does. The values of a field are a list, also a single one. Lambda takes 5
    filters unless AWS raises your quota."""
    stream: ConsumerStreamSettings = group(ConsumerStreamSettings)
    """Batches, retries and the dead-letter queue."""
    encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the table, if it is not one that AWS owns."""
    tags: Mapping[str, pulumi.Input[str]] = setting({}, TAGS)
    """Tags of every resource that can have tags. The characters are IAM's, the strictest of the services. The
    provider's `defaultTags` count toward AWS's limit of 50 as well."""

    @property
    def variables_path(self) -> str:
        """What the user calls the larger part of the environment variables."""
        larger = size(self.variables) >= size(self.function.environment)
        return self.path_of("variables") if larger else self.function.path_of("environment")

    def check_combination(self, given: Mapping[str, Any]) -> None:
        """Refuse code together with an existing function, neither of them, or half of either."""
        choice = "code with handler, or function_arn with function_role_name"
        existing = "function_arn" in given
        own = [name for name in ("code", "function", "handler", "statements", "variables") if name in given]
        if existing and own:
            raise ArgumentError(self.path_of(own[0]), "has no effect on an existing function", choice)
        if existing and self.stream.reserved_concurrency != -1:
            path = self.stream.path_of("reserved_concurrency")
            raise ArgumentError(
                path, "has no effect on an existing function", "-1, or reserve it where the function is"
            )
        if not existing and "function_role_name" in given:
            problem = "names the role of an existing function, but there is none"
            raise ArgumentError(self.path_of("function_role_name"), problem, choice)
        for name in ("function_arn", "function_role_name") if existing else ("code", "handler"):
            if name not in given:
                raise ArgumentError(self.path_of(name), "is missing", choice)
        policies.check_size(self.path_of("statements"), self.statements)
        check_size(self.variables_path, {**self.function.environment, **self.variables})


class StreamConsumer(pulumi.ComponentResource):
    """A function that is called with batches of a DynamoDB stream's records.

    The mapping is registered after the policy that it needs, since AWS refuses it otherwise. By default a failed batch
    is tried again until its records are almost as old as a stream keeps them; each discarded batch is reported to a
    dead-letter queue. DynamoDB serves two readers of a stream's shard at a time and throttles any further one.
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
    """The URL of the queue that discarded batches are reported to."""
    dead_letter_queue_arn: pulumi.Output[str]
    """The ARN of that queue."""

    def __init__(self, name: str, args: StreamConsumerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        self._build(name, StreamConsumerSettings.read(args), opts)

    @classmethod
    def _of(cls, name: str, settings: StreamConsumerSettings, opts: pulumi.ResourceOptions) -> Self:
        """Make a consumer of settings that are checked already."""
        consumer = cls.__new__(cls)
        consumer._build(name, settings, opts)
        return consumer

    def _build(self, name: str, settings: StreamConsumerSettings, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__("stream-triggered-counter:index:StreamConsumer", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        function = self._function(name, settings, child)
        stream, tags = settings.stream, settings.tags
        queue_key = stream.dead_letter_queue_encryption_key_arn
        queue = aws.sqs.Queue(
            f"{name}-failures",
            message_retention_seconds=stream.dead_letter_queue_retention_seconds,
            # SQS refuses both.
            sqs_managed_sse_enabled=None if queue_key else True,
            kms_master_key_id=queue_key,
            tags=tags,
            opts=child,
        )
        aws.sqs.QueuePolicy(
            f"{name}-failures", queue_url=queue.url, policy=policies.only_over_tls(queue.arn), opts=child
        )
        policy = aws.iam.RolePolicy(
            f"{name}-consume",
            role=self.function_role_name,
            policy=policies.document(
                [
                    *policies.read_stream(settings.stream_arn),
                    *policies.send_failures(queue.arn, queue_key),
                    *([policies.decrypt(settings.encryption_key_arn)] if settings.encryption_key_arn else []),
                ]
            ),
            opts=child,
        )
        mapping = aws.lambda_.EventSourceMapping(
            name,
            event_source_arn=settings.stream_arn,
            function_name=self.function_arn,
            starting_position=stream.starting_position.value,
            batch_size=stream.batch_size,
            maximum_batching_window_in_seconds=stream.maximum_batching_window_in_seconds,
            maximum_retry_attempts=stream.maximum_retry_attempts,
            maximum_record_age_in_seconds=stream.maximum_record_age_in_seconds,
            bisect_batch_on_function_error=stream.bisect_batch_on_function_error,
            parallelization_factor=stream.parallelization_factor,
            tumbling_window_in_seconds=stream.tumbling_window_in_seconds,
            filter_criteria=(
                {"filters": [{"pattern": pattern} for pattern in settings.filters]} if settings.filters else None
            ),
            destination_config={"on_failure": {"destination_arn": queue.arn}},
            metrics_config={"metrics": ["EventCount"]} if stream.mapping_metrics else None,
            tags=tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[policy, *([function.policy] if function else [])],
                # Lambda refuses a second mapping of one stream to one function, even for a moment.
                delete_before_replace=True,
            ),
        )

        self.event_source_mapping_id = mapping.uuid
        self.dead_letter_queue_url = queue.url
        self.dead_letter_queue_arn = queue.arn
        # Not annotated, since it is for the counter alone: what is annotated is an output of the component.
        self.queue_name = queue.name
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

    def _function(
        self, name: str, settings: StreamConsumerSettings, child: pulumi.ResourceOptions
    ) -> FunctionWithRole | None:
        if not (settings.code and settings.handler):
            self.function_arn = pulumi.Output.from_input(settings.function_arn or "")
            self.function_name = self.function_arn.apply(lambda arn: arn.split(":")[6])
            self.function_role_name = pulumi.Output.from_input(settings.function_role_name or "")
            return None
        function = FunctionWithRole(
            name,
            settings.function,
            code=settings.code,
            handler=settings.handler,
            statements=settings.statements,
            variables=settings.variables,
            variables_path=settings.variables_path,
            reserved_concurrency=settings.stream.reserved_concurrency,
            tags=settings.tags,
            opts=child,
        )
        self.function_name = function.function.name
        self.function_arn = function.function.arn
        self.function_role_name = function.role.name
        return function
