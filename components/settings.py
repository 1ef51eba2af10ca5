"""Every argument, declared once: its type, its meaning, its default, and what it may hold.

`./counter generate` writes the TypedDicts of `args.py` and the `config:` section of `Pulumi.yaml` out of these
classes; the schema and the reference follow from the TypedDicts. A class `…Settings` becomes `…Args`, and the string
after a field becomes its description, with the default and the limits added.

Sources of the limits: the API references of DynamoDB (`CreateTable`), Lambda (`CreateEventSourceMapping`,
`CreateFunction`), SQS (`SetQueueAttributes`), CloudWatch Logs (`PutRetentionPolicy`), API Gateway (`RouteSettings`) and
IAM (`Tag`). Quotas that AWS raises on request are not limits here; the descriptions name them.

What the component host cannot carry decides the types: plain integers, enums and flags; `Input` only for text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from .choices import Architecture, BillingMode, LogLevel, Runtime, StartingPosition, StreamViewType
from .functions_package import IDEMPOTENCY_TABLE_NAME, LEDGER_TABLE_NAME, TABLE_NAME
from .validation import (
    ArgumentError,
    Code,
    Entries,
    Flag,
    FromConfig,
    Group,
    Items,
    Member,
    Number,
    OneOf,
    PathOf,
    Settings,
    Text,
    config_key,
    group,
    required,
    setting,
)

ANY_TEXT = Text("text", shown=False)
# What IAM accepts (`Tag` in its API reference), which is the strictest of the services: one set of tags goes to all
# resources. Its pattern is [\p{L}\p{Z}\p{N}_.:/=+\-@]; Python's \w is \p{L}, \p{N} and _, and the spaces are \p{Z}.
TAG_CHARACTER = r"[\w \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]"
TAGS = Entries(
    Text(
        "1 to 128 letters, digits, spaces and _.:/=+-@, not starting with aws:",
        rf"(?!(?i:aws:)){TAG_CHARACTER}{{1,128}}",
    ),
    Text("at most 256 letters, digits, spaces and _.:/=+-@", rf"{TAG_CHARACTER}{{0,256}}"),
    most=50,
    ignore_case=True,
)
CAPACITIES = ("read_capacity", "write_capacity")
"""The settings that apply with billing mode PROVISIONED alone, and are refused without it."""

RESERVED_VARIABLES = (TABLE_NAME, LEDGER_TABLE_NAME, IDEMPOTENCY_TABLE_NAME)
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def arn(what: str, service: str, kind: str) -> Text:
    """Match an ARN of `service` whose resource part matches the pattern `kind`."""
    return Text(f"the ARN of {what}", rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:\d{{12}}:{kind}")


STREAM_ARN = arn("a DynamoDB stream", "dynamodb", r"table/[A-Za-z0-9_.-]+/stream/.+")
TABLE_ARN = arn("a DynamoDB table", "dynamodb", r"table/[A-Za-z0-9_.-]+")
FUNCTION_ARN = arn(
    "a Lambda function, with or without a version or an alias",
    "lambda",
    r"function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?",
)
KEY_ARN = arn("a KMS key (not of an alias)", "kms", r"key/[A-Za-z0-9-]+")
ROLE_NAME = Text("the name (not the ARN) of an IAM role", r"[\w+=,.@-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class TableSettings(Settings):
    """The tables that the component creates: the main table unless it is adopted, and those that belong to it."""

    billing_mode: BillingMode = setting(BillingMode.PAY_PER_REQUEST, Member(BillingMode))
    """How reads and writes are billed."""
    read_capacity: int = setting(5, Number(1))
    """Read capacity units per second of each table, with billing mode PROVISIONED only. A table may have 40,000 unless
    AWS raises your quota."""
    write_capacity: int = setting(5, Number(1))
    """Write capacity units per second of each table, with billing mode PROVISIONED only. A table may have 40,000 unless
    AWS raises your quota. A visit takes one unit of the main table; a batch takes two of each table for each tag in it,
    since it is written in a transaction."""
    stream_view_type: StreamViewType = setting(StreamViewType.NEW_AND_OLD_IMAGES, Member(StreamViewType))
    """What a stream record holds. The total is calculated from the count in the new image, so DynamoDB's other two
    view types are not supported."""
    point_in_time_recovery: bool = setting(True, Flag())
    """Whether the main table and the ledger can be restored to any second of the last 35 days. The idempotency keys,
    which live for a day, are not kept for that."""
    deletion_protection: bool = setting(False, Flag())
    """Whether DynamoDB and Pulumi (`protect`) refuse to delete the tables, so that `pulumi destroy` fails at its
    preview, with nothing deleted."""
    encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the tables; every execution role that reads or writes items then
    gets kms:Decrypt on it, through DynamoDB only. Without one, DynamoDB encrypts with a key that AWS owns."""

    @property
    def provisioned(self) -> bool:
        """Whether capacity units apply."""
        return self.billing_mode is BillingMode.PROVISIONED

    def check_combination(self, given: Mapping[str, Any], path_of: PathOf) -> None:
        """Refuse capacity units if the tables are billed on demand."""
        for name in CAPACITIES:
            if not self.provisioned and name in given:
                raise ArgumentError(
                    path_of(name),
                    f"{given[name]!r} has no effect on a table that is billed on demand",
                    f"{path_of('billing_mode')} PROVISIONED with it, or neither",
                )


