"""The arguments of `StreamTriggeredCounter`, as the component host needs them: nested TypedDicts, all optional.

What the host cannot carry decides the types (plain integers, enums and flags; `Input` only for text). Defaults and
limits are those of `settings`, and a test holds the docstrings to them.
"""

from typing import NotRequired, TypedDict

import pulumi

from .choices import Architecture, BillingMode, LogLevel, Runtime, StartingPosition, StreamViewType


class TableArgs(TypedDict, total=False):
    """The tables that the component creates: the main table unless it is adopted, and those that belong to it."""

    billing_mode: BillingMode
    """How reads and writes are paid for. Default: PAY_PER_REQUEST. Allowed: PAY_PER_REQUEST or PROVISIONED."""
    read_capacity: int
    """Read capacity units per second of each table, with billing mode PROVISIONED only. Default: 5.
    Allowed: 1 or more; a table may have 40,000 unless AWS raises your quota."""
    write_capacity: int
    """Write capacity units per second of each table, with billing mode PROVISIONED only. Default: 5. Allowed: 1 or
    more; a table may have 40,000 unless AWS raises your quota. A visit takes one unit of the main table; a batch takes
    two of each table for each tag in it, since it is written in a transaction."""
    stream_view_type: StreamViewType
    """What a stream record holds. Default: NEW_AND_OLD_IMAGES. Allowed: NEW_AND_OLD_IMAGES or NEW_IMAGE; the total is
    made from the count in the new image, so OLD_IMAGE and KEYS_ONLY are refused."""
    point_in_time_recovery: bool
    """Whether the main table and the ledger can be restored to any second of the last 35 days. Default: true.
    Allowed: true or false. The idempotency keys, which live for a day, are not kept for that."""
    deletion_protection: bool
    """Whether the tables refuse to be deleted, by DynamoDB and by Pulumi (`protect`), so that `pulumi destroy` fails at
    its preview, with nothing deleted. Default: false. Allowed: true or false."""
    encryption_key_arn: pulumi.Input[str]
    """The ARN of the KMS key that encrypts the tables; every execution role that reads or writes items then
    gets kms:Decrypt on it, through DynamoDB only. Default: none, which encrypts with a key that AWS owns.
    Allowed: an ARN that matches arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/[A-Za-z0-9-]+."""


class ExistingTableArgs(TypedDict):
    """A table to count in that exists already, such as the one of AWS's tutorial. Its partition key is `ID` (S).

    A stack that made a table of its own before deletes it, with its counts; the preview shows that. If a
    customer-managed KMS key encrypts the adopted table, `encryption_key_arn` has to name it.
    """

    table_arn: pulumi.Input[str]
    """The table's ARN. Default: none.
    Allowed: an ARN that matches arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\\d{12}:table/[A-Za-z0-9_.-]+."""
    stream_arn: pulumi.Input[str]
    """The ARN of the table's stream, whose view type is NEW_AND_OLD_IMAGES or NEW_IMAGE. Default: none.
    Allowed: an ARN that matches arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\\d{12}:table/[A-Za-z0-9_.-]+/stream/.+."""


class StreamArgs(TypedDict, total=False):
    """The event source mapping, and the queue for the batches that it gives up."""

    starting_position: StartingPosition
    """Where a new mapping begins to read. Default: TRIM_HORIZON. Allowed: TRIM_HORIZON or LATEST. Applies once, when
    the mapping is created."""
    batch_size: int
    """The most records in a batch. Default: 100. Allowed: 1 to 10,000. Up to 99 tags are written in one
    transaction."""
    maximum_batching_window_in_seconds: int
    """How many seconds to wait for a batch to fill. Default: 0. Allowed: 0 to 300. A longer window costs fewer
    invocations and makes the total lag by as much."""
    maximum_retry_attempts: int
    """How often a failed batch is tried again. Default: -1. Allowed: -1, or 0 to 10,000; -1 has no limit, so that an
    outage costs no record: until it is over, or the records reach their maximum age, the total lags."""
    maximum_record_age_in_seconds: int
    """The age, in seconds, at which a record is given up. Default: 84600. Allowed: -1, or 60 to 604,800; -1 has no
    limit. The default is 23 and a half hours, just inside the 24 that a stream keeps its records: a record that the
    stream itself drops leaves no message in the failure queue, and one that is given up before that does."""
    bisect_batch_on_function_error: bool
    """Whether a failed batch is split in two, which isolates a bad record without using up attempts. Default: true.
    Allowed: true or false."""
    failure_queue_retention_seconds: int
    """How many seconds the failure queue keeps a message. Default: 1209600. Allowed: 60 to 1,209,600."""


