"""The component: visits counted per tag, and an exact total kept by the table's stream."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pulumi
import pulumi_aws as aws

from . import policies
from .alarms import MonitoringSettings, Watched
from .api_settings import ApiSettings
from .args import StreamTriggeredCounterArgs
from .checks import LONGEST_POLICY_NAME, NAME_SUFFIX, ROLE_NAME, TAGS, ArgumentError, check_name
from .dashboard import create_dashboard
from .environment import check_size
from .existing_table import ExistingTableSettings, adopt
from .function import FunctionSettings, FunctionWithRole
from .functions_package import (
    API_FEATURES,
    EXPIRES_AT,
    IDEMPOTENCY_TABLE_NAME,
    ITEMS_PER_TAG,
    METRICS_NAMESPACE,
    NAMESPACE,
    ORIGIN_KEY,
    PARTITION_KEY,
    TABLE_NAME,
    TOTAL_KEY,
    document,
    function_archive,
    handler,
    module_name,
    routes,
    without_switched_off,
)
from .http_api import HttpApi
from .monitoring import create_alarms
from .policies import StatementSettings
from .settings import FromConfig, Group, Settings, default_of, group, setting
from .stream_consumer import ConsumerStreamSettings, StreamConsumer, StreamConsumerSettings, StreamSettings
from .table import StartingPosition, StreamTable, TableSettings, keyed_table

DEFAULTS: StreamTriggeredCounterArgs = {}
"""Arguments that leave every setting at its default."""


WITHOUT_EFFECT_ON_EXISTING_TABLE = ("point_in_time_recovery",)
"""Arguments of tables that apply to the main table alone, and only if the component creates it."""

Variables = Mapping[str, Mapping[str, pulumi.Input[str]]]


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
    """The settings that all functions share."""
    api: ApiSettings = group(ApiSettings)
    """The HTTP API."""
    monitoring: MonitoringSettings = group(MonitoringSettings)
    """Alarms, where they are sent, metrics, and a dashboard."""
    tags: Mapping[str, pulumi.Input[str]] = setting({}, TAGS)
    """Tags of every resource that can have tags. The characters are IAM's, the strictest of the services. The
    provider's `defaultTags` count toward AWS's limit of 50 as well."""

    @property
    def variables_path(self) -> str:
        """What the user calls the environment variables, or else the argument that most of the component's own hold."""
        if self.functions.environment:
            return self.functions.path_of("environment")
        return self.api.path_of("allowed_tags")

    def variables(self, table: pulumi.Input[str], idempotency: pulumi.Input[str]) -> Variables:
        """Return the component's own environment variables of each function, with these tables."""
        features = self.api.features().changed()
        # All functions of the API need them: each answers with what the document says.
        changed: dict[str, pulumi.Input[str]] = {API_FEATURES: _json(features)} if features else {}
        metrics = {METRICS_NAMESPACE: NAMESPACE} if self.monitoring.metrics else {}
        items = self.table.items_per_tag
        per_tag: dict[str, pulumi.Input[str]] = {ITEMS_PER_TAG: str(items)} if items > 1 else {}
        return {
            "welcome": {TABLE_NAME: table, **changed},
            "recordVisit": {TABLE_NAME: table, IDEMPOTENCY_TABLE_NAME: idempotency, **metrics, **per_tag, **changed},
            "viewCounts": {TABLE_NAME: table, **per_tag, **changed},
            "processStream": {TABLE_NAME: table, **metrics},
        }

    def check_combination(self, given: Mapping[str, Any]) -> None:
        """Refuse arguments without an effect, and environment variables that are too large for any tables' names."""
        if self.existing_table:
            self._check_without_effect(given.get("table") or {})
        for own in self.variables("", "").values():
            check_size(self.variables_path, {**self.functions.environment, **own})

    def _check_without_effect(self, table: Mapping[str, Any]) -> None:
        for name in WITHOUT_EFFECT_ON_EXISTING_TABLE:
            value = table.get(name)
            # The CLI fills in the defaults of configuration keys.
            filled_in = isinstance(table, FromConfig) and value == default_of(self.table.declared()[name])
            if value is not None and not filled_in:
                problem = f"{value!r} has no effect on an existing table, and idempotency keys are never kept for it"
                raise ArgumentError(self.table.path_of(name), problem, "no value; set it where the table is created")


def _json(value: Any) -> pulumi.Input[str]:
    """Return a value as JSON: as text, unless there are Outputs in it."""
    try:
        return json.dumps(value)
    except TypeError:
        return pulumi.Output.json_dumps(value)


