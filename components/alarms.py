"""The alarms: each is one entry of `ALARMS`, and has a section of the same name in docs/operations.md.

All treat missing data as healthy, since an idle counter sends none. Metrics and dimensions are those of the services'
own documentation. The limits are those of `PutMetricAlarm` in CloudWatch's API reference.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pulumi

from .checks import DOMAIN_LABEL, Number, Text, arn
from .functions_package import DIMENSION, GENERATIONS, NAMESPACE, UNCOUNTED_RECORDS, VISITS
from .settings import Settings, setting
from .stream_consumer import StreamSettings

STREAM_RETENTION_SECONDS = 86_400
"""How long a stream keeps its records (DynamoDB Developer Guide, Streams)."""

MAX_RUNBOOK_LENGTH = 512
"""The maximum number of characters of the runbook's address, which leaves room for the rest of a description."""
_MAILBOX = r"(?!\.)(?![^@]*\.\.)(?![^@]*\.@)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
"""The part of an e-mail address before the @ (RFC 5321, without quotes)."""


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings(Settings):
    """Alarms, where they are sent, metrics, and a dashboard."""

    alarms: bool = setting(True)
    """Whether there are alarms. CloudWatch charges for each metric that an alarm watches, about 10 US cents a month."""
    notification_topic_arn: pulumi.Input[str] | None = setting(
        None, arn("an SNS topic (not a FIFO topic)", "sns", r"[A-Za-z0-9_-]{1,256}")
    )
    """The ARN of an SNS topic that alarms are sent to, and their ends. A topic that is encrypted needs a
    customer-managed key that lets cloudwatch.amazonaws.com decrypt and generate data keys."""
    notification_email: pulumi.Input[str] | None = setting(
        None, Text("an e-mail address", rf"{_MAILBOX}@{DOMAIN_LABEL}(\.{DOMAIN_LABEL})+", most=254)
    )
    """The e-mail address that alarms are sent to, and their ends, through an SNS topic and a KMS key of its own (about
    1 US dollar a month). AWS sends a message to the address first, with a link that confirms the subscription."""
    lag_alarm_seconds: int = setting(60, Number(1, 86_400))
    """How many seconds the total may lag behind the visits, besides the batching window, for five minutes. A batch
    takes well under a second, so a minute is more than a few retries explain."""
    server_error_alarm_percent: int = setting(5, Number(1, 99))
    """The share of requests, in percent, that may be answered with a status of 500 or more, for three minutes. With
    fewer requests than 20 a minute, a single error is more than the default."""
    latency_alarm_milliseconds: int = setting(2_500, Number(1, 30_000))
    """The 99th percentile of the API's latency, in milliseconds, for five minutes of at least 1,000 requests each. A
    cold start takes one to two seconds; a visit is retried for three."""
    duration_alarm_percent: int = setting(80, Number(1, 99))
    """The share of the functions' timeout, in percent, that nine of ten batches may take, for 15 minutes. Beyond the
    timeout, a batch fails and is delivered again."""
    dashboard: bool = setting(True)
    """Whether there is a CloudWatch dashboard of what the alarms watch, and of the traffic. An account's first three
    are free; each further one costs 3 US dollars a month."""
    metrics: bool = setting(True)
    """Whether the functions count visits, records that could not be counted, and new generations of the total, in the
    namespace StreamTriggeredCounter. Each of the three costs about 30 US cents a month if there is data all the
    time, and each visit a log line of about 230 bytes, about 12 US cents for a million visits. The alarms for the
    last two need them, and so does `stream-unread`."""
    runbook_url: pulumi.Input[str] | None = setting(
        None,
        Text("an http or https address without a fragment", r"https?://[^\s#\x00-\x1f\x7f]+", most=MAX_RUNBOOK_LENGTH),
    )
    """The address where your team reads docs/operations.md, or a runbook with the same sections. Each alarm's
    description, for which CloudWatch allows 1,024 characters, links to its section there. Without it, descriptions
    name the file."""


