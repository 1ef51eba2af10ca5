"""The components' arguments as the component host and type checkers need them: nested TypedDicts.

Written by ./counter generate from the classes `…Settings`; a test compares it with them.
"""

from typing import NotRequired, TypedDict

import pulumi

from .api_settings import Authorization
from .function import Architecture, LogLevel, Runtime
from .table import BillingMode, StartingPosition

__all__ = [
    "ApiArgs",
    "Architecture",
    "Authorization",
    "BillingMode",
    "ConsumerStreamArgs",
    "ExistingTableArgs",
    "FunctionArgs",
    "LogLevel",
    "MonitoringArgs",
    "Runtime",
    "StartingPosition",
    "StatementArgs",
    "StreamArgs",
    "StreamConsumerArgs",
    "StreamTriggeredCounterArgs",
    "TableArgs",
]


class TableArgs(TypedDict, total=False):
    """The tables that the component creates: the main table unless it is adopted, and those that belong to it."""

    billing_mode: BillingMode
    """How reads and writes are billed. With an existing table, this and the capacities apply to the table of
    idempotency keys alone. Default: PAY_PER_REQUEST. Allowed: PAY_PER_REQUEST or PROVISIONED."""
    read_capacity: int
    """Read capacity units per second of each table, with billing mode PROVISIONED only. A table may have 40,000 unless
    AWS raises your quota. Default: 5. Allowed: 1 or more."""
    write_capacity: int
    """Write capacity units per second of each table, with billing mode PROVISIONED only. A table may have 40,000 unless
    AWS raises your quota. A visit takes one unit of the main table, and each batch of the stream one or two. Default:
    5. Allowed: 1 or more."""
    items_per_tag: int
    """The number of items that visits of each tag are spread over. It applies to an adopted table as well. DynamoDB
    writes at most 1,000 units a second to one item; N items take N times as many visits. A visit then reads the tag's
    other items to answer with the count, and a read of a count reads them all. The number can be changed at any time:
    no visit is lost or counted twice. After it is lowered, the items above it still count. Default: 1. Allowed: 1 to
    50."""
    point_in_time_recovery: bool
    """Whether the main table can be restored to any second of the last 35 days. The idempotency keys, which live for a
    day, are not kept for that. Not allowed with an existing table, on which it has no effect. Default: true. Allowed:
    true or false."""
    deletion_protection: bool
    """Whether DynamoDB and Pulumi (`protect`) refuse to delete the tables, so that `pulumi destroy` fails at its
    preview, with nothing deleted. With an existing table, it applies to the table of idempotency keys alone. Default:
    false. Allowed: true or false."""
    encryption_key_arn: pulumi.Input[str]
    """The ARN of the KMS key that encrypts the tables; every execution role that reads or writes items then gets
    kms:Decrypt on it, through DynamoDB only. Without one, DynamoDB encrypts with a key that AWS owns. Default: none.
    Allowed: the ARN of a KMS key (not of an alias)."""


class ExistingTableArgs(TypedDict):
    """An existing table to count in, such as the one of AWS's tutorial. Its partition key must be `ID` (S).

    If the stack created a table of its own before, it deletes that table with its counts; the preview shows it. If a
    customer-managed KMS key encrypts the existing table, `encryption_key_arn` must name it. A table with replicas (a
    global table) is refused: DynamoDB replicates whole items and keeps the last write, so visits of two regions would
    overwrite each other. Capacity, billing, protection and tags of the existing table stay as they are; these arguments
    apply to the table of idempotency keys beside it.
    """

    table_arn: pulumi.Input[str]
    """The table's ARN. Allowed: the ARN of a DynamoDB table."""
    stream_arn: pulumi.Input[str]
    """The ARN of the table's stream. Allowed: the ARN of the table's stream; turn the stream on with the view type
    NEW_AND_OLD_IMAGES."""


