"""Each resource type is made on the emulator as the program asks, and answers as the provider does."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components import StreamTriggeredCounter
from components.args import StreamTriggeredCounterArgs
from local.environment import ACCOUNT
from tests.local.conftest import CODE, POLICY, REGION, TRUST, Cloud

QUEUE = "aws:sqs/queue:Queue"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd"


def state(resource: Any, *names: str) -> dict[str, Any]:
    return {name: resource.state[name] for name in names}


def test_a_table_on_demand(cloud: Cloud) -> None:
    def program() -> None:
        aws.dynamodb.Table(
            "t",
            attributes=[{"name": "ID", "type": "S"}, {"name": "At", "type": "N"}],
            hash_key="ID",
            range_key="At",
            billing_mode="PAY_PER_REQUEST",
            stream_enabled=True,
            stream_view_type="NEW_IMAGE",
            point_in_time_recovery={"enabled": True},
            ttl={"enabled": True, "attribute_name": "Expires"},
            server_side_encryption={"enabled": True},
            deletion_protection_enabled=True,
            tags={"environment": "test"},
            # Nothing is ever deleted from the local cloud but all of it, so this has no effect there.
            opts=pulumi.ResourceOptions(protect=True),
        )

    made = cloud.deploy(program).one("t")
    client = cloud.client("dynamodb")
    table = client.describe_table(TableName=made.id)["Table"]
    assert made.id == made.state["name"]
    assert made.id.startswith("t-")
    assert len(made.id) == len("t-") + 7
    assert state(made, "arn", "streamArn", "streamLabel") == {
        "arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{made.id}",
        "streamArn": table["LatestStreamArn"],
        "streamLabel": table["LatestStreamLabel"],
    }
    assert table["TableStatus"] == "ACTIVE"
    assert [key["KeyType"] for key in table["KeySchema"]] == ["HASH", "RANGE"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSEDescription"]["Status"] == "ENABLED"
    backups = client.describe_continuous_backups(TableName=made.id)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    time_to_live = client.describe_time_to_live(TableName=made.id)["TimeToLiveDescription"]
    assert time_to_live["AttributeName"] == "Expires"
    assert client.list_tags_of_resource(ResourceArn=made.state["arn"])["Tags"] == [
        {"Key": "environment", "Value": "test"}
    ]


def test_a_provisioned_table_with_an_index(cloud: Cloud) -> None:
    def program() -> None:
        aws.dynamodb.Table(
            "t",
            name="provisioned",
            attributes=[{"name": "ID", "type": "S"}, {"name": "Owner", "type": "S"}],
            hash_key="ID",
            read_capacity=5,
            write_capacity=4,
            global_secondary_indexes=[
                {
                    "name": "by-owner",
                    "hash_key": "Owner",
                    "projection_type": "INCLUDE",
                    "non_key_attributes": ["Count"],
                    "read_capacity": 2,
                    "write_capacity": 1,
                }
            ],
        )

    made = cloud.deploy(program).one("t")
    table = cloud.client("dynamodb").describe_table(TableName="provisioned")["Table"]
    throughput = table["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (5, 4)
    index = table["GlobalSecondaryIndexes"][0]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["Count"]}
    assert index["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
    assert "streamArn" not in made.state


def test_roles_and_policies(cloud: Cloud) -> None:
    def program() -> None:
        managed = aws.iam.Policy("managed", policy=POLICY)
        role = aws.iam.Role("role", assume_role_policy=TRUST, description="d", max_session_duration=7200, path="/p/")
        aws.iam.RolePolicy("inline", role=role.name, policy=POLICY)
        aws.iam.RolePolicyAttachment("attached", role=role.name, policy_arn=managed.arn)

    result = cloud.deploy(program)
    made, managed = result.one("role"), result.one("managed")
    client = cloud.client("iam")
    role = client.get_role(RoleName=made.id)["Role"]
    assert made.state["arn"] == role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/p/{made.id}"
    assert made.state["uniqueId"] == role["RoleId"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("d", 7200)
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    inline = result.one("inline")
    role_name, policy_name = inline.id.split(":")
    assert client.get_role_policy(RoleName=role_name, PolicyName=policy_name)["PolicyDocument"] == json.loads(POLICY)
    attached = client.list_attached_role_policies(RoleName=made.id)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [managed.state["arn"]] == [managed.id]


def test_a_function_with_its_log_group_and_permission(cloud: Cloud) -> None:
    def program() -> None:
        role = aws.iam.Role("r", assume_role_policy=TRUST)
        group = aws.cloudwatch.LogGroup("g", name="/counter/test", retention_in_days=7, tags={"a": "b"})
        function = aws.lambda_.Function(
            "f",
            role=role.arn,
            code=CODE,
            handler="main.handler",
            runtime="python3.13",
            architectures=["arm64"],
            memory_size=256,
            timeout=9,
            environment={"variables": {"NAME": "value"}},
            logging_config={"log_format": "JSON", "log_group": group.name, "application_log_level": "DEBUG"},
            reserved_concurrent_executions=2,
            description="d",
        )
        aws.lambda_.Permission(
            "p",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="s3.amazonaws.com",
            source_arn="arn:x",
        )

    result = cloud.deploy(program)
    made = result.one("f")
    client = cloud.client("lambda")
    found = client.get_function(FunctionName=made.id)
    configuration = found["Configuration"]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{made.id}"
    assert configuration["FunctionArn"] == arn
    assert state(made, "arn", "qualifiedArn", "version", "invokeArn") == {
        "arn": arn,
        "qualifiedArn": f"{arn}:$LATEST",
        "version": "$LATEST",
        "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    }
    assert configuration["Architectures"] == ["arm64"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (256, 9)
    assert configuration["Environment"]["Variables"] == {"NAME": "value"}
    assert configuration["LoggingConfig"]["LogGroup"] == "/counter/test"
    assert configuration["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 2
    answer = client.invoke(FunctionName=made.id, Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"a": 1}
    statement = json.loads(client.get_policy(FunctionName=made.id)["Policy"])["Statement"][0]
    assert statement["Sid"] == result.one("p").id
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:x"}}
    group = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/counter/test")["logGroups"][0]
    assert group["retentionInDays"] == 7
    assert result.one("g").state["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/counter/test"


def test_a_queue_and_its_dead_letters(cloud: Cloud) -> None:
    def program() -> None:
        dead = aws.sqs.Queue("dead", message_retention_seconds=1_209_600, sqs_managed_sse_enabled=True)
        redrive = pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3})
        aws.sqs.Queue("live", fifo_queue=False, visibility_timeout_seconds=45, redrive_policy=redrive)
        aws.sqs.Queue("ordered", fifo_queue=True, content_based_deduplication=True)
        aws.sqs.Queue("keyed", kms_master_key_id=KEY)
        aws.sqs.QueuePolicy("dead", queue_url=dead.url, policy='{"Version": "2012-10-17", "Statement": []}')

    result = cloud.deploy(program)
    dead, live, ordered = result.one(QUEUE, "dead"), result.one("live"), result.one("ordered")
    client = cloud.client("sqs")

    def attributes(queue: Any) -> dict[str, str]:
        found: dict[str, str] = client.get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
        return found

    assert dead.id == dead.state["url"]
    assert dead.state["arn"] == attributes(dead)["QueueArn"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead.state['name']}"
    assert attributes(dead)["MessageRetentionPeriod"] == "1209600"
    assert attributes(live)["VisibilityTimeout"] == "45"
    assert json.loads(attributes(live)["RedrivePolicy"])["deadLetterTargetArn"] == dead.state["arn"]
    assert ordered.state["name"].endswith(".fifo")
    assert attributes(result.one("keyed"))["KmsMasterKeyId"] == KEY
    assert json.loads(attributes(dead)["Policy"]) == {"Version": "2012-10-17", "Statement": []}
    assert result.one("aws:sqs/queuePolicy:QueuePolicy").id == dead.id


def test_a_counter_with_customer_managed_keys_and_reserved_concurrency(cloud: Cloud) -> None:
    args: StreamTriggeredCounterArgs = {
        "table": {"encryption_key_arn": KEY},
        "stream": {"dead_letter_queue_encryption_key_arn": KEY, "reserved_concurrency": 3},
        "functions": {"log_encryption_key_arn": KEY},
    }
    result = cloud.deploy(lambda: StreamTriggeredCounter("counter", args))
    for table in result.all("aws:dynamodb/table:Table"):
        described = cloud.client("dynamodb").describe_table(TableName=table.id)["Table"]
        assert described["SSEDescription"]["KMSMasterKeyArn"] == KEY
    own = {group.id for group in result.all("aws:cloudwatch/logGroup:LogGroup")}
    groups = cloud.client("logs").describe_log_groups()["logGroups"]
    assert [group["kmsKeyId"] for group in groups if group["logGroupName"] in own] == [KEY] * 5
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=result.one(QUEUE).id, AttributeNames=["All"])
    assert attributes["Attributes"]["KmsMasterKeyId"] == KEY
    assert attributes["Attributes"].get("SqsManagedSseEnabled", "false") == "false"
    function = result.one("aws:lambda/function:Function", "counter-process-stream").id
    concurrency = cloud.client("lambda").get_function_concurrency(FunctionName=function)
    assert concurrency["ReservedConcurrentExecutions"] == 3


def test_an_event_source_mapping(cloud: Cloud) -> None:
    def program() -> None:
        table = aws.dynamodb.Table(
            "t",
            attributes=[{"name": "ID", "type": "S"}],
            hash_key="ID",
            billing_mode="PAY_PER_REQUEST",
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
        )
        queue = aws.sqs.Queue("q")
        role = aws.iam.Role("r", assume_role_policy=TRUST)
        function = aws.lambda_.Function("f", role=role.arn, code=CODE, handler="main.handler", runtime="python3.13")
        aws.lambda_.EventSourceMapping(
            "m",
            event_source_arn=table.stream_arn,
            function_name=function.arn,
            starting_position="TRIM_HORIZON",
            batch_size=50,
            maximum_batching_window_in_seconds=1,
            maximum_retry_attempts=3,
            maximum_record_age_in_seconds=3600,
            bisect_batch_on_function_error=True,
            filter_criteria={"filters": [{"pattern": '{"eventName": ["INSERT"]}'}]},
            destination_config={"on_failure": {"destination_arn": queue.arn}},
            function_response_types=["ReportBatchItemFailures"],
            metrics_config={"metrics": ["EventCount"]},
        )

    result = cloud.deploy(program)
    made = result.one("m")
    found = cloud.client("lambda").get_event_source_mapping(UUID=made.id)
    assert made.state["uuid"] == made.id
    assert made.state["functionArn"] == found["FunctionArn"] == result.one("f").state["arn"]
    assert found["EventSourceArn"] == result.one("t").state["streamArn"]
    names = ("BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds")
    assert [found[name] for name in names] == [50, 1, 3, 3600]
    assert found["BisectBatchOnFunctionError"] is True
    assert found["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
    assert found["DestinationConfig"]["OnFailure"]["Destination"] == result.one("q").state["arn"]
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_an_http_api(cloud: Cloud) -> None:
    def program() -> None:
        role = aws.iam.Role("r", assume_role_policy=TRUST)
        function = aws.lambda_.Function("f", role=role.arn, code=CODE, handler="main.handler", runtime="python3.13")
        api = aws.apigatewayv2.Api(
            "a", protocol_type="HTTP", cors_configuration={"allow_origins": ["https://a.example"], "max_age": 60}
        )
        integration = aws.apigatewayv2.Integration(
            "i",
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=function.invoke_arn,
            payload_format_version="2.0",
        )
        target = integration.id.apply(lambda identifier: f"integrations/{identifier}")
        aws.apigatewayv2.Route("r", api_id=api.id, route_key="GET /x/{id}", target=target)
        aws.apigatewayv2.Stage(
            "s",
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            default_route_settings={"throttling_burst_limit": 20, "throttling_rate_limit": 10},
            route_settings=[{"route_key": "GET /x/{id}", "throttling_burst_limit": 5}],
        )

    result = cloud.deploy(program)
    made = result.one("a")
    client = cloud.client("apigatewayv2")
    api = client.get_api(ApiId=made.id)
    assert api["CorsConfiguration"]["AllowOrigins"] == ["https://a.example"]
    assert made.state["executionArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{made.id}"
    assert made.state["apiEndpoint"].startswith(cloud.emulator.origin)
    stage = client.get_stage(ApiId=made.id, StageName="$default")
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 20
    assert stage["RouteSettings"] == {"GET /x/{id}": {"ThrottlingBurstLimit": 5}}
    assert result.one("s").state["invokeUrl"] == f"{made.state['apiEndpoint']}/"
    assert client.get_routes(ApiId=made.id)["Items"][0]["RouteKey"] == "GET /x/{id}"


def test_an_authorizer_and_the_routes_that_use_it(cloud: Cloud) -> None:
    def program() -> None:
        api = aws.apigatewayv2.Api("a", protocol_type="HTTP")
        authorizer = aws.apigatewayv2.Authorizer(
            "t",
            api_id=api.id,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration={"issuer": "https://id.example.org", "audiences": ["one", "two"]},
        )
        aws.apigatewayv2.Route(
            "r",
            api_id=api.id,
            route_key="GET /x",
            authorization_type="JWT",
            authorizer_id=authorizer.id,
            authorization_scopes=["read"],
        )

    result = cloud.deploy(program)
    api, made = result.one("a"), result.one("t")
    client = cloud.client("apigatewayv2")
    found = client.get_authorizer(ApiId=api.id, AuthorizerId=made.id)
    assert found["Name"] == made.state["name"]
    assert (found["AuthorizerType"], found["IdentitySource"]) == ("JWT", ["$request.header.Authorization"])
    assert found["JwtConfiguration"] == {"Issuer": "https://id.example.org", "Audience": ["one", "two"]}
    [route] = client.get_routes(ApiId=api.id)["Items"]
    assert (route["AuthorizationType"], route["AuthorizerId"]) == ("JWT", made.id)
    assert route["AuthorizationScopes"] == ["read"]


def test_an_authorizer_with_code_of_its_own_is_refused(cloud: Cloud) -> None:
    def program() -> None:
        aws.apigatewayv2.Authorizer("t", api_id="x", authorizer_type="REQUEST")

    with pytest.raises(Exception, match="authorizerType is 'REQUEST', must be 'JWT'"):
        cloud.deploy(program)


def test_a_domain_with_its_mapping_and_records(cloud: Cloud) -> None:
    zone = cloud.client("route53").create_hosted_zone(Name="example.org", CallerReference="test")["HostedZone"]["Id"]
    zone = zone.rpartition("/")[2]

    def program() -> None:
        api = aws.apigatewayv2.Api("a", protocol_type="HTTP")
        stage = aws.apigatewayv2.Stage("s", api_id=api.id, name="$default", auto_deploy=True)
        domain = aws.apigatewayv2.DomainName(
            "d",
            domain_name="count.example.org",
            domain_name_configuration={
                "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
                "endpoint_type": "REGIONAL",
                "security_policy": "TLS_1_2",
                "ip_address_type": "dualstack",
            },
            tags={"a": "b"},
        )
        aws.apigatewayv2.ApiMapping("m", api_id=api.id, domain_name=domain.id, stage=stage.name, api_mapping_key="v1")
        alias: Any = {
            "name": domain.domain_name_configuration.target_domain_name,
            "zone_id": domain.domain_name_configuration.hosted_zone_id,
            "evaluate_target_health": False,
        }
        aws.route53.Record("r", zone_id=zone, name=domain.id, type="AAAA", aliases=[alias])
        aws.route53.Record("t", zone_id=zone, name="t.example.org", type="TXT", ttl=60, records=['"x"'])
        aws.route53.Record("elsewhere", zone_id="ZELSEWHERE", name="x.example.net", type="A", aliases=[alias])

    result = cloud.deploy(program)
    client = cloud.client("apigatewayv2")
    found = client.get_domain_name(DomainName="count.example.org")
    [configuration] = found["DomainNameConfigurations"]
    made = result.one("d").state["domainNameConfiguration"]
    assert (configuration["IpAddressType"], configuration["SecurityPolicy"]) == ("dualstack", "TLS_1_2")
    assert configuration["CertificateArn"] == "arn:aws:acm:eu-west-1:123456789012:certificate/1"
    assert made["targetDomainName"] == configuration["ApiGatewayDomainName"]
    assert found["Tags"] == {"a": "b"}
    [mapping] = client.get_api_mappings(DomainName="count.example.org")["Items"]
    assert mapping["ApiMappingId"] == result.one("m").id
    assert (mapping["ApiId"], mapping["Stage"], mapping["ApiMappingKey"]) == (result.one("a").id, "$default", "v1")
    records = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    by_type = {record["Type"]: record for record in records}
    assert by_type["AAAA"]["Name"].startswith("count.example.org")
    assert by_type["AAAA"]["AliasTarget"]["HostedZoneId"] == made["hostedZoneId"]
    assert (by_type["TXT"]["TTL"], by_type["TXT"]["ResourceRecords"]) == (60, [{"Value": '"x"'}])
    assert result.one("elsewhere").state["fqdn"] == "x.example.net"


def test_each_api_of_a_site_has_an_address_of_its_own(cloud: Cloud) -> None:
    def program() -> None:
        for name in ("a", "b"):
            aws.apigatewayv2.Api(name, protocol_type="HTTP")

    addresses = {one.state["apiEndpoint"] for one in cloud.deploy(program).all("aws:apigatewayv2/api:Api")}
    assert len(addresses) == 2


def test_a_provider_decides_over_region_and_default_tags(cloud: Cloud) -> None:
    def program() -> None:
        provider = aws.Provider(
            "p", region="eu-north-1", default_tags={"tags": {"team": "a", "own": "no"}}, profile="x"
        )
        aws.sqs.Queue("q", tags={"own": "yes"}, opts=pulumi.ResourceOptions(provider=provider))
        aws.sqs.Queue("here", region="us-west-2")

    result = cloud.deploy(program)
    queue = result.one("q")
    assert queue.state["arn"].startswith("arn:aws:sqs:eu-north-1:")
    assert queue.state["region"] == "eu-north-1"
    assert queue.state["tagsAll"] == {"team": "a", "own": "yes"}
    tags = cloud.site.clients.get("sqs", "eu-north-1").list_queue_tags(QueueUrl=queue.id)["Tags"]
    assert tags == {"team": "a", "own": "yes"}
    assert result.one("here").state["arn"].startswith("arn:aws:sqs:us-west-2:")


def test_a_table_that_is_looked_up_is_described_or_made_once(cloud: Cloud) -> None:
    notes: list[str] = []

    def program() -> None:
        made = aws.dynamodb.Table(
            "made", attributes=[{"name": "Key", "type": "N"}], hash_key="Key", billing_mode="PAY_PER_REQUEST"
        )
        provider = aws.Provider("elsewhere", region="us-west-2")
        for number in range(2):
            opts = pulumi.InvokeOutputOptions(provider=provider if number else None)
            found = aws.dynamodb.get_table_output(name="looked-up", opts=opts)
            again = aws.dynamodb.get_table_output(name="looked-up", opts=opts)
            pulumi.export(f"found-{number}", found.arn)
            pulumi.export(f"streams-{number}", pulumi.Output.all(found.stream_arn, again.stream_arn))
            pulumi.export(f"keys-{number}", found.apply(lambda table: [table.hash_key, *map(dict, table.attributes)]))
        own = aws.dynamodb.get_table_output(name=made.name)
        pulumi.export("own", own.apply(lambda table: [table.hash_key, table.stream_enabled, table.attributes[0].type]))

    outputs = cloud.deploy(program, on_note=notes.append).outputs
    for number, region in enumerate((REGION, "us-west-2")):
        arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/looked-up"
        assert outputs[f"found-{number}"] == arn
        assert outputs[f"streams-{number}"][0].startswith(f"{arn}/stream/")
        assert len(set(outputs[f"streams-{number}"])) == 1
        assert outputs[f"keys-{number}"] == ["ID", {"name": "ID", "type": "S"}]
    assert outputs["own"] == ["Key", False, "N"]
    assert len(notes) == 2
    assert all("'looked-up'" in note for note in notes)


def test_a_table_that_cannot_be_made_fails_the_lookup_in_the_programs_own_way(cloud: Cloud) -> None:
    with pytest.raises(Exception, match=r"invoke of aws:dynamodb/getTable:getTable failed: "):
        cloud.deploy(lambda: pulumi.export("arn", aws.dynamodb.get_table_output(name="x").arn))
