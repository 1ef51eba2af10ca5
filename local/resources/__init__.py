"""The resource types that the local cloud supports, one small function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.engine.answers import Computed

from ..inputs import Inputs
from ..site import Site
from . import api, cloudwatch, domains, dynamodb, functions, iam, logs, notifications, sqs, streams

Handler = Callable[[Site, Inputs], Computed]

HANDLERS: Mapping[str, Handler] = {
    "aws:apigatewayv2/api:Api": api.create_api,
    "aws:apigatewayv2/apiMapping:ApiMapping": domains.create_api_mapping,
    "aws:apigatewayv2/authorizer:Authorizer": api.create_authorizer,
    "aws:apigatewayv2/domainName:DomainName": domains.create_domain_name,
    "aws:apigatewayv2/integration:Integration": api.create_integration,
    "aws:apigatewayv2/route:Route": api.create_route,
    "aws:apigatewayv2/stage:Stage": api.create_stage,
    "aws:cloudwatch/dashboard:Dashboard": cloudwatch.create_dashboard,
    "aws:cloudwatch/logGroup:LogGroup": logs.create_log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": cloudwatch.create_metric_alarm,
    "aws:dynamodb/table:Table": dynamodb.create_table,
    "aws:iam/policy:Policy": iam.create_policy,
    "aws:iam/role:Role": iam.create_role,
    "aws:iam/rolePolicy:RolePolicy": iam.create_role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": iam.attach_role_policy,
    "aws:kms/key:Key": notifications.create_key,
    "aws:lambda/eventSourceMapping:EventSourceMapping": streams.create_event_source_mapping,
    "aws:lambda/function:Function": functions.create_function,
    "aws:lambda/permission:Permission": functions.add_permission,
    "aws:route53/record:Record": domains.create_record,
    "aws:sns/topic:Topic": notifications.create_topic,
    "aws:sns/topicSubscription:TopicSubscription": notifications.subscribe,
    "aws:sqs/queue:Queue": sqs.create_queue,
    "aws:sqs/queuePolicy:QueuePolicy": sqs.create_queue_policy,
}