@dataclass(frozen=True)
class Metric:
    """A metric; `dimensions` maps a dimension to the key in `Watched.names` that has its value."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"


@dataclass(frozen=True)
class Watched:
    """The counter that is watched: its settings, and the names that CloudWatch knows its resources by."""

    settings: MonitoringSettings
    stream: StreamSettings
    timeout: int
    names: Mapping[str, pulumi.Input[str]]

    @property
    def kept_seconds(self) -> int:
        """The age at which a record is discarded or expires, whichever is first."""
        configured = self.stream.maximum_record_age_in_seconds
        return STREAM_RETENTION_SECONDS if configured == -1 else min(configured, STREAM_RETENTION_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm on one metric, or on an expression of several; the alarm goes off when all `periods` breach.

    In `expression`, the metrics are m0, m1 and so on. `period` is in seconds. `cause` and `response` are a sentence
    each; `section` is the runbook's, if it is not the alarm's name. The metric exists if
    `is_possible`. With `ignores_few_samples`, a percentile counts only if a period has enough samples for it: ten
    beyond the percentile, which is 1,000 for p99.
    """

    name: str
    metrics: tuple[Metric, ...]
    threshold: Callable[[Watched], float]
    comparison: str
    period: int
    periods: int
    cause: str
    response: str
    is_possible: Callable[[Watched], bool] = lambda _: True
    ignores_few_samples: bool = False
    expression: str = ""
    section: str = ""

    def description(self, runbook: str) -> str:
        """Say what happened, what to do, and where the rest is."""
        return f"{self.cause} {self.response} Runbook: {runbook}#{self.section or self.name}"


def processor(name: str, statistic: str = "Sum") -> Metric:
    """Return a metric of the function that keeps the total."""
    return Metric("AWS/Lambda", name, {"FunctionName": "processor"}, statistic)


def api(name: str, statistic: str = "Sum") -> Metric:
    """Return a metric of the HTTP API."""
    return Metric("AWS/ApiGateway", name, {"ApiId": "api", "Stage": "stage"}, statistic)