@dataclass(frozen=True, kw_only=True)
class ExistingTableSettings(Settings):
    """An existing table to count in, such as the one of AWS's tutorial. Its partition key must be `ID` (S).

    If the stack created a table of its own before, it deletes that table with its counts; the preview shows it. If a
    customer-managed KMS key encrypts the existing table, `encryption_key_arn` must name it.
    """

    table_arn: pulumi.Input[str] = required(TABLE_ARN)
    """The table's ARN."""
    stream_arn: pulumi.Input[str] = required(
        Text(
            "the ARN of the table's stream; turn the stream on with the view type NEW_AND_OLD_IMAGES or NEW_IMAGE",
            STREAM_ARN.pattern,
        ),
        why="without a stream nothing would reach the total",
    )
    """The ARN of the table's stream."""


@dataclass(frozen=True, kw_only=True)
class StreamSettings(Settings):
    """The event source mapping, and the dead-letter queue for the batches that it discards."""

    starting_position: StartingPosition = setting(StartingPosition.TRIM_HORIZON, Member(StartingPosition))
    """Where a new mapping begins to read. It applies only when the mapping is created."""
    batch_size: int = setting(100, Number(1, 10_000))
    """The most records in a batch. Up to 99 tags are written in one transaction."""
    maximum_batching_window_in_seconds: int = setting(0, Number(0, 300))
    """How many seconds to wait for a batch to fill. A longer window saves invocations, and the total lags by
    as much."""
    maximum_retry_attempts: int = setting(-1, Number(0, 10_000, also=(-1,)))
    """How often a failed batch is retried; -1 means no limit. Without a limit an outage loses no records: the total
    lags until it is over, or until the records reach their maximum age."""
    maximum_record_age_in_seconds: int = setting(84_600, Number(60, 604_800, also=(-1,)))
    """The age, in seconds, at which a record is discarded; -1 means no limit. A stream keeps its records for 24 hours
    and then drops them without a message in the dead-letter queue. The default, 23 and a half hours, discards a record
    before that, with a message."""
    bisect_batch_on_function_error: bool = setting(True, Flag())
    """Whether a failed batch is split in two, which isolates a bad record without using up retries."""
    dead_letter_queue_retention_seconds: int = setting(1_209_600, Number(60, 1_209_600))
    """How many seconds the dead-letter queue keeps a message."""


@dataclass(frozen=True, kw_only=True)
class FunctionSettings(Settings):
    """What all functions of the component have in common."""

    runtime: Runtime = setting(Runtime.PYTHON3_13, Member(Runtime))
    """The Lambda runtime."""
    architecture: Architecture = setting(Architecture.ARM64, Member(Architecture))
    """The instruction set."""
    memory_size: int = setting(256, Number(128, 10_240))
    """Memory of each function, in MiB; processor time grows with it."""
    timeout: int = setting(30, Number(1, 900))
    """Seconds that one invocation may take. API Gateway stops waiting after 30; a stream batch retries conflicts for as
    long as this."""
    log_retention_in_days: int = setting(30, OneOf(LOG_RETENTION_DAYS))
    """How many days the log groups keep their events."""
    log_level: LogLevel = setting(LogLevel.INFO, Member(LogLevel))
    """The least severe log lines that are kept."""
    environment: Mapping[str, pulumi.Input[str]] = setting(
        {},
        Entries(
            Text(
                "two or more letters, digits and underscores, starting with a letter; not AWS_…, "
                f"and not {', '.join(RESERVED_VARIABLES)}, which the component sets",
                rf"(?!AWS_|({'|'.join(RESERVED_VARIABLES)})$)[A-Za-z][A-Za-z0-9_]+",
            ),
            ANY_TEXT,
        ),
    )
    """Further environment variables of every function."""


@dataclass(frozen=True, kw_only=True)
class ApiSettings(Settings):
    """The HTTP API."""

    cors_allow_origins: Sequence[str] = setting(
        (), Items(Text("an origin such as https://example.org, or * for any", r"\*|[a-z][a-z0-9+.-]*://[^/\s]+"))
    )
    """The origins whose pages may call the API from a browser."""
    throttling_rate_limit: float = setting(1_000.0, Number(1, whole=False))
    """Requests per second, on average, that the API lets through. All APIs of an account and region together have
    10,000 unless AWS raises your quota. The default is what one DynamoDB item can take, which a single busy tag is."""
    throttling_burst_limit: int = setting(2_000, Number(1))
    """Requests that the API lets through at once. All APIs of an account and region together have 5,000 unless AWS
    raises your quota."""


