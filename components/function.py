"""A Lambda function that has an execution role and a log group of its own.

The limits are those of `CreateFunction` in Lambda's API reference, and of `PutRetentionPolicy` in CloudWatch Logs'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
import pulumi_aws as aws

from . import policies
from .checks import KEY_ARN, Number, OneOf
from .environment import FURTHER_VARIABLES, limited
from .policies import StatementSettings
from .settings import Settings, setting

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class Runtime(StrEnum):
    """The Lambda runtime of the functions."""

    PYTHON3_11 = "python3.11"
    """Python 3.11."""
    PYTHON3_12 = "python3.12"
    """Python 3.12."""
    PYTHON3_13 = "python3.13"
    """Python 3.13."""
    PYTHON3_14 = "python3.14"
    """Python 3.14."""


class Architecture(StrEnum):
    """The instruction set that the functions run on."""

    ARM64 = "arm64"
    """AWS Graviton; a fifth cheaper per millisecond than x86_64."""
    X86_64 = "x86_64"
    """64-bit x86."""


class LogLevel(StrEnum):
    """The least severe application log lines that are kept."""

    TRACE = "TRACE"
    """Everything."""
    DEBUG = "DEBUG"
    """Every batch of the stream, and further details for finding a fault."""
    INFO = "INFO"
    """Batches with repeated records or new marks, and everything more severe."""
    WARN = "WARN"
    """Unexpected events, and everything more severe."""
    ERROR = "ERROR"
    """Failures."""
    FATAL = "FATAL"
    """Failures that end the process."""


@dataclass(frozen=True, kw_only=True)
class FunctionSettings(Settings):
    """The settings that all functions of the component share."""

    runtime: Runtime = setting(Runtime.PYTHON3_13)
    """The Lambda runtime."""
    architecture: Architecture = setting(Architecture.ARM64)
    """The instruction set."""
    memory_size: int = setting(256, Number(128, 10_240))
    """Memory of each function, in MiB; processor time grows with it."""
    timeout: int = setting(30, Number(1, 900))
    """Seconds that one invocation may take. API Gateway stops waiting after 30; a batch of the stream may take
    longer."""
    log_retention_in_days: int = setting(30, OneOf(LOG_RETENTION_DAYS))
    """How many days the log groups keep their events."""
    log_encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the log groups, also the access log's. Its key policy must let CloudWatch
    Logs use it; the functions' roles need no right to it. Without one, CloudWatch Logs encrypts with a key that AWS
    owns."""
    log_level: LogLevel = setting(LogLevel.INFO)
    """The least severe log lines that are kept."""
    tracing: bool = setting(False)
    """Whether AWS X-Ray traces invocations: the time that each waited, started and ran, not its single requests to
    DynamoDB. X-Ray samples one request a second and 5 percent of the others, and charges for each trace."""
    environment: Mapping[str, pulumi.Input[str]] = setting({}, FURTHER_VARIABLES)
    """Further environment variables of every function. Lambda allows 4,096 bytes for all variables of a function as
    JSON, the component's own included."""


class FunctionWithRole(pulumi.ComponentResource):
    """A Lambda function that has an execution role and a log group of its own.

    The role may write to that log group and do what `statements` allow, and nothing else. Logs are JSON. The policy is
    registered before the function, so that no invocation comes before its rights. `variables_path` is what the user
    calls the variables, for an error message.
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
        variables_path: str,
        reserved_concurrency: int = -1,
        tags: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        environment = limited(variables_path, {**settings.environment, **variables})
        super().__init__("stream-triggered-counter:index:FunctionWithRole", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            name,
            retention_in_days=settings.log_retention_in_days,
            kms_key_id=settings.log_encryption_key_arn,
            tags=tags,
            opts=child,
        )
        self.role = aws.iam.Role(name, assume_role_policy=policies.assumed_by_lambda(), tags=tags, opts=child)
        self.policy = aws.iam.RolePolicy(
            name,
            role=self.role.name,
            policy=policies.document(
                [
                    policies.write_logs(log_group.arn),
                    *([policies.write_traces()] if settings.tracing else []),
                    *statements,
                ]
            ),
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
            # Unreserved by default, which the provider also sets if the argument is taken away.
            reserved_concurrent_executions=None if reserved_concurrency == -1 else reserved_concurrency,
            environment={"variables": environment},
            logging_config={
                "log_format": "JSON",
                "application_log_level": settings.log_level.value,
                # The platform's lines for each invocation cost more than the function's own, and repeat its metrics.
                "system_log_level": "WARN",
                "log_group": log_group.name,
            },
            tracing_config={"mode": "Active"} if settings.tracing else None,
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