class StreamArgs(TypedDict, total=False):
    """The event source mapping, and the dead-letter queue for the batches that it discards."""

    batch_size: int
    """The most records in a batch. A shard takes up to 1,000 writes a second, so the default holds all that can arrive
    within the default batching window of a second. The counter writes its total once for each batch, whatever the
    number of tags in it. Default: 1000. Allowed: 1 to 10,000."""
    maximum_batching_window_in_seconds: int
    """How many seconds to wait for a batch to fill. The total lags by as much, and costs less: each batch takes one
    request, and one write unit for each KB of the item `COUNTER`, usually one or two. The first second saves most;
    docs/scaling.md has the figures. With 0, Lambda does not wait: it polls each shard four times a second and takes
    what is there. Default: 1. Allowed: 0 to 300."""
    maximum_retry_attempts: int
    """How often a failed batch is retried; -1 means no limit. Without a limit an outage loses no records: the total
    lags until it is over, or until the records reach their maximum age. Default: -1. Allowed: -1, or 0 to 10,000."""
    maximum_record_age_in_seconds: int
    """The age, in seconds, at which a record is discarded; -1 means no limit. A stream keeps its records for 24 hours
    and then drops them without a message in the dead-letter queue. The default, 23 and a half hours, discards a record
    before that, with a message. Default: 84600. Allowed: -1, or 60 to 604,800."""
    reserved_concurrency: int
    """Concurrent invocations that Lambda reserves for the stream's function, and the most that it may have; -1 reserves
    none. With a reservation, a flood of requests to the other functions cannot starve this one. It needs one for each
    shard of the stream; a new table on demand has four shards. With fewer the total lags; 0 stops the function. The
    reservation counts against the account's quota, of which 100 must stay unreserved: a new account, whose quota is 10,
    cannot reserve any, so there is none by default. Default: -1. Allowed: -1, or 0 or more."""
    dead_letter_queue_retention_seconds: int
    """How many seconds the dead-letter queue keeps a message. Default: 1209600. Allowed: 60 to 1,209,600."""
    mapping_metrics: bool
    """Whether the mapping counts the records that it polled, filtered out, delivered, dropped, and reported to the
    dead-letter queue. CloudWatch charges for these metrics in every hour that has data; the alarm for dropped records
    needs them. Default: true. Allowed: true or false."""
    dead_letter_queue_encryption_key_arn: pulumi.Input[str]
    """The ARN of the KMS key that encrypts the dead-letter queue; the function's role then gets kms:Decrypt and
    kms:GenerateDataKey on it, through SQS only. Queue consumers need kms:Decrypt. Without one, SQS encrypts with a key
    that AWS owns. Default: none. Allowed: the ARN of a KMS key (not of an alias)."""


class FunctionArgs(TypedDict, total=False):
    """The settings that all functions of the component share."""

    runtime: Runtime
    """The Lambda runtime. Default: python3.13. Allowed: python3.11, python3.12, python3.13 or python3.14."""
    architecture: Architecture
    """The instruction set. Default: arm64. Allowed: arm64 or x86_64."""
    memory_size: int
    """Memory of each function, in MiB; processor time grows with it. Default: 256. Allowed: 128 to 10,240."""
    timeout: int
    """Seconds that one invocation may take. API Gateway stops waiting after 30; a batch of the stream may take longer.
    Default: 30. Allowed: 1 to 900."""
    log_retention_in_days: int
    """How many days the log groups keep their events. Default: 30. Allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180,
    365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."""
    log_encryption_key_arn: pulumi.Input[str]
    """The ARN of the KMS key that encrypts the log groups, also the access log's. Its key policy must let CloudWatch
    Logs use it; the functions' roles need no right to it. Without one, CloudWatch Logs encrypts with a key that AWS
    owns. Default: none. Allowed: the ARN of a KMS key (not of an alias)."""
    log_level: LogLevel
    """The least severe log lines that are kept. Default: INFO. Allowed: TRACE, DEBUG, INFO, WARN, ERROR or FATAL."""
    tracing: bool
    """Whether AWS X-Ray traces invocations: the time that each waited, started and ran, not its single requests to
    DynamoDB. X-Ray samples one request a second and 5 percent of the others, and charges for each trace. Default:
    false. Allowed: true or false."""
    environment: dict[str, pulumi.Input[str]]
    """Further environment variables of every function. Lambda allows 4,096 bytes for all variables of a function as
    JSON, the component's own included. Default: {}. Allowed: a mapping; key: two or more letters, digits and
    underscores, starting with a letter; not a name that Lambda reserves, such as AWS_REGION or LAMBDA_TASK_ROOT, and
    not TABLE_NAME, IDEMPOTENCY_TABLE_NAME, METRICS_NAMESPACE, API_FEATURES, ITEMS_PER_TAG, which the component sets;
    value: text."""


