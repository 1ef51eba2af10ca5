"""A Lambda function that has an execution role and a log group of its own."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from . import policies
from .settings import FunctionSettings, StatementSettings


class FunctionWithRole(pulumi.ComponentResource):
    """A Lambda function that has an execution role and a log group of its own.

    The role may write to that log group and do what `statements` allow, and nothing else. Logs are JSON. The policy is
    registered before the function, so that no invocation comes before its rights.
    """

    def __init__(
        self,
        name: str,
        settings: FunctionSettings,
        *,
        code: pulumi.Archive,
        handler: str,
        statements: Sequence[StatementSettings],
        variables: Mapping[str, pulumi.Input[str]],
        tags: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("stream-triggered-counter:index:FunctionWithRole", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            name, retention_in_days=settings.log_retention_in_days, tags=tags, opts=child
        )
        self.role = aws.iam.Role(name, assume_role_policy=policies.assumed_by_lambda(), tags=tags, opts=child)
        self.policy = aws.iam.RolePolicy(
            name,
            role=self.role.name,
            policy=policies.document([policies.write_logs(log_group.arn), *statements]),
            opts=child,
        )
        self.function = aws.lambda_.Function(
            name,
            role=self.role.arn,
            code=code,
            handler=handler,
            runtime=settings.runtime.value,
            architectures=[settings.architecture.value],
            memory_size=settings.memory_size,
            timeout=settings.timeout,
            environment={"variables": {**settings.environment, **variables}},
            logging_config={
                "log_format": "JSON",
                "application_log_level": settings.log_level.value,
                # The platform's own lines for each invocation cost more than the function's; its metrics say the same.
                "system_log_level": "WARN",
                "log_group": log_group.name,
            },
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.policy]),
        )

        self.register_outputs(
            {
                "functionName": self.function.name,
                "functionArn": self.function.arn,
                "roleName": self.role.name,
                "roleArn": self.role.arn,
                "logGroupName": log_group.name,
            }
        )
