"""Every default and every limit, once: the code, the schema, `Pulumi.yaml` and the documentation take them from here.

Sources of the limits: the API references of DynamoDB (`CreateTable`), Lambda (`CreateEventSourceMapping`,
`CreateFunction`), SQS (`SetQueueAttributes`), CloudWatch Logs (`PutRetentionPolicy`), API Gateway (`RouteSettings`) and
IAM (`Tag`). Quotas that AWS raises on request are not limits here; the arguments' docstrings name them.
"""

from dataclasses import dataclass, field
from typing import Any

import pulumi

from .choices import Architecture, BillingMode, LogLevel, Runtime, StartingPosition, StreamViewType
from .functions_package import IDEMPOTENCY_TABLE_NAME, LEDGER_TABLE_NAME, TABLE_NAME
from .validation import (
    ArgumentError,
    Entries,
    Flag,
    Items,
    Member,
    Number,
    OneOf,
    Record,
    Text,
    path_of,
    read,
    refuse_unknown,
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
NEW_IMAGE_VIEWS = (StreamViewType.NEW_AND_OLD_IMAGES, StreamViewType.NEW_IMAGE)
"""The view types whose records hold what the total is made from."""

CAPACITIES = ("read_capacity", "write_capacity")
"""The settings that apply with billing mode PROVISIONED alone, and are refused without it."""

RESERVED_VARIABLES = (TABLE_NAME, LEDGER_TABLE_NAME, IDEMPOTENCY_TABLE_NAME)
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def arn(service: str, kind: str) -> Text:
    """Match an ARN of `service` whose resource part matches the pattern `kind`."""
    pattern = rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:\d{{12}}:{kind}"
    return Text(f"an ARN that matches {pattern}", pattern)


STREAM_ARN = arn("dynamodb", r"table/[A-Za-z0-9_.-]+/stream/.+")
TABLE_ARN = arn("dynamodb", r"table/[A-Za-z0-9_.-]+")
FUNCTION_ARN = arn("lambda", r"function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?")
KEY_ARN = arn("kms", r"key/[A-Za-z0-9-]+")
FILTER = Text("a JSON object", r"(?s)\s*\{.*\}\s*")
STATEMENT = Record(
    {
        "actions": Items(Text("service:Action", r"[a-z0-9-]+:[A-Za-z0-9*]+")),
        "resources": Items(Text("an ARN or *", r"\*|arn:.+")),
    },
    {
        "conditions": Entries(
            Text("a condition operator", r"[A-Za-z:]+"), Entries(Text("a condition key", r".+"), Items(ANY_TEXT))
        )
    },
)
ROLE_NAME = Text("the name (not the ARN) of an IAM role", r"[\w+=,.@-]{1,64}")


@dataclass(frozen=True)
class ExistingTableSettings:
    """A table that is adopted instead of created."""

    table_arn: pulumi.Input[str] | None = setting(None, TABLE_ARN)
    stream_arn: pulumi.Input[str] | None = setting(None, STREAM_ARN)


@dataclass(frozen=True)
class TableSettings:
    """The main table and its ledger."""

    billing_mode: BillingMode = setting(BillingMode.PAY_PER_REQUEST, Member(BillingMode))
    read_capacity: int = setting(5, Number(1))
    write_capacity: int = setting(5, Number(1))
    stream_view_type: StreamViewType = setting(StreamViewType.NEW_AND_OLD_IMAGES, Member(StreamViewType))
    point_in_time_recovery: bool = setting(True, Flag())
    deletion_protection: bool = setting(False, Flag())
    encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)

    @property
    def provisioned(self) -> bool:
        """Whether capacity units apply."""
        return self.billing_mode is BillingMode.PROVISIONED


@dataclass(frozen=True)
class StreamSettings:
    """An event source mapping on the table's stream, and what becomes of the batches that it gives up."""

    starting_position: StartingPosition = setting(StartingPosition.TRIM_HORIZON, Member(StartingPosition))
    batch_size: int = setting(100, Number(1, 10_000))
    maximum_batching_window_in_seconds: int = setting(0, Number(0, 300))
    maximum_retry_attempts: int = setting(-1, Number(0, 10_000, also=(-1,)))
    maximum_record_age_in_seconds: int = setting(84_600, Number(60, 604_800, also=(-1,)))
    bisect_batch_on_function_error: bool = setting(True, Flag())
    failure_queue_retention_seconds: int = setting(1_209_600, Number(60, 1_209_600))


