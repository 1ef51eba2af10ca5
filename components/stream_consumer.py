"""A function on a DynamoDB stream: the event source mapping, its rights, and the dead-letter queue."""

from typing import Self

import pulumi
import pulumi_aws as aws

from . import policies
from .args import StreamConsumerArgs
from .function import FunctionWithRole
from .settings import StreamConsumerSettings
from .validation import check_name


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
        queue = aws.sqs.Queue(
            f"{name}-failures",
            message_retention_seconds=stream.dead_letter_queue_retention_seconds,
            sqs_managed_sse_enabled=True,
            tags=tags,
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-consume",
            role=self.function_role_name,
            policy=policies.document(
                [
                    policies.read_stream(settings.stream_arn),
                    policies.send_failures(queue.arn),
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
            filter_criteria=(
                {"filters": [{"pattern": pattern} for pattern in settings.filters]} if settings.filters else None
            ),
            destination_config={"on_failure": {"destination_arn": queue.arn}},
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *([function.policy] if function else [])]),
        )

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
            tags=settings.tags,
            opts=child,
        )
        self.function_name = function.function.name
        self.function_arn = function.function.arn
        self.function_role_name = function.role.name
        return function