def _throttled() -> Iterator[Alarm]:
    for table in ("table", "idempotency"):
        for kind in ("Read", "Write"):
            yield Alarm(
                name=f"{table}-{kind.lower()}s-throttled",
                section="tables-throttled",
                metrics=(Metric("AWS/DynamoDB", f"{kind}ThrottleEvents", {"TableName": table}),),
                threshold=lambda _: 0,
                comparison=">",
                period=60,
                periods=5,
                cause=f"DynamoDB has rejected {kind.lower()}s of a table of the counter for five minutes.",
                response="Find the busy item, or raise the table's capacity.",
            )


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        name="total-stale",
        metrics=(processor("IteratorAge", "Maximum"),),
        threshold=lambda watched: (
            1000 * (watched.settings.lag_alarm_seconds + watched.stream.maximum_batching_window_in_seconds)
        ),
        comparison=">",
        period=60,
        periods=5,
        cause="The total lags behind the visits, because the stream is read too slowly or a batch keeps failing.",
        response="Look for errors and throttles of the stream processor; nothing is lost yet.",
    ),
    Alarm(
        name="records-at-risk",
        metrics=(processor("IteratorAge", "Maximum"),),
        threshold=lambda watched: 1000 * watched.kept_seconds / 2,
        comparison=">=",
        period=300,
        periods=1,
        cause="Half of the time for which stream records are kept has passed for the oldest one.",
        response="Repair the stream processor before the other half is over, then run reconcile.",
    ),
    Alarm(
        name="stream-unread",
        metrics=(Metric(NAMESPACE, VISITS, {DIMENSION: "recorder"}), processor("Invocations")),
        # A mapping that does not poll sends no metrics at all, so that no other alarm notices. Three periods of the
        # longest batching window make sure that a mapping that works has invoked the function at least once.
        expression="IF(m0>0,IF(FILL(m1,0)>0,0,1),0)",
        threshold=lambda _: 1,
        comparison=">=",
        period=300,
        periods=3,
        cause="Visits have been recorded for 15 minutes, and the stream processor has not run once.",
        response="Enable the event source mapping, and find out who disabled it; the stream keeps records for a day.",
        is_possible=lambda watched: watched.settings.metrics,
    ),
    Alarm(
        name="processor-errors",
        metrics=(processor("Errors"),),
        threshold=lambda _: 0,
        comparison=">",
        period=60,
        periods=3,
        cause="The stream processor has failed in each of three minutes, so its batches are delivered again.",
        response="Read the last error in its log, which says whether an operator has to act.",
    ),
    Alarm(
        name="processor-throttled",
        metrics=(processor("Throttles"),),
        threshold=lambda _: 1,
        comparison=">=",
        period=60,
        periods=5,
        cause="Lambda has refused to run the stream processor in each of five minutes, for lack of concurrency.",
        response="Raise the account's concurrency, or reserve some for the processor.",
    ),
    Alarm(
        name="processor-slow",
        metrics=(processor("Duration", "p90"),),
        threshold=lambda watched: 10 * watched.timeout * watched.settings.duration_alarm_percent,
        comparison=">",
        period=60,
        periods=15,
        cause="Batches have come close to the timeout of the stream processor for 15 minutes.",
        response="Look for throttles of the tables, or give the functions more time or memory.",
    ),
    Alarm(
        name="batch-discarded",
        metrics=(Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "queue"}, "Maximum"),),
        threshold=lambda _: 1,
        comparison=">=",
        period=60,
        periods=1,
        cause="Lambda gave up on a batch and reported it to the dead-letter queue.",
        response="Run `counter failures` to see what was discarded, then `counter reconcile`, which brings the visits "
        "back.",
    ),
    Alarm(
        name="records-dropped",
        metrics=(Metric("AWS/Lambda", "DroppedEventCount", {"EventSourceMappingUUID": "mapping"}),),
        threshold=lambda _: 1,
        comparison=">=",
        period=60,
        periods=1,
        cause="Lambda dropped records of the stream without a message in the dead-letter queue.",
        response="Check that the processor's role may send to the queue, then reconcile.",
        is_possible=lambda watched: watched.stream.mapping_metrics,
    ),
    Alarm(
        name="total-restarted",
        metrics=(Metric(NAMESPACE, GENERATIONS, {DIMENSION: "processor"}),),
        threshold=lambda _: 1,
        comparison=">=",
        period=60,
        periods=1,
        cause="COUNTER was missing or damaged, so process_stream started a new generation of the total, which is too "
        "low for now.",
        response="Run `counter reconcile`, and find out what changed COUNTER.",
        is_possible=lambda watched: watched.settings.metrics,
    ),
    Alarm(
        name="records-uncounted",
        metrics=(Metric(NAMESPACE, UNCOUNTED_RECORDS, {DIMENSION: "processor"}),),
        threshold=lambda _: 1,
        comparison=">=",
        period=60,
        periods=1,
        cause="The stream processor could not count records: malformed counts or records, or records that arrived out "
        "of order.",
        response="The errors in its log name them; mend the counts, then run `counter reconcile`.",
        is_possible=lambda watched: watched.settings.metrics,
    ),
    Alarm(
        name="api-errors",
        metrics=(api("5xx"), api("Count")),
        expression="IF(m1>0,100*m0/m1,0)",
        threshold=lambda watched: watched.settings.server_error_alarm_percent,
        comparison=">",
        period=60,
        periods=3,
        cause="Too large a share of the API's requests has been answered with a server error for three minutes.",
        response="Read the errors in the functions' logs; visits that were answered so may not have been counted.",
    ),
    Alarm(
        name="api-slow",
        metrics=(api("Latency", "p99"),),
        ignores_few_samples=True,
        threshold=lambda watched: watched.settings.latency_alarm_milliseconds,
        comparison=">=",
        period=60,
        periods=5,
        cause="One of a hundred requests has been slow for five minutes.",
        response="Look for throttles of the main table, and for cold starts after a burst.",
    ),
    *_throttled(),
)
"""Every alarm. An alarm with a metric of the stage knows it as `stage`, and so on: the keys of `Watched.names`."""