class ApiArgs(TypedDict, total=False):
    """The HTTP API."""

    cors_allow_origins: list[str]
    """The origins whose pages may call the API from a browser. API Gateway compares them with the header `Origin` as
    they are, so there are no wildcards for parts of a host. Default: []. Allowed: a list, each item an origin as
    browsers send it, such as https://example.org (in lower case, without a path or a default port); or https://*,
    http://* or * for any."""
    throttling_rate_limit: float
    """Requests per second, on average, that the API lets through. All APIs of an account and region together have
    10,000 unless AWS raises your quota. The default is what one DynamoDB item can take, which a single busy tag is.
    Default: 1000. Allowed: 1 or more."""
    throttling_burst_limit: int
    """Requests that the API lets through at once. All APIs of an account and region together have 5,000 unless AWS
    raises your quota. Default: 2000. Allowed: 1 or more."""
    access_logs: bool
    """Whether each request is logged in a line of JSON: route, status and times, but not the tag. A line has about 300
    bytes. The log group's name begins with `/aws/vendedlogs/`, which keeps the account's resource policy for such logs
    short. Default: true. Allowed: true or false."""
    access_log_retention_in_days: int
    """How many days the access log keeps its lines. Default: 30. Allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180,
    365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."""
    access_log_addresses: bool
    """Whether the access log also has the visitor's IP address and user agent, which are personal data in many
    countries. Default: false. Allowed: true or false."""
    record_throttling_rate_limit: float
    """Requests per second, on average, that each route that records visits lets through. By default it is half of
    `throttling_rate_limit`, so that a flood of visits leaves room for reads. Default: none. Allowed: 1 or more."""
    record_throttling_burst_limit: int
    """Requests that each route that records visits lets through at once. By default it is half of
    `throttling_burst_limit`. Default: none. Allowed: 1 or more."""
    count_by_get: bool
    """Whether a GET of `/tag/{tag}` or of a badge records a visit, so that links and images can. If not, only POST
    does, and a badge shows the count. Default: true. Allowed: true or false."""
    listing: bool
    """Whether `/counts` lists the tags on request. If not, only those who know a tag can read its count. Default: true.
    Allowed: true or false."""
    allowed_tags: list[str]
    """The tags whose visits are recorded; every other tag is refused before anything is written. By default it is any
    tag. Counts of all tags can still be read. All of them together may have 2,000 bytes as JSON. Default: []. Allowed:
    a list, each item a tag, or a pattern in which * stands for any characters; at most 200 characters."""
    record_authorization: Authorization
    """The credentials that requests to record a visit must carry: those of `/tag`, `/tags` and, if it counts, `/badge`.
    Default: NONE. Allowed: NONE, JWT or AWS_IAM."""
    read_authorization: Authorization
    """The credentials that requests to read counts must carry: those of `/counts` and `/count`. The start page, the
    OpenAPI document and the static files need none; the start page shows the name and the size of the table. Default:
    NONE. Allowed: NONE, JWT or AWS_IAM."""
    jwt_issuer: pulumi.Input[str]
    """The issuer (`iss`) of the tokens, with the authorization JWT only. API Gateway gets its keys from
    `/.well-known/openid-configuration` below this URL. Default: none. Allowed: the URL of an issuer, such as
    https://example.org; on the local cloud also http://127.0.0.1:PORT; at most 2,048 characters."""
    jwt_audiences: list[pulumi.Input[str]]
    """The audiences that are accepted, with the authorization JWT only: a token must have one of them as `aud`, or
    without `aud` as `client_id`. Default: []. Allowed: a list of at most 50, each item an audience, without spaces."""
    record_scopes: list[str]
    """The scopes of which a token must have at least one to record a visit, with the authorization JWT only. By default
    it needs none. Default: []. Allowed: a list of at most 10, each item 1 to 64 visible ASCII characters except quotes
    and backslashes."""
    read_scopes: list[str]
    """The scopes of which a token must have at least one to read counts, with the authorization JWT only. By default it
    needs none. Default: []. Allowed: a list of at most 10, each item 1 to 64 visible ASCII characters except quotes and
    backslashes."""
    domain_name: pulumi.Input[str]
    """A domain name of your own for the API, whose address `apiEndpoint` then is. It needs `certificate_arn`. Default:
    none. Allowed: a domain name in lower case, such as count.example.org; at most 253 characters."""
    certificate_arn: pulumi.Input[str]
    """The ARN of the certificate for `domain_name`, which must have been issued. Default: none. Allowed: the ARN of an
    ACM certificate in the API's region."""
    hosted_zone_id: pulumi.Input[str]
    """The id of the public Route 53 hosted zone that gets the records of `domain_name` (A and AAAA). Without it, the
    records are yours to make. Default: none. Allowed: the id of a hosted zone, such as Z0123456789EXAMPLE."""
    disable_execute_api_endpoint: bool
    """Whether the API answers at `domain_name` only, and no longer at the address that AWS gives it. Default: false.
    Allowed: true or false."""