@dataclass(frozen=True, kw_only=True)
class StatementSettings(Settings):
    """What an execution role is allowed: actions on resources."""

    actions: Sequence[str] = required(Items(Text("service:Action", r"[a-z0-9-]+:[A-Za-z0-9*]+")))
    """IAM actions, such as dynamodb:UpdateItem."""
    resources: Sequence[pulumi.Input[str]] = required(Items(Text("an ARN or *", r"\*|arn:.+")))
    """The ARNs that the actions are allowed on."""
    conditions: Mapping[str, Mapping[str, Sequence[str]]] = setting(
        {},
        Entries(Text("a condition operator", r"[A-Za-z:]+"), Entries(Text("a condition key", r".+"), Items(ANY_TEXT))),
    )
    """IAM conditions: operator to condition key to values."""


@dataclass(frozen=True, kw_only=True)
class StreamConsumerSettings(Settings):
    """The arguments of `StreamConsumer`: a stream, and either code for a new function or an existing one's ARN."""

    stream_arn: pulumi.Input[str] = required(STREAM_ARN)
    """The ARN of the stream to read."""
    code: pulumi.Archive | None = setting(None, Code())
    """The code of a new function. Goes with `handler`."""
    handler: str | None = setting(
        None, Text("module.function, such as app.handler", r"[A-Za-z_][\w/-]*(\.[A-Za-z_]\w*)+")
    )
    """The function in `code` that Lambda calls."""
    statements: Sequence[StatementSettings] = setting((), Items(Group(StatementSettings)))
    """What a new function may do besides reading the stream and writing its log."""
    variables: Mapping[str, pulumi.Input[str]] = setting(
        {}, Entries(Text("the name of an environment variable", r"[A-Za-z][A-Za-z0-9_]+"), ANY_TEXT)
    )
    """Environment variables of a new function; they win over `function.environment`."""
    function: FunctionSettings = group(FunctionSettings)
    """Runtime, memory, timeout, log and environment of a new function."""
    function_arn: pulumi.Input[str] | None = setting(None, FUNCTION_ARN)
    """The ARN of an existing function, instead of `code`. Goes with `function_role_name`."""
    function_role_name: pulumi.Input[str] | None = setting(None, ROLE_NAME)
    """The name of the existing function's execution role, which is given the rights to read the stream."""
    filters: Sequence[str] = setting((), Items(Text("a JSON object", r"(?s)\s*\{.*\}\s*"), most=10))
    """Event filter patterns in JSON; a record that matches one of them reaches the function. Without filters, every
    record does. Lambda takes 5 unless AWS raises your quota."""
    stream: StreamSettings = group(StreamSettings)
    """Batches, retries and the dead-letter queue."""
    encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the table, if it is not one that AWS owns."""
    tags: Mapping[str, pulumi.Input[str]] = setting({}, TAGS)
    """Tags of every resource that can have tags. The characters are IAM's, the strictest of the services."""

    def check_combination(self, given: Mapping[str, Any], path_of: PathOf) -> None:
        """Refuse code together with an existing function, or neither, or half of one."""
        choice = "code with handler, or function_arn with function_role_name"
        existing = "function_arn" in given
        own = [name for name in ("code", "function", "handler", "statements", "variables") if name in given]
        if existing and own:
            raise ArgumentError(path_of(own[0]), "has no effect on an existing function", choice)
        if not existing and "function_role_name" in given:
            problem = "names the role of an existing function, but there is none"
            raise ArgumentError(path_of("function_role_name"), problem, choice)
        for name in ("function_arn", "function_role_name") if existing else ("code", "handler"):
            if name not in given:
                raise ArgumentError(path_of(name), "is missing", choice)


@dataclass(frozen=True, kw_only=True)
class StreamTriggeredCounterSettings(Settings):
    """The arguments of `StreamTriggeredCounter`. All are optional."""

    table: TableSettings = group(TableSettings)
    """The tables that the component creates."""
    existing_table: ExistingTableSettings | None = setting(None, Group(ExistingTableSettings))
    """A table to adopt. Without it, the component creates one."""
    stream: StreamSettings = group(StreamSettings)
    """The event source mapping and its dead-letter queue."""
    functions: FunctionSettings = group(FunctionSettings)
    """What all functions have in common."""
    api: ApiSettings = group(ApiSettings)
    """The HTTP API."""
    tags: Mapping[str, pulumi.Input[str]] = setting({}, TAGS)
    """Tags of every resource that can have tags. The characters are IAM's, the strictest of the services."""

    from_config: bool = field(default=False, compare=False)

    def path_of(self, group_name: str, name: str) -> str:
        """Return what the user calls a field of a group: its configuration key if it came from there, else its path."""
        return config_key(name) if self.from_config else f"{group_name}.{name}"


def counter_settings(args: Any) -> StreamTriggeredCounterSettings:
    """Check all of a counter's arguments; raises `ArgumentError` for the first that cannot work."""
    return replace(StreamTriggeredCounterSettings.read(args), from_config=isinstance(args, FromConfig))


GROUPS: dict[str, type[Settings]] = {
    name: declared.metadata["check"].of
    for name, declared in StreamTriggeredCounterSettings.declared().items()
    if isinstance(declared.metadata["check"], Group)
}
"""The groups of arguments that have fields of their own, by the name of the argument."""