TUMBLING_WINDOW_SECONDS = 900
"""The tumbling window of the counter's own mapping. Only a mapping with a window passes the shard's id to the function,
which identifies the position in the stream. This is the longest window, so the state is carried longest."""

ONLY_TAGS = json.dumps({"dynamodb": {"Keys": {PARTITION_KEY: {"S": [{"anything-but": [TOTAL_KEY, ORIGIN_KEY]}]}}}})
"""The event filter that keeps changes of the total's own items from calling the function that made them."""


class CountedTable(NamedTuple):
    """The attributes of the counted table, created or adopted, that other resources need."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    stream_arn: pulumi.Output[str]


class StreamTriggeredCounter(pulumi.ComponentResource):
    """Counts visits per tag behind an HTTP API, and keeps a total that stays exact however often a visit is delivered.

    It consists of a DynamoDB table and its stream, a table of idempotency keys, four Lambda functions with an execution
    role each, the routes of an HTTP API, and the event source mapping that triggers the total.
    """

    api_endpoint: pulumi.Output[str]
    """The URL of the HTTP API, without a trailing slash: that of the custom domain, if there is one."""
    api_id: pulumi.Output[str]
    """The id of the HTTP API, by which its metrics and alarms identify it."""
    table_name: pulumi.Output[str]
    """The name of the table that holds the counts and the total."""
    table_arn: pulumi.Output[str]
    """The ARN of that table."""
    stream_arn: pulumi.Output[str]
    """The ARN of that table's stream, for further consumers."""
    idempotency_table_name: pulumi.Output[str]
    """The name of the table that holds the idempotency keys."""
    event_source_mapping_id: pulumi.Output[str]
    """The UUID of the event source mapping."""
    function_names: pulumi.Output[dict[str, str]]
    """The names of the functions, under the keys welcome, recordVisit, viewCounts and processStream."""
    dead_letter_queue_url: pulumi.Output[str]
    """The URL of the queue that discarded stream batches are reported to."""
    dashboard_url: pulumi.Output[str]
    """The address of the dashboard in the CloudWatch console; empty if the dashboard is switched off."""

    def __init__(
        self, name: str, args: StreamTriggeredCounterArgs = DEFAULTS, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        check_name(name, longest_child="-process-stream")
        settings = StreamTriggeredCounterSettings.read(args)
        super().__init__("stream-triggered-counter:index:StreamTriggeredCounter", name, {}, opts)

        self._name = name
        self._key_arn = settings.table.encryption_key_arn
        child = pulumi.ResourceOptions(parent=self)
        table = self._table(settings, child)
        idempotency = keyed_table(
            f"{name}-idempotency",
            # Its keys live for a day, so there is nothing worth restoring.
            replace(settings.table, point_in_time_recovery=False),
            settings.tags,
            self,
            ttl={"attribute_name": EXPIRES_AT, "enabled": True},
        )

        code = function_archive()
        rights = {
            # Reading a description decrypts nothing.
            "welcome": policies.describe_table(table.arn),
            "recordVisit": [*policies.record_visits(table.arn, idempotency.arn), *self._decrypt()],
            "viewCounts": [*policies.view_counts(table.arn, listing=settings.api.listing), *self._decrypt()],
        }
        features = settings.api.features()
        variables = settings.variables(table.name, idempotency.name)
        functions = {
            key: FunctionWithRole(
                f"{name}-{module_name(key).replace('_', '-')}",
                settings.functions,
                code=code,
                handler=handler(key),
                statements=statements,
                variables=variables[key],
                variables_path=settings.variables_path,
                tags=settings.tags,
                opts=child,
            )
            for key, statements in rights.items()
        }
        api = HttpApi(
            f"{name}-api",
            settings.api,
            functions={key: part.function.arn for key, part in functions.items()},
            routes=routes(without_switched_off(document(), features)),
            log_key_arn=settings.functions.log_encryption_key_arn,
            tags=settings.tags,
            opts=child,
        )
        consumer = StreamConsumer._of(
            f"{name}-process-stream",
            StreamConsumerSettings(
                stream_arn=table.stream_arn,
                code=code,
                handler=handler("processStream"),
                # The consumer itself adds the right to decrypt.
                statements=policies.keep_total(table.arn),
                variables=variables["processStream"],
                function=settings.functions,
                filters=[ONLY_TAGS],
                stream=ConsumerStreamSettings(
                    **vars(settings.stream),
                    # A later position would lose visits.
                    starting_position=StartingPosition.TRIM_HORIZON,
                    # The function never fails because of one record, so a split would isolate nothing.
                    bisect_batch_on_function_error=False,
                    tumbling_window_in_seconds=TUMBLING_WINDOW_SECONDS,
                ),
                encryption_key_arn=self._key_arn,
                tags=settings.tags,
            ),
            child,
        )

        watched = Watched(
            settings=settings.monitoring,
            stream=settings.stream,
            timeout=settings.functions.timeout,
            names={
                "recorder": functions["recordVisit"].function.name,
                "processor": consumer.function_name,
                "mapping": consumer.event_source_mapping_id,
                "queue": consumer.queue_name,
                "api": api.api_id,
                "stage": api.stage_name,
                "table": table.name,
                "table_arn": table.arn,
                "idempotency": idempotency.name,
            },
        )
        alarms = create_alarms(name, watched, settings.tags, self)

        self.api_endpoint = api.api_endpoint
        self.api_id = api.api_id
        self.table_name = table.name
        self.table_arn = table.arn
        self.stream_arn = table.stream_arn
        self.idempotency_table_name = idempotency.name
        self.event_source_mapping_id = consumer.event_source_mapping_id
        self.function_names = pulumi.Output.all(
            **{key: part.function.name for key, part in functions.items()},
            processStream=consumer.function_name,
        )
        self.dead_letter_queue_url = consumer.dead_letter_queue_url
        self.dashboard_url = create_dashboard(name, watched, alarms, self)
        self.register_outputs(self.outputs())

    def outputs(self) -> dict[str, pulumi.Output[Any]]:
        """Return all outputs by the names that a stack exports them under."""
        return {
            "apiEndpoint": self.api_endpoint,
            "apiId": self.api_id,
            "tableName": self.table_name,
            "tableArn": self.table_arn,
            "streamArn": self.stream_arn,
            "idempotencyTableName": self.idempotency_table_name,
            "eventSourceMappingId": self.event_source_mapping_id,
            "functionNames": self.function_names,
            "deadLetterQueueUrl": self.dead_letter_queue_url,
            "dashboardUrl": self.dashboard_url,
        }

    def grant_count(self, role: aws.iam.Role | pulumi.Input[str], name: str | None = None) -> aws.iam.RolePolicy:
        """Allow a role to add to the count of any tag, and nothing else.

        `role` is a role resource, or the name of a role. `name` tells grants to several roles apart in the resources'
        names; by default it is the role's own name, so a role name that is an Output needs it. The total follows
        through the stream. Raises `ArgumentError`.
        """
        return self._grant("count", policies.count_visits(self.table_arn), role, name)

    def grant_read(self, role: aws.iam.Role | pulumi.Input[str], name: str | None = None) -> aws.iam.RolePolicy:
        """Allow a role to read counts and the total, and nothing else. The arguments are those of `grant_count`."""
        return self._grant("read", policies.read_counts(self.table_arn), role, name)

    def _grant(
        self, right: str, statements: list[StatementSettings], role: aws.iam.Role | pulumi.Input[str], name: str | None
    ) -> aws.iam.RolePolicy:
        own = role.pulumi_resource_name if isinstance(role, aws.iam.Role) else role
        label = name or own
        if not isinstance(label, str):
            raise ArgumentError("name", "is missing", "a name for the grant, since the role's own is an Output")
        role_name = role.name if isinstance(role, aws.iam.Role) else ROLE_NAME("role", role)
        prefix = f"{self._name}-{right}-"
        most = LONGEST_POLICY_NAME - NAME_SUFFIX - len(prefix)
        if not re.fullmatch(rf"[A-Za-z0-9_+=,.@-]{{1,{most}}}", label):
            raise ArgumentError("name", f"{label!r} is invalid", f"1 to {most} letters, digits and _+=,.@-")
        return aws.iam.RolePolicy(
            f"{prefix}{label}",
            role=role_name,
            policy=policies.document([*statements, *self._decrypt()]),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _decrypt(self) -> list[StatementSettings]:
        return [policies.decrypt(self._key_arn)] if self._key_arn else []

    def _table(self, settings: StreamTriggeredCounterSettings, child: pulumi.ResourceOptions) -> CountedTable:
        if settings.existing_table:
            found = adopt(settings.existing_table, settings.table, self)
            return CountedTable(found.name, found.arn, found.stream_arn)
        made = StreamTable(f"{self._name}-table", settings.table, settings.tags, child)
        return CountedTable(made.table.name, made.table.arn, made.table.stream_arn)