class MonitoringArgs(TypedDict, total=False):
    """Alarms, where they are sent, metrics, and a dashboard."""

    alarms: bool
    """Whether there are alarms. CloudWatch charges for each metric that an alarm watches, about 10 US cents a month.
    Default: true. Allowed: true or false."""
    notification_topic_arn: pulumi.Input[str]
    """The ARN of an SNS topic that alarms are sent to, and their ends. A topic that is encrypted needs a
    customer-managed key that lets cloudwatch.amazonaws.com decrypt and generate data keys. Default: none. Allowed: the
    ARN of an SNS topic (not a FIFO topic)."""
    notification_email: pulumi.Input[str]
    """The e-mail address that alarms are sent to, and their ends, through an SNS topic and a KMS key of its own (about
    1 US dollar a month). AWS sends a message to the address first, with a link that confirms the subscription. Default:
    none. Allowed: an e-mail address; at most 254 characters."""
    lag_alarm_seconds: int
    """How many seconds the total may lag behind the visits, besides the batching window, for five minutes. A batch
    takes well under a second, so a minute is more than a few retries explain. Default: 60. Allowed: 1 to 86,400."""
    server_error_alarm_percent: int
    """The share of requests, in percent, that may be answered with a status of 500 or more, for three minutes. With
    fewer requests than 20 a minute, a single error is more than the default. Default: 5. Allowed: 1 to 99."""
    latency_alarm_milliseconds: int
    """The 99th percentile of the API's latency, in milliseconds, for five minutes of at least 1,000 requests each. A
    cold start takes one to two seconds; a visit is retried for three. Default: 2500. Allowed: 1 to 30,000."""
    duration_alarm_percent: int
    """The share of the functions' timeout, in percent, that nine of ten batches may take, for 15 minutes. Beyond the
    timeout, a batch fails and is delivered again. Default: 80. Allowed: 1 to 99."""
    dashboard: bool
    """Whether there is a CloudWatch dashboard of what the alarms watch, and of the traffic. An account's first three
    are free; each further one costs 3 US dollars a month. Default: true. Allowed: true or false."""
    metrics: bool
    """Whether the functions count visits, records that could not be counted, and new generations of the total, in the
    namespace StreamTriggeredCounter. Each of the three costs about 30 US cents a month if there is data all the time,
    and each visit a log line of about 230 bytes, about 12 US cents for a million visits. The alarms for the last two
    need them, and so does `stream-unread`. Default: true. Allowed: true or false."""
    runbook_url: pulumi.Input[str]
    """The address where your team reads docs/operations.md, or a runbook with the same sections. Each alarm's
    description, for which CloudWatch allows 1,024 characters, links to its section there. Without it, descriptions name
    the file. Default: none. Allowed: an http or https address without a fragment; at most 512 characters."""