class FunctionArgs(TypedDict, total=False):
    """What all functions of the component have in common."""

    runtime: Runtime
    """The Lambda runtime. Default: python3.13. Allowed: python3.11, python3.12, python3.13 or python3.14."""
    architecture: Architecture
    """The instruction set. Default: arm64. Allowed: arm64 or x86_64."""
    memory_size: int
    """Memory of each function, in MiB; processor time grows with it. Default: 256. Allowed: 128 to 10,240."""
    timeout: int
    """Seconds that one invocation may take. Default: 30. Allowed: 1 to 900. API Gateway stops waiting after 30; a
    stream batch retries conflicts for as long as this."""
    log_retention_in_days: int
    """How many days the log groups keep their events. Default: 30. Allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180,
    365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."""
    log_level: LogLevel
    """The least severe log lines that are kept. Default: INFO. Allowed: TRACE, DEBUG, INFO, WARN, ERROR or FATAL."""
    environment: dict[str, pulumi.Input[str]]
    """Further environment variables of every function. Default: {}. Allowed: a mapping; key: two or more letters,
    digits and underscores, starting with a letter, but not AWS_… and none of TABLE_NAME, LEDGER_TABLE_NAME,
    IDEMPOTENCY_TABLE_NAME, which are the component's; value: text."""


class ApiArgs(TypedDict, total=False):
    """The HTTP API."""

    cors_allow_origins: list[str]
    """The origins whose pages may call the API from a browser. Default: []. Allowed: a list, each item an origin such
    as https://example.org, or * for any."""
    throttling_rate_limit: float
    """Requests per second, on average, that the API lets through. Default: 1000. Allowed: 1 or more; all APIs of an
    account and region together have 10,000 unless AWS raises your quota. The default is what one DynamoDB item can
    take, which a single busy tag is."""
    throttling_burst_limit: int
    """Requests that the API lets through at once. Default: 2000. Allowed: 1 or more; all APIs of an account and region
    together have 5,000 unless AWS raises your quota."""


class StatementArgs(TypedDict):
    """What an execution role is allowed: actions on resources."""

    actions: list[str]
    """IAM actions, such as dynamodb:UpdateItem. Allowed: a list, each item service:Action."""
    resources: list[pulumi.Input[str]]
    """The ARNs that the actions are allowed on. Allowed: a list, each item an ARN or *."""
    conditions: NotRequired[dict[str, dict[str, list[str]]]]
    """IAM conditions: operator to condition key to values. Default: {}. Allowed: a mapping; key: a condition operator;
    value: a mapping; key: a condition key; value: a list, each item text."""


class StreamTriggeredCounterArgs(TypedDict, total=False):
    """The arguments of `StreamTriggeredCounter`. All are optional."""

    table: TableArgs
    """The tables that the component creates."""
    existing_table: ExistingTableArgs
    """A table to adopt instead of creating one. Default: none, which creates one."""
    stream: StreamArgs
    """The event source mapping and its failure queue."""
    functions: FunctionArgs
    """What all functions have in common."""
    api: ApiArgs
    """The HTTP API."""
    tags: dict[str, pulumi.Input[str]]
    """Tags of every resource that can have tags. Default: {}. Allowed: a mapping; key: 1 to 128 letters, digits, spaces
    and _.:/=+-@, not starting with aws:; value: at most 256 letters, digits, spaces and _.:/=+-@. The characters are
    IAM's, the strictest of the services."""