@dataclass(frozen=True)
class FunctionSettings:
    """What all functions have in common."""

    runtime: Runtime = setting(Runtime.PYTHON3_13, Member(Runtime))
    architecture: Architecture = setting(Architecture.ARM64, Member(Architecture))
    memory_size: int = setting(256, Number(128, 10_240))
    timeout: int = setting(30, Number(1, 900))
    log_retention_in_days: int = setting(30, OneOf(LOG_RETENTION_DAYS))
    log_level: LogLevel = setting(LogLevel.INFO, Member(LogLevel))
    environment: dict[str, pulumi.Input[str]] = setting(
        {},
        Entries(
            Text(
                "two or more letters, digits and underscores, starting with a letter, but not AWS_… "
                f"and none of {', '.join(RESERVED_VARIABLES)}, which are the component's",
                rf"(?!AWS_|({'|'.join(RESERVED_VARIABLES)})$)[A-Za-z][A-Za-z0-9_]+",
            ),
            ANY_TEXT,
        ),
    )


@dataclass(frozen=True)
class ApiSettings:
    """The HTTP API."""

    cors_allow_origins: tuple[str, ...] = setting(
        (), Items(Text("an origin such as https://example.org, or * for any", r"\*|[a-z][a-z0-9+.-]*://[^/\s]+"))
    )
    throttling_rate_limit: float = setting(1_000.0, Number(1, whole=False))
    throttling_burst_limit: int = setting(2_000, Number(1))


@dataclass(frozen=True)
class CounterSettings:
    """All of a counter's arguments, checked, with the defaults filled in."""

    table: TableSettings = field(default_factory=TableSettings)
    existing_table: ExistingTableSettings | None = None
    stream: StreamSettings = field(default_factory=StreamSettings)
    functions: FunctionSettings = field(default_factory=FunctionSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    tags: dict[str, pulumi.Input[str]] = setting({}, TAGS)


GROUPS: dict[str, type[Any]] = {
    "table": TableSettings,
    "existing_table": ExistingTableSettings,
    "stream": StreamSettings,
    "functions": FunctionSettings,
    "api": ApiSettings,
}
"""The groups of arguments that have fields of their own, by the name of the argument."""


def table_settings(args: Any, path: str = "table") -> TableSettings:
    """Check a table's arguments; raises `ArgumentError`."""
    table = read(TableSettings, args, path)
    if table.stream_view_type not in NEW_IMAGE_VIEWS:
        raise ArgumentError(
            path_of(args, path, "stream_view_type"),
            f"{table.stream_view_type.value!r} leaves the new image out of the stream records, "
            "and the total is made from the count in the new image",
            " or ".join(NEW_IMAGE_VIEWS),
        )
    for name in CAPACITIES:
        if not table.provisioned and (args or {}).get(name) is not None:
            raise ArgumentError(
                path_of(args, path, name),
                f"{args[name]!r} has no effect on a table that is billed on demand",
                f"{path_of(args, path, 'billing_mode')} PROVISIONED with it, or neither",
            )
    return table


def existing_table_settings(args: Any, path: str = "existing_table") -> ExistingTableSettings | None:
    """Check the arguments that name a table to adopt; None where there are none. Raises `ArgumentError`."""
    if args is None:
        return None
    existing = read(ExistingTableSettings, args, path)
    if existing.table_arn is None:
        raise ArgumentError(path_of(args, path, "table_arn"), "is missing", f"{TABLE_ARN}")
    if existing.stream_arn is None:
        raise ArgumentError(
            path_of(args, path, "stream_arn"),
            "is missing, and without a stream nothing would reach the total",
            f"the ARN of the table's stream; turn the stream on with the view type {' or '.join(NEW_IMAGE_VIEWS)}",
        )
    return existing


def counter_settings(args: Any) -> CounterSettings:
    """Check all of a counter's arguments; raises `ArgumentError` for the first that cannot work."""
    args = {} if args is None else args
    refuse_unknown("", args, [*GROUPS, "tags"])
    return CounterSettings(
        table=table_settings(args.get("table")),
        existing_table=existing_table_settings(args.get("existing_table")),
        stream=read(StreamSettings, args.get("stream"), "stream"),
        functions=read(FunctionSettings, args.get("functions"), "functions"),
        api=read(ApiSettings, args.get("api"), "api"),
        tags={} if args.get("tags") is None else TAGS("tags", args["tags"]),
    )