class StreamTriggeredCounterArgs(TypedDict, total=False):
    """The arguments of `StreamTriggeredCounter`. All are optional."""

    table: TableArgs
    """The tables that the component creates."""
    existing_table: ExistingTableArgs
    """A table to adopt. Without it, the component creates one. Default: none."""
    stream: StreamArgs
    """The event source mapping and its dead-letter queue."""
    functions: FunctionArgs
    """The settings that all functions share."""
    api: ApiArgs
    """The HTTP API."""
    monitoring: MonitoringArgs
    """Alarms, where they are sent, metrics, and a dashboard."""
    tags: dict[str, pulumi.Input[str]]
    """Tags of every resource that can have tags. The characters are IAM's, the strictest of the services. The
    provider's `defaultTags` count toward AWS's limit of 50 as well. Default: {}. Allowed: a mapping; key: 1 to 128
    letters, digits, spaces and _.:/=+-@, not starting with aws:; value: at most 256 letters, digits, spaces and
    _.:/=+-@, not starting with aws:."""


class StatementArgs(TypedDict):
    """A permission of an execution role: actions on resources."""

    actions: list[str]
    """IAM actions, such as dynamodb:UpdateItem. Allowed: a list of at least 1, each item service:Action."""
    resources: list[pulumi.Input[str]]
    """The ARNs that the actions are allowed on. Allowed: a list of at least 1, each item an ARN or *."""
    conditions: NotRequired[dict[str, dict[str, list[str]]]]
    """IAM conditions: operator to condition key to values. Default: {}. Allowed: a mapping; key: a condition operator
    of IAM, such as StringEquals or ForAllValues:StringLike; value: a mapping; key: a condition key; value: a list of at
    least 1, each item text."""


class ConsumerStreamArgs(TypedDict, total=False):
    """The event source mapping of a `StreamConsumer`, and its dead-letter queue."""

    batch_size: int
    """The most records in a batch. A shard takes up to 1,000 writes a second, so the default holds all that can arrive
    within the default batching window of a second. The counter writes its total once for each batch, whatever the
    number of tags in it. Default: 1000. Allowed: 1 to 10,000."""
    maximum_batching_window_in_seconds: int
    """How many seconds to wait for a batch to fill. The total lags by as much, and costs less: each batch takes one
    request, and one write unit for each KB of the item `COUNTER`, usually one or two. The first second saves most;
    docs/scaling.md has the figures. With 0, Lambda does not wait: it polls each shard four times a second and takes
    what is there. Default: 1. Allowed: 0 to 300."""
    maximum_retry_attempts: int
    """How often a failed batch is retried; -1 means no limit. Without a limit an outage loses no records: the total
    lags until it is over, or until the records reach their maximum age. Default: -1. Allowed: -1, or 0 to 10,000."""
    maximum_record_age_in_seconds: int
    """The age, in seconds, at which a record is discarded; -1 means no limit. A stream keeps its records for 24 hours
    and then drops them without a message in the dead-letter queue. The default, 23 and a half hours, discards a record
    before that, with a message. Default: 84600. Allowed: -1, or 60 to 604,800."""
    reserved_concurrency: int
    """Concurrent invocations that Lambda reserves for the stream's function, and the most that it may have; -1 reserves
    none. With a reservation, a flood of requests to the other functions cannot starve this one. It needs one for each
    shard of the stream; a new table on demand has four shards. With fewer the total lags; 0 stops the function. The
    reservation counts against the account's quota, of which 100 must stay unreserved: a new account, whose quota is 10,
    cannot reserve any, so there is none by default. Default: -1. Allowed: -1, or 0 or more."""
    dead_letter_queue_retention_seconds: int
    """How many seconds the dead-letter queue keeps a message. Default: 1209600. Allowed: 60 to 1,209,600."""
    mapping_metrics: bool
    """Whether the mapping counts the records that it polled, filtered out, delivered, dropped, and reported to the
    dead-letter queue. CloudWatch charges for these metrics in every hour that has data; the alarm for dropped records
    needs them. Default: true. Allowed: true or false."""
    dead_letter_queue_encryption_key_arn: pulumi.Input[str]
    """The ARN of the KMS key that encrypts the dead-letter queue; the function's role then gets kms:Decrypt and
    kms:GenerateDataKey on it, through SQS only. Queue consumers need kms:Decrypt. Without one, SQS encrypts with a key
    that AWS owns. Default: none. Allowed: the ARN of a KMS key (not of an alias)."""
    starting_position: StartingPosition
    """Where a new mapping begins to read. It applies only when the mapping is created. Default: TRIM_HORIZON. Allowed:
    TRIM_HORIZON or LATEST."""
    bisect_batch_on_function_error: bool
    """Whether a failed batch is split in two, which isolates a bad record without using up retries. Default: true.
    Allowed: true or false."""
    parallelization_factor: int
    """How many batches of a shard are processed at once. The records of one key stay in order. Default: 1. Allowed: 1
    to 10."""
    tumbling_window_in_seconds: int
    """The length, in seconds, of a window over which the function aggregates records: Lambda passes the `state` in the
    function's answer to the next invocation of the same shard and window. With 0 there is no window. With a window,
    every answer must contain `state`, and the parallelization factor must be 1. Default: 0. Allowed: 0 to 900."""


