"""A Lambda function that has an execution role and a log group of its own."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from . import policies
from .args import FunctionArgs, StatementArgs
from .naming import check_name
from .settings import ANY_TEXT, STATEMENT, TAGS, FunctionSettings
from .validation import ArgumentError, Entries, Items, Text, read, refuse_unknown

HANDLER = Text("module.function, such as app.handler", r"[A-Za-z_][\w/-]*(\.[A-Za-z_]\w*)+")
VARIABLES = Entries(Text("the name of an environment variable", r"[A-Za-z][A-Za-z0-9_]+"), ANY_TEXT)


class FunctionWithRoleArgs(TypedDict):
    """The arguments of `FunctionWithRole`."""

    code: pulumi.Archive
    """The code, as an archive of files."""
    handler: str
    """The function that Lambda calls. Allowed: module.function, such as app.handler."""
    statements: NotRequired[list[StatementArgs]]
    """What the function may do besides writing its log. Default: []."""
    variables: NotRequired[dict[str, pulumi.Input[str]]]
    """Environment variables of this function; they win over `function.environment`. Default: {}.
    Allowed: a mapping; key: the name of an environment variable; value: text."""
    function: NotRequired[FunctionArgs]
    """Runtime, memory, timeout, log and environment."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags of every resource that can have tags. Default: {}. Allowed: a mapping; key: 1 to 128 letters, digits, spaces
    and _.:/=+-@, not starting with aws:; value: at most 256 letters, digits, spaces and _.:/=+-@. The characters are
    IAM's, the strictest of the services."""


class FunctionWithRole(pulumi.ComponentResource):
    """A Lambda function that has an execution role and a log group of its own.

    The role may write to that log group and do what `statements` allow, and nothing else. Logs are JSON. The policy is
    registered before the function, so that no invocation comes before its rights.
    """

    function_name: pulumi.Output[str]
    """The function's name."""
    function_arn: pulumi.Output[str]
    """The function's ARN."""
    role_name: pulumi.Output[str]
    """The name of its execution role, for granting it more."""
    role_arn: pulumi.Output[str]
    """The ARN of its execution role."""
    log_group_name: pulumi.Output[str]
    """The name of its log group."""

    def __init__(self, name: str, args: FunctionWithRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        refuse_unknown("", args, FunctionWithRoleArgs.__annotations__)
        code = checked_code(args)
        handler = HANDLER("handler", args.get("handler"))
        settings = read(FunctionSettings, args.get("function"), "function")
        variables = VARIABLES("variables", args.get("variables") or {})
        statements = Items(STATEMENT)("statements", args.get("statements") or [])
        tags = TAGS("tags", args.get("tags") or {})
        super().__init__("stream-triggered-counter:index:FunctionWithRole", name, {}, opts)

        child = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            name, retention_in_days=settings.log_retention_in_days, tags=tags, opts=child
        )
        role = aws.iam.Role(name, assume_role_policy=policies.assumed_by_lambda(), tags=tags, opts=child)
        self.policy = aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=policies.document([policies.write_logs(log_group.arn), *statements]),
            opts=child,
        )
        function = aws.lambda_.Function(
            name,
            role=role.arn,
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

        self.function_name = function.name
        self.function_arn = function.arn
        self.role_name = role.name
        self.role_arn = role.arn
        self.log_group_name = log_group.name
        self.register_outputs(
            {
                "functionName": self.function_name,
                "functionArn": self.function_arn,
                "roleName": self.role_name,
                "roleArn": self.role_arn,
                "logGroupName": self.log_group_name,
            }
        )


def checked_code(args: Any) -> pulumi.Archive:
    """Return the code archive out of the arguments; raises `ArgumentError`."""
    code = args.get("code")
    if not isinstance(code, pulumi.Archive):
        raise ArgumentError("code", f"a value of type {type(code).__name__} does not fit", "an archive")
    return code