class StreamConsumerArgs(TypedDict):
    """The arguments of `StreamConsumer`: a stream, and either code for a new function or an existing one's ARN."""

    stream_arn: pulumi.Input[str]
    """The ARN of the stream to read. Allowed: the ARN of a DynamoDB stream."""
    code: NotRequired[pulumi.Archive]
    """The code of a new function. Goes with `handler`. Default: none. Allowed: an archive of files."""
    handler: NotRequired[str]
    """The function in `code` that Lambda calls. Default: none. Allowed: module.function, such as app.handler; at most
    128 characters."""
    statements: NotRequired[list[StatementArgs]]
    """The permissions of a new function, besides reading the stream and writing its log. IAM allows 10,240 characters
    for all policies of the role. Default: []. Allowed: a list, each item a mapping with the keys actions, resources,
    conditions."""
    variables: NotRequired[dict[str, pulumi.Input[str]]]
    """Environment variables of a new function; they win over `function.environment`. Lambda allows 4,096 bytes for all
    of them as JSON. Default: {}. Allowed: a mapping; key: two or more letters, digits and underscores, starting with a
    letter; not a name that Lambda reserves, such as AWS_REGION or LAMBDA_TASK_ROOT; value: text."""
    function: NotRequired[FunctionArgs]
    """Runtime, memory, timeout, log and environment of a new function."""
    function_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing function, instead of `code`. Goes with `function_role_name`. Default: none. Allowed: the
    ARN of a Lambda function, with or without a version or an alias."""
    function_role_name: NotRequired[pulumi.Input[str]]
    """The name of the existing function's execution role, which is given the rights to read the stream. Default: none.
    Allowed: the name (not the ARN) of an IAM role."""
    filters: NotRequired[list[str]]
    """Event filter patterns in JSON, such as `{"eventName": ["REMOVE"]}`; a record that matches one of them reaches the
    function. Without filters, every record does. The values of a field are a list, also a single one. Lambda takes 5
    filters unless AWS raises your quota. Default: []. Allowed: a list of at most 10, each item a filter rule as JSON
    text of at most 4,096 characters."""
    stream: NotRequired[ConsumerStreamArgs]
    """Batches, retries and the dead-letter queue."""
    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """The ARN of the KMS key that encrypts the table, if it is not one that AWS owns. Default: none. Allowed: the ARN
    of a KMS key (not of an alias)."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags of every resource that can have tags. The characters are IAM's, the strictest of the services. The
    provider's `defaultTags` count toward AWS's limit of 50 as well. Default: {}. Allowed: a mapping; key: 1 to 128
    letters, digits, spaces and _.:/=+-@, not starting with aws:; value: at most 256 letters, digits, spaces and
    _.:/=+-@, not starting with aws:."""
